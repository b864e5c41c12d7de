"""Every control of how the model writes, each declared once with its limits, and the presets in plain words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from storydesk.domain.generation import MAXIMUM_SEED, SamplingSettings
from storydesk.domain.settings import Setting

DRAWN = -1
"""The seed of whoever wants another text each time."""
MOST_WAYS = 5
_MOST_LINES = 200
_LONGEST_LINE = 400
_LONGEST_NAME = 60
_CAREFUL, _WILD = (0.4, 0.90), (1.2, 1.0)
"""Temperature and top-p at the two ends of the slider; halfway are SamplingSettings' own defaults."""

Number = Setting[int] | Setting[float]
NUMBERS: Mapping[str, Number] = {
    each.key: each
    for each in (
        Setting("temperature", 0.8, low=0.0, high=2.0),
        Setting("top_p", 0.95, low=0.05, high=1.0),
        Setting("top_k", 0, low=0, high=1000),
        Setting("min_p", 0.04, low=0.0, high=0.5),
        Setting("typical_p", 1.0, low=0.05, high=1.0),
        Setting("repetition_penalty", 1.1, low=0.5, high=2.0),
        Setting("frequency_penalty", 0.0, low=-2.0, high=2.0),
        Setting("presence_penalty", 0.0, low=-2.0, high=2.0),
        Setting("no_repeat_ngram", 4, low=0, high=20),
        Setting("minimum_words", 0, low=0, high=2000),
        Setting("maximum_words", 0, low=0, high=4000),
        Setting("seed", DRAWN, low=DRAWN, high=MAXIMUM_SEED),
        Setting("ways", 3, low=1, high=MOST_WAYS),
    )
}
SWITCHES: Mapping[str, Setting[bool]] = {
    each.key: each for each in (Setting("until_sentence_end", True), Setting("avoid_loops", True))
}
SAMPLED = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "typical_p",
    "repetition_penalty",
    "frequency_penalty",
    "presence_penalty",
    "no_repeat_ngram",
)
"""The numbers that say how the next token is drawn."""
BIAS = Setting("bias", 2.0, low=-20.0, high=20.0)
"""Nats that a phrase is likelier by."""


@dataclass(frozen=True, slots=True)
class WritingControls:
    """All controls; see SamplingSettings for what the sampler makes of most. ``seed`` DRAWN draws one each time.

    ``maximum_words`` and ``minimum_words`` of 0 set no limit, ``ways`` is how many candidates stand side by side.
    """

    temperature: float = 0.8
    top_p: float = 0.95
    top_k: int = 0
    min_p: float = 0.04
    typical_p: float = 1.0
    repetition_penalty: float = 1.1
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    no_repeat_ngram: int = 4
    avoid_loops: bool = True
    banned: tuple[str, ...] = ()
    phrase_bias: tuple[tuple[str, float], ...] = ()
    stops: tuple[str, ...] = ()
    minimum_words: int = 0
    maximum_words: int = 0
    until_sentence_end: bool = True
    seed: int = DRAWN
    ways: int = 3

    def sampling(self) -> SamplingSettings:
        """Return what the sampler needs; a longest length below the shortest one gives way."""
        most = max(self.maximum_words, self.minimum_words) if self.maximum_words else 0
        shared = {each.name for each in fields(SamplingSettings)} & {each.name for each in fields(self)}
        return replace(SamplingSettings(**{name: getattr(self, name) for name in shared}), maximum_words=most)

    @property
    def wildness(self) -> float:
        """The place on the slider (0..1) that is nearest to the temperature."""
        return min(1.0, max(0.0, (self.temperature - _CAREFUL[0]) / (_WILD[0] - _CAREFUL[0])))

    def with_wildness(self, wildness: float) -> WritingControls:
        """Return the controls with the slider elsewhere (0 careful, 1 wild): temperature and top-p."""
        share = min(1.0, max(0.0, wildness))
        temperature, top_p = (low + (high - low) * share for low, high in zip(_CAREFUL, _WILD, strict=True))
        return replace(self, temperature=round(temperature, 3), top_p=round(top_p, 4))

    def with_sampling(self, values: Mapping[str, float]) -> WritingControls:
        """Return the controls with tokens drawn as usual but for some values, by name; words and lengths stay."""
        drawn: dict[str, Any] = {}
        for name in SAMPLED:
            number = NUMBERS[name]
            value = values.get(name, number.default)
            whole = isinstance(number.default, int) and math.isfinite(value)
            drawn[name] = _read_number(number, round(value) if whole else value)
        return replace(self, **drawn)

    def to_record(self) -> dict[str, Any]:
        """Return the controls as JSON knows them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_record(cls, record: object) -> WritingControls:
        """Return kept controls within their limits; what is missing or of the wrong kind is as usual."""
        known: Mapping[str, Any] = record if isinstance(record, dict) else {}
        values: dict[str, Any] = {}
        for name, number in NUMBERS.items():
            values[name] = _read_number(number, known.get(name, number.default))
        for name, switch in SWITCHES.items():
            values[name] = switch.accept(known.get(name, switch.default))
        values["banned"] = _read_lines(known.get("banned"))
        values["stops"] = _read_lines(known.get("stops"), strip=False)
        values["phrase_bias"] = _read_biases(known.get("phrase_bias"))
        return cls(**values)


BALANCED = WritingControls()
PRESETS: Mapping[str, WritingControls] = {
    "careful": BALANCED.with_wildness(0.0),
    "balanced": BALANCED,
    "wild": BALANCED.with_wildness(1.0),
}
"""The presets that are always there, by name."""


@dataclass(frozen=True, slots=True)
class ControlDesk:
    """The controls in use, the preset that they began as, and the writer's own presets by name."""

    controls: WritingControls = BALANCED
    preset: str = "balanced"
    own: tuple[tuple[str, WritingControls], ...] = ()

    @property
    def base(self) -> WritingControls:
        """What the preset says."""
        return self.find(self.preset) or BALANCED

    @property
    def is_changed(self) -> bool:
        """Whether something differs from the preset; how many candidates are wanted is no matter of style."""
        return replace(self.controls, ways=self.base.ways) != self.base

    def find(self, name: str) -> WritingControls | None:
        """Return a preset's controls."""
        return PRESETS.get(name) or dict(self.own).get(name)

    def choose(self, name: str) -> ControlDesk:
        """Return the desk with a preset taken as it is; the number of ways stays."""
        chosen = self.find(name)
        if chosen is None:
            return self
        return replace(self, controls=replace(chosen, ways=self.controls.ways), preset=name)

    def change(self, controls: WritingControls) -> ControlDesk:
        """Return the desk with other controls."""
        return replace(self, controls=controls)

    def keep_as(self, name: str) -> ControlDesk:
        """Return the desk with the controls kept as a preset of the writer's own; one of that name is replaced."""
        name = " ".join(name.split())[:_LONGEST_NAME]
        if not name or name in PRESETS:
            return self
        own = {**dict(self.own), name: self.controls}
        return replace(self, preset=name, own=tuple(own.items()))

    def take(self, values: Mapping[str, float], name: str) -> ControlDesk:
        """Return the desk with tokens drawn with some values, and as usual else, kept as a preset of the writer's own.

        A preset that says the same already is chosen; one of that ``name`` that says something else stays.
        """
        controls = self.controls.with_sampling(values)
        known = {**PRESETS, **dict(self.own)}
        same = next((each for each, found in known.items() if replace(found, ways=controls.ways) == controls), "")
        if same:
            return self.choose(same)
        name = " ".join(name.split())[:_LONGEST_NAME]
        number, free = 1, name
        while free in known:
            number += 1
            free = f"{name[: _LONGEST_NAME - 6].strip()} ({number})"
        return self.change(controls).keep_as(free)

    def forget(self, name: str) -> ControlDesk:
        """Return the desk without one of the writer's own presets; the controls stay as they are."""
        own = tuple((each, controls) for each, controls in self.own if each != name)
        return replace(self, own=own, preset="balanced" if self.preset == name else self.preset)

    def to_text(self) -> str:
        """Return the desk as JSON, to be kept in a setting."""
        own = {name: controls.to_record() for name, controls in self.own}
        return json.dumps({"controls": self.controls.to_record(), "preset": self.preset, "own": own}, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> ControlDesk:
        """Return a desk that was kept; what can't be understood is as usual."""
        try:
            record = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            record = {}
        record = record if isinstance(record, dict) else {}
        kept = record.get("own")
        own = (
            tuple(
                (str(name), WritingControls.from_record(each))
                for name, each in (kept or {}).items()
                if str(name).strip()
            )
            if isinstance(kept, dict)
            else ()
        )
        desk = cls(WritingControls.from_record(record.get("controls")), str(record.get("preset", "balanced")), own)
        return desk if desk.find(desk.preset) is not None else replace(desk, preset="balanced")


def read_lines(text: str) -> tuple[str, ...]:
    """Return what a writer listed, a phrase a line; empty lines don't count."""
    return _read_lines(text.splitlines())


def read_biases(text: str) -> tuple[tuple[str, float], ...]:
    """Return phrases and nats from lines such as ``lantern = 2``; without a number they are likelier by the usual."""
    found = []
    for line in text.splitlines():
        phrase, sign, number = line.rpartition("=")
        try:
            found.append((phrase, float(number)) if sign else (line, BIAS.default))
        except ValueError:
            found.append((line, BIAS.default))
    return _read_biases(found)


def write_biases(biases: tuple[tuple[str, float], ...]) -> str:
    """Return phrases and nats as a writer lists them."""
    return "\n".join(f"{phrase} = {nats:g}" for phrase, nats in biases)


def _read_number(number: Number, value: object) -> int | float:
    if isinstance(value, float) and not math.isfinite(value):
        return number.default
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return number.default
    return number.accept(value)


def _read_lines(value: object, *, strip: bool = True) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        return ()
    lines = (each.strip() if strip else each for each in value if isinstance(each, str))
    return tuple(dict.fromkeys(each[:_LONGEST_LINE] for each in lines if each))[:_MOST_LINES]


def _read_biases(value: object) -> tuple[tuple[str, float], ...]:
    found: dict[str, float] = {}
    for pair in value if isinstance(value, (list, tuple)) else ():
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) and pair[0].strip():
            nats = pair[1] if isinstance(pair[1], (int, float)) and math.isfinite(pair[1]) else BIAS.default
            found[pair[0].strip()[:_LONGEST_LINE]] = BIAS.accept(float(nats))
    return tuple(found.items())[:_MOST_LINES]
