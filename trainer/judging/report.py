"""A job's report as files: JSON with everything, CSV with every figure, HTML to be read, and the stories themselves."""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.evaluation.stories import TrainingText
from trainer.judging.cells import PEOPLE, make_story_id
from trainer.judging.judgement import Findings
from trainer.judging.material import make_place
from trainer.judging.metrics import GROUP_TITLES
from trainer.judging.report_page import draw_page
from trainer.judging.settings_names import name_settings
from trainer.judging.verdicts import list_verdicts, say_verdict
from trainer.protocol.judging import JudgeRequest
from trainer.reporter import naming_a_full_disk
from trainer.tuning.checkpoints import sync_folder

REPORT_VERSION = "1.1"
PEOPLE_NAME = "people"
"""Stands for people in the table, where the name of a model would."""

_COLUMNS = ("metric", "model", "settings", "stories_are", "value", "low", "high", "stories", "prompts")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a reader of the report has to know besides the figures."""

    device: str
    reader: str
    training_known: Sequence[str]
    learned: int
    kept_learned: bool
    equal_words: int
    bases: Mapping[str, str]


def write_report(
    out: Path,
    request: JudgeRequest,
    findings: Findings,
    found: Mapping[str, Any],
    circumstances: Circumstances,
    training: TrainingText | None,
) -> int:
    """Write the report's files, each whole or not at all, and return how many stories models wrote for it."""
    record = _make_record(request, findings, found, circumstances, training)
    stories = "".join(json.dumps(story, ensure_ascii=False) + "\n" for story in _list_stories(findings))
    make_place(out)
    _write(out / "stories.jsonl", stories)
    _write(out / "report.csv", _make_table(record))
    _write(out / "report.html", draw_page(record))
    # The last one: where it is, the others are.
    _write(out / "report.json", json.dumps(record, ensure_ascii=False, indent=2) + "\n")
    return sum(len(cell.stories) for cell in findings.cells if cell.style != PEOPLE)


def _make_record(
    request: JudgeRequest,
    findings: Findings,
    found: Mapping[str, Any],
    circumstances: Circumstances,
    training: TrainingText | None,
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "v": REPORT_VERSION,
        "job_id": request.job_id,
        "title": request.title or "Judged: " + ", ".join(findings.styles),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": circumstances.device,
        "styles": [
            {
                "name": name,
                "base": circumstances.bases.get(name, ""),
                "training_known": name in circumstances.training_known,
            }
            for name in findings.styles
        ],
        "settings": [{"label": name_settings(settings), "values": dict(settings)} for settings in findings.settings],
        "prompts": len(findings.documents),
        "references": sum(bool(document.story) for document in findings.documents),
        "learned_left_out": circumstances.learned,
        "judged_on_learned": circumstances.kept_learned,
        "stories_per_prompt": request.stories,
        "tokens": request.tokens,
        "seed": request.seed,
        "reader": circumstances.reader,
        "equal_words": circumstances.equal_words,
        "groups": [{"name": group.value, "title": title} for group, title in GROUP_TITLES.items()],
        "metrics": [
            {
                "name": metric.name,
                "group": metric.group.value,
                "title": metric.title,
                "direction": metric.direction.value,
                "form": metric.form.value,
                "tells": metric.tells,
                "misses": metric.misses,
            }
            for metric in findings.metrics
        ],
        **found,
        "passages": list(_list_passages(findings, training)),
        "examples": list(_list_examples(findings)),
    }
    verdicts = list_verdicts(record)
    return {
        **record,
        "verdicts": [say_verdict(verdict, record) for verdict in verdicts],
        "verdict_codes": [{"code": each.code, "parameters": dict(each.parameters)} for each in verdicts],
    }


def _list_stories(findings: Findings) -> Iterator[dict[str, Any]]:
    """Yield every story with its id, people's too, as a rating sheet needs them."""
    for cell in findings.cells:
        for story in cell.stories:
            prompt = findings.documents[story.prompt].prompt
            yield {
                "id": make_story_id(prompt, story.text),
                "style": "" if cell.style == PEOPLE else findings.styles[cell.style],
                "settings": cell.settings,
                "prompt": prompt,
                "sample": story.sample,
                "ended": story.ended,
                "text": story.text,
            }


def _list_passages(findings: Findings, training: TrainingText | None) -> Iterator[dict[str, Any]]:
    """Yield the longest passage that stands in the training text, for each model."""
    if training is None:
        return
    for number, name in enumerate(findings.styles):
        texts = [story.text for cell in findings.cells if cell.style == number for story in cell.stories]
        copying = training.measure_copying(texts)
        yield {"style": name, "words": copying.longest, "passage": copying.passage}


def _list_examples(findings: Findings) -> Iterator[dict[str, Any]]:
    """Yield what was written on the first prompt: the story of a person, and the first of each model and settings."""
    if not findings.documents:
        return
    for cell in findings.cells:
        first = next((story for story in cell.stories if story.prompt == 0), None)
        if first is not None:
            yield {
                "style": "" if cell.style == PEOPLE else findings.styles[cell.style],
                "settings": cell.settings,
                "prompt": findings.documents[0].prompt,
                "text": first.text,
            }


def _make_table(record: Mapping[str, Any]) -> str:
    """Return every figure as CSV, with a line for each metric, model, settings and length."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    labels = [settings["label"] for settings in record["settings"]]
    for value in record["values"]:
        writer.writerow(
            [
                value["metric"],
                _disarm(value["style"]) or PEOPLE_NAME,
                labels[value["settings"]] if value["settings"] >= 0 else "",
                value["control"],
                *("" if value[name] is None else f"{value[name]:.6g}" for name in ("value", "low", "high")),
                value["stories"],
                value["prompts"],
            ]
        )
    return stream.getvalue()


def _disarm(name: str) -> str:
    """Return a model's name as a spreadsheet takes it for text and not for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def _write(path: Path, text: str) -> None:
    """Write beside, force to disk, rename; raise TrainerError(DISK_FULL)."""
    partial = path.with_name(f".{path.name}.partial")
    with naming_a_full_disk(path):
        with partial.open("wb") as stream:
            stream.write(text.encode("utf-8", "replace"))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
        sync_folder(path.parent)
