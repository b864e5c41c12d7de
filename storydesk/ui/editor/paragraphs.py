"""The page's paragraphs as Python holds them: kept in step with the document edit by edit, so that nobody reads a
novel out of it again to save, count or check one word.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QTextDocument

from storydesk.domain.manuscript import count_words

Spliced = Callable[[int, int, int], None]
"""Called with the first changed paragraph, how many there were, and how many there are now."""


class Paragraphs:
    """One string and one number of words for each block of a document. GUI thread."""

    def __init__(self, document: QTextDocument) -> None:
        """Read the document as it is; ``note_change`` keeps up with it."""
        self._document = document
        self._lines: list[str] = []
        self._words: list[int] = []
        self._total = 0
        self._counted = False
        self._text: str | None = None
        self._listeners: list[Spliced] = []
        self.reset()

    def __len__(self) -> int:
        """Return how many paragraphs there are."""
        return len(self._lines)

    @property
    def lines(self) -> list[str]:
        """The paragraphs; not to be changed."""
        return self._lines

    def listen(self, spliced: Spliced) -> None:
        """Call ``spliced`` after each change of the text."""
        self._listeners.append(spliced)

    def text(self) -> str:
        """Return the whole text with line feeds between the paragraphs; asked twice, it is put together once."""
        if self._text is None:
            self._text = "\n".join(self._lines)
        return self._text

    def reset(self, lines: list[str] | None = None) -> None:
        """Read everything anew, or take ``lines``, which the document is known to hold."""
        before = len(self._lines)
        if lines is None:
            lines = self._document.toRawText().split("\u2029")
        self._lines = lines
        self._counted = False
        self._text = None
        self._tell(0, before, len(lines))

    def holds(self, position: int, length: int) -> bool:
        """Return whether a stretch of the document is known as it is now."""
        if self._document.blockCount() != len(self._lines):
            return False
        block = self._document.findBlock(position)
        while block.isValid() and block.position() <= position + length:
            if block.text() != self._lines[block.blockNumber()]:
                return False
            block = block.next()
        return True

    def note_change(self, position: int, added: int) -> None:
        """Follow a change of the document that left ``added`` UTF-16 units at ``position``."""
        block = self._document.findBlock(position)
        first = block.blockNumber()
        last = self._document.findBlock(position + added).blockNumber()
        count = self._document.blockCount()
        if first < 0:
            first = 0
            block = self._document.firstBlock()
        if last < 0:
            last = count - 1
        now = last - first + 1
        before = now - (count - len(self._lines))
        if before < 1 or first + before > len(self._lines):
            self.reset()
            return
        lines = []
        for _number in range(now):
            lines.append(block.text())
            block = block.next()
        self._splice(first, before, lines)

    def count_words(self) -> int:
        """Return the words of the whole text; only paragraphs that changed are counted."""
        if not self._counted:
            self._words = list(map(count_words, self._lines))
            self._total = sum(self._words)
            self._counted = True
        return self._total

    def count_between(self, first: int, last: int) -> int:
        """Return the words of the paragraphs from ``first`` up to ``last``, which is left out."""
        self.count_words()
        return sum(self._words[first:last])

    def _splice(self, first: int, before: int, lines: list[str]) -> None:
        if self._counted:
            counted = list(map(count_words, lines))
            self._total += sum(counted) - sum(self._words[first : first + before])
            self._words[first : first + before] = counted
        self._lines[first : first + before] = lines
        self._text = None
        self._tell(first, before, len(lines))

    def _tell(self, first: int, before: int, now: int) -> None:
        for spliced in self._listeners:
            spliced(first, before, now)
