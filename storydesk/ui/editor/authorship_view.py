"""Authorship shown on the page, in colour and by its underline, with a strip that counts it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen, QTextCharFormat
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from storydesk.bridge.authorship_form import to_points
from storydesk.bridge.jobs import Job, JobRunner
from storydesk.domain.authorship import Kind, Tally, count_words_by_kind
from storydesk.services.ports import Progress
from storydesk.ui.editor.authorship_words import ORDER, say_kind, say_share
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XS, current_tokens, icon, make_label, set_role
from storydesk.ui.theme.flow import FlowLayout

LAYER = "authorship"
COUNT_MILLISECONDS = 400
_OPACITY = 38
_LINES = {
    Kind.GENERATED: QTextCharFormat.UnderlineStyle.SingleUnderline,
    Kind.EDITED: QTextCharFormat.UnderlineStyle.DashUnderline,
    Kind.PASTED: QTextCharFormat.UnderlineStyle.DashDotLine,
    Kind.UNKNOWN: QTextCharFormat.UnderlineStyle.DotLine,
}
_PENS = {
    Kind.GENERATED: Qt.PenStyle.SolidLine,
    Kind.EDITED: Qt.PenStyle.DashLine,
    Kind.PASTED: Qt.PenStyle.DashDotLine,
    Kind.UNKNOWN: Qt.PenStyle.DotLine,
}


def _colour(kind: Kind) -> QColor:
    tokens = current_tokens()
    return QColor(
        {
            Kind.GENERATED: tokens.accent,
            Kind.EDITED: tokens.surprise_high,
            Kind.PASTED: tokens.muted,
            Kind.UNKNOWN: tokens.muted,
        }.get(kind, tokens.ink)
    )


def make_format(kind: Kind) -> QTextCharFormat:
    """Return how a kind looks on the page; the line below it says the same as its colour."""
    look = QTextCharFormat()
    if kind is Kind.WRITTEN:
        return look
    colour = _colour(kind)
    look.setUnderlineStyle(_LINES[kind])
    look.setUnderlineColor(colour)
    if kind is not Kind.UNKNOWN:
        colour.setAlpha(_OPACITY)
        look.setBackground(colour)
    return look


class Swatch(QWidget):
    """A sample of how a kind looks on the page. GUI thread."""

    def __init__(self, kind: Kind, parent: QWidget | None = None) -> None:
        """Show one kind."""
        super().__init__(parent)
        self._kind = kind

        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Ask for the room of a letter or two."""
        height = self.fontMetrics().height()
        return QSize(round(height * 1.3), height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw background and line."""
        painter = QPainter(self)
        colour = _colour(self._kind)
        if self._kind is not Kind.WRITTEN:
            fill = QColor(colour)
            fill.setAlpha(_OPACITY if self._kind is not Kind.UNKNOWN else 0)
            painter.fillRect(self.rect(), fill)
            painter.setPen(QPen(colour, 2, _PENS[self._kind]))
            painter.drawLine(0, self.height() - 2, self.width(), self.height() - 2)
        else:
            painter.setPen(current_tokens().ink)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "A")
        painter.end()


class AuthorshipStrip(QFrame):
    """What is whose, in words and per cent; the legend of the colours. GUI thread."""

    statement_wanted = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without figures."""
        super().__init__(parent)
        set_role(self, "notice")
        self.setAccessibleName(self.tr("Who wrote what"))
        self.labels: dict[Kind, QLabel] = {}
        self._items: dict[Kind, QWidget] = {}
        row = FlowLayout()
        row.setSpacing(SPACE_M)
        for kind in ORDER:
            self.labels[kind] = make_label()
            self.labels[kind].setWordWrap(False)
            item = QWidget(self)
            line = QHBoxLayout(item)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(SPACE_XS)
            line.addWidget(Swatch(kind, item), 0, Qt.AlignmentFlag.AlignVCenter)
            line.addWidget(self.labels[kind])
            item.setToolTip(self.tr("{kind}, in words").format(kind=say_kind(kind)))
            self._items[kind] = item
            row.addWidget(item)
        self.statement_button = QPushButton(icon("file-text"), self.tr("Statement…"))
        self.statement_button.setToolTip(self.tr("Say to an editor how this text was made"))
        self.statement_button.clicked.connect(self.statement_wanted)
        self.close_button = QPushButton(icon("x"), self.tr("Hide"))
        self.close_button.clicked.connect(self.closed)
        for button in (self.statement_button, self.close_button):
            set_role(button, "flat")
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        column.addLayout(row)

    def show_tally(self, tally: Tally) -> None:
        """Show the figures of the text as it is."""
        for kind, label in self.labels.items():
            label.setText(say_share(tally, kind))
            needed = kind in (Kind.WRITTEN, Kind.GENERATED, Kind.EDITED) or bool(tally.words.get(kind))
            self._items[kind].setVisible(needed)


class AuthorshipView(QObject):
    """Puts the layer on the page while it is wanted, and counts. GUI thread; counting has a thread of its own."""

    counted = Signal(object)
    """The Tally of the text."""

    def __init__(self, page: PageEdit, action: QAction) -> None:
        """Follow a page and the action that turns the view on."""
        super().__init__(page)
        self._page = page
        self._action = action
        self._formats: dict[Kind, QTextCharFormat] = {}
        self._shown = False
        self._jobs = JobRunner(self)
        self._job: Job | None = None
        self.strip = AuthorshipStrip()
        self.strip.hide()
        self.strip.closed.connect(lambda: action.setChecked(False))
        self.counted.connect(self.strip.show_tally)
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.setInterval(COUNT_MILLISECONDS)
        self._due.timeout.connect(self.count)
        action.toggled.connect(self._on_toggled)
        page.authorship.changed.connect(self._on_changed)
        page.installEventFilter(self)

    def marks_between(self, start: int, end: int) -> Iterable[tuple[int, int, QTextCharFormat]]:
        """Return the marks of a stretch, for the compositor."""
        place = start
        for length, origin in self._page.authorship.slice(start, end):
            if origin.kind is not Kind.WRITTEN:
                yield place, place + length, self._formats[origin.kind]
            place += length

    @Slot()
    def count(self) -> None:
        """Count words by kind off this thread; ``counted`` brings them."""
        self.count_for(self.counted.emit)

    def count_for(self, tell: Callable[[Tally], None]) -> None:
        """Count for somebody; a count that is under way is given up."""
        self._due.stop()
        if self._job is not None and not self._job.is_over:
            self._job.blockSignals(True)
            self._job.cancel()
        text, runs = self._page.text(), self._page.authorship.runs()

        def work(progress: Progress) -> Tally:
            def is_cancelled() -> bool:
                progress(0, 1)
                return False

            return count_words_by_kind(text, to_points(text, runs), is_cancelled)

        self._job = self._jobs.start(work, on_success=tell)

    def close(self) -> None:
        """Give up what is under way."""
        self._due.stop()
        self._jobs.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take on the colours of another theme."""
        if event.type() == QEvent.Type.PaletteChange and self._shown:
            self._make_formats()
            self._page.marks.refresh()
        return super().eventFilter(watched, event)

    def _make_formats(self) -> None:
        self._formats = {kind: make_format(kind) for kind in Kind}

    @Slot(bool)
    def _on_toggled(self, shown: bool) -> None:
        self._shown = shown
        self.strip.setVisible(shown)
        self._make_formats()
        self._page.marks.set_source(LAYER, self if shown else None)
        self._page.marks.refresh()
        if shown:
            self.count()

    @Slot()
    def _on_changed(self) -> None:
        if self._shown:
            self._page.marks.refresh()
            if not self._due.isActive():
                self._due.start()
