"""Other ways to say a passage, as cards in the order that the writer's slider gives them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.rewording_controller import RewordingsFound
from storydesk.domain.alternatives import Rewording, rank_rewordings
from storydesk.ui.assistant.word_text import WordText
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XS, icon, make_label, set_role

MOST_CARDS = 5
LINES = 8


class RewordingCard(QFrame):
    """One way, with how well what stands after it follows; a click, Return or the space bar takes it. GUI thread."""

    chosen = Signal(object)

    def __init__(self, way: Rewording, original: Rewording, parent: QWidget | None = None) -> None:
        """Show a way beside the measure of the original."""
        super().__init__(parent)
        set_role(self, "card")
        self.way = way
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.passage = WordText(self, lines=LINES)
        self.passage.set_text(way.text)
        self.passage.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        value, before = f"{way.perplexity:.0f}", f"{original.perplexity:.0f}"
        better = way.fit > original.fit
        self.chip = QLabel(self.tr("{before} → {value}").format(before=before, value=value), self)
        set_role(self.chip, "chip-accent" if better else "chip")
        self.closeness = make_label(self.tr("{n} % alike").format(n=round(way.closeness * 100)), "muted", wrap=False)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self.chip)
        foot.addWidget(self.closeness)
        foot.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        column.setSpacing(SPACE_XS)
        column.addWidget(self.passage)
        column.addLayout(foot)
        what = (
            self.tr("Perplexity of what stands after it: {before} with your words, {value} with these")
            if way.follow is not None
            else self.tr("Perplexity: {before} for your words, {value} for these")
        )
        self.setToolTip(what.format(before=before, value=value))
        self.setAccessibleName(f"{way.text}. {self.toolTip()}. {self.closeness.text()}")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Take this way."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.way)
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take this way."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.way)
        else:
            super().keyPressEvent(event)


class RewordingView(QWidget):
    """The passage, a slider between good and close, and the cards. GUI thread."""

    chosen = Signal(object)
    cancelled = Signal()
    left = Signal()
    closeness_changed = Signal(float)

    def __init__(self, closeness: float, parent: QWidget | None = None) -> None:
        """Show nothing yet; ``closeness`` (0..1) is where the slider stands."""
        super().__init__(parent)
        self._found: RewordingsFound | None = None
        self.cards: list[RewordingCard] = []
        self.back_button = QToolButton(self)
        self.back_button.setIcon(icon("arrow-left"))
        self.back_button.setText(self.tr("Back to writing"))
        self.back_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        set_role(self.back_button, "flat")
        self.back_button.clicked.connect(self.left)
        self.original = make_label(role="muted")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 100)
        self.slider.setValue(round(closeness * 100))
        self.slider.setAccessibleName(self.tr("Order: from what fits best to what is closest to your words"))
        self.slider.setToolTip(self.slider.accessibleName())
        self.slider.valueChanged.connect(self._on_slider_moved)
        self.state = make_label(role="muted")
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How far the search is"))
        self.stop_button = QToolButton(self)
        self.stop_button.setIcon(icon("stop"))
        self.stop_button.setToolTip(self.tr("Stop looking"))
        self.stop_button.setAccessibleName(self.stop_button.toolTip())
        set_role(self.stop_button, "flat")
        self.stop_button.clicked.connect(self.cancelled)
        self._lay_out()
        self.show_busy(False)

    def _lay_out(self) -> None:
        order = QGridLayout()
        order.setHorizontalSpacing(SPACE_S)
        order.addWidget(make_label(self.tr("Fits best"), "muted", wrap=False), 0, 0)
        order.addWidget(self.slider, 0, 1)
        order.addWidget(make_label(self.tr("Closest"), "muted", wrap=False), 0, 2)
        order.setColumnStretch(1, 1)
        progress = QHBoxLayout()
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.stop_button)
        inside = QWidget(self)
        inside.setObjectName("scrolled")
        self._card_column = QVBoxLayout(inside)
        self._card_column.setContentsMargins(0, 0, 0, 0)
        self._card_column.setSpacing(SPACE_S)
        self._card_column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.back_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(make_label(self.tr("Other ways to say it"), "heading"))
        column.addWidget(self.original)
        column.addLayout(order)
        column.addLayout(progress)
        column.addWidget(self.state)
        column.addWidget(scroll, 1)

    @property
    def found(self) -> RewordingsFound | None:
        """What is on show."""
        return self._found

    @property
    def closeness(self) -> float:
        """Where the slider stands, 0..1."""
        return self.slider.value() / 100

    def begin(self, text: str) -> None:
        """Show what is being looked at."""
        shown = " ".join(text.split())
        self.original.setText("“" + (shown if len(shown) <= 160 else shown[:159] + "…") + "”")
        self._found = None
        self._clear_cards()
        self.state.setText(self.tr("Looking for other ways …"))

    def show_busy(self, busy: bool) -> None:
        """Show whether a search is under way."""
        self.bar.setVisible(busy)
        self.stop_button.setVisible(busy)

    def show_progress(self, done: int, total: int) -> None:
        """Show how far it is; a ``total`` of 0 is not known yet."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.show_busy(True)

    def show_found(self, found: RewordingsFound) -> None:
        """Show the ways."""
        self._found = found
        self._arrange()
        if self.cards:
            self.cards[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def clear(self) -> None:
        """Take everything away."""
        self._found = None
        self._clear_cards()

    def say(self, sentence: str) -> None:
        """Say how the search ended."""
        self.state.setText(sentence)

    def _on_slider_moved(self, _value: int) -> None:
        self.closeness_changed.emit(self.closeness)
        self._arrange()

    def _arrange(self) -> None:
        found = self._found
        if found is None:
            return
        self._clear_cards()
        for way in rank_rewordings(found.ways, self.closeness)[:MOST_CARDS]:
            card = RewordingCard(way, found.original, self)
            card.chosen.connect(self.chosen)
            self._card_column.insertWidget(self._card_column.count() - 1, card)
            self.cards.append(card)
        if not self.cards:
            self.state.setText(self.tr("Nothing else came to mind. Try it wilder."))
        elif found.original.follow is None:
            self.state.setText(self.tr("Perplexity, yours → this one: lower is what the model expected."))
        else:
            self.state.setText(self.tr("Perplexity of what follows, yours → this one: lower fits better."))

    def _clear_cards(self) -> None:
        for card in self.cards:
            card.hide()
            card.deleteLater()
        self.cards = []
