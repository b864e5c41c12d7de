"""One dataset as it stands, held in memory without its stories: cards of all pairs, findings, and the log of edits."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from storydesk.domain.dataset import (
    DatasetCard,
    DatasetEdit,
    DatasetFinding,
    DatasetView,
    EditKind,
    FindingExample,
    FindingKind,
    Pair,
    PairCard,
    PromptOrigin,
    Remedy,
    SplitCheck,
)
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.services.atomic_file import explain_error
from storydesk.services.file_lock import FileLock
from trainer.protocol.datasets import (
    EDITS,
    FINDINGS,
    PAIRS,
    READING,
    DoctorReport,
    EditRecord,
    FindingRecord,
    PairRecord,
    PairState,
    ReadingReport,
    StandingPair,
    assemble_pair,
    decode_edits,
    decode_pair,
    decode_record,
    encode_edit,
    fold_edits,
)
from trainer.text.mending import mend
from trainer.text.ngrams import count_words
from trainer.text.parts import cut

OPENING = 240
"""Characters of a story that a list shows."""

_LOCK = "edits.lock"
_WATCHED = (PAIRS, FINDINGS, READING)

# What a newer program has written is passed over.
_FINDINGS: Final = frozenset(map(str, FindingKind))
_REMEDIES: Final = frozenset(map(str, Remedy))
_EDITS: Final = {str(kind): kind for kind in EditKind}
_ORIGINS: Final = {str(origin): origin for origin in PromptOrigin}
_Signature = tuple[tuple[int, int], ...]

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    _T = TypeVar("_T", bound=DataclassInstance)
else:
    _T = TypeVar("_T")


class OutdatedError(Exception):
    """Somebody else has written to the log since it was read: open the dataset again."""


class OpenDataset:
    """Pairs by where they stand in the file, and their cards. One thread at a time."""

    def __init__(self, card: DatasetCard) -> None:
        """Read the folder; raise StorydeskError(DATASET_NOT_READ, FILE_NOT_READABLE)."""
        self._card = card
        self._folder = card.folder
        self.signature = sign(card.folder)
        self._edits, self._log_size, self._seen_size = self._read_log()
        self._state = fold_edits(self._edits)
        self._places: dict[str, int] = {}
        self._cards: dict[str, tuple[PairCard, ...]] = {}
        self._report = read_record(card.folder / FINDINGS, DoctorReport) or DoctorReport()
        reading = read_record(card.folder / READING, ReadingReport)
        self._unread = tuple(Failure(each.code, dict(each.parameters)) for each in reading.unread) if reading else ()
        self._read_pairs()
        self._view: DatasetView | None = None

    @property
    def is_current(self) -> bool:
        """Say whether the files are still those that were read; another program may have edited them."""
        return self.signature == sign(self._folder) and self._seen_size == _stamp(self._folder / EDITS)[0]

    def rename(self, card: DatasetCard) -> None:
        """Take another card of the same dataset."""
        self._card = card
        self._view = None

    # Looking.

    def show(self) -> DatasetView:
        """Return the dataset as it stands."""
        if self._view is None:
            pairs = tuple(card for cards in self._cards.values() for card in cards)
            places = {pair.id: place for place, pair in enumerate(pairs)}
            holding = self._state.holding
            self._view = DatasetView(
                card=self._card,
                pairs=pairs,
                findings=tuple(
                    self._show_finding(found, pairs, places)
                    for found in self._report.findings
                    if found.kind in _FINDINGS and found.remedy in _REMEDIES
                ),
                unread=self._unread,
                split=SplitCheck(self._report.training, self._report.heldout, self._report.leaks),
                undoable=_EDITS.get(holding[-1].kind) if holding else None,
                edits=len(self._edits),
                is_stale=len(self._edits) != self._report.edits,
                places=places,
            )
        return self._view

    def read_pair(self, name: str) -> Pair:
        """Return one whole pair as it stands; raise StorydeskError(PAIR_NOT_FOUND)."""
        for standing in self._assemble(_find_root(name)):
            if standing.id == name:
                return Pair(_make_card(standing), standing.story, standing.found.prompt, standing.found.story)
        raise StorydeskError(FailureCode.PAIR_NOT_FOUND, name=name)

    # Changing.

    def edit(self, edit: DatasetEdit) -> DatasetView:
        """Write one act and return the dataset as it stands then; what would change nothing is not written.

        Raise StorydeskError(PAIR_NOT_FOUND, FINDING_NOT_FOUND, DISK_FULL, NOT_WRITABLE), OutdatedError.
        """
        record = self._prepare(edit)
        if record is None:
            return self.show()
        touched = self._state.holding[-1].pairs if record.kind == EditKind.UNDO else record.pairs
        self._append(record)
        self._edits.append(record)
        self._state = fold_edits(self._edits)
        for root in dict.fromkeys(map(_find_root, touched)):
            if root in self._places:
                self._cards[root] = tuple(map(_make_card, self._assemble(root)))
        self._view = None
        return self.show()

    def _prepare(self, edit: DatasetEdit) -> EditRecord | None:
        """Return the act as the log records it, None where it would change nothing."""
        view = self.show()
        for name in edit.pairs:
            if name not in view.places:
                raise StorydeskError(FailureCode.PAIR_NOT_FOUND, name=name)
        match edit.kind:
            case EditKind.UNDO:
                return EditRecord(edit.kind) if self._state.holding else None
            case EditKind.CHANGE:
                pair = self.read_pair(edit.pairs[0])
                same = (pair.card.prompt, pair.story) == (edit.prompt, edit.story)
                return None if same else EditRecord(edit.kind, edit.pairs[:1], edit.prompt, edit.story)
            case EditKind.FIX:
                return self._prepare_fix(edit, view)
        goes = edit.kind is EditKind.LEAVE_OUT
        pairs = tuple(name for name in edit.pairs if view.pairs[view.places[name]].left_out is not goes)
        return EditRecord(edit.kind, pairs) if pairs else None

    def _prepare_fix(self, edit: DatasetEdit, view: DatasetView) -> EditRecord | None:
        found = next((found for found in self._report.findings if found.id == edit.finding), None)
        shown = next((found for found in view.findings if found.id == edit.finding), None)
        if found is None or shown is None:
            raise StorydeskError(FailureCode.FINDING_NOT_FOUND, name=edit.finding)
        wanted = frozenset(edit.pairs or shown.pairs)
        pairs = tuple(name for name in shown.pairs if name in wanted)
        if not pairs:
            return None
        return EditRecord(
            edit.kind, pairs, finding=found.id, remedy=found.remedy, method=found.method, lines=found.lines
        )

    def _append(self, record: EditRecord) -> None:
        """Write a line behind the last whole one and force it to disk; take back what could be written of one."""
        path = self._folder / EDITS
        line = encode_edit(dataclasses.replace(record, at=round(time.time(), 3)))
        try:
            with FileLock(self._folder / _LOCK), path.open("a+b") as stream:
                stream.seek(self._log_size)
                if b"\n" in stream.read():
                    raise OutdatedError  # another program has written meanwhile
                stream.truncate(self._log_size)  # what a killed program left of a line
                try:
                    stream.write(line)
                    stream.flush()
                    os.fsync(stream.fileno())
                except OSError:
                    stream.truncate(self._log_size)
                    raise
        except OSError as error:
            raise explain_error(error, path) from error
        self._log_size += len(line)
        self._seen_size = self._log_size

    # Reading.

    def _read_log(self) -> tuple[list[EditRecord], int, int]:
        """Return the whole acts, the bytes of their lines, and those of the file."""
        path = self._folder / EDITS
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return [], 0, 0
        except OSError as error:
            raise _explain_reading(error, path) from error
        return *decode_edits(raw), len(raw)

    def _read_pairs(self) -> None:
        """Note where every pair stands and make its cards."""
        path = self._folder / PAIRS
        place = 0
        try:
            with path.open("rb") as stream:
                for line in stream:
                    try:
                        pair = decode_pair(line)
                    except (ValueError, RecursionError):
                        pair = None
                    if pair is not None:
                        self._places[pair.id] = place
                        self._cards[pair.id] = tuple(map(_make_card, self._assemble_one(pair)))
                    place += len(line)
        except FileNotFoundError as error:
            raise StorydeskError(FailureCode.DATASET_NOT_READ, name=self._card.name) from error
        except OSError as error:
            raise _explain_reading(error, path) from error

    def _assemble(self, root: str) -> Sequence[StandingPair]:
        """Return what became of one pair of the file; raise StorydeskError(PAIR_NOT_FOUND)."""
        place = self._places.get(root)
        path = self._folder / PAIRS
        if place is None:
            raise StorydeskError(FailureCode.PAIR_NOT_FOUND, name=root)
        try:
            with path.open("rb") as stream:
                stream.seek(place)
                pair = decode_pair(stream.readline())
        except (OSError, ValueError, RecursionError) as error:
            raise _explain_reading(error, path) from error
        if pair.id != root:
            raise StorydeskError(FailureCode.PAIR_NOT_FOUND, name=root)
        return list(self._assemble_one(pair))

    def _assemble_one(self, pair: PairRecord) -> Iterator[StandingPair]:
        return assemble_pair(pair, self._state, mend, cut)

    def _show_finding(self, found: FindingRecord, pairs: Sequence[PairCard], places: dict[str, int]) -> DatasetFinding:
        """Return a finding with the pairs that its fix would touch now."""
        known = (name for name in found.pairs if name in places and not pairs[places[name]].left_out)
        return DatasetFinding(
            id=found.id,
            kind=FindingKind(found.kind),
            remedy=Remedy(found.remedy),
            pairs=tuple(name for name in known if self._is_open(name, found)),
            found=len(found.pairs),
            examples=tuple(FindingExample(each.pair, each.before, each.after, each.other) for each in found.examples),
            detail=found.detail,
            limit=found.limit,
        )

    def _is_open(self, name: str, found: FindingRecord) -> bool:
        state = self._state.pairs.get(name, PairState())
        if found.remedy == Remedy.MEND:
            if any(method == found.method for method, _ in state.mendings):
                return False
            # What the writer typed may have settled it; few pairs are changed by hand.
            return state.changed is None or any(
                mend(found.method, text, found.lines) != text for text in (state.changed[1], state.changed[0])
            )
        return found.remedy != Remedy.CUT or not state.cut


def sign(folder: Path) -> _Signature:
    """Return what tells whether the files of a dataset that the trainer writes were written again."""
    return tuple(_stamp(folder / name) for name in _WATCHED)


def read_record(path: Path, kind: type[_T]) -> _T | None:
    """Return a record of a dataset's folder, None where there is none or it is damaged."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        return decode_record(kind, path.read_bytes())
    return None


def _make_card(pair: StandingPair) -> PairCard:
    counted = pair.found.words if pair.story == pair.found.story else 0
    return PairCard(
        id=pair.id,
        title=pair.title,
        prompt=pair.prompt,
        opening=" ".join(pair.story[:OPENING].split()),
        words=counted or count_words(pair.story),
        source=pair.source,
        prompt_from=_ORIGINS.get(pair.prompt_from, PromptOrigin.NONE),
        left_out=pair.left_out,
        edited=pair.edited,
    )


def _find_root(name: str) -> str:
    """Return the pair of the file that a pair is, or is a part of."""
    return name.partition(".")[0]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns


def _explain_reading(error: Exception, path: Path) -> StorydeskError:
    detail = getattr(error, "strerror", None) or "it is damaged"
    return StorydeskError(FailureCode.FILE_NOT_READABLE, path=str(path), detail=detail)
