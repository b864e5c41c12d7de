"""Choosing blind: two texts of one prompt, the left one, the right one or no difference, and why if one likes."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.judging import LONGEST_WHY, BlindItem, Seat, Side
from storydesk.ui.judging.blind_text import BlindText
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.judging.seat_page import SeatPage
from storydesk.ui.theme import SPACE_L, SPACE_S, FlowLayout, icon, make_label, set_hint
from storydesk.ui.window_timers import make_single_shot

NARROW_IN_LETTERS = 72
WHY_MILLISECONDS = 600


class ChoicePage(SeatPage):
    """Asks which of two is better. GUI thread; whatever is said is told at once."""

    chosen = Signal(int, object, str)
    """An item's id, a Side or None where it was taken back, and why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with nobody seated."""
        self._sides: dict[int, Side] = {}
        self._whys: dict[int, str] = {}
        super().__init__(parent)
        hear(self, ("Left", "1"), lambda: self.choose(Side.LEFT))
        hear(self, ("Right", "2"), lambda: self.choose(Side.RIGHT))
        hear(self, ("Down", "3"), self._choose_neither)
        hear(self, ("0", "Del"), lambda: self.choose(None))
        hear(self, ("W",), self.why.setFocus)
        hear(self, ("PgDown",), lambda: self._turn(1))
        hear(self, ("PgUp",), lambda: self._turn(-1))

    # What SeatPage asks for

    def build_item(self) -> None:
        """Put both texts beside each other, or one above the other where there is little room."""
        self.texts = (BlindText(self.tr("The first text")), BlindText(self.tr("The second text")))
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._halves.setSpacing(SPACE_L)
        for text in self.texts:
            self._halves.addWidget(text, 1)
        self.buttons = {
            Side.LEFT: QPushButton(icon("arrow-left"), ""),
            Side.NEITHER: QPushButton(icon("equals"), self.tr("No difference")),
            Side.RIGHT: QPushButton(icon("arrow-right"), ""),
        }
        tips = {
            Side.LEFT: self.tr("The left arrow key, or 1"),
            Side.NEITHER: self.tr("The down arrow key, or 3"),
            Side.RIGHT: self.tr("The right arrow key, or 2"),
        }
        row = FlowLayout()
        for side, button in self.buttons.items():
            button.setCheckable(True)
            button.setToolTip(tips[side])
            button.clicked.connect(lambda _checked=False, side=side: self.choose(side))
            row.add(button, stretched=True)
        self.why = QLineEdit()
        self.why.setMaxLength(LONGEST_WHY)
        set_hint(self.why, self.tr("Why, if you like (W)"))
        self.why.setAccessibleName(self.tr("Why"))
        self.why.editingFinished.connect(self._on_why)
        self._why_due = make_single_shot(self, WHY_MILLISECONDS, self._on_why)
        self.why.textEdited.connect(self._why_due.start)
        column = QVBoxLayout(self.item)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(self._halves, 1)
        column.addWidget(
            make_label(
                self.tr("Left, right or down (no difference) chooses, Enter goes on or skips, Backspace goes back."),
                "muted",
            )
        )
        column.addLayout(row)
        column.addWidget(self.why)
        self._name_sides(stacked=False)

    def begin(self, seat: Seat, font: QFont) -> None:
        """Let somebody go on where they left off."""
        self._sides = {item.item_id: item.side for item in seat.items if item.side is not None}
        self._whys = {item.item_id: item.why for item in seat.items}
        super().begin(seat, font)

    def show_item(self, item: BlindItem) -> None:
        """Show two texts and what was chosen."""
        for text, words in zip(self.texts, item.texts, strict=True):
            text.show_text(words)
        self.why.setText(self._whys.get(item.item_id, ""))
        if self.why.hasFocus():
            self.texts[0].setFocus()
        self._show_side()

    def is_done(self, item: BlindItem) -> bool:
        """Say whether something was chosen."""
        return item.item_id in self._sides

    def leave_item(self) -> None:
        """Keep the reason that stands in the field."""
        self._on_why()

    # Choosing

    def choose(self, side: Side | None) -> None:
        """Choose; None takes it back."""
        item = self.current
        if item is None:
            return
        if side is None:
            self._sides.pop(item.item_id, None)
        else:
            self._sides[item.item_id] = side
        self._whys[item.item_id] = self.why.text().strip()
        self.chosen.emit(item.item_id, side, self._whys[item.item_id])
        self._show_side()
        self.show_progress()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack the texts where they don't fit beside each other."""
        super().resizeEvent(event)
        stacked = self.width() < self.texts[0].letters.averageCharWidth() * NARROW_IN_LETTERS
        self._halves.setDirection(QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight)
        self._name_sides(stacked=stacked)

    def _name_sides(self, *, stacked: bool) -> None:
        left = self.tr("The upper one is better") if stacked else self.tr("The left one is better")
        right = self.tr("The lower one is better") if stacked else self.tr("The right one is better")
        self.buttons[Side.LEFT].setText(left)
        self.buttons[Side.RIGHT].setText(right)

    def _show_side(self) -> None:
        item = self.current
        chosen = self._sides.get(item.item_id) if item is not None else None
        for side, button in self.buttons.items():
            button.setChecked(side is chosen)

    def _choose_neither(self) -> None:
        if not self.why.hasFocus():  # a field of one line has no use for the key, and whoever writes means no choice
            self.choose(Side.NEITHER)

    def _turn(self, pages: int) -> None:
        for text in self.texts:
            text.turn(pages)

    @Slot()
    def _on_why(self) -> None:
        """Keep another reason for what was chosen; one without a choice waits for it."""
        item = self.current
        self._why_due.stop()
        if item is None or self.why.text().strip() == self._whys.get(item.item_id, ""):
            return
        self._whys[item.item_id] = self.why.text().strip()
        side = self._sides.get(item.item_id)
        if side is not None:
            self.chosen.emit(item.item_id, side, self._whys[item.item_id])
