"""The settings of a tuning run as the app shows them: limits, what was typed, and what is kept for the next time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Value = str | int | float | bool

ON, OFF = "true", "false"
_ON_WORDS = (ON, "yes", "on")
_OFF_WORDS = (OFF, "no", "off")


class Misfit(StrEnum):
    """Why a value can't be a setting's."""

    NO_NUMBER = "no_number"
    NOT_WHOLE = "not_whole"
    OUT_OF_RANGE = "out_of_range"
    NOT_OFFERED = "not_offered"


class MisfitError(ValueError):
    """A value that can't be a setting's; ``misfit`` says why."""

    def __init__(self, misfit: Misfit) -> None:
        """Keep the reason."""
        super().__init__(misfit.value)
        self.misfit = misfit


@dataclass(frozen=True, slots=True)
class RunSetting:
    """One setting that a trainer takes: numbers lie between ``low`` and ``high``, words are one of ``choices``.

    What is neither a number nor a word is yes or no. With ``zero_chooses`` the number 0 lets the trainer choose.
    """

    name: str
    group: str
    default: Value
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    zero_chooses: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers will do."""
        return isinstance(self.default, int) and not isinstance(self.default, bool)

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return isinstance(self.default, (int, float)) and not isinstance(self.default, bool)

    def read(self, text: str) -> Value:
        """Return what a text says, with a point as the decimal sign; raise MisfitError."""
        text = text.strip()
        if self.is_number:
            try:
                number = float(text.replace("\N{MINUS SIGN}", "-"))
            except ValueError:
                raise MisfitError(Misfit.NO_NUMBER) from None
            return self.accept(number)
        if self.choices:
            return self.accept(text)
        if text.lower() in (*_ON_WORDS, *_OFF_WORDS):
            return text.lower() in _ON_WORDS
        raise MisfitError(Misfit.NOT_OFFERED)

    def accept(self, value: object) -> Value:
        """Return a value in the setting's own kind; raise MisfitError where that would change its meaning."""
        if self.choices:
            if isinstance(value, str) and value in self.choices:
                return value
            raise MisfitError(Misfit.NOT_OFFERED)
        if isinstance(self.default, bool):
            if isinstance(value, bool):
                return value
            raise MisfitError(Misfit.NOT_OFFERED)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise MisfitError(Misfit.NO_NUMBER)
        if self.is_whole and value != int(value):
            raise MisfitError(Misfit.NOT_WHOLE)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise MisfitError(Misfit.OUT_OF_RANGE)
        return int(value) if self.is_whole else float(value)


def describe_range(setting: RunSetting) -> str:
    """Return what a setting can be as one would type it, for commands and failures."""
    if setting.choices:
        return " or ".join(setting.choices)
    if not setting.is_number:
        return f"{ON} or {OFF}"
    kind = "a whole number" if setting.is_whole else "a number"
    if setting.low is None or setting.high is None:
        return kind
    low, high = (f"{int(end)}" if end == int(end) else f"{end:g}" for end in (setting.low, setting.high))
    return f"{kind} from {low} to {high}"


def read_kept(text: str, settings: Iterable[RunSetting]) -> dict[str, Value]:
    """Return what was kept of an earlier time; what no longer is a setting, or no longer fits, is left out."""
    try:
        kept = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    changed: dict[str, Value] = {}
    for setting in settings if isinstance(kept, dict) else ():
        if setting.name in kept:
            try:
                value = setting.accept(kept[setting.name])
            except MisfitError:
                continue
            if value != setting.default:
                changed[setting.name] = value
    return changed


def write_kept(changed: Mapping[str, Value]) -> str:
    """Return settings as they are kept."""
    return json.dumps(dict(sorted(changed.items()))) if changed else ""


def list_groups(settings: Sequence[RunSetting]) -> list[str]:
    """Return the groups in their order, each once."""
    return list(dict.fromkeys(setting.group for setting in settings))
