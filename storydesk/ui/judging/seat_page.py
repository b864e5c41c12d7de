"""What rating and choosing have in common: a seat, a place in it, progress, and an end."""

from __future__ import annotations

import math

from PySide6.QtCore import QRect, Qt, Signal, Slot
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.judging import BlindItem, Seat
from storydesk.ui.figures import say_number
from storydesk.ui.judging.blind_text import BlindText
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, FlowLayout, icon, make_label, set_role

_PROMPT_LINES = 4


class SeatPage(QWidget):
    """Shows the items of a seat one by one. GUI thread.

    Whoever builds on it fills ``build_item``, ``show_item`` and ``is_done``.
    """

    leave_wanted = Signal()
    ended = Signal(int)
    """The id of a sheet whose last item this rater has left behind."""
    results_wanted = Signal(int)
    """The id of the sheet whose results are wanted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with nobody seated."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.seat: Seat | None = None
        self.place = 0
        self.title = make_label("", "title")
        self.said = make_label("", "muted")
        self.problem = make_label("", "problem")
        self.problem.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How far you are"))
        self.prompt_heading = make_label(self.tr("The prompt"), "muted")
        self.prompt = BlindText(self.tr("The prompt"))
        self.item = QWidget()
        self.end = self._build_end()
        self.back_button = QPushButton(icon("caret-left"), self.tr("Back"))
        self.back_button.setToolTip(self.tr("The text before (Backspace)"))
        self.back_button.clicked.connect(self.go_back)
        self.next_button = QPushButton(icon("caret-right", "on_accent"), self.tr("Next"))
        set_role(self.next_button, "primary")
        self.next_button.clicked.connect(self.go_on)
        self._build_page()
        self.build_item()
        hear(self, ("Return", "Enter"), self.go_on)
        hear(self, ("Backspace",), self.go_back)
        hear(self, ("Esc",), self._on_leave)

    # For whoever builds on it

    def build_item(self) -> None:
        """Build into ``item`` what shows one item."""
        raise NotImplementedError

    def show_item(self, item: BlindItem) -> None:
        """Show an item with what was said so far."""
        raise NotImplementedError

    def is_done(self, item: BlindItem) -> bool:
        """Say whether nothing is open about an item, as it stands on the screen."""
        raise NotImplementedError

    def take_focus(self) -> None:
        """Let the page hear its keys."""
        (self.results_button if self.current is None else self.item.findChildren(BlindText)[0]).setFocus()

    def leave_item(self) -> None:
        """Keep what is not kept yet of the item that is on show."""

    # Going through

    def begin(self, seat: Seat, font: QFont) -> None:
        """Let somebody go on where they left off."""
        self.seat = seat
        self.title.setText(seat.sheet.name)
        for text in self.item.findChildren(BlindText):
            text.set_letters(font)
        self.prompt.set_letters(font)
        self.show_problem("")
        opened = self._find_open(0)
        if opened is None:
            self._show_end()
        else:
            self.show_place(opened)
        self.take_focus()

    @property
    def current(self) -> BlindItem | None:
        """The item on show, None at the end."""
        if self.seat is None or not self.item.isVisibleTo(self) or not self.seat.items:
            return None
        return self.seat.items[self.place]

    @Slot()
    def go_on(self) -> None:
        """Show the next one; after the last one whatever was passed over, and then the end."""
        if self.seat is None or self.current is None:
            return
        self.leave_item()
        if self.place + 1 < len(self.seat.items):
            self.show_place(self.place + 1)
            return
        opened = self._find_open(0)
        if opened is None or opened == self.place:
            self._show_end()
        else:
            self.show_place(opened)

    @Slot()
    def go_back(self) -> None:
        """Show the one before, or the last one at the end."""
        if self.seat is None or not self.seat.items:
            return
        if self.current is None:
            self.show_place(len(self.seat.items) - 1)
        elif self.place:
            self.leave_item()
            self.show_place(self.place - 1)

    def show_place(self, place: int) -> None:
        """Show one item."""
        assert self.seat is not None
        self.place = place
        item = self.seat.items[place]
        self.end.hide()
        self.item.show()
        self.next_button.show()
        prompt = item.prompt.strip()
        self.prompt_heading.setVisible(bool(prompt))
        self.prompt.setVisible(bool(prompt))
        self.prompt.show_text(prompt)
        self._fit_prompt()
        self.show_item(item)
        self.show_progress()

    def show_progress(self) -> None:
        """Say how far this rater is."""
        if self.seat is None:
            return
        done, count = sum(map(self.is_done, self.seat.items)), len(self.seat.items)
        self.bar.setRange(0, max(1, count))
        self.bar.setValue(done)
        self.back_button.setEnabled(self.place > 0 or self.current is None)
        numbers = {"place": say_number(self.place + 1), "count": say_number(count), "done": say_number(done)}
        where = self.tr("{place} of {count}").format(**numbers) if self.current is not None else ""
        finished = self.tr("{done} of {count} finished").format(**numbers)
        rater = self.tr("rated by {name}").format(name=self.seat.rater.name)
        self.said.setText(" · ".join(part for part in (where, finished, rater) if part))
        self.said.setAccessibleName(self.said.text())

    def show_problem(self, words: str) -> None:
        """Say that something could not be kept; nothing takes it back."""
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    def show_verdict(self, words: str) -> None:
        """Say at the end what can be told by now."""
        self.verdict.setText(words)
        self.verdict.setVisible(bool(words))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the prompt the lines that it needs, as far as there is room."""
        super().resizeEvent(event)
        self._fit_prompt()

    def _fit_prompt(self) -> None:
        letters = self.prompt.letters
        room = QRect(0, 0, max(1, self.width() - 4 * SPACE_XL), 10_000)
        wrapped = letters.boundingRect(room, Qt.TextFlag.TextWordWrap.value, self.prompt.toPlainText())
        lines = min(_PROMPT_LINES, max(1, math.ceil(wrapped.height() / letters.lineSpacing())))
        self.prompt.setFixedHeight(lines * letters.lineSpacing() + 2 * SPACE_L)

    def _find_open(self, start: int) -> int | None:
        assert self.seat is not None
        items = self.seat.items
        return next((item.place for item in items[start:] if not self.is_done(item)), None)

    def _show_end(self) -> None:
        assert self.seat is not None
        self.item.hide()
        self.next_button.hide()
        self.prompt.hide()
        self.prompt_heading.hide()
        self.end.show()
        left = sum(not self.is_done(item) for item in self.seat.items)
        if left:
            self.end_words.setText(
                self.tr("This is the end. You passed over {count}; Backspace leads back to them.").format(
                    count=say_number(left)
                )
            )
        else:
            self.end_words.setText(self.tr("That was the last one. Everything you said is kept. Thank you."))
        self.show_verdict("")
        self.show_progress()
        self.results_button.setFocus()
        self.ended.emit(self.seat.sheet.id)

    def _build_end(self) -> QWidget:
        end = QWidget()
        self.end_words = make_label("", "heading")
        self.verdict = make_label()
        self.results_button = QPushButton(self.tr("See what came of it"))
        set_role(self.results_button, "primary")
        self.results_button.clicked.connect(
            lambda: self.results_wanted.emit(self.seat.sheet.id) if self.seat is not None else None
        )
        buttons = FlowLayout()
        buttons.add(self.results_button)
        column = QVBoxLayout(end)
        column.setContentsMargins(0, SPACE_XL, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.end_words)
        column.addWidget(self.verdict)
        column.addLayout(buttons)
        column.addStretch(1)
        end.hide()
        return end

    def _build_page(self) -> None:
        leave = QPushButton(icon("arrow-left"), self.tr("To the sheets"))
        leave.setToolTip(self.tr("Everything you said is kept; go on at any time (Esc)"))
        set_role(leave, "flat")
        leave.clicked.connect(self._on_leave)
        self.leave_button = leave
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(leave)
        bottom = QHBoxLayout()
        bottom.setSpacing(SPACE_S)
        bottom.addWidget(self.said, 1)
        bottom.addWidget(self.back_button)
        bottom.addWidget(self.next_button)
        page = QVBoxLayout(self)
        page.setContentsMargins(SPACE_XL, SPACE_L, SPACE_XL, SPACE_M)
        page.setSpacing(SPACE_S)
        page.addLayout(head)
        page.addWidget(self.prompt_heading)
        page.addWidget(self.prompt)
        page.addWidget(self.item, 1)
        page.addWidget(self.end, 1)
        page.addWidget(self.problem)
        page.addWidget(self.bar)
        page.addLayout(bottom)

    def _on_leave(self) -> None:
        self.leave_item()
        self.leave_wanted.emit()
