"""The data desk as the window sees it: one dataset that follows the writer's sources, and what is done to its pairs.

Everything that touches the dataset takes turns: an act waits for no examination (that is broken off and begun again),
but for a reading, since it would work on pairs that may be gone.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from storydesk.bridge.data_signature import same_sources, sign_sources
from storydesk.bridge.turns import TurnKind, Turns
from storydesk.domain.dataset import DatasetProgress, DatasetVersion, DatasetView, DataSource, Pair, SourceKind
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.settings import DATA_DESK
from storydesk.services.dataset_ports import ReportProgress
from storydesk.services.datasets import DatasetService
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.models import ModelService
from storydesk.services.ports import SettingsStore

READ_MILLISECONDS: Final = 150
"""From the last change of the sources to reading them."""
LOOK_MILLISECONDS: Final = 1500
"""From the last act to the doctor's next look."""
CLOSE_SECONDS: Final = 10.0
LONGEST_READING: Final = 600.0
"""Seconds for which a plan waits for its text."""


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version in the list of all that were kept; ``models`` are the names of those that are known to come of it."""

    dataset: str
    version: DatasetVersion
    models: tuple[str, ...] = ()


def list_texts_of_models(models: ModelService) -> list[tuple[str, str]]:
    """Return each tuned model's name with the fingerprint of the kept text that it learned from; reads files."""
    found = []
    for model in models.list_models():
        with contextlib.suppress(StorydeskError):  # a model whose papers can't be read has no known text
            fingerprint = models.details(model.name).data.get("fingerprint", "")
            found += [(model.name, str(fingerprint))] if fingerprint else []
    return found


class DataDeskController(QObject):
    """Keeps one dataset in step with the sources. Lives on the GUI thread; work is done on threads, one at a time."""

    view_changed = Signal(object)
    """The DatasetView as it stands; None where nothing was read of the sources as they are now."""
    reading_changed = Signal(bool)
    """Whether the sources are being read, or are about to be."""
    examining_changed = Signal(bool)
    progressed = Signal(object)
    """The DatasetProgress of a reading."""
    reading_failed = Signal(object, object)
    """Why the sources could not be read (a Failure) and which they were; the text can still be tuned on unseen."""
    restored = Signal(object)
    """The DataSources of the dataset that was open last."""
    pair_read = Signal(object)
    """A whole Pair that was asked for."""
    versions_changed = Signal(object)
    """A tuple of KeptVersion, newest first."""
    failed = Signal(object)
    """The Failure of an act; nothing was changed."""
    _made = Signal(str)
    _outdated = Signal(int)

    def __init__(
        self,
        service: DatasetService,
        manuscripts: ManuscriptService,
        settings: SettingsStore,
        parent: QObject | None = None,
        *,
        list_models: Callable[[], Iterable[tuple[str, str]]] = tuple,
    ) -> None:
        """Wait for sources; ``list_models`` returns names of models with the fingerprints of their text."""
        super().__init__(parent)
        self._service = service
        self._manuscripts = manuscripts
        self._settings = settings
        self._list_models = list_models
        self._turns = Turns(self)
        self._reading = 0
        self._settled = threading.Event()
        self._settled.set()
        self._sources: tuple[DataSource, ...] = ()
        self._view: DatasetView | None = None
        self._signature = ""
        self._pair_wanted = ""
        self._tentative: tuple[str, str] | None = None
        self._kept_last: tuple[DatasetView, DatasetVersion] | None = None
        self._closed = False
        self._name = ""
        self._read_due = self._make_timer(READ_MILLISECONDS, self._read)
        self._look_due = self._make_timer(LOOK_MILLISECONDS, self._examine)
        self._turns.changed.connect(self._on_turn_changed)
        self._turns.reported.connect(self._on_reported)
        self._outdated.connect(self._on_outdated, Qt.ConnectionType.QueuedConnection)
        self._made.connect(self._on_made, Qt.ConnectionType.QueuedConnection)

    @property
    def view(self) -> DatasetView | None:
        """The dataset as it stands; None while there is none for the sources as they are now."""
        return self._view

    @property
    def is_reading(self) -> bool:
        """Whether there is nothing to show yet because the sources are being read, or are about to be."""
        return self._view is None and self._is_due

    @property
    def _is_due(self) -> bool:
        """Whether the sources are being read or looked at for changes."""
        return self._read_due.isActive() or self._turns.has(TurnKind.READ)

    @property
    def is_examining(self) -> bool:
        """Whether the doctor is looking."""
        return self._turns.is_running(TurnKind.EXAMINE)

    # Following the sources

    def restore(self) -> None:
        """Look for the dataset that was open last; ``restored`` tells its sources."""
        dataset = self._kept()[0]
        if dataset:
            self._add(TurnKind.LOOK_UP, lambda _: self._service.find(dataset), self._on_found, lambda _: None)

    def follow(self, sources: Sequence[DataSource], name: str) -> None:
        """Bring the dataset in step with the sources; nothing is read where nothing was changed."""
        wanted = tuple(sources)
        self._name = name
        if not same_sources(wanted, self._sources):
            self._sources = wanted
            self._read_due.stop()
            self._turns.break_off(TurnKind.READ)
            self._show(None)
        if not wanted:
            self._read_due.stop()
        elif not self._is_due:
            self._read_due.start()
        self._settle()
        self.reading_changed.emit(self.is_reading)

    def look_again(self) -> None:
        """Read what was changed in the sources since they were read: files, stories of the library."""
        if self._sources and not self._is_due:
            self._read_due.start()
            self._settle()

    def stop_reading(self) -> None:
        """Break off what is being read; ``reading_failed`` tells with ``cancelled``."""
        if self.is_reading:
            self._read_due.stop()
            self._turns.break_off(TurnKind.READ)
            self._settle()
            self.reading_changed.emit(False)
            self.reading_failed.emit(Failure(FailureCode.CANCELLED), self._sources)

    # What the writer does to pairs

    def read_pair(self, pair: str) -> None:
        """Ask for a whole pair; only the one asked for last is told."""
        view, self._pair_wanted = self._view, pair
        if view is not None:
            dataset = view.card.id
            self._add(
                TurnKind.LOOK_UP,
                lambda _: self._service.read_pair(dataset, pair) if self._pair_wanted == pair else None,
                self._on_pair_read,
            )

    def leave_out(self, pairs: Iterable[str], *, out: bool = True) -> None:
        """Leave pairs out, or take them back."""
        chosen = tuple(pairs)
        act = self._service.leave_out if out else self._service.take_back
        if chosen:
            self._act(lambda dataset: act(dataset, chosen))

    def change(self, pair: str, prompt: str, story: str) -> None:
        """Give a pair another prompt and story."""
        self._act(lambda dataset: self._service.change(dataset, pair, prompt, story))

    def fix(self, finding: str) -> None:
        """Apply a finding's remedy to all of its pairs."""
        self._act(lambda dataset: self._service.fix(dataset, finding))

    def undo(self) -> None:
        """Undo the newest act that holds."""
        self._act(self._service.undo)

    # Versions

    def list_versions(self) -> None:
        """Look for what was kept; ``versions_changed`` tells."""

        def look(_report: ReportProgress) -> tuple[KeptVersion, ...]:
            made: dict[str, list[str]] = {}
            for name, fingerprint in self._list_models():
                made.setdefault(fingerprint, []).append(name)
            kept = [
                KeptVersion(card.id, version, tuple(made.get(version.fingerprint, ())))
                for card in self._service.list_datasets()
                for version in self._service.list_versions(card.id)
            ]
            return tuple(sorted(kept, key=lambda each: each.version.kept_at, reverse=True))

        self._add(TurnKind.LOOK_UP, look, self.versions_changed.emit)

    def open_version(self, kept: KeptVersion, name: str) -> None:
        """Go back to a version: it becomes the one source. What is open now is kept as a version first."""
        view = self._view
        source = DataSource(SourceKind.FOLDER, name, str(kept.version.folder))

        def keep(report: ReportProgress) -> None:
            if view is not None and view.edits and view.kept:
                self._service.keep(view.card.id, report)

        def on_kept(_: object) -> None:
            self._forget()
            self.restored.emit((source,))

        self._add(TurnKind.ACT, keep, on_kept)

    def delete_version(self, kept: KeptVersion) -> None:
        """Delete a version for good; what was tuned on it has its own copy of the text."""
        self._add(
            TurnKind.ACT,
            lambda _: self._service.delete_version(kept.dataset, kept.version.fingerprint),
            lambda _: self.list_versions(),
        )

    def make_keeper(self, *, for_good: bool) -> Callable[[], tuple[str, ...]]:
        """Return what keeps a version of the text as it stands and returns it as a plan's data; empty without a text.

        What is returned is slow (it waits for a reading that is under way) and for another thread. A version that is
        not kept ``for_good`` was made to plan with: it goes when another one is made.
        """

        def keep() -> tuple[str, ...]:
            self._settled.wait(LONGEST_READING)
            view = self._view
            if view is None or not view.kept or self._closed:
                return ()
            with self._turns.lock:
                version = self._keep(view)
                if for_good:
                    self._tentative = None
                return self._service.tuning_data(version)

        return keep

    def _keep(self, view: DatasetView) -> DatasetVersion:
        """Keep the text of a view, once; the trainer's start takes seconds."""
        known = self._kept_last
        if known is not None and known[0] is view and known[1].folder.exists():
            return known[1]
        dataset = view.card.id
        before = {each.fingerprint for each in self._service.list_versions(dataset)}
        version = self._service.keep(dataset)
        here = (dataset, version.fingerprint)
        if self._tentative != here:
            self._drop_tentative()
            self._tentative = here if version.fingerprint not in before else None
        self._kept_last = (view, version)
        return version

    def _drop_tentative(self) -> None:
        if self._tentative is not None:
            with contextlib.suppress(StorydeskError):
                self._service.delete_version(*self._tentative)
            self._tentative = None

    # Ending

    def close(self, wait_seconds: float = CLOSE_SECONDS) -> bool:
        """End what is under way and do what was asked for before; say whether every thread ended in time."""
        self._closed = True
        self._read_due.stop()
        self._look_due.stop()
        ended = self._turns.close(wait_seconds)
        self._settled.set()
        if ended and self._turns.lock.acquire(timeout=wait_seconds):
            self._drop_tentative()
            self._turns.lock.release()
        return ended

    # Turns

    def _act(self, act: Callable[[str], DatasetView]) -> None:
        """Do something to the dataset that is open."""
        view = self._view
        if view is not None:
            dataset = view.card.id
            self._add(TurnKind.ACT, lambda _: act(dataset), self._on_acted)

    def _add(
        self,
        kind: TurnKind,
        work: Callable[[ReportProgress], Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[Failure], None] | None = None,
    ) -> None:
        """Take a turn; the doctor steps aside for it and begins again later."""
        if kind is not TurnKind.EXAMINE and self.is_examining:
            self._turns.break_off(TurnKind.EXAMINE)
            self._look_due.start()
        self._turns.add(kind, work, on_done, on_failed or self.failed.emit)

    @Slot(object)
    def _on_turn_changed(self, kind: TurnKind) -> None:
        self._settle()
        if kind is TurnKind.READ:
            self.reading_changed.emit(self.is_reading)
        elif kind is TurnKind.EXAMINE:
            self.examining_changed.emit(self.is_examining)

    def _settle(self) -> None:
        """Let a plan go on once all that it waits for is done: readings, and acts that are on their way."""
        if self._is_due or self._turns.has(TurnKind.ACT):
            self._settled.clear()
        else:
            self._settled.set()

    # Answers

    def _read(self) -> None:
        sources, name = self._sources, self._name
        view, signature = self._view, self._signature
        dataset, kept = self._kept()
        service = self._service

        def bring(report: ReportProgress) -> tuple[DatasetView, str] | None:
            signed = sign_sources(sources, self._manuscripts)
            if view is not None and signed == signature:
                return None
            card = None
            with contextlib.suppress(StorydeskError):
                card = service.find(dataset) if dataset else None
            if card is not None and card.is_read and same_sources(card.sources, sources) and signed in (kept, ""):
                return service.open(card.id), signed or kept
            self._outdated.emit(number)
            if card is None:
                card = service.create(name, sources, report)
                self._made.emit(card.id)
            else:
                card = service.gather_again(card.id, sources, report)
            return service.read(card.id, report), signed

        def on_failed(failure: Failure) -> None:
            self._show(None)
            self.reading_failed.emit(failure, sources)

        self._turns.break_off(TurnKind.READ)
        self._reading += 1
        number = self._reading
        self._add(TurnKind.READ, bring, self._on_read, on_failed)

    def _on_read(self, answer: tuple[DatasetView, str] | None) -> None:
        if answer is None:
            return
        view, self._signature = answer
        self._settings.set(DATA_DESK, f"{view.card.id} {self._signature}")
        self._show(view)

    def _examine(self) -> None:
        view = self._view
        if view is None or not view.is_stale:
            return
        if not self._turns.is_free:
            self._look_due.start()
        else:
            dataset = view.card.id
            self._add(TurnKind.EXAMINE, lambda report: self._service.examine(dataset, report), self._on_acted)

    def _on_acted(self, view: DatasetView) -> None:
        if self._view is None or view.card.id != self._view.card.id:
            return
        self._show(view)
        if view.is_stale:
            self._look_due.start()

    def _show(self, view: DatasetView | None) -> None:
        if view is not self._view:
            self._view = view
            self.view_changed.emit(view)

    def _on_pair_read(self, pair: Pair | None) -> None:
        if pair is not None and pair.card.id == self._pair_wanted:
            self.pair_read.emit(pair)

    def _on_found(self, card: Any) -> None:
        if not self._sources:
            self.restored.emit(card.sources)

    @Slot(object, object)
    def _on_reported(self, kind: TurnKind, step: DatasetProgress) -> None:
        if kind is TurnKind.READ:
            self.progressed.emit(step)

    @Slot(int)
    def _on_outdated(self, reading: int) -> None:
        """Put away what was read before something was changed in the sources."""
        if reading == self._reading and self._view is not None:
            self._show(None)
            self.reading_changed.emit(self.is_reading)

    @Slot(str)
    def _on_made(self, dataset: str) -> None:
        """Remember a dataset before it is read, so that the next reading goes on with it."""
        self._settings.set(DATA_DESK, dataset)

    def _forget(self) -> None:
        """Let the next sources have a dataset of their own."""
        self._settings.set(DATA_DESK, "")
        self._sources = ()
        self._show(None)

    def _kept(self) -> tuple[str, str]:
        """Return the id of the dataset that was open last and the signature of what was read."""
        dataset, _, signature = self._settings.get(DATA_DESK).partition(" ")
        return dataset, signature

    def _make_timer(self, milliseconds: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer
