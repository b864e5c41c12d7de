"""Rating blind: one text at a time, every criterion in words, all of it by keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from storydesk.domain.judging import LEAST, MOST, BlindItem, Criterion, CriterionGuide, Seat
from storydesk.ui.judging.blind_text import BlindText
from storydesk.ui.judging.criterion_row import CriterionRow
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.judging.seat_page import SeatPage
from storydesk.ui.theme import SPACE_L, SPACE_XS, VerticalArea, make_label

NARROW_IN_LETTERS = 75


class RatingPage(SeatPage):
    """Asks for a point of each criterion. GUI thread; whatever is said is told at once."""

    rated = Signal(int, object, object)
    """An item's id, a Criterion, and a point or None where it was taken back."""

    def __init__(self, guides: Callable[[], Sequence[CriterionGuide]], parent: QWidget | None = None) -> None:
        """``guides`` are read when somebody sits down."""
        self._guides = guides
        self._said: dict[int, dict[Criterion, int]] = {}
        self._row = 0
        self.rows: list[CriterionRow] = []
        super().__init__(parent)
        for value in range(LEAST, MOST + 1):
            hear(self, (str(value),), partial(self.rate, value))
        hear(self, ("0", "Del"), lambda: self.rate(None))
        hear(self, ("Down",), lambda: self.ask(1))
        hear(self, ("Up",), lambda: self.ask(-1))
        hear(self, ("Right",), self.go_on)
        hear(self, ("Left",), self.go_back)
        hear(self, ("PgDown",), lambda: self.text.turn(1))
        hear(self, ("PgUp",), lambda: self.text.turn(-1))

    # What SeatPage asks for

    def build_item(self) -> None:
        """Put the text beside the criteria, or above them where there is little room."""
        self.text = BlindText(self.tr("The text"))
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE_XS)
        self._column.addWidget(
            make_label(self.tr("1 to 5 rates, arrows move, Enter goes on or skips, 0 takes back."), "muted")
        )
        self._column.addStretch(1)
        self.area = VerticalArea(inside)
        # A row that unfolds has its height only after the layout has had its turn.
        self.area.verticalScrollBar().rangeChanged.connect(lambda _least, _most: self._show_all_of_row())
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.item)
        self._halves.setContentsMargins(0, 0, 0, 0)
        self._halves.setSpacing(SPACE_L)
        self._halves.addWidget(self.text, 3)
        self._halves.addWidget(self.area, 2)

    def begin(self, seat: Seat, font: QFont) -> None:
        """Let somebody go on where they left off."""
        self._said = {item.item_id: dict(item.ratings) for item in seat.items}
        for row in self.rows:
            self._column.removeWidget(row)
            row.deleteLater()
        wanted = [guide for guide in self._guides() if guide.criterion in seat.sheet.criteria]
        self.rows = [CriterionRow(guide) for guide in wanted]
        for place, row in enumerate(self.rows):
            self._column.insertWidget(1 + place, row)
            row.chosen.connect(lambda value, place=place: self._on_point(place, value))
            row.wanted.connect(lambda place=place: self._show_row(place))
        super().begin(seat, font)

    def show_item(self, item: BlindItem) -> None:
        """Show a text and ask for the first criterion that is open."""
        self.text.show_text(item.texts[0])
        said = self._said[item.item_id]
        for row in self.rows:
            row.show_value(said.get(row.guide.criterion))
        self._show_row(self._find_open_row(0) or 0)

    def is_done(self, item: BlindItem) -> bool:
        """Say whether every criterion has its point."""
        return all(row.guide.criterion in self._said[item.item_id] for row in self.rows)

    # Rating

    def rate(self, value: int | None) -> None:
        """Give the criterion that is asked a point, and ask the next one that is open."""
        item = self.current
        if item is None or not self.rows:
            return
        row = self.rows[self._row]
        said = self._said[item.item_id]
        if value is None:
            said.pop(row.guide.criterion, None)
        else:
            said[row.guide.criterion] = value
        row.show_value(value)
        self.rated.emit(item.item_id, row.guide.criterion, value)
        self.show_progress()
        following = self._find_open_row(self._row + 1)
        if value is not None and following is not None:
            self._show_row(following)

    def ask(self, by: int) -> None:
        """Ask another criterion."""
        if self.current is not None and self.rows:
            self._show_row((self._row + by) % len(self.rows))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack text and criteria where they don't fit beside each other."""
        super().resizeEvent(event)
        narrow = self.width() < self.fontMetrics().averageCharWidth() * NARROW_IN_LETTERS
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._halves.setDirection(direction)

    def _on_point(self, place: int, value: int) -> None:
        self._show_row(place)
        self.rate(value)

    def _find_open_row(self, start: int) -> int | None:
        return next((place for place in range(start, len(self.rows)) if self.rows[place].value is None), None)

    def _show_row(self, place: int) -> None:
        self._row = place
        focused = any(row.isAncestorOf(focus) for row in self.rows if (focus := self.focusWidget()) is not None)
        for number, row in enumerate(self.rows):
            row.unfold(number == place)
        if focused and self.rows:
            self.rows[place].head.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.rows:
            QTimer.singleShot(0, self, self._show_all_of_row)

    def _show_all_of_row(self) -> None:
        if self._row < len(self.rows):
            row, bar = self.rows[self._row], self.area.verticalScrollBar()
            if row.height() > self.area.viewport().height():
                bar.setValue(row.y())  # its question first, the last points below
            else:
                self.area.ensureWidgetVisible(row, 0, 0)
