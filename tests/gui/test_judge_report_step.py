"""What a judge report lets the writer do: take its settings, choose blind, rate, and see what figures are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from storydesk.domain.generation import SamplingSettings
from storydesk.domain.judgement import JudgedCorrelation, JudgePlan, JudgeReport, RankedSettings, Settings, WrittenStory
from storydesk.domain.judging import Criterion, fingerprint
from storydesk.ui.judging.judge_page import JudgePage
from storydesk.ui.judging.judge_report_step import JudgeReportStep
from storydesk.ui.main_window import MainWindow
from tests.fakes.judge_jobs import FakeJudgeLauncher, make_report
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT

VALUES: tuple[Settings, ...] = ({"temperature": 0.7}, {"temperature": 1.1, "top_p": 0.9}, {})
LABELS = ("temperature 0.7", "temperature 1.1, top p 0.9", "usual settings")
PROMPTS = 15


def press(button: QWidget) -> None:
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def read_column(step: JudgeReportStep, column: int) -> list[str]:
    table = step.ratings.table
    return [str(table.model().index(row, column).data()) for row in range(table.rowCount())]


def correlate(metric: str, criterion: str, value: float, low: float, high: float) -> JudgedCorrelation:
    return JudgedCorrelation(metric, criterion, 24, value + 0.1, low, high, value, low, high)


@pytest.fixture
def launcher(story_window: MainWindow) -> FakeJudgeLauncher:
    launcher = story_window.workroom.desk.judge_jobs._launcher
    assert isinstance(launcher, FakeJudgeLauncher)
    return launcher


@pytest.fixture
def sweep(launcher: FakeJudgeLauncher) -> JudgeReport:
    """Return a report on three choices of settings, the second nearest to people's, whose stories are there."""
    ranks = (
        RankedSettings(1, 0.2, 0.1, 0.3, False, {}),
        RankedSettings(0, 0.3, 0.2, 0.4, False, {}),
        RankedSettings(2, 0.9, 0.8, 1.0, True, {}),
    )
    launcher.stories = write_stories(("starter",), len(LABELS))
    return replace(
        make_report(Path("/judgements/1"), ("starter",)),
        settings=LABELS,
        settings_values=VALUES,
        sweeps={"starter": ranks},
        shown_prompts=("Prompt 0",),
    )


def write_stories(models: Sequence[str], settings: int) -> list[WrittenStory]:
    stories: list[WrittenStory] = []
    for model in ("", *models):
        for number in range(settings):
            for place in range(PROMPTS):
                prompt, text = f"Prompt {place}", f"A story, the {place}th of {len(stories)}."
                stories.append(WrittenStory(fingerprint(prompt, text), model, number, prompt, 0, text))
    return stories


def open_report(window: MainWindow, report: JudgeReport, qtbot: QtBot) -> JudgePage:
    window.workroom.desk.samples.mkdir(exist_ok=True)
    window.activateWindow()
    window.actions_by_name["judge"].trigger()
    page = window.judging.page
    with qtbot.waitSignal(page._controller.listed, timeout=WAIT):
        page.show_judge()
        page._controller.list_sheets()
    page.judge.report.show_report(report)
    page.judge.show_step(page.judge.report)
    return page.judge


def name_rater(window: MainWindow, qtbot: QtBot) -> None:
    window.workroom.desk.judging.add_rater("Mara")
    with qtbot.waitSignal(window.judging.page._controller.listed, timeout=WAIT):
        window.judging.page._controller.list_sheets()


def write_on(window: MainWindow, world: FakeWorld, qtbot: QtBot) -> SamplingSettings:
    """Go on and return what the engine was asked for."""
    engine, panel = world.loader.engines, window.partner.write
    before = sum(len(each.requests) for each in engine)
    panel.words_box.setValue(5)
    window.actions_by_name["go_on"].trigger()
    qtbot.waitUntil(lambda: sum(len(each.requests) for each in engine) > before, timeout=WAIT)
    qtbot.waitUntil(lambda: not panel.stop_button.isVisibleTo(panel), timeout=WAIT)
    return engine[0].requests[-1].settings


def test_settings_of_a_report_are_what_the_writer_writes_on_with_and_can_be_given_back(
    story_window: MainWindow, world: FakeWorld, sweep: JudgeReport, qtbot: QtBot
) -> None:
    panel = story_window.partner.write
    mine = replace(panel.controls, temperature=0.5, top_k=40, banned=("suddenly",), ways=2)
    panel.controls_page.take(mine)
    tried = open_report(story_window, sweep, qtbot).report.tried
    assert not tried.taken_row.isVisible()
    press(tried.use_button)
    assert tried.taken_row.isVisible()
    assert "temperature 1.1, top-p 0.9" in tried.taken.text()
    assert panel.preset_box.currentText() == "temperature 1.1, top-p 0.9"
    assert panel.controls.ways == 2
    story_window.side.show_writing()
    asked = write_on(story_window, world, qtbot)
    assert asked == replace(SamplingSettings(), temperature=1.1, top_p=0.9, banned=("suddenly",))

    open_report(story_window, sweep, qtbot)
    tried.ranking.setCurrentCell(1, 0)
    press(tried.use_button)
    assert panel.controls.temperature == 0.7
    assert panel.controls.top_p == 0.95
    press(tried.undo_button)
    assert not tried.taken_row.isVisible()
    assert tried.use_button.hasFocus()
    assert panel.controls.temperature == 1.1
    presets = [panel.preset_box.itemText(number) for number in range(panel.preset_box.count())]
    assert presets[3:] == ["temperature 1.1, top-p 0.9"]


def test_undo_is_not_offered_any_more_once_the_writer_went_to_write(
    story_window: MainWindow, sweep: JudgeReport, qtbot: QtBot
) -> None:
    tried = open_report(story_window, sweep, qtbot).report.tried
    press(tried.use_button)
    story_window.side.show_writing()
    story_window.actions_by_name["judge"].trigger()
    assert tried.isVisible()
    assert not tried.taken_row.isVisible()


def test_what_is_as_usual_makes_no_preset_of_its_own(
    story_window: MainWindow, sweep: JudgeReport, qtbot: QtBot
) -> None:
    panel = story_window.partner.write
    panel.slider.setValue(90)
    tried = open_report(story_window, sweep, qtbot).report.tried
    tried.ranking.setCurrentCell(2, 0)
    press(tried.use_button)
    assert panel.preset_box.currentData() == "balanced"
    assert panel.preset_box.count() == 3
    assert "the usual settings" in tried.taken.text()


def test_the_writer_chooses_between_the_nearest_and_the_next_without_knowing_which_is_which(
    story_window: MainWindow, sweep: JudgeReport, qtbot: QtBot
) -> None:
    judge = open_report(story_window, sweep, qtbot)
    name_rater(story_window, qtbot)
    page = story_window.judging.page
    press(judge.report.tried.duel_button)
    qtbot.waitUntil(lambda: page.pages.currentWidget() is page.choosing, timeout=WAIT)
    seat = page.choosing.seat
    assert seat is not None
    assert (seat.rater.name, len(seat.items)) == ("Mara", 12)
    assert "Prompt 0" not in {item.prompt for item in seat.items}, "the report shows who wrote these"
    desk = story_window.workroom.desk
    content = desk.judging.load_sheet(seat.sheet.id)
    sides = {entry.contender for item in content.items for entry in item.entries}
    assert sides == {"starter, temperature 1.1, top p 0.9", "starter, temperature 0.7"}
    for words in (*sides, "starter", "temperature", "0.7", "1.1"):
        assert words not in seat.sheet.name
        assert words not in " ".join(label.text() for label in page.choosing.findChildren(type(judge.report.headline)))
    summary = desk.judging.summarise([seat.sheet.id])
    assert not {contender.name for contender in summary.contenders} & sides
    for _item in range(12):
        QTest.keyClick(page.choosing, Qt.Key.Key_Left)
        QTest.keyClick(page.choosing, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.judging.summarise([seat.sheet.id]).choices == 12, timeout=WAIT)


def test_two_models_meet_where_nothing_was_swept_and_who_rates_is_asked(
    story_window: MainWindow, launcher: FakeJudgeLauncher, qtbot: QtBot
) -> None:
    launcher.stories = write_stories(("starter", "mine"), 1)
    judge = open_report(story_window, make_report(Path("/judgements/1")), qtbot)
    tried = judge.report.tried
    assert not tried.ranking.isVisible()
    assert not tried.use_button.isVisible()
    press(tried.duel_button)
    page = story_window.judging.page
    qtbot.waitUntil(lambda: page.pages.currentWidget() is page.sheets, timeout=WAIT)
    assert "Who rates" in page.sheets.said.text()
    qtbot.waitUntil(lambda: len(page.sheets.cards) == 1, timeout=WAIT)
    assert page.sheets.cards[0].items == 12


def test_stories_that_are_gone_are_missed_in_a_sentence(
    story_window: MainWindow, launcher: FakeJudgeLauncher, sweep: JudgeReport, qtbot: QtBot
) -> None:
    launcher.stories = []
    step = open_report(story_window, sweep, qtbot).report
    press(step.tried.duel_button)
    qtbot.waitUntil(step.problem.isVisible, timeout=WAIT)
    assert step.problem.text()


def test_one_model_with_one_choice_of_settings_has_nothing_to_choose(
    story_window: MainWindow, launcher: FakeJudgeLauncher, qtbot: QtBot
) -> None:
    step = open_report(story_window, make_report(Path("/judgements/1"), ("starter",)), qtbot).report
    step.show_report(replace(make_report(Path("/judgements/1")), models=("starter",)))
    assert not step.tried.isVisible()


def test_figures_say_how_they_go_with_peoples_judgement(
    story_window: MainWindow, sweep: JudgeReport, qtbot: QtBot
) -> None:
    found = (
        correlate("perplexity", "overall", -0.6, -0.8, -0.3),
        correlate("distinct_2", "overall", 0.1, -0.2, 0.4),
        correlate("distinct_2", "creativity", 0.4, 0.1, 0.6),
    )
    step = open_report(story_window, replace(sweep, correlations=found), qtbot).report
    ratings = step.ratings
    assert ratings.table.isVisible()
    assert read_column(step, 0) == ["Held-out perplexity", "Different pairs of words"]
    assert read_column(step, 1) == ["strongly, the other way round", "can't tell yet"]
    assert read_column(step, 3)[0] == "-0.60 (-0.80 to -0.30)"
    assert read_column(step, 4) == ["24", "24"]
    ratings.criteria.setCurrentIndex(1)
    assert ratings.criteria.currentText() == story_window.workroom.desk.judging.guide(Criterion.CREATIVITY).name
    assert read_column(step, 1) == ["clearly"]


def test_stories_are_rated_and_the_ratings_counted_in(
    story_window: MainWindow, launcher: FakeJudgeLauncher, qtbot: QtBot
) -> None:
    launcher.stories = write_stories(("starter",), 1)
    desk = story_window.workroom.desk
    folder = desk.judge_jobs.prepare(JudgePlan((desk.models.active,), (("A bell", ""),)))
    report = make_report(folder, ("starter",))
    judge = open_report(story_window, report, qtbot)
    name_rater(story_window, qtbot)
    page, ratings = story_window.judging.page, judge.report.ratings
    assert not ratings.table.isVisible()
    assert "at least 8" in ratings.said.text()
    press(ratings.rate_button)
    qtbot.waitUntil(lambda: page.pages.currentWidget() is page.rating, timeout=WAIT)
    seat = page.rating.seat
    assert seat is not None
    assert len(seat.items) == PROMPTS, "no story of people's is among them"
    item = seat.items[0]
    desk.judging.rate(seat.sheet.id, seat.rater.id, item.item_id, Criterion.OVERALL, 4)

    page.show_judge()
    judge.report.show_report(report)
    judge.show_step(judge.report)
    with qtbot.waitSignal(judge._controller.reported, timeout=WAIT):
        press(ratings.count_button)
    assert judge.report.isVisible()
    assert launcher.ratings[folder] == {fingerprint(item.prompt, item.texts[0]): {"overall": 4.0}}
    few = replace(report, correlations=(JudgedCorrelation("distinct_2", "overall", 1, *[None] * 6),))
    judge.report.show_report(few)
    assert "so far: 1" in ratings.said.text()
