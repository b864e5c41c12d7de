"""Where a text ends: after enough words at the end of a sentence, or where the model turns to another story."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storydesk.domain.manuscript import WORD, count_words

END_OF_TEXT = "<|endoftext|>"
"""GPT-2's end-of-text token, where a model spells it out in plain characters."""

# Closing quotes and brackets belong to the sentence; what begins behind it proves that it has ended: not a small
# letter, as in "Go!" she said.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s+[^\sa-zß-öø-ÿ])")
_CLOSED = re.compile(r"[.!?…]+[\"'”’»)\]]*$")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Mt|Prof|Capt|Col|Gen|Lt|Sgt|Rev|Jr|Sr|vs|No)|\b[A-Z])\.$")
# No word of prose takes this many tokens; a model that only makes noise has to end as well.
_TOKENS_PER_WORD = 8
# So many words a speech may go on after the text is long enough, before it is left without its closing quote.
_SPEECH_WORDS = 25
_SPARE_TOKENS = 64


class StopRule:
    """Lets text through until it is long enough. Lives on one thread; one rule for one text.

    White space at the end is held back until more text follows, so a finished text never ends in it.
    """

    def __init__(
        self,
        words: int,
        *,
        until_sentence_end: bool,
        context: str = "",
        marks: Sequence[str] = (),
        stops: Sequence[str] = (),
        minimum_words: int = 0,
        maximum_words: int = 0,
    ) -> None:
        """Stop after ``words`` words, never before ``minimum_words`` or after ``maximum_words``; 0 sets no limit.

        ``marks`` and ``stops`` are strings that never get out and end the text before them. A mark may begin in the
        last characters of ``context``, a stop belongs to the new text.
        """
        self._words = max(words, minimum_words, 1)
        # A sentence may go on for a while, but not for another page.
        self._most_words = self._words + max(40, self._words // 4) if until_sentence_end else self._words
        if maximum_words:
            self._most_words = min(self._most_words, maximum_words)
            self._words = min(self._words, maximum_words)
        self._until_sentence_end = until_sentence_end
        self._marks = tuple(mark for mark in (END_OF_TEXT, *marks) if mark)
        self._stops = tuple(stop for stop in stops if stop)
        longest = max(len(mark) for mark in (*self._marks, *self._stops))
        self._before = context[-longest:]
        self._longest = longest
        self._open_quotes = context.rpartition("\n\n")[2].count('"')
        self._text = ""
        self._sent = 0
        # Words up to the last white space are counted once: (place in the text, words before it).
        self._counted = (0, 0)
        self._enough_at: int | None = None
        self._most_at: int | None = None
        self.met_mark = False
        self.met_stop = False

    @property
    def most_tokens(self) -> int:
        """How many tokens are enough, whatever they say."""
        return self._most_words * _TOKENS_PER_WORD + _SPARE_TOKENS

    @property
    def sent(self) -> int:
        """How many characters of the text have been let through."""
        return self._sent

    @property
    def words(self) -> int:
        """How many words the text has, what is held back included."""
        place, words = self._counted
        return words + count_words(self._text[place:])

    @property
    def length(self) -> int:
        """How many characters the text has, what is held back included."""
        return len(self._text)

    @property
    def ends_sentence(self) -> bool:
        """Whether what has been let through ends with a sentence."""
        shown = self._text[: self._sent].rstrip()
        return not shown or bool(_CLOSED.search(shown[-16:]))

    def feed(self, text: str) -> tuple[str, bool]:
        """Return what may be shown after more text, and whether that was the end."""
        self._text += text
        end = self._find_mark()
        if end is not None:
            return self._send(len(self._text[:end].rstrip())), True
        end = self._find_end()
        if end is not None:
            return self._send(end), True
        self._count_settled()
        return self._send(self._find_certain_end()), False

    def finish(self) -> str:
        """Return what was held back, without white space at its end."""
        return self._send(len(self._text.rstrip()))

    def finish_sentence(self) -> str:
        """Return what was held back up to the end of the sentence that is being shown; empty where none ends."""
        for match in _SENTENCE_END.finditer(self._text, max(self._sent - 1, 0)):
            if match.end() >= self._sent and not _ABBREVIATION.search(self._text[: match.end()][-8:]):
                return self._send(match.end())
        return ""

    def rewind(self, text: str) -> None:
        """Go back to a text that this one begins with; what was let through stays and has to be part of it."""
        self._text = text
        self._counted, self._enough_at, self._most_at = (0, 0), None, None
        self.met_mark = self.met_stop = False

    def _send(self, end: int) -> str:
        start, self._sent = self._sent, max(self._sent, end)
        return self._text[start : self._sent]

    def _find_mark(self) -> int | None:
        """Return where in the text the first mark or stop begins; 0 where it began in the context."""
        # Nothing that has been let through can be part of one, but for a mark's beginning in the context.
        offset = max(self._sent - self._longest, 0)
        before = self._before if offset == 0 else ""
        joined = before + self._text[offset:]
        first = len(before)
        places = []
        for mark in self._marks:
            place = joined.find(mark, max(first + self._sent - offset - len(mark) + 1, 0))
            if place >= 0 and place + len(mark) > first:
                places.append((max(place - first, 0) + offset, False))
        for stop in self._stops:
            place = self._text.find(stop, self._sent)
            if place >= 0:
                places.append((place, True))
        if not places:
            return None
        end, self.met_stop = min(places)
        self.met_mark = not self.met_stop
        return end

    def _find_certain_end(self) -> int:
        """Return where a mark, a stop or white space may begin at the end of the text."""
        tail = self._text[-self._longest :]
        joined = (self._before if len(tail) == len(self._text) else "") + tail
        end = _find_beginning(joined, self._marks)
        end = min(end, len(joined) - len(tail) + _find_beginning(tail, self._stops))
        end = len(self._text) - (len(joined) - end)
        return len(self._text[: max(end, 0)].rstrip())

    def _count_settled(self) -> None:
        """Count the words before the last white space once and for all; no word spans it."""
        place, words = self._counted
        last = max(self._text.rfind(" "), self._text.rfind("\n"))
        if last > place:
            self._counted = last, words + count_words(self._text[place:last])

    def _find_word(self, number: int) -> int | None:
        """Return where the word of that number ends, counted from 1, None while there are fewer."""
        place, words = self._counted
        for match in WORD.finditer(self._text, place):
            words += 1
            if words == number:
                return match.end()
        return None

    def _find_end(self) -> int | None:
        """Return where the text is long enough and complete, None while it is not."""
        if self._counted[1] < self._words:
            self._enough_at = self._find_word(self._words)
        if self._counted[1] < self._most_words:
            self._most_at = self._find_word(self._most_words)
        if self._enough_at is None:
            return None
        cut = self._most_at if self._most_at is not None and WORD.search(self._text, self._most_at) else None
        if self._until_sentence_end:
            for match in _SENTENCE_END.finditer(self._text, self._find_marks_before(self._enough_at)):
                if cut is not None and WORD.search(self._text[: match.end()], cut):
                    return cut
                if match.end() < self._enough_at or _ABBREVIATION.search(self._text[: match.end()][-8:]):
                    continue
                if not self._is_speaking(match.end()) or self._is_patience_over(match.end()):
                    return match.end()
        return cut

    def _is_speaking(self, end: int) -> bool:
        """Return whether a speech of this paragraph is still open at ``end``; the model writes straight quotes."""
        begin = self._text.rfind("\n\n", 0, end)
        quotes = self._text.count('"', max(begin, 0), end) + (self._open_quotes if begin < 0 else 0)
        return quotes % 2 == 1

    def _is_patience_over(self, end: int) -> bool:
        """Return whether a speaker has gone on for so long that any sentence end will do."""
        return sum(1 for _ in WORD.finditer(self._text, self._enough_at or 0, end)) >= _SPEECH_WORDS

    def _find_marks_before(self, place: int) -> int:
        """Return where the run of closing marks begins that a search from ``place`` would cut through."""
        while place > 0 and self._text[place - 1] in ".!?…\"'”’»)]":
            place -= 1
        return place


def _find_beginning(text: str, marks: Sequence[str]) -> int:
    """Return the first place in the text's end where one of the marks may have begun."""
    end = len(text)
    for mark in marks:
        for length in range(min(len(mark) - 1, len(text)), 0, -1):
            if text.endswith(mark[:length]):
                end = min(end, len(text) - length)
                break
    return end
