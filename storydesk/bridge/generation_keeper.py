"""Every generation goes into the library, used or not, with what became of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from storydesk.bridge.authorship_form import as_units
from storydesk.bridge.manuscript_controller import ManuscriptController
from storydesk.bridge.serial_worker import SerialWorker
from storydesk.bridge.writing_controller import Candidate, WritingController
from storydesk.domain.authorship import Source
from storydesk.domain.draft_history import Outcome
from storydesk.services.desk import Desk
from storydesk.services.drafts import new_key

_MOST_KNOWN = 300


@dataclass(slots=True)
class _Kept:
    candidate: Candidate
    source: Source
    draft_id: int
    stored: bool = False
    outcome: Outcome = Outcome.UNUSED
    perplexity: float = 0.0


class GenerationKeeper(QObject):
    """Hears of every candidate of one window and keeps it. GUI thread; the library is touched in its own."""

    history_changed = Signal()
    """A generation was kept, or something is known of one that was not."""
    failed = Signal(object)

    def __init__(
        self,
        desk: Desk,
        library: SerialWorker,
        manuscripts: ManuscriptController,
        writing: WritingController,
        parent: QObject,
    ) -> None:
        """Listen to what is written."""
        super().__init__(parent)
        self._desk = desk
        self._library = library
        self._manuscripts = manuscripts
        self._writing = writing
        self._known: dict[int, _Kept] = {}
        self._offered: list[Candidate] = []
        writing.candidate_changed.connect(self._on_candidate_changed)
        writing.accepted.connect(self._on_accepted)
        manuscripts.story_opened.connect(lambda _opened: self._known.clear())

    def source_of(self, candidate: Candidate) -> Source:
        """Return what the spans of a candidate's text refer to."""
        return self._know(candidate).source

    def find_source(self, units: str) -> Source | None:
        """Return the source of the candidate on offer that begins with this text (UTF-16 units)."""
        for candidate in self._writing.candidates:
            if candidate.text and units in as_units(candidate.text):
                return self.source_of(candidate)
        return None

    def dismiss(self) -> None:
        """Note that the writer threw away what is on offer."""
        for candidate in self._offered:
            kept = self._known.get(id(candidate))
            if kept is not None and kept.outcome is Outcome.UNUSED:
                self._settle(kept, Outcome.REJECTED)

    @Slot(str)
    def note_edited(self, key: str) -> None:
        """Note that the writer has changed text of a generation that was taken."""
        for kept in self._known.values():
            if kept.source.key == key:
                if kept.outcome is not Outcome.EDITED:
                    self._settle(kept, Outcome.EDITED)
                return
        self._submit_settle(key, Outcome.EDITED, None)

    def take_again(self, key: str) -> None:
        """Note that an earlier generation was put into the text after all."""
        self._submit_settle(key, Outcome.ACCEPTED, None)

    def _know(self, candidate: Candidate) -> _Kept:
        kept = self._known.get(id(candidate))
        if kept is None:
            opened = self._manuscripts.opened
            draft_id = opened.draft.id if opened is not None else 0
            source = Source(new_key(), candidate.model, candidate.seed, round(time.time()))
            kept = self._known[id(candidate)] = _Kept(candidate, source, draft_id)
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        if (not kept.source.model and candidate.model) or kept.source.seed != candidate.seed:
            kept.source = Source(kept.source.key, candidate.model, candidate.seed, kept.source.created)
        return kept

    @Slot(object)
    def _on_candidate_changed(self, candidate: Candidate) -> None:
        if self._offered and self._offered[0].request.id != candidate.request.id:
            self._offered.clear()
        if not any(each is candidate for each in self._offered):
            self._offered.append(candidate)
        if not candidate.ended or not candidate.text.strip():
            return
        kept = self._know(candidate)
        if not kept.stored:
            self._store(kept)
        elif candidate.perplexity and candidate.perplexity != kept.perplexity:
            kept.perplexity = candidate.perplexity
            self._submit_settle(kept.source.key, None, candidate.perplexity)

    @Slot(int, object)
    def _on_accepted(self, draft_id: int, candidate: Candidate) -> None:
        kept = self._know(candidate)
        kept.draft_id = draft_id
        if not kept.stored:
            kept.outcome = Outcome.ACCEPTED
            self._store(kept)
        elif kept.outcome is not Outcome.EDITED:
            self._settle(kept, Outcome.ACCEPTED)
        for other in self._writing.candidates:
            rival = self._known.get(id(other))
            if rival is not None and rival is not kept and rival.outcome is Outcome.UNUSED:
                self._settle(rival, Outcome.REJECTED)

    def _store(self, kept: _Kept) -> None:
        if not kept.draft_id or self._manuscripts.read_only:
            return
        kept.stored = True
        candidate, source, drafts = kept.candidate, kept.source, self._desk.drafts
        kept.perplexity = candidate.perplexity
        draft_id, request, outcome = kept.draft_id, candidate.request, kept.outcome
        model, text, perplexity = candidate.model, candidate.text, candidate.perplexity
        place, prefix = candidate.place, candidate.prefix

        def keep() -> None:
            drafts.keep_generation(
                source.key,
                draft_id,
                request,
                model,
                text,
                place=place,
                prefix=prefix,
                seed=source.seed,
                perplexity=perplexity,
                outcome=outcome,
            )

        self._library.submit(keep, self._on_done, self.failed.emit)

    def _settle(self, kept: _Kept, outcome: Outcome) -> None:
        kept.outcome = outcome
        if kept.stored:
            self._submit_settle(kept.source.key, outcome, None)

    def _submit_settle(self, key: str, outcome: Outcome | None, perplexity: float | None) -> None:
        if not self._manuscripts.read_only:
            drafts = self._desk.drafts
            self._library.submit(
                lambda: drafts.settle_generation(key, outcome, perplexity), self._on_done, self.failed.emit
            )

    def _on_done(self, _done: object) -> None:
        self.history_changed.emit()
