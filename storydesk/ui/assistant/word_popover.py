"""A small list at a word: what the model might have written there, and how likely each was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListWidget, QListWidgetItem, QToolButton, QVBoxLayout, QWidget

from storydesk.domain.generation import Alternative, TokenChoice
from storydesk.ui.theme import SPACE_S, SPACE_XS, icon, make_label, set_role

WIDTH = 250
MOST_ROWS = 9


@dataclass(frozen=True, slots=True)
class WordPlace:
    """One token of a text, by its span (code points), and what else was likely there."""

    text: str
    choice: TokenChoice

    @property
    def shown(self) -> str:
        """What was written, as a reader sees it."""
        return self.text[self.choice.start : self.choice.end]

    @property
    def before(self) -> str:
        """The beginning of the word, where the token is only the rest of it."""
        begin = self.choice.start
        if self.shown[:1].isspace():
            return ""
        while begin > 0 and not self.text[begin - 1].isspace():
            begin -= 1
        return self.text[begin : self.choice.start]


class WordPopover(QFrame):
    """Shows one token's alternatives; left and right go to its neighbours, Return takes one. GUI thread."""

    alternative_chosen = Signal(object, object)
    """The TokenChoice, and the Alternative to go on from."""
    place_changed = Signal(object)
    """The WordPlace that it is at now."""
    closed = Signal()

    def __init__(self, places: Sequence[WordPlace], index: int, parent: QWidget | None = None) -> None:
        """Begin at one of the places."""
        super().__init__(parent, Qt.WindowType.Popup)
        set_role(self, "card")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("Other words"))
        self._places = places
        self._index = index
        self.title = make_label(role="muted", wrap=False)
        self.earlier_button = self._make_step("caret-left", self.tr("The word before"), -1)
        self.later_button = self._make_step("caret-right", self.tr("The next word"), 1)
        head = QHBoxLayout()
        head.setSpacing(SPACE_XS)
        head.addWidget(self.earlier_button)
        head.addWidget(self.title, 1)
        head.addWidget(self.later_button)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("What the model might have written, likeliest first"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_taken)
        self.list.itemActivated.connect(self._on_taken)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_S, SPACE_XS, SPACE_S, SPACE_S)
        column.setSpacing(SPACE_XS)
        column.addLayout(head)
        column.addWidget(self.list)
        self.setFocusProxy(self.list)
        self.list.installEventFilter(self)
        self._taken = False
        self._show_place()

    @property
    def place(self) -> WordPlace:
        """Where it is."""
        return self._places[self._index]

    def open_at(self, spot: QPoint) -> None:
        """Show the list below a place on the screen, all of it on the screen."""
        self.adjustSize()
        area = self.screen().availableGeometry()
        left = min(max(spot.x(), area.left()), area.right() - self.width())
        top = spot.y() if spot.y() + self.height() <= area.bottom() else spot.y() - self.height() - 2 * SPACE_S
        self.move(left, max(top, area.top()))
        self.show()
        self.list.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to a neighbour, or close."""
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._step(-1 if event.key() == Qt.Key.Key_Left else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def _show_place(self) -> None:
        place = self.place
        shown = place.before + place.shown.strip()
        self.title.setText(self.tr("Instead of “{word}”").format(word=shown or say_break(place.shown)))
        self.earlier_button.setEnabled(self._index > 0)
        self.later_button.setEnabled(self._index < len(self._places) - 1)
        self.list.clear()
        for alternative in place.choice.alternatives[:MOST_ROWS]:
            self._add(alternative)
        self.list.setCurrentRow(0)
        rows = max(self.list.count(), 1)
        height = max(self.list.sizeHintForRow(0), self.fontMetrics().height()) * rows + 2 * self.list.frameWidth()
        self.list.setFixedSize(WIDTH, height + SPACE_XS)
        self.adjustSize()
        self.place_changed.emit(place)

    def _add(self, alternative: Alternative) -> None:
        place = self.place
        word = alternative.text.strip()
        glued = place.before if not alternative.text[:1].isspace() else ""
        shown = glued + word if word else say_break(alternative.text)
        chance = say_chance(alternative.probability)
        drawn = alternative.text == place.shown
        item = QListWidgetItem(f"{shown}\t{chance}" + (self.tr(" · now") if drawn else ""))
        item.setData(Qt.ItemDataRole.UserRole, alternative)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, self.tr("{word}, {chance}").format(word=shown, chance=chance))
        self.list.addItem(item)

    def _make_step(self, glyph: str, tip: str, step: int) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(glyph))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrow keys do the same
        set_role(button, "flat")
        button.clicked.connect(lambda: self._step(step))
        return button

    def _step(self, step: int) -> None:
        if 0 <= self._index + step < len(self._places):
            self._index += step
            self._show_place()

    def _on_taken(self, item: QListWidgetItem) -> None:
        if self._taken:
            return
        self._taken = True  # one click may be told as a click and an activation
        alternative, place = item.data(Qt.ItemDataRole.UserRole), self.place
        self.close()
        if alternative.text != place.shown:
            self.alternative_chosen.emit(place.choice, alternative)


def say_chance(probability: float) -> str:
    """Return a probability as a reader sees it: ``23 %``, ``0.4 %``."""
    percent = probability * 100
    return f"{percent:.0f} %" if percent >= 1 else (f"{percent:.1f} %" if percent >= 0.1 else "< 0.1 %")


def say_break(text: str) -> str:
    """Return what stands for white space in a list."""
    return "¶" if "\n" in text else "␣"
