"""The job on a dataset's folder (``trainer.protocol.datasets``): read its sources, examine the pairs, keep a version.

Every file is written beside, forced to disk and renamed, so that a job that is broken off leaves what was there before;
it is simply done again. The log of edits is read here and never written.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from trainer.control import Control
from trainer.corpus.doctor import examine_pairs
from trainer.corpus.document import Document
from trainer.corpus.gathering import Gatherer, make_prompt
from trainer.corpus.versions import write_version
from trainer.corpus.watching import Watched
from trainer.protocol.datasets import (
    DATASET_REQUEST,
    EDITS,
    FINDINGS,
    GATHERED,
    PAIRS,
    READING,
    VERSIONS,
    DatasetRequest,
    PairRecord,
    ReadingReport,
    StandingPair,
    assemble,
    decode_edits,
    decode_record,
    encode_pair,
    encode_record,
    fold_edits,
    make_pair_id,
    read_pairs,
)
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import DatasetAdvanced, DatasetWritten
from trainer.reporter import Reporter
from trainer.text.mending import mend
from trainer.text.ngrams import count_words
from trainer.text.parts import cut
from trainer.tuning.checkpoints import sync_folder

_BLOCK = 1 << 20


def work_on_dataset(
    folder: Path, reporter: Reporter, control: Control, *, examine: bool = False, keep: bool = False
) -> None:
    """Do what is asked of the dataset in ``folder``: read and examine it, or only ``examine`` or ``keep``.

    Raise TrainerError where a source or the folder can't be used, StopRequested where someone asked for the end.
    """
    request = _read_request(folder)
    if not examine and not keep:
        _read(folder, request, reporter, control)
    if not keep or examine:
        _examine(folder, reporter, control)
    if keep:
        _keep(folder, request, reporter, control)


def read_standing_pairs(folder: Path) -> tuple[list[StandingPair], int]:
    """Return the pairs after all edits, and how many edits there are; raise TrainerError(BAD_REQUEST) if not read."""
    try:
        raw = (folder / EDITS).read_bytes() if (folder / EDITS).exists() else b""
        edits, _ = decode_edits(raw)
        return list(assemble(read_pairs(folder / PAIRS), fold_edits(edits), mend, cut)), len(edits)
    except OSError as error:
        raise _unusable(folder / PAIRS, error) from error


def _read(folder: Path, request: DatasetRequest, reporter: Reporter, control: Control) -> None:
    """Write every pair that the sources hold."""
    began = time.monotonic()
    watch = _watch(reporter, control, "reading")
    gatherer = Gatherer(watch, frozenset(request.taken))
    partial = folder / f".{PAIRS}.partial"
    taken: dict[str, int] = {}
    pairs = words = 0
    try:
        with partial.open("wb", buffering=_BLOCK) as stream:
            for document in itertools.chain(gatherer.gather(request.data), _read_gathered(folder)):
                if not document.story.strip():
                    continue
                pair = _as_pair(document, taken)
                stream.write(encode_pair(pair))
                pairs += 1
                words += pair.words
            stream.flush()
            os.fsync(stream.fileno())
        if not pairs:
            raise _explain_nothing(request, gatherer)
        partial.replace(folder / PAIRS)
        sync_folder(folder)
    finally:
        partial.unlink(missing_ok=True)
    report = ReadingReport(pairs, words, (*request.unread, *gatherer.unread), round(time.monotonic() - began, 2))
    _write(folder / READING, encode_record(report))
    reporter.report(DatasetWritten("pairs", pairs, words, seconds=report.seconds))


def _read_gathered(folder: Path) -> Iterator[Document]:
    """Yield what the app has read itself."""
    if (folder / GATHERED).exists():
        for pair in read_pairs(folder / GATHERED):
            document = Document(pair.story, pair.prompt, pair.source, title=pair.title, prompt_from=pair.prompt_from)
            yield make_prompt(document)


def _examine(folder: Path, reporter: Reporter, control: Control) -> None:
    """Write what the doctor finds in the pairs as they stand."""
    pairs, edits = read_standing_pairs(folder)
    report = examine_pairs(pairs, edits=edits, watch=_watch(reporter, control, "examining"))
    _write(folder / FINDINGS, encode_record(report))
    reporter.report(DatasetWritten("findings", len(report.findings), seconds=report.seconds))


def _keep(folder: Path, request: DatasetRequest, reporter: Reporter, control: Control) -> None:
    """Write the pairs that are not left out as a version."""
    began = time.monotonic()
    watch = _watch(reporter, control, "keeping")
    pairs, edits = read_standing_pairs(folder)
    watch.progress(0, len(pairs))
    documents = list(_as_documents(pairs))
    if not documents:
        raise TrainerError(TrainerFailure.TOO_LITTLE_TEXT, stories=0, words=0, needed_stories=1, needed_words=1)
    names = [source.name for source in request.sources] or [Path(item).name for item in request.data]
    record = write_version(documents, folder / VERSIONS, name=request.name, sources=names, edits=edits)
    seconds = round(time.monotonic() - began, 2)
    reporter.report(DatasetWritten("version", record.pairs, record.words, record.fingerprint, seconds))


def _as_documents(pairs: list[StandingPair]) -> Iterator[Document]:
    for pair in pairs:
        if not pair.left_out and pair.story.strip():
            yield Document(
                story=pair.story,
                prompt=pair.prompt,
                source=pair.source,
                title=pair.title,
                prompt_from=pair.prompt_from,
            )


def _as_pair(document: Document, taken: dict[str, int]) -> PairRecord:
    name = make_pair_id(document.prompt, document.story, document.source, taken)
    bare = name.partition("-")[0]
    taken[bare] = taken.get(bare, 0) + 1
    return PairRecord(
        id=name,
        prompt=document.prompt,
        story=document.story,
        title=document.title,
        source=document.source,
        prompt_from=document.prompt_from or "none",
        words=count_words(document.story),
    )


def _explain_nothing(request: DatasetRequest, gatherer: Gatherer) -> TrainerError:
    """Return why there is no pair at all: the first file's trouble, or that there is no text."""
    for trouble in (*request.unread, *gatherer.unread):
        if trouble.code in tuple(TrainerFailure):
            return TrainerError(TrainerFailure(trouble.code), **trouble.parameters)
    return TrainerError(TrainerFailure.TOO_LITTLE_TEXT, stories=0, words=0, needed_stories=1, needed_words=1)


def _read_request(folder: Path) -> DatasetRequest:
    try:
        return decode_record(DatasetRequest, (folder / DATASET_REQUEST).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(folder / DATASET_REQUEST, error) from error


def _unusable(path: Path, error: Exception) -> TrainerError:
    return TrainerError(TrainerFailure.BAD_REQUEST, detail=f"{path}: {error}")


def _watch(reporter: Reporter, control: Control, job: str) -> Watched:
    def report(done: int, total: int, place: str) -> None:
        reporter.report(DatasetAdvanced(job, done, total, place))

    return Watched(control.raise_if_stopping, report)


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    sync_folder(path.parent)
