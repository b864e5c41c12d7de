"""From sources to the two sides of a corpus, kept in the run folder so that a resumed run learns from the same text."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.corpus.cleaning import clean_documents
from trainer.corpus.document import CleaningReport, Document
from trainer.corpus.readers import read_sources
from trainer.corpus.splitting import Split, require_enough, split_documents
from trainer.corpus.versions import write_version
from trainer.protocol.datasets import VERSIONS
from trainer.protocol.messages import NoticeGiven, Request, Stage
from trainer.text.ngrams import count_words
from trainer.tuning.checkpoints import read_json, write_json

CORPUS_NAME = "corpus.json"


@dataclass(frozen=True, slots=True)
class Corpus:
    """The split documents with the report of what was done to them; ``notices`` are for the writer.

    ``version`` is the fingerprint of the text as it was read, which lies in the run's ``versions``; empty where it was
    only looked at, None where an older program read it.
    """

    split: Split
    documents_read: int
    words: int
    report: CleaningReport
    notices: tuple[NoticeGiven, ...] = ()
    version: str | None = ""


def fingerprint_corpus(corpus: Corpus) -> str:
    """Return the SHA-256 of every prompt and story that is learned from or measured with, in order."""
    digest = hashlib.sha256()
    for side in (corpus.split.training, corpus.split.heldout):
        for document in side:
            digest.update(f"{document.prompt}\x00{document.story}\x00".encode("utf-8", "surrogatepass"))
            if document.before is not None:
                digest.update(f"{document.before}\x00".encode("utf-8", "surrogatepass"))
        digest.update(b"\x01")
    return digest.hexdigest()


def prepare_corpus(
    request: Request, normaliser: str, run_folder: Path, enter: Callable[[Stage], None], *, keep_text: bool = True
) -> Corpus:
    """Return the corpus of a run: read, cleaned and split at its first start, the same again at every later one.

    With ``keep_text`` the text as it was read stays in the run's folder as a version, so that its model can always be
    traced to it. Raise TrainerError where a source can't be used or there is too little text.
    """
    kept = _load(run_folder / CORPUS_NAME)
    if kept is not None and (kept.version != "" or not keep_text):
        enter(Stage.READING)
        enter(Stage.CLEANING)
        return kept
    enter(Stage.READING)
    reading = read_sources(request.data)
    version = ""
    if keep_text and reading.documents:
        names = [Path(item).name or item for item in request.data]
        version = write_version(reading.documents, run_folder / VERSIONS, name=request.name, sources=names).fingerprint
    enter(Stage.CLEANING)
    report = CleaningReport()
    documents = clean_documents(reading.documents, normaliser, report)
    require_enough(documents)
    split = split_documents(documents, request.seed)
    notices = []
    if reading.passed_over:
        example = Path(reading.passed_over[0]).name
        notices.append(NoticeGiven("files_passed_over", {"count": len(reading.passed_over), "example": example}))
    if split.same_story:
        notices.append(NoticeGiven("heldout_from_same_story", {"parts": len(split.heldout)}))
    words = sum(count_words(document.story) for document in documents)
    corpus = Corpus(split, len(reading.documents), words, report, tuple(notices), version)
    _save(run_folder / CORPUS_NAME, corpus)
    return corpus


def _save(path: Path, corpus: Corpus) -> None:
    write_json(
        path,
        {
            "training": [dataclasses.asdict(document) for document in corpus.split.training],
            "heldout": [dataclasses.asdict(document) for document in corpus.split.heldout],
            "same_story": corpus.split.same_story,
            "documents_read": corpus.documents_read,
            "words": corpus.words,
            "version": corpus.version,
            "report": {
                "changed": dict(corpus.report.changed),
                "dropped": dict(corpus.report.dropped),
                "examples": corpus.report.examples,
            },
        },
    )


def _load(path: Path) -> Corpus | None:
    """Return the kept corpus without its notices, which were given already; None where there is none."""
    record = read_json(path)
    try:
        report = CleaningReport(examples=dict(record["report"]["examples"]))
        report.changed.update(record["report"]["changed"])
        report.dropped.update(record["report"]["dropped"])
        return Corpus(
            split=Split(
                training=tuple(Document(**document) for document in record["training"]),
                heldout=tuple(Document(**document) for document in record["heldout"]),
                same_story=bool(record["same_story"]),
            ),
            documents_read=int(record["documents_read"]),
            words=int(record["words"]),
            report=report,
            version=record.get("version"),
        )
    except (KeyError, TypeError, json.JSONDecodeError):
        return None
