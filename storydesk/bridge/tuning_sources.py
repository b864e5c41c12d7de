"""What the writer gave to learn from: files, folders, our samples and stories of the library, counted and gathered.

No Qt in here; counting reads whole files, so it belongs on a thread.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from storydesk.domain.dataset import DatasetView, DataSource, SourceKind
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.manuscript import Story, count_words
from storydesk.services.gathering import HUB_PREFIX, RICH_FORMATS
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.ports import Progress
from storydesk.services.publishing import PublishingService

PLAIN_FORMATS: Final = ("txt", "text", "md", "markdown")
TABLE_FORMATS: Final = ("csv", "tsv", "json", "jsonl", "ndjson", "wp_source", "wp_target")

LARGEST_CELL: Final = 16 * 1024 * 1024
ARROW_NAME: Final = "dataset_info.json"
"""Stands in every folder that ``datasets`` has written; those only the trainer reads."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a source holds: ``unread`` names each file that can't be used and why; ``usable`` goes into the plan."""

    documents: int = 0
    words: int = 0
    unread: tuple[tuple[str, Failure], ...] = ()
    usable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TuningSource:
    """One line of the list: ``path`` for files and folders, ``stories`` of the library, ``name`` for the Hub."""

    kind: SourceKind
    name: str
    path: Path | None = None
    stories: tuple[Story, ...] = ()
    measure: Measure | None = field(default=None, compare=False)

    @property
    def is_useless(self) -> bool:
        """Say whether it was looked at and there is nothing in it that can be read."""
        measure = self.measure
        return measure is not None and bool(measure.unread) and not measure.words and not measure.usable

    @property
    def needs_trainer(self) -> bool:
        """Say whether only the trainer can read it, so that its words are known when it was read."""
        if self.kind is SourceKind.HUB:
            return True
        return self.kind is SourceKind.FOLDER and self.path is not None and (self.path / ARROW_NAME).exists()


def as_data_source(source: TuningSource) -> DataSource:
    """Return a line of the list as the data desk knows it."""
    if source.kind is SourceKind.HUB:
        return DataSource(source.kind, source.name, source.name)
    place = str(source.path) if source.path is not None else ""
    return DataSource(source.kind, source.name, place, tuple(story.id for story in source.stories))


def as_tuning_source(source: DataSource, stories: Sequence[Story]) -> TuningSource | None:
    """Return a source of the data desk as a line of the list; None for stories that are gone from the library."""
    if source.kind is SourceKind.HUB:
        return TuningSource(source.kind, source.place)
    if source.kind is SourceKind.LIBRARY:
        chosen = tuple(story for story in stories if story.id in source.stories)
        return TuningSource(source.kind, source.name, stories=chosen) if chosen else None
    return TuningSource(source.kind, source.name, Path(source.place))


def measure_by_view(source: TuningSource, view: DatasetView, others: int) -> TuningSource:
    """Return a source that only the trainer reads, counted by its pairs; ``others`` are texts of other sources."""
    mark = HUB_PREFIX + source.name if source.kind is SourceKind.HUB else str(source.path)
    own = [pair for pair in view.pairs if pair.source == mark]
    if not own and source.kind is not SourceKind.HUB:
        # A version's pairs name what they were read from at first; they stand after what else there is.
        own = list(view.pairs[others:])
    return replace(source, measure=Measure(len(own), sum(pair.words for pair in own)))


def is_tunable(path: Path) -> bool:
    """Say whether a file's format can be learned from."""
    return path.suffix.lower().removeprefix(".") in (*PLAIN_FORMATS, *TABLE_FORMATS, *RICH_FORMATS)


def measure_source(
    source: TuningSource, publishing: PublishingService, manuscripts: ManuscriptService, progress: Progress
) -> TuningSource:
    """Return the source with its documents and words counted; ``progress`` is called once a file."""
    if source.kind is SourceKind.LIBRARY:
        texts = [manuscripts.open_story(story.id).text for story in source.stories]
        kept = [text for text in texts if text.strip()]
        return replace(source, measure=Measure(len(kept), sum(count_words(text) for text in kept)))
    assert source.path is not None
    if source.kind is SourceKind.SAMPLES:
        # Beside the samples stands a page about them that is no story.
        files = sorted(source.path.glob("*.jsonl"))
        return replace(source, measure=_measure_files(files, publishing, progress))
    return replace(source, measure=_measure_path(source.path, publishing, progress))


def gather_data(sources: Sequence[TuningSource], manuscripts: ManuscriptService, folder: Path) -> tuple[str, ...]:
    """Return the plan's data; stories of the library are written to a dataset file in ``folder`` first."""
    data: list[str] = []
    rows: list[tuple[str, str, str]] = []
    for source in sources:
        if source.kind is SourceKind.LIBRARY:
            rows += [(story.title, story.prompt, manuscripts.open_story(story.id).text) for story in source.stories]
        elif source.kind is SourceKind.HUB:
            data += () if source.is_useless else (HUB_PREFIX + source.name,)
        elif source.needs_trainer:
            data.append(str(source.path))
        else:
            data += source.measure.usable if source.measure is not None else (str(source.path),)
    if rows:
        data.append(str(_write_rows(rows, folder)))
    return tuple(dict.fromkeys(data))


def _measure_path(path: Path, publishing: PublishingService, progress: Progress) -> Measure:
    measure = _measure_files([path] if path.is_file() else list(_list_files(path)), publishing, progress)
    # A whole folder goes into the plan by its own name, unless some of it has to be left out or read by the app first.
    is_rich = any(Path(name).suffix.lower().removeprefix(".") in RICH_FORMATS for name in measure.usable)
    if measure.usable and not measure.unread and not is_rich:
        return replace(measure, usable=(str(path),))
    return measure


def _measure_files(files: Sequence[Path], publishing: PublishingService, progress: Progress) -> Measure:
    documents = words = 0
    unread: list[tuple[str, Failure]] = []
    usable: list[str] = []
    for done, file in enumerate(files):
        progress(done, len(files))
        try:
            counted = _count_file(file, publishing)
        except StorydeskError as error:
            unread.append((file.name, error.failure))
            continue
        except (OSError, ValueError, csv.Error) as error:
            detail = getattr(error, "strerror", None) or "not in the form that its name says"
            failure = Failure(FailureCode.FILE_NOT_READABLE, {"path": file.name, "detail": detail})
            unread.append((file.name, failure))
            continue
        documents, words = documents + counted[0], words + counted[1]
        usable.append(str(file))
    return Measure(documents, words, tuple(unread), tuple(usable))


def _list_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that can be learned from, hidden ones and Word's locks left out."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
        if not hidden and is_tunable(path) and path.is_file():
            yield path


def _count_file(path: Path, publishing: PublishingService) -> tuple[int, int]:
    """Return documents and words of one file."""
    suffix = path.suffix.lower().removeprefix(".")
    if not is_tunable(path):
        known = ", ".join((*PLAIN_FORMATS, *TABLE_FORMATS, *RICH_FORMATS))
        raise StorydeskError(FailureCode.FORMAT_UNKNOWN, format=suffix or path.name, known=known)
    if suffix not in TABLE_FORMATS:
        return 1, count_words(publishing.read(path)[1])
    if path.stat().st_size == 0:
        raise StorydeskError(FailureCode.FILE_EMPTY, path=path.name)
    counts = list(map(count_words, _COUNTERS[suffix](path)))
    if suffix == "wp_source":
        return 0, 0  # the stories stand in the file beside it
    return len(counts), sum(counts)


def _read_lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        yield from (line for line in stream if line.strip())


def _read_json_lines(path: Path) -> Iterator[str]:
    for line in _read_lines(path):
        yield _join_values(json.loads(line))


def _read_json(path: Path) -> Iterator[str]:
    record = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    for row in record if isinstance(record, list) else [record]:
        yield _join_values(row)


def _read_table(path: Path) -> Iterator[str]:
    csv.field_size_limit(LARGEST_CELL)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv.reader(stream, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        next(rows, None)
        yield from (" ".join(row) for row in rows if any(row))


def _join_values(row: object) -> str:
    """Return the texts of a record, whichever fields they stand in."""
    if isinstance(row, dict):
        return " ".join(str(value) for value in row.values() if isinstance(value, str))
    return str(row)


def _write_rows(rows: Sequence[tuple[str, str, str]], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"stories-{time.time_ns()}.jsonl"
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for title, prompt, story in rows:
            if story.strip():
                record = {"title": title, "prompt": prompt or title, "story": story}
                stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    return path


_COUNTERS: Final[dict[str, Callable[[Path], Iterator[str]]]] = {
    "csv": _read_table,
    "tsv": _read_table,
    "json": _read_json,
    "jsonl": _read_json_lines,
    "ndjson": _read_json_lines,
    "wp_source": _read_lines,
    "wp_target": _read_lines,
}
