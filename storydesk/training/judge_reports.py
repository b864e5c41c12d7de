"""Reading the reports of judging jobs back: JSON that the trainer wrote, and that anybody may have changed since."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judgement import (
    JudgedCorrelation,
    JudgedDifference,
    JudgedFigure,
    JudgedMetric,
    JudgedVerdict,
    JudgeReport,
    RankedSettings,
    WrittenStory,
)
from storydesk.services.input_file import read_limited

REPORT_NAME, STORIES_NAME = "report.json", "stories.jsonl"
REPORT_MAJOR = "1"
_MOST_MEGABYTES = 200
_EQUAL = "equal"


def load_report(folder: Path) -> JudgeReport:
    """Return the report in a folder; raise FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_DAMAGED, PROTOCOL_TOO_NEW."""
    path = folder / REPORT_NAME
    raw = read_limited(path, _MOST_MEGABYTES)
    try:
        record = json.loads(raw)
        version = str(record["v"])
        if version.split(".")[0] == REPORT_MAJOR:
            return _build_report(folder, record)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="report") from error
    raise StorydeskError("protocol_too_new", version=version)


def load_stories(folder: Path) -> Sequence[WrittenStory]:
    """Return the stories beside a report; raise like ``load_report``."""
    path = folder / STORIES_NAME
    raw = read_limited(path, _MOST_MEGABYTES)
    try:
        records = [json.loads(line) for line in raw.decode("utf-8").split("\n") if line]
        return [
            WrittenStory(
                id=str(record["id"]),
                model=str(record["style"]),
                settings=int(record["settings"]),
                prompt=str(record["prompt"]),
                sample=int(record["sample"]),
                text=str(record["text"]),
            )
            for record in records
        ]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="report") from error


def _build_report(folder: Path, record: Mapping[str, Any]) -> JudgeReport:
    return JudgeReport(
        folder=folder,
        title=str(record["title"]),
        created=str(record["created"]),
        models=tuple(str(style["name"]) for style in record["styles"]),
        settings=tuple(str(settings["label"]) for settings in record["settings"]),
        prompts=int(record["prompts"]),
        references=int(record["references"]),
        equal_words=int(record["equal_words"]),
        metrics=tuple(_build_metric(each) for each in record["metrics"]),
        figures=tuple(_build_figure(each) for each in record["values"]),
        differences=tuple(_build_difference(each) for each in record["differences"]),
        correlations=tuple(_build_correlation(each) for each in record["correlations"]),
        sweeps={str(sweep["style"]): tuple(map(_build_ranked, sweep["ranking"])) for sweep in record["sweep"]},
        verdicts=tuple(str(sentence) for sentence in record.get("verdicts", ())),
        verdict_codes=tuple(_build_verdict(each) for each in record.get("verdict_codes", ())),
        settings_values=tuple(_build_settings(settings["values"]) for settings in record["settings"]),
        shown_prompts=tuple(dict.fromkeys(str(example["prompt"]) for example in record.get("examples", ()))),
        job_id=str(record.get("job_id", "")),
    )


def _build_settings(record: Mapping[str, Any]) -> Mapping[str, float]:
    found = {str(name): _number(value) for name, value in record.items()}
    return {name: value for name, value in found.items() if value is not None}


def _build_metric(record: Mapping[str, Any]) -> JudgedMetric:
    names = ("name", "group", "title", "direction", "form", "tells", "misses")
    return JudgedMetric(*(str(record[name]) for name in names))


def _build_figure(record: Mapping[str, Any]) -> JudgedFigure:
    return JudgedFigure(
        metric=str(record["metric"]),
        model=str(record["style"]),
        settings=int(record["settings"]),
        cut=record["control"] == _EQUAL,
        value=_number(record["value"]),
        low=_number(record["low"]),
        high=_number(record["high"]),
        stories=int(record["stories"]),
        prompts=int(record["prompts"]),
    )


def _build_difference(record: Mapping[str, Any]) -> JudgedDifference:
    return JudgedDifference(
        metric=str(record["metric"]),
        settings=int(record["settings"]),
        cut=record["control"] == _EQUAL,
        first=str(record["first"]),
        second=str(record["second"]),
        value=_number(record["value"]),
        low=_number(record["low"]),
        high=_number(record["high"]),
        better=str(record["better"]),
    )


def _build_correlation(record: Mapping[str, Any]) -> JudgedCorrelation:
    apart = record["length_out"]
    return JudgedCorrelation(
        metric=str(record["metric"]),
        criterion=str(record["criterion"]),
        stories=int(record["stories"]),
        value=_number(record["value"]),
        low=_number(record["low"]),
        high=_number(record["high"]),
        value_apart=_number(apart["value"]),
        low_apart=_number(apart["low"]),
        high_apart=_number(apart["high"]),
    )


def _build_verdict(record: Mapping[str, Any]) -> JudgedVerdict:
    parameters = {str(name): _read_parameter(value) for name, value in record["parameters"].items()}
    return JudgedVerdict(str(record["code"]), parameters)


def _read_parameter(value: object) -> str | int | float | tuple[str | int, ...]:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, list):
        return tuple(each for each in value if isinstance(each, str | int))
    number = _number(value)
    if number is None:
        raise TypeError("a parameter that is nothing")
    return number


def _build_ranked(record: Mapping[str, Any]) -> RankedSettings:
    return RankedSettings(
        settings=int(record["settings"]),
        value=_number(record["value"]),
        low=_number(record["low"]),
        high=_number(record["high"]),
        told_apart=bool(record["told_apart"]),
        parts={str(name): _number(part) for name, part in record["parts"].items()},
    )


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("a figure that is no number")
    return float(value)
