"""Where a text ends: after enough words at the end of a sentence, or where the model turns to another story."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storydesk.domain.manuscript import count_words

END_OF_TEXT = "<|endoftext|>"
"""GPT-2's end-of-text token, where a model spells it out in plain characters."""

# Closing quotes and brackets belong to the sentence; what begins behind it proves that it has ended: not a small
# letter, as in "Go!" she said.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s+[^\sa-zß-öø-ÿ])")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Mt|Prof|Capt|Col|Gen|Lt|Sgt|Rev|Jr|Sr|vs|No)|\b[A-Z])\.$")
_WORD_END = re.compile(r"(?<=\w)(?!\w)(?!['’-]\w)")
# No word of prose takes this many tokens; a model that only makes noise has to end as well.
_TOKENS_PER_WORD = 8
_SPARE_TOKENS = 64


class StopRule:
    """Lets text through until it is long enough. Lives on one thread; one rule for one text.

    White space at the end is held back until more text follows, so a finished text never ends in it.
    """

    def __init__(self, words: int, *, until_sentence_end: bool, context: str = "", marks: Sequence[str] = ()) -> None:
        """Stop after ``words`` words; ``marks`` are strings that never get out and end the text before them.

        A mark may begin in the last characters of ``context``.
        """
        self._words = max(words, 1)
        # A sentence may go on for a while, but not for another page.
        self._most_words = self._words + max(40, self._words // 4) if until_sentence_end else self._words
        self._until_sentence_end = until_sentence_end
        self._marks = tuple(mark for mark in (END_OF_TEXT, *marks) if mark)
        longest = max(len(mark) for mark in self._marks)
        self._before = context[-longest:]
        self._text = ""
        self._sent = 0
        self.met_mark = False

    @property
    def most_tokens(self) -> int:
        """How many tokens are enough, whatever they say."""
        return self._most_words * _TOKENS_PER_WORD + _SPARE_TOKENS

    def feed(self, text: str) -> tuple[str, bool]:
        """Return what may be shown after more text, and whether that was the end."""
        self._text += text
        end = self._find_mark()
        if end is not None:
            self.met_mark = True
            return self._send(len(self._text[:end].rstrip())), True
        end = self._find_end()
        if end is not None:
            return self._send(end), True
        return self._send(self._find_certain_end()), False

    def finish(self) -> str:
        """Return what was held back, without white space at its end."""
        return self._send(len(self._text.rstrip()))

    def _send(self, end: int) -> str:
        start, self._sent = self._sent, max(self._sent, end)
        return self._text[start : self._sent]

    def _find_mark(self) -> int | None:
        """Return where in the text the first mark begins; 0 where it began in the context."""
        joined = self._before + self._text
        first = len(self._before)
        found = [
            place
            for mark in self._marks
            if (place := joined.find(mark, max(first + self._sent - len(mark) + 1, 0))) >= 0
            and place + len(mark) > first
        ]
        return max(min(found) - first, 0) if found else None

    def _find_certain_end(self) -> int:
        """Return where a mark or white space may begin at the end of the text."""
        joined = self._before + self._text
        end = len(joined)
        for mark in self._marks:
            for length in range(min(len(mark) - 1, len(joined)), 0, -1):
                if joined.endswith(mark[:length]):
                    end = min(end, len(joined) - length)
                    break
        return max(len(joined[:end].rstrip()) - len(self._before), 0)

    def _find_end(self) -> int | None:
        """Return where the text is long enough and complete, None while it is not."""
        count = count_words(self._text)
        if count < self._words:
            return None
        if self._until_sentence_end:
            for match in _SENTENCE_END.finditer(self._text):
                head = self._text[: match.end()]
                if count_words(head) >= self._words and not _ABBREVIATION.search(head):
                    return match.end()
        if count > self._most_words:
            for match in _WORD_END.finditer(self._text):
                if count_words(self._text[: match.start()]) >= self._most_words:
                    return match.start()
        return None
