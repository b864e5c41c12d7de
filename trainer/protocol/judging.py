"""What a judging job is asked for, as JSON; everything that comes from outside is checked here, once.

``JUDGE_FOLDER/request.json`` holds a JudgeRequest. The job writes beside it ``events.jsonl``, ``prompts.json`` (what is
judged on), ``units.jsonl`` (every story and every measurement, once) and the report's files.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.protocol.codec import check_version
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import PROTOCOL_VERSION

REPORT_NAMES = ("report.html", "report.csv", "report.json", "stories.jsonl")
"""The files of a report; ``stories.jsonl`` has every story that was written, to be read and rated."""

MOST_STYLES = 12
MOST_SETTINGS = 64
MOST_PROMPTS = 2_000
MOST_STORIES = 20_000
MOST_TOKENS = 4_096
_LONGEST_TEXT = 2_000_000
_LONGEST_NAME = 200

DEVICES = ("auto", "cpu", "cuda")

SETTING_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0.0, 10.0),
    "top_p": (1e-6, 1.0),
    "top_k": (0, 1e9),
    "min_p": (0.0, 1.0),
    "typical_p": (1e-6, 1.0),
    "repetition_penalty": (0.1, 10.0),
    "frequency_penalty": (-10.0, 10.0),
    "presence_penalty": (-10.0, 10.0),
    "no_repeat_ngram": (0, 1e9),
}
"""What a setting of writing may be, by name; the names and their meaning are the app's."""

_WHOLE = frozenset({"top_k", "no_repeat_ngram"})


@dataclass(frozen=True, slots=True)
class JudgedStyle:
    """A GPT-2 folder or bundle. ``training`` names what it learned from: run folders of the trainer, files, folders."""

    name: str
    folder: str
    training: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A prompt, and the story that a person wrote on it where there is one."""

    prompt: str
    story: str = ""


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """A judging job.

    ``pairs`` and what stands in the files ``data`` are judged on, at most ``prompts`` of them (0: all). Each style
    writes ``stories`` stories of at most ``tokens`` tokens on every prompt with each of the ``settings``, names of
    SETTING_RANGES to numbers. ``reader`` is the style that reads what was written (the first where empty).
    ``metrics`` names what the report shows (all where empty). ``ratings`` is a file of ratings; ``out`` is where the
    report goes (the job's folder where empty).
    """

    job_id: str
    styles: tuple[JudgedStyle, ...]
    pairs: tuple[JudgedPair, ...] = ()
    data: tuple[str, ...] = ()
    prompts: int = 0
    stories: int = 1
    tokens: int = 300
    settings: tuple[Mapping[str, float], ...] = field(default_factory=lambda: ({},))
    reader: str = ""
    metrics: tuple[str, ...] = ()
    ratings: str = ""
    out: str = ""
    title: str = ""
    seed: int = 7
    device: str = "auto"


def encode_judge_request(request: JudgeRequest) -> str:
    """Return the text of ``request.json``."""
    return json.dumps({"v": PROTOCOL_VERSION, **dataclasses.asdict(request)}, ensure_ascii=False, indent=2)


def decode_judge_request(text: str) -> JudgeRequest:
    """Return the request; raise TrainerError(BAD_REQUEST or PROTOCOL_TOO_NEW) where anything in it can't be."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refuse(f"the request is no JSON: {error}") from error
    if not isinstance(record, dict):
        raise _refuse("the request is no JSON object")
    check_version(record.get("v"))
    request = JudgeRequest(
        job_id=_text(record, "job_id", needed=True),
        styles=tuple(_read_style(item) for item in _items(record, "styles", 1, MOST_STYLES)),
        pairs=tuple(_read_pair(item) for item in _items(record, "pairs", 0, MOST_PROMPTS)),
        data=_texts(record, "data", 1_000),
        prompts=_whole(record, "prompts", 0, 0, MOST_PROMPTS),
        stories=_whole(record, "stories", 1, 0, 100),
        tokens=_whole(record, "tokens", 300, 8, MOST_TOKENS),
        settings=tuple(_read_settings(item) for item in _items(record, "settings", 0, MOST_SETTINGS)) or ({},),
        reader=_text(record, "reader"),
        metrics=_texts(record, "metrics", 100),
        ratings=_text(record, "ratings"),
        out=_text(record, "out"),
        title=_text(record, "title"),
        seed=_whole(record, "seed", 7, 0, 2**31 - 1),
        device=_text(record, "device") or "auto",
    )
    _check_whole(request)
    return request


def _check_whole(request: JudgeRequest) -> None:
    """Refuse what is right in each part but not together."""
    names = [style.name for style in request.styles]
    if len(set(names)) != len(names):
        raise _refuse("two models have the same name")
    if request.reader and request.reader not in names:
        raise _refuse(f"the reader {request.reader} is none of the models")
    if not request.pairs and not request.data:
        raise _refuse("there are no prompts")
    if request.device not in DEVICES:
        raise _refuse(f"device can't be {request.device}")
    if len({json.dumps(dict(each), sort_keys=True) for each in request.settings}) != len(request.settings):
        raise _refuse("the same settings stand there twice")


def _read_style(item: object) -> JudgedStyle:
    record = _mapping(item, "a model")
    return JudgedStyle(
        name=_text(record, "name", needed=True),
        folder=_text(record, "folder", needed=True),
        training=_texts(record, "training", 1_000),
    )


def _read_pair(item: object) -> JudgedPair:
    record = _mapping(item, "a prompt")
    return JudgedPair(_text(record, "prompt", longest=_LONGEST_TEXT), _text(record, "story", longest=_LONGEST_TEXT))


def _read_settings(item: object) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for name, value in _mapping(item, "settings").items():
        if name not in SETTING_RANGES:
            raise _refuse(f"there is no setting {str(name)[:40]}")
        low, high = SETTING_RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _refuse(f"{name} can't be {str(value)[:40]}")
        if not low <= value <= high or (name in _WHOLE and value != int(value)):
            raise _refuse(f"{name} can't be {value}")
        found[name] = value
    return found


def _mapping(item: object, what: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise _refuse(f"{what} is no JSON object")
    return item


def _items(record: Mapping[str, Any], name: str, fewest: int, most: int) -> Sequence[object]:
    items = record.get(name, [])
    if not isinstance(items, list) or not fewest <= len(items) <= most:
        raise _refuse(f"{name} has to be a list of {fewest} to {most}")
    return items


def _texts(record: Mapping[str, Any], name: str, most: int) -> tuple[str, ...]:
    items = _items(record, name, 0, most)
    if not all(isinstance(item, str) and item for item in items):
        raise _refuse(f"{name} has to be a list of texts")
    return tuple(str(item) for item in items)


def _text(record: Mapping[str, Any], name: str, *, needed: bool = False, longest: int = 4_096) -> str:
    value = record.get(name, "")
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise _refuse(f"{name} is no text of at most {longest} characters")
    if needed and (not value.strip() or len(value) > (longest if name == "folder" else _LONGEST_NAME)):
        raise _refuse(f"{name} is missing or too long")
    return value


def _whole(record: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = record.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _refuse(f"{name} has to be a whole number from {low} to {high}")
    return value


def _refuse(detail: str) -> TrainerError:
    return TrainerError(TrainerFailure.BAD_REQUEST, detail=detail)
