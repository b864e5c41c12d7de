"""Which model a tuning starts from: what there is, what could be fetched, and what this computer can carry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.domain.tuning import PlannedRun

GPT2_VOCABULARY = 50257
BYTES_A_WEIGHT = 4
USUAL_GPT2 = "gpt2"

Needs = Callable[[int, int, bool], tuple[int, int]]
"""Returns the bytes of memory and disk for weights, vocabulary, and whether small additions learn."""


class Kind(StrEnum):
    """What a base is."""

    STARTER = "starter"
    GPT2 = "gpt2"
    OWN = "own"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class BaseOption:
    """A model that a tuning could start from; ``fetch_bytes`` is 0 where it is on the shelf."""

    name: str
    kind: Kind
    weights: int
    vocabulary: int
    fetch_bytes: int = 0

    @property
    def is_here(self) -> bool:
        """Whether it is on the shelf."""
        return not self.fetch_bytes


class Room(StrEnum):
    """How a base fits into a machine."""

    WHOLE = "whole"
    ADDITIONS = "additions"
    NO_MEMORY = "no_memory"
    NO_DISK = "no_disk"


@dataclass(frozen=True, slots=True)
class Fit:
    """How a base fits, with the bytes that it takes."""

    room: Room
    memory: int
    disk: int


class Obstacle(StrEnum):
    """Why a base that is here was passed over."""

    MEMORY = "memory"
    DISK = "disk"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A base that was passed over: what it takes and what there is, in bytes or seconds (0 where nobody says)."""

    name: str
    obstacle: Obstacle
    needed: float
    there: float


def count_weights(model: StyleModel) -> int:
    """Return about how many numbers a GPT-2 of these measures has."""
    blocks = 12 * model.layers * model.width * model.width
    return blocks + (model.vocabulary + model.positions) * model.width


def list_bases(models: Sequence[StyleModel], fetchable: Sequence[HubModel]) -> tuple[BaseOption, ...]:
    """Return what is on the shelf, then what could be fetched, small ones first."""
    here = [BaseOption(model.name, _tell_kind(model), count_weights(model), model.vocabulary) for model in models]
    known = {model.name for model in models} | {model.origin for model in models if not model.lineage}
    missing = [
        BaseOption(offer.id, Kind.GPT2, offer.weight_bytes // BYTES_A_WEIGHT, GPT2_VOCABULARY, offer.weight_bytes)
        for offer in fetchable
        if not {offer.id, offer.repository} & known
    ]
    return (*here, *sorted(missing, key=lambda option: option.weights))


def choose_base(options: Sequence[BaseOption], passed_over: Collection[str], active: str) -> BaseOption | None:
    """Return the largest GPT-2 that is here and was not passed over, else the starter, else the model in use."""
    here = [option for option in options if option.is_here]
    candidates = [option for option in here if option.kind is Kind.GPT2 and option.name not in passed_over]
    if candidates:
        return max(candidates, key=lambda option: option.weights)
    by_wish = sorted(here, key=lambda option: (option.kind is not Kind.STARTER, option.name != active))
    return by_wish[0] if by_wish else None


def find_offer(options: Sequence[BaseOption]) -> BaseOption | None:
    """Return the GPT-2 to offer first of those that could be fetched: the small one, else the smallest."""
    missing = [option for option in options if not option.is_here]
    return min(missing, key=lambda option: (option.name != USUAL_GPT2, option.weights), default=None)


def find_obstacle(name: str, planned: PlannedRun, limit_seconds: float) -> PassedOver | None:
    """Return why a measured run should start from something smaller: no room, or no time to read everything once.

    ``limit_seconds`` is 0 where the run may take as long as it helps.
    """
    if not planned.memory_suffices:
        return PassedOver(name, Obstacle.MEMORY, planned.memory_needed, planned.memory_free)
    if not planned.disk_suffices:
        return PassedOver(name, Obstacle.DISK, planned.disk_needed, planned.disk_free)
    once = planned.seconds / max(planned.epochs, 1)
    if limit_seconds and once > limit_seconds:
        return PassedOver(name, Obstacle.TIME, once, limit_seconds)
    return None


def fit_base(option: BaseOption, needs: Needs, memory_free: int, disk_free: int) -> Fit:
    """Return how a base fits into so many free bytes; 0 where nobody says how many there are."""
    memory, disk = needs(option.weights, option.vocabulary, False)
    least, _ = needs(option.weights, option.vocabulary, True)
    if disk_free and disk + option.fetch_bytes > disk_free:
        return Fit(Room.NO_DISK, memory, disk + option.fetch_bytes)
    if not memory_free or memory <= memory_free:
        return Fit(Room.WHOLE, memory, disk)
    return Fit(Room.ADDITIONS if least <= memory_free else Room.NO_MEMORY, least, disk)


def _tell_kind(model: StyleModel) -> Kind:
    if model.built_in:
        return Kind.STARTER
    if model.lineage:
        return Kind.OWN
    return Kind.GPT2 if model.vocabulary == GPT2_VOCABULARY else Kind.OTHER
