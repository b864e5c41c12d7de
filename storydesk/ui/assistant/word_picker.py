"""Other words: a click on a word that the model wrote, or a key, shows what it might have written instead."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from storydesk.bridge.writing_controller import Candidate, WritingController
from storydesk.domain.generation import Alternative, TokenChoice
from storydesk.domain.manuscript import count_words
from storydesk.ui.assistant.accepted_text import Piece
from storydesk.ui.assistant.co_writer import CoWriter
from storydesk.ui.assistant.word_popover import WordPlace, WordPopover
from storydesk.ui.assistant.write_panel import WritePanel
from storydesk.ui.editor.page import PageEdit

LEAST_WORDS = 5


class WordPicker(QObject):
    """Opens the list of other words where it is asked for, and goes on from the one that is taken. GUI thread."""

    nothing_known = Signal()
    """There is no word here of which the model's other words are known."""

    def __init__(self, co_writer: CoWriter, writing: WritingController, page: PageEdit, panel: WritePanel) -> None:
        """Listen to the page and the cards."""
        super().__init__(page)
        self._co_writer = co_writer
        self._writing = writing
        self._page = page
        self._panel = panel
        self.popover: WordPopover | None = None
        page.ghost_clicked.connect(self._on_ghost_clicked)
        page.menu_wanted.connect(self._on_menu_wanted)
        panel.word_clicked.connect(self.open_for_card)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of this feature do."""
        return {"other_words": self.open_here}

    def open_here(self) -> None:
        """Open the list for the card that has the focus, the ghost's next word, or the word at the cursor."""
        card = self._panel.focused_card()
        if card is not None:
            self.open_for_card(card.number, 0, card.passage.rect_of(0))
            return
        spot = self._page.viewport().mapToGlobal(self._page.cursorRect().bottomLeft())
        candidate = self._co_writer.offered
        if candidate is not None:
            self._open_for(candidate, candidate.taken, spot)
            return
        place = self._page.textCursor().position()
        piece = self._co_writer.accepted.find(place)
        choice = piece.choice_at(place) if piece is not None else None
        if piece is None or choice is None:
            self.nothing_known.emit()
            return
        self._open_for_piece(piece, choice, spot)

    @Slot(int, int, QPoint)
    def open_for_card(self, number: int, place: int, spot: QPoint) -> None:
        """Open the list for a word of a way."""
        candidate = self._writing.find(number)
        if candidate is not None:
            self._open_for(candidate, max(place, candidate.taken), spot)

    @Slot(int, QPoint)
    def _on_ghost_clicked(self, place: int, spot: QPoint) -> None:
        candidate = self._co_writer.offered
        if candidate is not None:
            self._open_for(candidate, candidate.taken + place, spot)

    def _open_for(self, candidate: Candidate, place: int, spot: QPoint) -> None:
        known = [each for each in candidate.choices if each.alternatives and each.start >= candidate.taken]
        index = next((number for number, each in enumerate(known) if each.end > place), None)
        if index is None:
            self.nothing_known.emit()
            return
        places = [WordPlace(candidate.text, each) for each in known]
        popover = self._show(places, index, spot)
        popover.alternative_chosen.connect(
            lambda choice, alternative: self._co_writer.go_on_from(candidate, choice, alternative)
        )
        card = self._panel.card(candidate.number)
        if card is not None:
            popover.place_changed.connect(lambda at: card.passage.mark(at.choice.start, at.choice.end))
            popover.destroyed.connect(lambda: self._unmark(candidate.number))
            card.passage.mark(places[index].choice.start, places[index].choice.end)

    def _unmark(self, number: int) -> None:
        card = self._panel.card(number)
        if card is not None:
            card.passage.mark(0, 0)

    def _open_for_piece(self, piece: Piece, choice: TokenChoice, spot: QPoint) -> None:
        last = piece.offset + len(piece.text)
        known = [
            each
            for each in piece.candidate.choices
            if each.alternatives and piece.offset <= each.start and each.end <= last
        ]
        popover = self._show([WordPlace(piece.candidate.text, each) for each in known], known.index(choice), spot)
        popover.alternative_chosen.connect(lambda chosen, alternative: self._go_on_in_text(piece, chosen, alternative))

    def _go_on_in_text(self, piece: Piece, choice: TokenChoice, alternative: Alternative) -> None:
        """Put another word in the place of one that was accepted and of all behind it, and go on from there."""
        lost = count_words(piece.candidate.text[choice.end : piece.offset + len(piece.text)])
        start, end = piece.place_of(choice), piece.end
        self._co_writer.replace_accepted(piece.candidate, start, end, alternative.text)
        self._co_writer.go_on(words=max(lost, LEAST_WORDS))

    def _show(self, places: list[WordPlace], index: int, spot: QPoint) -> WordPopover:
        popover = WordPopover(places, index, self._page)
        self.popover = popover
        popover.destroyed.connect(self._on_popover_gone)
        popover.open_at(spot)
        return popover

    @Slot()
    def _on_popover_gone(self) -> None:
        self.popover = None

    @Slot(object, int)
    def _on_menu_wanted(self, menu: QMenu, place: int) -> None:
        """Offer other words in the menu of a word that the model wrote."""
        piece = self._co_writer.accepted.find(place)
        choice = piece.choice_at(place) if piece is not None else None
        if piece is None or choice is None or self._page.isReadOnly():
            return
        action = QAction(self.tr("Other words here…"), menu)
        spot = self._page.viewport().mapToGlobal(self._page.cursorRect().bottomLeft())
        action.triggered.connect(lambda: self._open_for_piece(piece, choice, spot))
        actions = menu.actions()
        menu.insertAction(actions[0] if actions else QAction(menu), action)
