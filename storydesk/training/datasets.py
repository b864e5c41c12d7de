"""The app's end of datasets: their folders, and the trainer at work in one."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from storydesk.domain.characters import mend_text
from storydesk.domain.dataset import (
    DatasetCard,
    DatasetEdit,
    DatasetProgress,
    DatasetVersion,
    DatasetView,
    DataSource,
    Pair,
    SourceKind,
)
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.atomic_file import explain_error, make_folder, write_atomically
from storydesk.services.dataset_ports import DataJob, Gathering, ReportProgress
from storydesk.training.journal import JOURNAL_NAME, JournalReader
from storydesk.training.open_dataset import OpenDataset, OutdatedError, read_record
from storydesk.training.processes import LOG_NAME, ChildProcess, find_trainer, is_alive, start_trainer
from storydesk.training.run import GRACE_SECONDS
from trainer.protocol.datasets import (
    DATASET_REQUEST,
    FINDINGS,
    GATHERED,
    PAIRS,
    READING,
    VERSION,
    VERSIONS,
    DatasetRequest,
    PairRecord,
    SourceRecord,
    Trouble,
    VersionRecord,
    encode_pair,
    encode_record,
)
from trainer.protocol.messages import STOP_LINE, DatasetAdvanced, DatasetWritten, Event, RunFailed, RunStopped

POLL_SECONDS = 0.1
_OPTIONS = {DataJob.READ: (), DataJob.EXAMINE: ("--examine",), DataJob.KEEP: ("--keep",)}
_KINDS = {str(kind): kind for kind in SourceKind}
_OPEN = 2
"""Datasets that are held in memory; the one that was asked for longest ago goes first."""


class DatasetFolders:
    """Implements DatasetStore over a folder of datasets. Any thread; one job or act at a time."""

    def __init__(self, folder: Path, program: Sequence[str] | None = None) -> None:
        """Keep datasets in ``folder``; ``program`` is what ``data FOLDER`` is said to, by default this Python's."""
        self._folder = folder
        self._program = tuple(program) if program is not None else find_trainer()
        self._open: dict[str, OpenDataset] = {}
        self._lock = threading.RLock()

    # The folders.

    def create(self, name: str, sources: Sequence[DataSource], gathering: Gathering) -> DatasetCard:
        """Make a dataset that is yet to be read by the trainer; raise StorydeskError(DISK_FULL, NOT_WRITABLE)."""
        moment = datetime.now(UTC)
        folder = make_folder(self._folder / f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}")
        bare = DatasetRequest(name=mend_text(name), created=moment.isoformat(timespec="seconds"))
        return _write_request(folder, bare, sources, gathering)

    def gather_again(self, dataset: str, sources: Sequence[DataSource], gathering: Gathering) -> DatasetCard:
        """Give a dataset other sources, or the same ones as they are now; it is then to be read again.

        Its edits and versions stay. Raise DATASET_NOT_FOUND, DISK_FULL, NOT_WRITABLE.
        """
        card = self.find(dataset)
        with self._lock:
            self._open.pop(card.id, None)
        try:
            for name in (PAIRS, FINDINGS, READING):
                (card.folder / name).unlink(missing_ok=True)  # what they tell is of other sources
        except OSError as error:
            raise explain_error(error, card.folder) from error
        return _write_request(card.folder, self._read_request(card), sources, gathering)

    def list_datasets(self) -> Sequence[DatasetCard]:
        """Return all datasets, newest first; damaged folders are passed over."""
        return [_make_card(folder, request) for folder, request in self._list_requests()]

    def find(self, dataset: str) -> DatasetCard:
        """Return a dataset by its id, or by its name where only one has it; raise DATASET_NOT_FOUND."""
        cards = self.list_datasets()
        named = [card for card in cards if card.id == dataset] or [card for card in cards if card.name == dataset]
        if len(named) != 1:
            raise StorydeskError(FailureCode.DATASET_NOT_FOUND, name=dataset)
        return named[0]

    def rename(self, dataset: str, name: str) -> DatasetCard:
        """Give it another name."""
        card = self.find(dataset)
        request = dataclasses.replace(self._read_request(card), name=mend_text(name))
        write_atomically(card.folder / DATASET_REQUEST, encode_record(request))
        renamed = _make_card(card.folder, request)
        with self._lock:
            if card.id in self._open:
                self._open[card.id].rename(renamed)
        return renamed

    def delete(self, dataset: str) -> None:
        """Delete it with its versions; raise RUN_IN_USE where the trainer is at work on it."""
        card = self.find(dataset)
        if is_alive(card.folder):
            raise StorydeskError("run_in_use", path=str(card.folder))
        with self._lock:
            self._open.pop(card.id, None)
        _delete_folder(card.folder)

    # The trainer at work.

    def work(self, dataset: str, job: DataJob, report: ReportProgress) -> str:
        """Let the trainer do a job to its end and return the fingerprint of what it kept, if anything.

        Raise what it raises, what ``report`` raises (the trainer is then stopped), TRAINER_NOT_STARTED.
        """
        folder = self.find(dataset).folder
        # A file of its own for each start: a window and a command may both be at work here, and one of them is refused.
        said = folder / f"stdout-{secrets.token_hex(4)}.log"
        process = self._start(folder, job, said)
        journal = JournalReader(said)
        last: Event | None = None
        try:
            ended = False
            while not ended:
                ended = process.poll() is not None  # before reading: what was said until the end is then read below
                for event in journal.read():
                    last = event
                    if isinstance(event, DatasetAdvanced):
                        report(DatasetProgress(event.job, event.done, event.total, event.place))
                if not ended:
                    report(_so_far(last))
                    time.sleep(POLL_SECONDS)
        finally:
            if process.poll() is None:
                process.say(STOP_LINE)
                process.end(GRACE_SECONDS)
            process.let_go()
            with contextlib.suppress(OSError):
                said.unlink()
        _raise_failure(last, process.poll(), folder)
        return last.fingerprint if isinstance(last, DatasetWritten) else ""

    def _start(self, folder: Path, job: DataJob, said: Path) -> ChildProcess:
        if not is_alive(folder):
            with contextlib.suppress(OSError):
                (folder / JOURNAL_NAME).unlink(missing_ok=True)  # a job that is simply done again needs no history
        return start_trainer((*self._program, "data", str(folder.absolute()), *_OPTIONS[job]), folder, said.name)

    # What is in them.

    def load(self, dataset: str) -> DatasetView:
        """Return the dataset as it stands; slow where it is large. Raise DATASET_NOT_FOUND, DATASET_NOT_READ."""
        with self._lock:
            return self._find_open(dataset).show()

    def read_pair(self, dataset: str, pair: str) -> Pair:
        """Return one whole pair as it stands; raise PAIR_NOT_FOUND."""
        with self._lock:
            return self._find_open(dataset).read_pair(pair)

    def edit(self, dataset: str, edit: DatasetEdit) -> DatasetView:
        """Write an act to the log, on disk when this returns, and return the dataset as it stands then."""
        with self._lock:
            while True:
                try:
                    return self._find_open(dataset).edit(edit)
                except OutdatedError:
                    self._open.pop(self.find(dataset).id, None)

    def list_versions(self, dataset: str) -> Sequence[DatasetVersion]:
        """Return what was kept, newest first."""
        found = []
        with contextlib.suppress(OSError):
            for folder in (self.find(dataset).folder / VERSIONS).iterdir():
                record = read_record(folder / VERSION, VersionRecord)
                if record is not None and not folder.name.startswith("."):
                    found.append(_make_version(folder, record))
        return sorted(found, key=lambda version: (version.kept_at, version.edits), reverse=True)

    def delete_version(self, dataset: str, fingerprint: str) -> None:
        """Delete one version; one that is gone already is no failure. Raise DATASET_NOT_FOUND, NOT_WRITABLE."""
        for version in self.list_versions(dataset):
            if version.fingerprint == fingerprint:
                _delete_folder(version.folder)

    def _read_request(self, card: DatasetCard) -> DatasetRequest:
        request = read_record(card.folder / DATASET_REQUEST, DatasetRequest)
        if request is None:
            raise StorydeskError(FailureCode.DATASET_NOT_FOUND, name=card.name)
        return request

    def _find_open(self, dataset: str) -> OpenDataset:
        known = self._open.get(dataset)
        if known is not None and known.is_current:
            return known
        card = self.find(dataset)
        opened = OpenDataset(card)
        self._open.pop(card.id, None)
        self._open[card.id] = opened
        while len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]
        return opened

    def _list_requests(self) -> Iterator[tuple[Path, DatasetRequest]]:
        with contextlib.suppress(OSError):
            for folder in sorted(self._folder.iterdir(), reverse=True):
                request = read_record(folder / DATASET_REQUEST, DatasetRequest)
                if request is not None and not folder.name.startswith("."):
                    yield folder, request


def _write_request(
    folder: Path, bare: DatasetRequest, sources: Sequence[DataSource], gathering: Gathering
) -> DatasetCard:
    """Write what the app has gathered, then the request that names it."""
    request = dataclasses.replace(
        bare,
        data=gathering.data,
        sources=tuple(SourceRecord(str(each.kind), each.name, each.place, each.stories) for each in sources),
        taken=gathering.taken,
        unread=tuple(Trouble(each.code, dict(each.parameters)) for each in gathering.unread),
    )
    lines = (
        encode_pair(PairRecord("", each.prompt, each.story, each.title, each.source, str(each.prompt_from)))
        for each in gathering.pairs
    )
    write_atomically(folder / GATHERED, b"".join(lines))
    write_atomically(folder / DATASET_REQUEST, encode_record(request))
    return _make_card(folder, request)


def _delete_folder(folder: Path) -> None:
    # Renamed first: what is left where deleting breaks off is no dataset and no version any more.
    aside = folder.with_name(f".{folder.name}.deleted")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise explain_error(error, folder) from error
    shutil.rmtree(aside, ignore_errors=True)


def _make_card(folder: Path, request: DatasetRequest) -> DatasetCard:
    sources = tuple(
        DataSource(_KINDS[each.kind], each.name, each.place, each.stories)
        for each in request.sources
        if each.kind in _KINDS
    )
    return DatasetCard(folder.name, request.name, request.created, sources, folder, is_read=(folder / PAIRS).is_file())


def _make_version(folder: Path, record: VersionRecord) -> DatasetVersion:
    return DatasetVersion(
        record.fingerprint, record.kept_at, record.pairs, record.words, record.edits, record.sources, folder
    )


def _so_far(last: Event | None) -> DatasetProgress:
    """Return where the job was last, said again so that a cancel is heard while nothing moves."""
    if isinstance(last, DatasetAdvanced):
        return DatasetProgress(last.job, last.done, last.total, last.place)
    return DatasetProgress("starting", 0, 0)


def _raise_failure(last: Event | None, exit_code: int | None, folder: Path) -> None:
    match last:
        case RunFailed():
            raise StorydeskError(last.code, **last.parameters)
        case RunStopped():
            raise StorydeskError(FailureCode.CANCELLED)
    if exit_code != 0:
        raise StorydeskError(FailureCode.TRAINER_ENDED, exit_code=exit_code or -1, log=str(folder / LOG_NAME))
