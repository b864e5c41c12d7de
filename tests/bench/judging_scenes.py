"""What take_screenshots shows of judging by machine: the plan with earlier judgings, and a report.

The figures of the report are real: the starter, and the demonstration's model under another name, three stories each on
the seven samples that it never saw (docs/decisions/0034-automatic-judging.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QApplication, QWidget

from storydesk.bootstrap import find_resources
from storydesk.domain.judgement import JudgedFigure, JudgedMetric, JudgedVerdict, JudgePlan, JudgeReport
from storydesk.services.desk import Desk
from storydesk.services.judge_job import MetricWords
from storydesk.services.verdict_words import VerdictWords
from storydesk.ui.main_window import MainWindow
from tests.bench.model_scenes import make_generation
from trainer.judging.metrics import METRICS
from trainer.protocol.codec import encode_event
from trainer.protocol.messages import JudgingAdvanced, ReportWritten

SCENES = ("judge-plan", "judge-report")
Wait = Callable[[QApplication, Callable[[], bool]], None]
Interval = tuple[float, float, float]
NEW: Final = "Sea tales"
PROMPTS: Final = 7
FIGURES: Final[dict[str, tuple[Interval | None, Interval, Interval]]] = {
    "perplexity": (None, (40.51, 32.56, 51.51), (38.63, 31.53, 48.58)),
    "first_guess": (None, (0.3012, 0.2671, 0.3249), (0.3009, 0.2713, 0.3204)),
    "prompt_ranking": (None, (0.4286, 0.0, 0.8571), (0.8571, 0.4286, 1.0)),
    "story_perplexity": ((40.51, 32.56, 51.51), (6.327, 5.054, 7.309), (10.61, 9.835, 11.34)),
    "distinct_2": ((0.9141, 0.8789, 0.9441), (0.8452, 0.7859, 0.8906), (0.8875, 0.8643, 0.9161)),
    "repetition_2": ((0.0859, 0.0559, 0.1211), (0.1548, 0.1094, 0.2141), (0.1125, 0.0839, 0.1357)),
    "shared_3": ((0.0223, 0.0136, 0.0333), (0.0240, 0.0142, 0.0351), (0.0748, 0.0651, 0.0841)),
    "self_bleu": ((10.32, 9.147, 11.21), (10.53, 7.953, 12.47), (26.10, 21.69, 29.24)),
    "words": ((340.4, 322.2, 359.6), (141.2, 131.8, 150.5), (140.4, 133.7, 147.7)),
}
"""People, the starter and the new model: value and interval."""


def show_judging(app: QApplication, window: MainWindow, scene: str, wait: Wait) -> QWidget:
    """Turn to the plan of a judging, or to a report."""
    desk = window.workroom.desk
    make_generation(desk.models.folder, "starter", NEW, 40.51, 38.63, 14_200, "2026-11-02T19:20:00+00:00")
    make_generation(desk.models.folder, "starter", "Letters", 58.3, 52.6, 8_100, "2026-11-19T21:40:00+00:00")
    _add_jobs(desk)
    window.actions_by_name["judge"].trigger()
    page = window.judging.page
    page.sheets.judge_button.click()
    wait(app, lambda: page.judge.plan.jobs.count() == 2)
    page.judge.plan.models.tick(on=False)
    names = page.judge.plan.models.values(only_ticked=False)
    page.judge.plan.models.tick([names.index("starter"), names.index(NEW)])
    if scene == "judge-report":
        page.judge.report.show_report(make_report(Path("report")))
        page.judge.show_step(page.judge.report)
    return window


def _add_jobs(desk: Desk) -> None:
    """Put two judgings into the desk's folder as the trainer leaves them: one broken off, one finished."""
    jobs = desk.judge_jobs
    broken = jobs.prepare(
        JudgePlan(("starter", "Letters"), data=(desk.samples,), prompts=20, settings=({}, {"top_p": 0.9}))
    )
    finished = jobs.prepare(JudgePlan(("starter", NEW), data=(desk.samples,), prompts=PROMPTS, stories=3))
    lines = {
        broken: encode_event(JudgingAdvanced("writing", "Letters", 52, 200, 600.0), seconds=1.0),
        finished: encode_event(ReportWritten(str(finished), 42, 900.0), seconds=1.0),
    }
    for folder, line in lines.items():
        (folder / "events.jsonl").write_text(line + "\n", encoding="utf-8")


def make_report(folder: Path) -> JudgeReport:
    """Return a report of the figures above, in the words of the app."""
    table = find_resources() / "i18n" / "en.toml"
    words, metrics, figures = MetricWords(table), [], []
    for metric in METRICS:
        if metric.name not in FIGURES:
            continue
        direction, form = metric.direction.value, metric.form.value
        metrics.append(words.translate(JudgedMetric(metric.name, metric.group.value, "", direction, form, "", "")))
        for writer, interval in zip(("", "starter", NEW), FIGURES[metric.name], strict=True):
            if interval is not None:
                figures.append(JudgedFigure(metric.name, writer, -1, False, *interval, 3 * PROMPTS, PROMPTS))
    codes = (
        JudgedVerdict("predicts_better", {"better": NEW, "other": "starter", "by": 1.88, "low": 0.002, "high": 4.72}),
        JudgedVerdict("stories_nearer", {"better": "starter", "other": NEW, "metrics": ("shared_3", "self_bleu")}),
        JudgedVerdict(
            "stories_nearer",
            {"better": NEW, "other": "starter", "metrics": ("story_perplexity", "distinct_2", "repetition_2")},
        ),
        JudgedVerdict("few_prompts", {"prompts": PROMPTS}),
    )
    report = JudgeReport(
        folder, "", "2026-11-20T16:05:00+00:00", ("starter", NEW), ("usual settings",), PROMPTS, PROMPTS, 110,
        tuple(metrics), tuple(figures), (), (), {}, ("",) * len(codes), settings_values=({},), verdict_codes=codes,
    )  # fmt: skip
    return replace(report, verdicts=VerdictWords(table).translate(report))
