"""What the shelf knows of models: where each comes from, what two differ in, and which was in use when."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from storydesk.domain.style_model import StyleModel

Value = str | int | float | bool


class ExportForm(StrEnum):
    """What a model can leave as: all of it for another Storydesk, a Hugging Face folder, a graph for other tools."""

    STORYDESK = "storydesk"
    HUGGING_FACE = "huggingface"
    ONNX = "onnx"


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """A model with what its bundle says of its making.

    ``fingerprint`` is that of its weights and ``parent`` that of the model it was tuned from, "" where nobody says.
    ``data`` holds ``sha256`` and the counts of what it learned from. ``card`` is its model card, Markdown.
    """

    model: StyleModel
    fingerprint: str = ""
    parent: str = ""
    data: Mapping[str, Value] = field(default_factory=dict)
    settings: Mapping[str, Value] = field(default_factory=dict)
    card: str = ""

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name


@dataclass(frozen=True, slots=True)
class DeletedModel:
    """A model in the shelf's trash; ``deleted`` is in seconds since 1970."""

    id: str
    name: str
    deleted: float
    bytes: int


@dataclass(frozen=True, slots=True)
class UseRecord:
    """A model came into use at ``since`` (seconds since 1970); ``back`` where the writer rolled back to it."""

    name: str
    since: float
    back: bool = False


def find_previous(records: Sequence[UseRecord], there: Collection[str], active: str) -> str:
    """Return the model to roll back to, "" without one: the last before ``active`` that is still there.

    Rolling back twice goes back two models: what was rolled back from is no place to return to.
    """
    path: list[str] = []
    for record in [*records, UseRecord(active, 0.0)]:
        if record.back and record.name in path:
            del path[len(path) - path[::-1].index(record.name) :]
        elif not path or path[-1] != record.name:
            path.append(record.name)
    return next((name for name in reversed(path) if name != active and name in there), "")


def find_spans(records: Sequence[UseRecord], name: str) -> list[tuple[float, float | None]]:
    """Return from when to when a model was in use, oldest first; the end is None where it still is."""
    ends = [*(record.since for record in records[1:]), None][: len(records)]
    spans: list[tuple[float, float | None]] = []
    for record, end in zip(records, ends, strict=True):
        if record.name == name and spans and spans[-1][1] == record.since:
            spans[-1] = (spans[-1][0], end)  # noted twice, by two programs
        elif record.name == name:
            spans.append((record.since, end))
    return spans


@dataclass(frozen=True, slots=True)
class HeldoutComparison:
    """Two models' perplexity on the same unseen pages; ``from_tuning`` where one was tuned from the other."""

    first: float
    second: float
    from_tuning: bool


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models beside each other.

    ``heldout`` is None where they were never measured on the same text. ``settings`` are those that differ, by name,
    None for a model that has none of this name. ``same_data`` says whether both learned from the very same text.
    """

    first: ModelDetails
    second: ModelDetails
    heldout: HeldoutComparison | None
    settings: Mapping[str, tuple[Value | None, Value | None]]
    same_data: bool


def compare_models(first: ModelDetails, second: ModelDetails) -> ModelComparison:
    """Return what two models have in common and what not."""
    names = sorted({*first.settings, *second.settings})
    settings = {
        name: (first.settings.get(name), second.settings.get(name))
        for name in names
        if first.settings.get(name) != second.settings.get(name)
    }
    same = bool(first.data.get("sha256")) and first.data.get("sha256") == second.data.get("sha256")
    return ModelComparison(first, second, _compare_heldout(first, second, same_data=same), settings, same)


def _compare_heldout(first: ModelDetails, second: ModelDetails, *, same_data: bool) -> HeldoutComparison | None:
    if first.model.vocabulary != second.model.vocabulary:
        return None  # perplexity is per token: other tokens, other figures
    if is_parent(first, second):
        figures = (_figure(second, "before"), _figure(second, "after"))
        return HeldoutComparison(*figures, from_tuning=True) if all(figures) else None
    if is_parent(second, first):
        figures = (_figure(first, "after"), _figure(first, "before"))
        return HeldoutComparison(*figures, from_tuning=True) if all(figures) else None
    # The seed decides which pages are held out.
    if same_data and first.settings.get("seed") == second.settings.get("seed"):
        figures = (_figure(first, "after"), _figure(second, "after"))
        return HeldoutComparison(*figures, from_tuning=False) if all(figures) else None
    return None


def _figure(details: ModelDetails, moment: str) -> float:
    return details.model.heldout.get(f"perplexity_{moment}", 0.0)


def is_parent(older: ModelDetails, younger: ModelDetails) -> bool:
    """Return whether a model was tuned from the other: by its weights where both are known, by name otherwise."""
    if older.name == younger.name or not younger.model.lineage:
        return False
    if younger.parent and older.fingerprint:
        return younger.parent == older.fingerprint
    return younger.model.lineage[0] == older.name


@dataclass(frozen=True, slots=True)
class LineageNode:
    """A model in the tree of who was tuned from whom; ``details`` is None for one that is not on the shelf.

    ``generation`` counts the tunings since the base, whose own is 0.
    """

    name: str
    generation: int
    details: ModelDetails | None
    children: tuple[LineageNode, ...] = ()

    def walk(self) -> Iterator[LineageNode]:
        """Yield this node and all below it, a model before what was tuned from it."""
        yield self
        for child in self.children:
            yield from child.walk()


def build_lineage(shelf: Sequence[ModelDetails]) -> tuple[LineageNode, ...]:
    """Return the trees of a shelf; an ancestor that has left it stands in its place by name."""
    parents = {each.name: _find_parent(each, shelf) for each in shelf}
    _break_circles(parents)
    children: dict[tuple[str, ...], list[ModelDetails]] = {}
    roots: list[ModelDetails] = []
    gone: dict[str, list[ModelDetails]] = {}
    for each in shelf:
        parent = parents[each.name]
        if parent is not None:
            children.setdefault((parent,), []).append(each)
        elif each.model.lineage:
            gone.setdefault(each.model.lineage[0], []).append(each)
        else:
            roots.append(each)

    def grow(details: ModelDetails, generation: int) -> LineageNode:
        below = tuple(grow(child, generation + 1) for child in children.get((details.name,), ()))
        return LineageNode(details.name, generation, details, below)

    trees = [grow(root, 0) for root in roots]
    for name, orphans in gone.items():
        generation = len(orphans[0].model.lineage) - 1
        trees.append(LineageNode(name, generation, None, tuple(grow(each, generation + 1) for each in orphans)))
    return tuple(trees)


def _find_parent(details: ModelDetails, shelf: Sequence[ModelDetails]) -> str | None:
    found = [each.name for each in shelf if is_parent(each, details)]
    nearest = details.model.lineage[0] if details.model.lineage else ""
    return nearest if nearest in found else next(iter(found), None)


def _break_circles(parents: dict[str, str | None]) -> None:
    """Make a root of a model that would be its own ancestor: copies of the same weights may say so."""
    for name in parents:
        seen, at = {name}, parents[name]
        while at is not None and at not in seen:
            seen.add(at)
            at = parents[at]
        if at is not None:
            parents[name] = None
