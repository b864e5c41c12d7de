"""Which words on the page the model wrote a moment ago, as long as what else it might have written is known."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Slot

from storydesk.bridge.offsets import Utf16Map
from storydesk.bridge.writing_controller import Candidate
from storydesk.domain.generation import TokenChoice
from storydesk.ui.editor.page import PageEdit

MOST_PIECES = 12


@dataclass(slots=True)
class Piece:
    """A stretch of the page, in UTF-16 units, that is ``text`` of a candidate from its place ``offset`` on."""

    start: int
    candidate: Candidate
    offset: int
    text: str

    @property
    def end(self) -> int:
        """Where it ends on the page."""
        return self.start + Utf16Map(self.text).to_units(len(self.text))

    def place_of(self, choice: TokenChoice) -> int:
        """Return where a token begins on the page."""
        return self.start + Utf16Map(self.text).to_units(choice.start - self.offset)

    def choice_at(self, place: int) -> TokenChoice | None:
        """Return the token at a place of the page; behind the last one, that one."""
        for choice in reversed(self.candidate.choices):
            inside = self.offset <= choice.start and choice.end <= self.offset + len(self.text)
            if inside and choice.alternatives and self.place_of(choice) <= place <= self.end:
                return choice
        return None


class AcceptedText(QObject):
    """Follows what was accepted through the edits around it; what is edited itself is forgotten. GUI thread."""

    def __init__(self, page: PageEdit, parent: QObject) -> None:
        """Listen to the page."""
        super().__init__(parent)
        self._page = page
        self._pieces: list[Piece] = []
        page.edited.connect(self._on_edited)

    def note(self, candidate: Candidate, offset: int, text: str) -> None:
        """Remember what has just become text: it ends at the cursor."""
        start = self._page.textCursor().position() - Utf16Map(text).to_units(len(text))
        last = self._pieces[-1] if self._pieces else None
        if last is not None and last.candidate is candidate and last.end == start:
            last.text += text
            return
        self._pieces = [*self._pieces, Piece(start, candidate, offset, text)][-MOST_PIECES:]

    def find(self, place: int) -> Piece | None:
        """Return the piece that a place of the page is in."""
        return next((each for each in reversed(self._pieces) if each.start <= place <= each.end), None)

    def clear(self) -> None:
        """Forget everything: another text is on the page."""
        self._pieces = []

    @Slot(int, int, int)
    def _on_edited(self, position: int, removed: int, added: int) -> None:
        kept = []
        for piece in self._pieces:
            if position >= piece.end:
                kept.append(piece)
            elif position + removed <= piece.start:
                piece.start += added - removed
                kept.append(piece)
        self._pieces = kept
