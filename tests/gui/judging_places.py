"""Judging with something in it, as the list of places and the screenshots show it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QScrollArea, QWidget

from storydesk.bridge.judge_job_controller import JudgeSources
from storydesk.domain.draft_history import Outcome
from storydesk.domain.feedback import Feedback, FeedbackOrigin, PreferencePair, Suggestion, collect_feedback
from storydesk.domain.improving import weigh_feedback
from storydesk.domain.judgement import JudgedCorrelation, JudgeState, RankedSettings
from storydesk.domain.judging import Choice, Criterion, Entry, ItemChoice, Rater, Rating, Sheet
from storydesk.domain.tuning import ChoicePrediction, RunState, RunStatus
from storydesk.services.desk import Desk
from storydesk.services.tuning import TuningOutcome
from storydesk.ui.judging.judging_page import JudgingPage
from storydesk.ui.main_window import MainWindow
from tests.fakes.judge_jobs import make_report

Await = Callable[[Callable[[], bool]], None]
Opener = Callable[[MainWindow, Await], QWidget]

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
MODELS = ("starter", "Sea tales", "Letters")
PROMPTS = 8
NO_SOURCES = JudgeSources((), "", SAMPLES, (), (), ())
WHEN = 1_790_000_000.0
RATED, CHOSEN = "Sea tales against the starter", "Three voices"


def make_entries(prompts: int = PROMPTS) -> list[Entry]:
    """Return texts of three models on some prompts of our samples, each a part of another story."""
    records = [
        json.loads(line)
        for path in sorted(SAMPLES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()[:prompts]
    ]
    entries = []
    for place, record in enumerate(records[:prompts]):
        for turn, model in enumerate(MODELS):
            story = str(records[(place + turn) % len(records)]["story"])
            entries.append(Entry(str(record["prompt"]), " ".join(story.split()[:150]) + ".", model))
    return entries


def fill(desk: Desk) -> tuple[Sheet, Sheet]:
    """Return a sheet to rate and one to choose from, both half done by two people."""
    judging = desk.judging
    known = {card.sheet.name: card.sheet for card in judging.list_sheets()}
    if RATED in known:
        return known[RATED], known[CHOSEN]
    entries = make_entries()
    pairs = judging.add_pairs(CHOSEN, entries, seed=11)
    sheet = judging.add_sheet(RATED, [each for each in entries if each.contender != "Letters"], seed=7)
    raters = [judging.add_rater(name) for name in ("Mara", "Jo")]
    for place, rater in enumerate(raters):
        _rate(desk, sheet, rater, 9 + 3 * place)
        _choose(desk, pairs, rater, 19 + 2 * place)
    return sheet, pairs


def _rate(desk: Desk, sheet: Sheet, rater: Rater, count: int) -> None:
    content = {item.id: item for item in desk.judging.load_sheet(sheet.id).items}
    items = desk.judging.sit_down(sheet.id, rater.id).items
    said = []
    for item in items[:count]:
        better = content[item.item_id].first.contender == "Sea tales"
        for number, criterion in enumerate(sheet.criteria):
            value = 2 + better + (item.item_id * 7 + number * 5 + rater.id * item.item_id % 2) % 3
            said.append(Rating(item.item_id, rater.id, criterion, min(5, value), WHEN))
    begun = (Criterion.ACCURACY, Criterion.COHERENCE)
    said += [Rating(items[count].item_id, rater.id, criterion, 4, WHEN) for criterion in begun]
    desk.judging._store.add_opinions(said)


def _choose(desk: Desk, sheet: Sheet, rater: Rater, count: int) -> None:
    content = {item.id: item for item in desk.judging.load_sheet(sheet.id).items}
    said = []
    for item in desk.judging.sit_down(sheet.id, rater.id).items[:count]:
        choice = Choice.FIRST if item.item_id % 2 else Choice.SECOND
        liked = [entry.contender == "Sea tales" for entry in content[item.item_id].entries]
        if any(liked) and (item.item_id + 2 * rater.id) % 5:
            choice = Choice.FIRST if liked[0] else Choice.SECOND
        if item.item_id % 7 == 0:
            choice = Choice.NEITHER
        said.append(ItemChoice(item.item_id, rater.id, choice, "It goes somewhere.", WHEN))
    desk.judging._store.add_opinions([], said)


def open_sheets(window: MainWindow, wait: Await) -> QWidget:
    """Show the list of sheets."""
    page = _open(window)
    wait(lambda: len(page.sheets.cards) == 2)
    return window


def open_empty(window: MainWindow, _wait: Await) -> QWidget:
    """Show judging before there is a sheet."""
    window.actions_by_name["judge"].trigger()
    return window


def open_new(window: MainWindow, wait: Await) -> QWidget:
    """Show what makes a sheet."""
    page = _open(window)
    page.sheets.new_button.click()
    wait(lambda: page.pages.currentWidget() is page.new)
    page.new.rate_choice.setChecked(True)
    page.new.picker.source.setCurrentIndex(1)
    page.new.picker.source.setCurrentIndex(0)
    return window


def open_new_models(window: MainWindow, wait: Await) -> QWidget:
    """Show what lets models write for a sheet."""
    open_new(window, wait)
    page = window.judging.page
    page.new.pair_choice.setChecked(True)
    page.new.picker.source.setCurrentIndex(2)
    page.new.picker.presets.tick((0, 2))
    page.new.picker.prompts.tick((0,))
    return window


def open_rating(window: MainWindow, wait: Await) -> QWidget:
    """Rate where Mara left off."""
    page = _open(window)
    sheet, _pairs = fill(window.workroom.desk)
    page.sheets.rate_wanted.emit(sheet.id, "Mara")
    wait(lambda: page.pages.currentWidget() is page.rating and page.rating.current is not None)
    return window


def open_choice(window: MainWindow, wait: Await) -> QWidget:
    """Choose where Jo left off."""
    page = _open(window)
    _sheet, pairs = fill(window.workroom.desk)
    page.sheets.rate_wanted.emit(pairs.id, "Jo")
    wait(lambda: page.pages.currentWidget() is page.choosing and page.choosing.current is not None)
    return window


def open_results(window: MainWindow, wait: Await) -> QWidget:
    """Show what came of the choices."""
    page = _open(window)
    _sheet, pairs = fill(window.workroom.desk)
    page.results.results = None
    page.sheets.results_wanted.emit(pairs.id)
    wait(lambda: page.results.results is not None)
    return window


def open_averages(window: MainWindow, wait: Await) -> QWidget:
    """Show what came of the ratings, and the question whether to show the names."""
    page = _open(window)
    sheet, _pairs = fill(window.workroom.desk)
    page.results.results = None
    page.sheets.results_wanted.emit(sheet.id)
    wait(lambda: page.results.results is not None)
    page.results.reveal_button.click()
    return window


def make_feedback() -> Feedback:
    """Return enough to learn from: choices, suggestions taken and changed, some of it kept aside and left out."""
    entries = make_entries(30)
    before = "Mara found the door at low tide. It stood in the sand as if the beach had been built around it."
    first = Suggestion("1", "A door on the beach", before, " It was as green as the sea.", Outcome.EDITED, WHEN)
    second = Suggestion("1", "A door on the beach", before, " Nobody knew about it at all.", Outcome.REJECTED, WHEN - 9)
    standing = " It was as green as the sea in March, and it was locked."
    found = collect_feedback([], [replace(first, standing=standing), second])
    pairs = [
        PreferencePair(
            f"pair {place}",
            one.prompt,
            one.prompt,
            "",
            one.text,
            two.text,
            FeedbackOrigin.CHOICE if place % 4 else FeedbackOrigin.RATING,
            1.0,
            WHEN - 60 * place,
            held_out=place % 5 == 2,
            left_out=place == 3,
        )
        for place, (one, two) in enumerate(zip(entries[::3], entries[1::3], strict=True))
    ]
    return Feedback((*found.pairs, *pairs), found.examples)


def open_improve(window: MainWindow, wait: Await) -> QWidget:
    """Show enough for a model to learn from."""
    open_improve_few(window, wait)
    gather, feedback = window.judging.page.improve.gather, make_feedback()
    gather.show_feedback(feedback, weigh_feedback(feedback))
    edits = (row for row, piece in enumerate(gather.list.pieces) if piece.origin is FeedbackOrigin.EDIT)
    gather.list.list.setCurrentRow(next(edits))
    return window


def open_improve_empty(window: MainWindow, wait: Await) -> QWidget:
    """Show what is missing before anybody said anything."""
    window.actions_by_name["judge"].trigger()
    page = window.judging.page
    page.improve.gather.way.clear()
    page.show_improving()
    wait(lambda: bool(page.improve.gather.way.text()))
    return window


def open_improve_few(window: MainWindow, wait: Await) -> QWidget:
    """Show too little for a model to learn from."""
    page = _open(window)
    page.improve.gather.way.clear()
    page.sheets.improve_button.click()
    wait(lambda: bool(page.improve.gather.way.text()))
    return window


def open_improved(window: MainWindow, wait: Await) -> QWidget:
    """Show what came of learning from choices."""
    open_improve_few(window, wait)
    page = window.judging.page.improve
    folder = window.workroom.desk.home / "runs" / "improved"
    before, after = (
        ChoicePrediction("before", 0, 38, 0.526, math.log(2)),
        ChoicePrediction("after", 72, 38, 0.711, 0.56),
    )
    state = RunState(
        "improved",
        folder,
        RunStatus.COMPLETED,
        step=72,
        total_steps=80,
        losses=tuple((step, 1.0 - step / 200) for step in range(1, 81)),
        heldout=((0, 33.0), (40, 33.2), (80, 33.5)),
        perplexity_before=33.0,
        perplexity_after=33.5,
        choices=(before, after),
    )
    page.change.show_outcome(TuningOutcome(state, window.workroom.desk.models.show("starter"), adopted=True))
    page.show_step(page.change)
    return window


def open_judge(window: MainWindow, wait: Await) -> QWidget:
    """Show what lets models be judged by machine, with settings to try."""
    page = _open(window)
    page.sheets.judge_button.click()
    wait(lambda: page.judge.plan.models.count() > 0)
    page.judge.show_step(page.judge.plan)
    page.judge.plan.models.tick()
    page.judge.plan.sweep.button.setChecked(True)
    state = JudgeState("2026-11-20 16-05", Path("/judgements/1"), RunStatus.STOPPED, done=140, total=420)
    page.judge.plan.show_sources(replace(page.judge.plan._sources or NO_SOURCES, unfinished=(state,)))
    page.judge.plan.say_trouble("There is no room left on the disk.")
    return window


def open_judge_run(window: MainWindow, wait: Await) -> QWidget:
    """Show a job at work."""
    open_judge(window, wait)
    page = window.judging.page.judge
    state = JudgeState(
        "1", Path("/judgements/1"), RunStatus.RUNNING, "writing", "Sea tales", 140, 420, seconds_left=900.0
    )
    page.run.begin()
    page.run.show_state(state)
    page.show_step(page.run)
    return window


def open_judged(window: MainWindow, wait: Await) -> QWidget:
    """Show what a job found, with settings in their order."""
    open_judge(window, wait)
    page = window.judging.page.judge
    ranks = (RankedSettings(1, 0.2, 0.1, 0.3, False, {}), RankedSettings(0, 0.9, 0.8, 1.0, True, {}))
    report = make_report(Path("/judgements/1"), ("starter", "Sea tales"))
    report = replace(
        report,
        settings=("temperature 0.7, top p 0.95", "temperature 1.1, top p 0.95"),
        settings_values=({"temperature": 0.7, "top_p": 0.95}, {"temperature": 1.1, "top_p": 0.95}),
        sweeps={"starter": ranks},
        verdicts=("Sea tales foresees stories of people better than starter: by 5.0 (3.0 to 7.0).",),
    )
    page.report.show_report(report)
    page.show_step(page.report)
    page.report.tried.use_button.click()
    return window


def open_worth(window: MainWindow, wait: Await) -> QWidget:
    """Show which figures go with people's judgement, below all of them."""
    open_judged(window, wait)
    step = window.judging.page.judge.report
    assert step.report is not None
    found = (
        JudgedCorrelation("distinct_2", "overall", 42, 0.48, 0.2, 0.69, 0.55, 0.27, 0.74),
        JudgedCorrelation("perplexity", "overall", 42, -0.21, -0.48, 0.1, -0.12, -0.41, 0.19),
        JudgedCorrelation("distinct_2", "creativity", 42, 0.3, 0.0, 0.55, 0.34, 0.04, 0.58),
    )
    step.show_report(replace(step.report, correlations=found))
    area = step.parentWidget()
    while not isinstance(area, QScrollArea):
        assert area is not None
        area = area.parentWidget()
    bar = area.verticalScrollBar()
    wait(lambda: step.ratings.height() > step.ratings.table.height() > 0)
    bar.setValue(bar.maximum())
    return window


def _open(window: MainWindow) -> JudgingPage:
    fill(window.workroom.desk)
    window.actions_by_name["judge"].trigger()
    page = window.judging.page
    page.show_sheets()
    return page


OPENERS: dict[str, Opener] = {
    "judging-sheets": open_sheets,
    "judging-new": open_new,
    "judging-models": open_new_models,
    "judging-rate": open_rating,
    "judging-choose": open_choice,
    "judging-results": open_results,
    "judging-averages": open_averages,
    "judging-improve": open_improve,
    "judging-improve-few": open_improve_few,
    "judging-improved": open_improved,
    "judging-models-judge": open_judge,
    "judging-models-run": open_judge_run,
    "judging-models-judged": open_judged,
    "judging-models-worth": open_worth,
}
"""The places by name."""
