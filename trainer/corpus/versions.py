"""Versions of a dataset: a text as it stood, as an Arrow data set that ``datasets`` loads, under its fingerprint."""

from __future__ import annotations

import contextlib
import datetime
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from trainer.corpus.document import Document
from trainer.protocol.datasets import VERSION, Fingerprint, VersionRecord, decode_record, encode_record
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.text.ngrams import count_words
from trainer.tuning.checkpoints import sync_file, sync_folder

_COLUMNS = ("title", "prompt", "story", "source", "prompt_from")
_PASSAGE_COLUMN = "before"
"""Only where there are passages."""
_BATCH = 500


def write_version(
    documents: Sequence[Document], versions: Path, *, name: str = "", sources: Sequence[str] = (), edits: int = 0
) -> VersionRecord:
    """Write the documents as ``versions/<fingerprint>`` and return the record; a text kept before stays as it is.

    It is written beside, forced to disk and renamed: it is whole or it isn't there. Raise OSError.
    """
    # Arrow keeps UTF-8 only; what is no text there is no text for a model either.
    documents = [_mend(document) for document in documents]
    mark = fingerprint_documents(documents)
    folder = versions / mark
    kept = read_record(folder)
    if kept is not None:
        return kept
    record = VersionRecord(
        fingerprint=mark,
        kept_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        pairs=len(documents),
        words=sum(count_words(document.story) for document in documents),
        edits=edits,
        name=name,
        sources=tuple(sources),
    )
    versions.mkdir(parents=True, exist_ok=True)
    partial = versions / f".{mark}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _save(documents, partial)
        (partial / VERSION).write_bytes(encode_record(record))
        for file in partial.iterdir():
            sync_file(file)
        sync_folder(partial)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one of the same name
        partial.rename(folder)
        sync_folder(versions)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return record


def read_version(folder: Path) -> tuple[VersionRecord, list[Document]]:
    """Return a version's record and its documents; raise TrainerError(DATA_NOT_READABLE) where either is damaged."""
    record = read_record(folder)
    if record is None:
        raise _damaged(folder, VERSION)
    documents = list(_load(folder))
    if fingerprint_documents(documents) != record.fingerprint:
        raise _damaged(folder, "fingerprint")
    return record, documents


def read_record(folder: Path) -> VersionRecord | None:
    """Return the record of a version, None where the folder is none."""
    with contextlib.suppress(OSError, ValueError):
        return decode_record(VersionRecord, (folder / VERSION).read_bytes())
    return None


def fingerprint_documents(documents: Iterable[Document]) -> str:
    """Return the SHA-256 of prompts and stories, and of what passages go on from, in their order."""
    mark = Fingerprint()
    for document in documents:
        mark.add(document.prompt, document.story)
        if document.before is not None:
            mark.add("", document.before)
    return mark.finish()


def _save(documents: Sequence[Document], folder: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    has_passages = any(document.before is not None for document in documents)
    names = (*_COLUMNS, _PASSAGE_COLUMN) if has_passages else _COLUMNS
    columns = {name: [getattr(document, name) for document in documents] for name in names}
    features = datasets.Features(dict.fromkeys(names, datasets.Value("large_string")))
    datasets.Dataset.from_dict(columns, features=features).save_to_disk(str(folder))


def _load(folder: Path) -> Iterator[Document]:
    import datasets

    datasets.disable_progress_bars()
    try:
        table = datasets.load_from_disk(str(folder))
        for start in range(0, len(table), _BATCH):
            rows = table[start : start + _BATCH]
            for place in range(len(rows["story"])):
                before = rows[_PASSAGE_COLUMN][place] if _PASSAGE_COLUMN in rows else None
                yield Document(**{name: rows[name][place] or "" for name in _COLUMNS}, before=before)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, str(error).split("\n")[0][:200]) from error


def _mend(document: Document) -> Document:
    fields = {name: _mend_text(getattr(document, name)) for name in _COLUMNS}
    return replace(document, **fields, before=_mend_text(document.before) if document.before is not None else None)


def _mend_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _damaged(folder: Path, detail: str) -> TrainerError:
    return TrainerError(TrainerFailure.DATA_NOT_READABLE, path=str(folder), detail=detail)
