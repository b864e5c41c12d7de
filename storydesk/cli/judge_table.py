"""A judging report on the terminal: figures with intervals in columns, then what it says in sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from storydesk.domain.judgement import JudgedFigure, JudgedMetric, JudgeReport, JudgeState

PEOPLE = "people"


def make_record(report: JudgeReport, state: JudgeState) -> dict[str, Any]:
    """Return the report as JSON has it; shares are of 1."""
    return {
        "job": state.folder.name,
        "report": str(report.folder),
        "models": list(report.models),
        "settings": list(report.settings),
        "prompts": report.prompts,
        "equal_words": report.equal_words,
        "figures": [dataclasses.asdict(figure) for figure in report.figures],
        "differences": [dataclasses.asdict(difference) for difference in report.differences],
        "correlations": [dataclasses.asdict(correlation) for correlation in report.correlations],
        "sweeps": {
            model: [
                {
                    **dataclasses.asdict(row),
                    "settings": report.settings[row.settings],
                    "values": dict(report.values_of(row.settings) or {}),
                }
                for row in rows
            ]
            for model, rows in report.sweeps.items()
        },
        "verdicts": list(report.verdicts),
    }


def make_tables(report: JudgeReport) -> str:
    """Return the figures of each choice of settings as a table, and the report's sentences."""
    parts = []
    for number, label in enumerate(report.settings):
        if len(report.settings) > 1:
            parts += [f"With {label}:", ""]
        parts += [*_draw_table(report, number), ""]
    for model, rows in report.sweeps.items():
        parts += [f"{model}, settings nearest to people's stories first:", ""]
        for row in rows:
            level = "" if row.told_apart else "  (can't be told apart from the nearest)" if row is not rows[0] else ""
            parts.append(f"  {_show(row.value, 'number'):>7}  {report.settings[row.settings]}{level}")
        parts.append("")
    parts += [f"- {sentence}" for sentence in report.verdicts]
    return "\n".join(parts)


def _draw_table(report: JudgeReport, settings: int) -> list[str]:
    columns = [("", PEOPLE), *((model, model) for model in report.models)]
    found = {(each.metric, each.model, each.cut): each for each in report.figures if each.settings in (settings, -1)}
    rows = [["", *(title for _, title in columns)]]
    for metric in report.metrics:
        for cut in (False, True):
            cells = [found.get((metric.name, model, cut)) for model, _ in columns]
            if any(cells):
                extra = f", first {report.equal_words} words" if cut else ""
                rows.append([f"{metric.title}{extra}", *(_show_figure(metric, cell) for cell in cells)])
    return align(rows)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns under each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _show_figure(metric: JudgedMetric, figure: JudgedFigure | None) -> str:
    if figure is None:
        return "-"
    value = _show(figure.value, metric.form)
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({_show(figure.low, metric.form)} to {_show(figure.high, metric.form)})"


def _show(value: float | None, form: str) -> str:
    if value is None:
        return "-"
    if form == "percent":
        return f"{100 * value:.1f} %"
    size = abs(value)
    return f"{value:.{0 if size >= 100 else 1 if size >= 20 else 2 if size >= 1 or size == 0 else 3}f}"
