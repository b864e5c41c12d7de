"""A dataset's folder: its files' shapes, and what stands after the writer's edits. Standard library only.

::

    request.json            where the text comes from
    gathered.jsonl          pairs that the app read itself (rich documents, stories of the library)
    pairs.jsonl             every pair that was found, as it was read
    reading.json            how the reading went: what could not be read and why
    findings.json           what the data doctor found
    edits.jsonl             what the writer did, one act a line, only ever appended to
    versions/<fingerprint>/ texts that were kept: an Arrow data set and version.json

What stands is ``assemble(pairs, fold_edits(edits))``, a pure function: whoever is killed at any byte of the log finds
every whole line again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trainer.protocol.messages import Parameter

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    _T = TypeVar("_T", bound=DataclassInstance)
else:
    _T = TypeVar("_T")

FORMAT_VERSION = "1.0"

DATASET_REQUEST = "request.json"
GATHERED = "gathered.jsonl"
PAIRS = "pairs.jsonl"
READING = "reading.json"
FINDINGS = "findings.json"
EDITS = "edits.jsonl"
VERSIONS = "versions"
VERSION = "version.json"

CHANGE, LEAVE_OUT, TAKE_BACK, FIX, UNDO = "change", "leave_out", "take_back", "fix", "undo"
MEND, CUT = "mend", "cut"
"""What a fix can do besides ``leave_out``: run a named mending over texts, or cut a story into pairs of its own."""

WRITER = "writer"
"""How a prompt was found that the writer typed."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One source as the writer chose it; kinds are those of ``storydesk.domain.dataset.SourceKind``."""

    kind: str
    name: str
    place: str = ""
    stories: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something could not be read: a failure's code and parameters."""

    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """What a dataset is made of: ``data`` holds the paths and ``hub:`` names that the trainer reads.

    The files ``taken`` were read by the app, into ``gathered.jsonl``; ``unread`` says which of them could not be.
    """

    name: str
    created: str
    data: tuple[str, ...] = ()
    sources: tuple[SourceRecord, ...] = ()
    taken: tuple[str, ...] = ()
    unread: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class PairRecord:
    """One pair as it was read; ``prompt_from`` says how the prompt was found, ``id`` comes of what the pair is.

    ``words`` counts the story's, 0 where nobody has counted.
    """

    id: str
    prompt: str
    story: str
    title: str = ""
    source: str = ""
    prompt_from: str = ""
    words: int = 0


@dataclass(frozen=True, slots=True)
class StandingPair:
    """A pair after all edits; ``found`` is the pair as it was read, or the part that was cut out of it."""

    id: str
    prompt: str
    story: str
    title: str
    source: str
    prompt_from: str
    left_out: bool
    edited: bool
    found: PairRecord


@dataclass(frozen=True, slots=True)
class EditRecord:
    """One act. ``prompt`` and ``story`` belong to ``change``; what follows them to ``fix``.

    ``remedy`` is ``mend``, ``leave_out`` or ``cut``; ``method`` names the mending or the way to cut, ``lines`` are the
    lines that it takes out. ``at`` is the wall clock in seconds since 1970.
    """

    kind: str
    pairs: tuple[str, ...] = ()
    prompt: str = ""
    story: str = ""
    finding: str = ""
    remedy: str = ""
    method: str = ""
    lines: tuple[str, ...] = ()
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class PairState:
    """What the acts that hold make of one pair: a changed text first, then mendings in their order, then the cut."""

    left_out: bool = False
    changed: tuple[str, str] | None = None
    mendings: tuple[tuple[str, tuple[str, ...]], ...] = ()
    cut: str = ""


@dataclass(frozen=True, slots=True)
class EditState:
    """The acts that hold, oldest first, and the state of every pair that they touch."""

    holding: tuple[EditRecord, ...] = ()
    pairs: Mapping[str, PairState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExampleRecord:
    """A passage before and after the fix; ``other`` is the pair that stays, for copies."""

    pair: str
    before: str
    after: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """One finding of the doctor's with its fix; ``pairs`` are those that the fix touches."""

    id: str
    kind: str
    remedy: str
    pairs: tuple[str, ...]
    method: str = ""
    lines: tuple[str, ...] = ()
    examples: tuple[ExampleRecord, ...] = ()
    detail: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All findings. ``edits`` is how many acts the log held then; ``leaks`` counts held-out stories that stand in the
    training side of a split with the usual seed."""

    findings: tuple[FindingRecord, ...] = ()
    edits: int = 0
    training: int = 0
    heldout: int = 0
    leaks: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ReadingReport:
    """How the reading went."""

    pairs: int
    words: int
    unread: tuple[Trouble, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A text that was kept; ``kept_at`` is ISO 8601 in UTC, ``sources`` are names that a person knows."""

    fingerprint: str
    kept_at: str
    pairs: int
    words: int
    edits: int = 0
    name: str = ""
    sources: tuple[str, ...] = ()


Mend = Callable[[str, str, Sequence[str]], str]
"""The mending named first, done to a text, with lines to take out (see ``trainer.text.mending``)."""

Cut = Callable[[str, str], Sequence[tuple[str, str, str]]]
"""The cut named first, done to a text: prompt (empty for that of the whole), how it was found, and text of each part
(see ``trainer.text.parts``)."""


def make_pair_id(prompt: str, story: str, source: str, taken: Mapping[str, int] | None = None) -> str:
    """Return an id that comes of the pair itself, so that reading a source again keeps the edits of what is the same.

    ``taken`` counts the ids that were given; the same pair again gets a number behind its id.
    """
    content = f"{Path(source).name}\x00{prompt}\x00{story}".encode("utf-8", "surrogatepass")
    name = hashlib.sha256(content).hexdigest()[:12]
    before = taken.get(name, 0) if taken is not None else 0
    return f"{name}-{before + 1}" if before else name


# The edits.


def decode_edits(raw: bytes) -> tuple[list[EditRecord], int]:
    """Return the whole acts of a log, and how many of its bytes are whole lines.

    A torn last line (a killed process, a power cut) and lines that are no acts are passed over.
    """
    whole = raw.rfind(b"\n") + 1
    edits = []
    for line in raw[:whole].split(b"\n"):
        try:
            edits.append(_build(EditRecord, json.loads(line.decode("utf-8", "surrogatepass"))))
        except (ValueError, RecursionError):
            continue
    return edits, whole


def encode_edit(edit: EditRecord) -> bytes:
    """Return an act as a line with its end."""
    bare = EditRecord(edit.kind)
    record = {
        each.name: getattr(edit, each.name)
        for each in dataclasses.fields(EditRecord)
        if each.name == "kind" or getattr(edit, each.name) != getattr(bare, each.name)
    }
    return encode_line(record)


def fold_edits(edits: Iterable[EditRecord]) -> EditState:
    """Return what holds after all acts: each undo takes the newest that holds, the others apply in their order."""
    holding: list[EditRecord] = []
    for edit in edits:
        if edit.kind != UNDO:
            holding.append(edit)
        elif holding:
            holding.pop()
    pairs: dict[str, PairState] = {}
    for edit in holding:
        for pair in edit.pairs:
            pairs[pair] = apply_edit(pairs.get(pair, PairState()), edit)
    return EditState(tuple(holding), pairs)


def apply_edit(state: PairState, edit: EditRecord) -> PairState:
    """Return one pair's state after an act; an act of a newer program changes nothing."""
    match edit.kind, edit.remedy:
        case ("change", _):
            return dataclasses.replace(state, changed=(edit.prompt, edit.story), mendings=(), cut="")
        case ("leave_out", _) | ("fix", "leave_out"):
            return dataclasses.replace(state, left_out=True)
        case ("take_back", _):
            return dataclasses.replace(state, left_out=False)
        case ("fix", "mend"):
            return dataclasses.replace(state, mendings=(*state.mendings, (edit.method, edit.lines)))
        case ("fix", "cut"):
            return dataclasses.replace(state, cut=edit.method)
        case _:
            return state


def assemble(pairs: Iterable[PairRecord], state: EditState, mend: Mend, cut: Cut) -> Iterator[StandingPair]:
    """Yield every pair as it stands, those that are left out too; the parts of a cut story take its place."""
    for pair in pairs:
        yield from assemble_pair(pair, state, mend, cut)


def assemble_pair(pair: PairRecord, state: EditState, mend: Mend, cut: Cut) -> Iterator[StandingPair]:
    """Yield what became of one pair."""
    own = state.pairs.get(pair.id)
    if own is None:
        yield _stand(pair, pair.prompt, pair.story, PairState())
        return
    prompt, story = own.changed if own.changed is not None else (pair.prompt, pair.story)
    for method, lines in own.mendings:
        prompt, story = mend(method, prompt, ()), mend(method, story, lines)
    if not own.cut:
        yield _stand(pair, prompt, story, own)
        return
    for number, (head, origin, text) in enumerate(cut(own.cut, story), start=1):
        part = dataclasses.replace(
            pair,
            id=f"{pair.id}.{number}",
            prompt=head or prompt,
            story=text,
            prompt_from=origin or pair.prompt_from,
            words=0,
        )
        for standing in assemble_pair(part, state, mend, cut):
            yield dataclasses.replace(standing, left_out=True) if own.left_out else standing


def _stand(pair: PairRecord, prompt: str, story: str, state: PairState) -> StandingPair:
    return StandingPair(
        id=pair.id,
        prompt=prompt,
        story=story,
        title=pair.title,
        source=pair.source,
        prompt_from=WRITER if state.changed is not None and prompt != pair.prompt else pair.prompt_from,
        left_out=state.left_out,
        edited=prompt != pair.prompt or story != pair.story,
        found=pair,
    )


# What a version is known by.


class Fingerprint:
    """The SHA-256 of prompts and stories in their order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._digest = hashlib.sha256()

    def add(self, prompt: str, story: str) -> None:
        """Add one pair."""
        self._digest.update(f"{prompt}\x00{story}\x00".encode("utf-8", "surrogatepass"))

    def finish(self) -> str:
        """Return it as hexadecimal digits."""
        return self._digest.hexdigest()


# JSON.


def encode_line(record: Mapping[str, Any]) -> bytes:
    """Return a record as one line with its end; lone surrogates survive."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def encode_pair(pair: PairRecord) -> bytes:
    """Return a pair as a line with its end."""
    return encode_line(dataclasses.asdict(pair))


def decode_pair(line: bytes) -> PairRecord:
    """Return the pair of a line; raise ValueError where it is none."""
    return _build(PairRecord, json.loads(line.decode("utf-8", "surrogatepass")))


def read_pairs(path: Path) -> Iterator[PairRecord]:
    """Yield the pairs of a file, one line at a time; lines that are none are passed over. Raise OSError."""
    with path.open("rb") as stream:
        for line in stream:
            try:
                yield decode_pair(line)
            except (ValueError, RecursionError):
                continue


def encode_record(record: DataclassInstance) -> bytes:
    """Return the text of ``request.json``, ``findings.json``, ``reading.json`` or ``version.json``."""
    content = {"v": FORMAT_VERSION, **dataclasses.asdict(record)}
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def decode_record(data_type: type[_T], raw: bytes) -> _T:
    """Return what ``encode_record`` wrote; raise ValueError where it is damaged or of a version that is too new."""
    record = json.loads(raw.decode("utf-8", "surrogatepass"))
    if not isinstance(record, dict) or str(record.get("v", "")).split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise ValueError("not a record of this version")
    return _build(data_type, record)


_INNER: Mapping[tuple[str, str], type[Any]] = {
    ("DatasetRequest", "sources"): SourceRecord,
    ("DatasetRequest", "unread"): Trouble,
    ("ReadingReport", "unread"): Trouble,
    ("DoctorReport", "findings"): FindingRecord,
    ("FindingRecord", "examples"): ExampleRecord,
}


def _build(data_type: type[_T], record: object) -> _T:
    """Return an instance of the fields that are known; lists become tuples, records in lists their own types."""
    if not isinstance(record, dict):
        raise ValueError("not a record")
    values: dict[str, Any] = {}
    for each in dataclasses.fields(data_type):
        if each.name not in record:
            continue
        value = record[each.name]
        if isinstance(value, list):
            inner = _INNER.get((data_type.__name__, each.name))
            value = tuple(_build(inner, item) if inner is not None else item for item in value)
        if not _fits(each.type, value):
            raise ValueError(f"{each.name} is not what it should be")
        values[each.name] = value
    try:
        return data_type(**values)
    except TypeError as error:
        raise ValueError(str(error)) from error


def _fits(declared: object, value: object) -> bool:
    """Say whether a value is of the kind that a field wants, so that a damaged line is found where it is read."""
    wanted = str(declared)
    if wanted == "str":
        return isinstance(value, str)
    if wanted in ("int", "float"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted.startswith("tuple[str"):
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    return isinstance(value, dict) if wanted.startswith("Mapping") else isinstance(value, tuple)
