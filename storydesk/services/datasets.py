"""The data desk: gather text, have it read and examined, see and change every pair, keep versions to tune on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from storydesk.domain.dataset import (
    DatasetCard,
    DatasetEdit,
    DatasetProgress,
    DatasetVersion,
    DatasetView,
    DataSource,
    EditKind,
    GatheredPair,
    Pair,
    PromptOrigin,
    SourceKind,
)
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.markup import strip_markup
from storydesk.services.dataset_ports import DataJob, DatasetStore, Gathering, ReportProgress
from storydesk.services.gathering import HUB_PREFIX, read_document, split_path
from storydesk.services.ports import DocumentReader, LibraryStore

GATHERING = "gathering"


def _say_nothing(_progress: DatasetProgress) -> None:
    """Report nothing."""


class DatasetService:
    """Makes and changes datasets. Any thread, one at a time for each dataset.

    ``create``, ``read``, ``examine``, ``keep`` and ``open`` are slow and belong on a thread of their own; the acts
    (``leave_out`` and the like) take milliseconds and a write that reaches the disk.
    """

    def __init__(self, store: DatasetStore, reader: DocumentReader, library: LibraryStore) -> None:
        """Join the folder of datasets with what the app itself can read: rich documents and its own stories."""
        self._store = store
        self._reader = reader
        self._library = library

    # Making one.

    def create(self, name: str, sources: Sequence[DataSource], report: ReportProgress = _say_nothing) -> DatasetCard:
        """Make a dataset of sources; rich documents and stories are read here, the rest by ``read``.

        A file that can't be read is noted in the view's ``unread``. Raises StorydeskError(BAD_ARGUMENT) without a
        source, FILE_NOT_FOUND, DISK_FULL, NOT_WRITABLE, and what ``report`` raises.
        """
        chosen = _require_sources(sources)
        gathering = self._gather(chosen, report)
        return self._store.create(name.strip() or chosen[0].name, chosen, gathering)

    def gather_again(
        self, dataset: str, sources: Sequence[DataSource], report: ReportProgress = _say_nothing
    ) -> DatasetCard:
        """Give a dataset other sources, or the same ones as they are now; ``read`` comes next.

        Edits and versions stay. Raises what ``create`` raises, and DATASET_NOT_FOUND.
        """
        chosen = _require_sources(sources)
        return self._store.gather_again(dataset, chosen, self._gather(chosen, report))

    def read(self, dataset: str, report: ReportProgress = _say_nothing) -> DatasetView:
        """Read the sources and examine the pairs, again where that was done before; return what there is then.

        Edits of pairs that are still there hold. Raises what the trainer raises, and what ``report`` raises.
        """
        self._store.work(dataset, DataJob.READ, report)
        return self._store.load(dataset)

    def examine(self, dataset: str, report: ReportProgress = _say_nothing) -> DatasetView:
        """Let the doctor look again at the pairs as they stand."""
        self._store.work(dataset, DataJob.EXAMINE, report)
        return self._store.load(dataset)

    # Looking at it.

    def list_datasets(self) -> Sequence[DatasetCard]:
        """Return all datasets, newest first."""
        return self._store.list_datasets()

    def find(self, dataset: str) -> DatasetCard:
        """Return a dataset by id or name; raise StorydeskError(DATASET_NOT_FOUND)."""
        return self._store.find(dataset)

    def open(self, dataset: str) -> DatasetView:
        """Return a dataset as it stands; raise StorydeskError(DATASET_NOT_FOUND, DATASET_NOT_READ)."""
        return self._store.load(dataset)

    def read_pair(self, dataset: str, pair: str) -> Pair:
        """Return one whole pair; raise StorydeskError(PAIR_NOT_FOUND)."""
        return self._store.read_pair(dataset, pair)

    # What the writer does to it; each returns the dataset as it stands then.

    def leave_out(self, dataset: str, pairs: Iterable[str]) -> DatasetView:
        """Leave pairs out of every later version."""
        return self._store.edit(dataset, DatasetEdit(EditKind.LEAVE_OUT, tuple(pairs)))

    def take_back(self, dataset: str, pairs: Iterable[str]) -> DatasetView:
        """Take pairs back that were left out."""
        return self._store.edit(dataset, DatasetEdit(EditKind.TAKE_BACK, tuple(pairs)))

    def change(self, dataset: str, pair: str, prompt: str, story: str) -> DatasetView:
        """Give a pair another prompt and story."""
        return self._store.edit(dataset, DatasetEdit(EditKind.CHANGE, (pair,), prompt, story))

    def fix(self, dataset: str, finding: str, pairs: Iterable[str] = ()) -> DatasetView:
        """Apply a finding's remedy to all of its pairs, or to some; raise StorydeskError(FINDING_NOT_FOUND)."""
        return self._store.edit(dataset, DatasetEdit(EditKind.FIX, tuple(pairs), finding=finding))

    def undo(self, dataset: str) -> DatasetView:
        """Undo the newest act that holds; without one nothing happens."""
        return self._store.edit(dataset, DatasetEdit(EditKind.UNDO))

    # Keeping it.

    def keep(self, dataset: str, report: ReportProgress = _say_nothing) -> DatasetVersion:
        """Write the pairs as they stand as a version and return it; the same text again is the same version."""
        mark = self._store.work(dataset, DataJob.KEEP, report)
        return next(version for version in self.list_versions(dataset) if version.fingerprint == mark)

    def list_versions(self, dataset: str) -> Sequence[DatasetVersion]:
        """Return what was kept, newest first."""
        return self._store.list_versions(dataset)

    def tuning_data(self, version: DatasetVersion) -> tuple[str, ...]:
        """Return a version as the data of a TuningPlan."""
        return (str(version.folder),)

    def delete_version(self, dataset: str, fingerprint: str) -> None:
        """Delete one version; one that is gone already is no failure."""
        self._store.delete_version(dataset, fingerprint)

    def rename(self, dataset: str, name: str) -> DatasetCard:
        """Give a dataset another name."""
        return self._store.rename(dataset, name)

    def delete(self, dataset: str) -> None:
        """Delete a dataset with its versions; runs that were tuned on one keep their own copy of its text."""
        self._store.delete(dataset)

    # Reading what only the app can read.

    def _gather(self, sources: Sequence[DataSource], report: ReportProgress) -> Gathering:
        data: list[str] = []
        pairs: list[GatheredPair] = []
        taken: list[str] = []
        unread: list[Failure] = []
        for source in sources:
            if source.kind is SourceKind.HUB:
                data.append(HUB_PREFIX + source.place.removeprefix(HUB_PREFIX))
            elif source.kind is SourceKind.LIBRARY:
                pairs += self._read_stories(source, report)
            elif source.kind is SourceKind.SAMPLES:
                # Beside the samples stands a page about them that is no story.
                data += map(str, sorted(Path(source.place).glob("*.jsonl")))
            else:
                path = Path(source.place).absolute()
                found, rich, more = split_path(path, self._make_reading(unread, report))
                pairs += found
                taken += map(str, rich)
                data += [str(path)] if more else []
        return Gathering(tuple(dict.fromkeys(data)), tuple(pairs), tuple(taken), tuple(unread))

    def _make_reading(
        self, unread: list[Failure], report: ReportProgress
    ) -> Callable[[Path, int, int], GatheredPair | None]:
        """Return what reads a document and notes why one can't be read."""

        def read(path: Path, number: int, count: int) -> GatheredPair | None:
            report(DatasetProgress(GATHERING, number, count, path.name))
            try:
                return read_document(path, self._reader)
            except StorydeskError as error:
                unread.append(error.failure)
                return None

        return read

    def _read_stories(self, source: DataSource, report: ReportProgress) -> Iterator[GatheredPair]:
        cards = {story.id: story for story in self._library.list_stories()}
        for done, story_id in enumerate(source.stories):
            report(DatasetProgress(GATHERING, done, len(source.stories), source.name))
            story, drafts = cards.get(story_id), self._library.list_drafts(story_id)
            if story is None or not drafts or not drafts[0].text.strip():
                continue
            origin = PromptOrigin.LIBRARY if story.prompt else PromptOrigin.TITLE
            text = strip_markup(drafts[0].text)
            yield GatheredPair(story.title, story.prompt or story.title, text, f"library:{story.id}", origin)


def _require_sources(sources: Sequence[DataSource]) -> tuple[DataSource, ...]:
    """Return each source once; raise StorydeskError(BAD_ARGUMENT, FILE_NOT_FOUND)."""
    if not sources:
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name="data", value="nothing", expected="files or folders")
    for source in sources:
        if source.kind in (SourceKind.FILE, SourceKind.FOLDER) and not Path(source.place).exists():
            raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=source.place)
    return tuple(dict.fromkeys(sources))
