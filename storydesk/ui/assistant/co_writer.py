"""Writing together: what the model writes becomes ghost text on the page and cards beside it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from storydesk.bridge.offsets import Utf16Map
from storydesk.bridge.workroom import Workroom
from storydesk.bridge.writing_controller import Candidate
from storydesk.domain.generation import Alternative, TokenChoice
from storydesk.domain.settings import POLISH_ARRIVING
from storydesk.domain.writing_controls import DRAWN
from storydesk.services.writing import WritingRequest
from storydesk.ui.assistant.accepted_text import AcceptedText
from storydesk.ui.assistant.write_panel import WritePanel
from storydesk.ui.editor.page import PageEdit

ALTERNATIVES = 8
"""Likeliest tokens that are kept for each word the model wrote."""


class CoWriter(QObject):
    """Joins the engine's thread with the page and the Write tab. GUI thread."""

    nothing_to_go_on = Signal()
    """Neither prompt nor text is there yet."""

    def __init__(self, workroom: Workroom, page: PageEdit, panel: WritePanel) -> None:
        """Listen to all three."""
        super().__init__(page)
        self._workroom = workroom
        self._writing = workroom.writing
        self._page = page
        self._panel = panel
        self.accepted = AcceptedText(page, self)
        self.as_generated: Callable[[Candidate], AbstractContextManager[object]] = lambda _candidate: nullcontext()
        """What words of a candidate are put in within that don't come by way of the ghost."""
        self._offered = 1
        self._turning = False
        self._dismissed = 0
        self._announced = 0
        self._writing.writing_changed.connect(panel.set_writing)
        self._writing.cleared.connect(panel.clear)
        self._writing.candidate_changed.connect(self._on_candidate_changed)
        self._writing.generation_changed.connect(self._on_generation_changed)
        self._writing.window_told.connect(panel.say_left_out)
        panel.candidate_chosen.connect(self.use)
        panel.sentence_chosen.connect(self.use_sentence)
        page.ghost_dropped.connect(self._on_ghost_dropped)
        page.ghost_accepted.connect(self._on_ghost_accepted)
        page.ghost_part_accepted.connect(self._on_ghost_part_accepted)
        page.edited.connect(self._on_edited)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of this feature do."""
        return {
            "go_on": lambda: self.go_on(),
            "three_ways": self.go_three_ways,
            "try_again": self.try_again,
            "earlier_ways": lambda: self.turn(-1),
            "later_ways": lambda: self.turn(1),
            "accept_ghost": self._page.accept_ghost,
            "accept_word": self._page.accept_ghost_word,
            "accept_sentence": self._page.accept_ghost_sentence,
            "dismiss_ghost": self._page.drop_ghost,
            **{f"use_way_{number}": (lambda number=number: self.use(number)) for number in range(1, 6)},  # type: ignore[misc]  # mypy can't infer a default in a lambda
        }

    @property
    def offered(self) -> Candidate | None:
        """The way that is on the page as ghost text."""
        return self._writing.find(self._offered) if self._page.ghost else None

    def make_request(self, text: str, *, ways: int = 1, words: int | None = None) -> WritingRequest | None:
        """Return the request to go on after ``text`` with the controls as they are; None where there is nothing."""
        opened, prompt = self._workroom.manuscripts.opened, self._panel.prompt.toPlainText()
        if opened is None:
            return None
        if not text.strip() and not prompt.strip():
            self.nothing_to_go_on.emit()
            return None
        controls = self._panel.controls
        return self._workroom.desk.writing.request(
            prompt,
            text,
            words=self._panel.words if words is None else words,
            seed=None if controls.seed == DRAWN else controls.seed,
            settings=controls.sampling(),
            count=ways,
            alternatives=ALTERNATIVES,
            until_sentence_end=controls.until_sentence_end,
            recalled=self._workroom.memory.recall(text, prompt),
        )

    def go_on(self, ways: int = 1, *, words: int | None = None) -> None:
        """Ask for text at the cursor."""
        request = self.make_request(self._page.text_before_cursor(), ways=ways, words=words)
        if request is None:
            return
        for candidate in self._writing.candidates:
            if candidate.taken:
                self._record(candidate)
        self._writing.drop()
        self._page.drop_ghost()
        self._page.setFocus()
        self._offered = 1
        self._writing.go_on(request, self._draft_id(), polish=self._polishes(), names=self._names())

    def go_three_ways(self) -> None:
        """Ask for as many ways to go on as the writer likes to choose from."""
        self.go_on(self._panel.controls.ways)

    def try_again(self) -> None:
        """Ask for the same with another seed, where something is offered; else go on."""
        if self._writing.generation is None or self._has_taken():
            self.go_on()
            return
        self._clear_page()
        self._writing.retry(polish=self._polishes(), names=self._names())

    def turn(self, step: int) -> None:
        """Show what was written here before, or after that."""
        self._clear_page()
        if not self._writing.turn(step, self._draft_id(), self._page.text_before_cursor()):
            self._panel.say_nothing_earlier()
            for candidate in self._writing.candidates:
                self._on_candidate_changed(candidate)

    def go_on_from(self, candidate: Candidate, choice: TokenChoice, alternative: Alternative) -> None:
        """Go on from another word that the model might have written."""
        if choice.start < candidate.taken:
            return
        self._clear_page()
        self._writing.go_on_from(candidate, choice, alternative, polish=self._polishes(), names=self._names())

    def replace_accepted(self, candidate: Candidate, start: int, end: int, text: str) -> None:
        """Put other words of the model's into the page in the place of a stretch (UTF-16 units), as one step."""
        with self.as_generated(candidate):
            self._page.replace(start, end, text)
        cursor = self._page.textCursor()
        cursor.setPosition(start + Utf16Map(text).to_units(len(text)))
        self._page.setTextCursor(cursor)

    @Slot(int)
    def use(self, number: int) -> None:
        """Put one of the ways into the text."""
        if self._offer(number):
            self._page.accept_ghost()

    @Slot(int)
    def use_sentence(self, number: int) -> None:
        """Put the first sentence of one of the ways into the text; the rest is offered."""
        if self._offer(number):
            self._page.accept_ghost_sentence()

    def _offer(self, number: int) -> bool:
        """Show a way as ghost text; return whether there is any of it."""
        candidate = self._writing.find(number)
        if candidate is None or not candidate.rest or self._page.isReadOnly():
            return False
        if number != self._offered or not self._page.ghost:
            self._clear_page()
            self._offered = number
            self._page.show_ghost(candidate.rest)
        return bool(self._page.ghost)

    def _clear_page(self) -> None:
        self._turning = True
        self._page.drop_ghost()
        self._turning = False
        self._offered = 1
        self._dismissed = 0

    def _finish(self, candidate: Candidate) -> None:
        self._record(candidate)
        self._writing.drop()
        self._page.setFocus()

    def _record(self, candidate: Candidate) -> None:
        opened = self._workroom.manuscripts.opened
        if opened is not None:
            self._writing.record(opened.draft.id, candidate)

    def _draft_id(self) -> int:
        opened = self._workroom.manuscripts.opened
        return opened.draft.id if opened is not None else 0

    def _polishes(self) -> bool:
        return self._workroom.desk.settings.get(POLISH_ARRIVING)

    def _names(self) -> tuple[str, ...]:
        return self._workroom.checked_story().names

    def _has_taken(self) -> bool:
        return any(candidate.taken for candidate in self._writing.candidates)

    @Slot(object)
    def _on_candidate_changed(self, candidate: Candidate) -> None:
        self._panel.show_candidate(candidate)
        dismissed = candidate.request.id == self._dismissed
        if candidate.number == self._offered and not dismissed and candidate.rest != self._page.ghost:
            if candidate.rest:
                self._page.show_ghost(candidate.rest)
            elif self._page.ghost:
                self._clear_page()
        if candidate.number == self._offered and candidate.ended and candidate.request.id != self._announced:
            self._announced = candidate.request.id
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._page, candidate.text.strip()))

    @Slot()
    def _on_generation_changed(self) -> None:
        self._panel.show_position(*self._writing.position())

    @Slot()
    def _on_ghost_dropped(self) -> None:
        """Forget a single way; of several, the cards stay to be chosen from."""
        candidates = self._writing.candidates
        if self._turning or not candidates:
            return
        if len(candidates) == 1:
            if candidates[0].taken:
                self._record(candidates[0])
            self._writing.drop()
        else:
            self._dismissed = candidates[0].request.id

    @Slot(str)
    def _on_ghost_part_accepted(self, text: str) -> None:
        candidate = self._writing.find(self._offered)
        if candidate is None:
            return
        self.accepted.note(candidate, candidate.taken, text)
        candidate.taken += len(text)
        self._writing.narrow(candidate)

    @Slot(str)
    def _on_ghost_accepted(self, text: str) -> None:
        candidate = self._writing.find(self._offered)
        if candidate is not None:
            self.accepted.note(candidate, candidate.taken, text)
            candidate.taken += len(text)
            self._finish(candidate)

    @Slot(int, int, int)
    def _on_edited(self, _position: int, _removed: int, _added: int) -> None:
        if not self._page.is_accepting and self._writing.candidates:
            self._writing.drop()  # what was written belongs to a text that is no longer there
