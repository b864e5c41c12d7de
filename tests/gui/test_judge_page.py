"""Judging by machine as a writer goes through it: tick, start, watch, read; stop and go on; what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.judgement import JudgePlan, JudgeReport, RankedSettings
from storydesk.domain.prompt_shelf import ShelfPrompt
from storydesk.domain.tuning import RunStatus
from storydesk.ui.judging.figure_table import FigureTable
from storydesk.ui.judging.judge_page import JudgePage
from storydesk.ui.judging.judge_plan_step import read_values
from storydesk.ui.main_window import MainWindow
from tests.fakes.judge_jobs import FakeJudgeLauncher, make_report
from tests.gui.conftest import WAIT


def find_launcher(window: MainWindow) -> FakeJudgeLauncher:
    launcher = window.workroom.desk.judge_jobs._launcher
    assert isinstance(launcher, FakeJudgeLauncher)
    return launcher


def open_judge(window: MainWindow, qtbot: QtBot) -> JudgePage:
    window.workroom.desk.samples.mkdir(exist_ok=True)
    window.activateWindow()
    window.actions_by_name["judge"].trigger()
    page = window.judging.page
    press(page.sheets.judge_button)
    qtbot.waitUntil(lambda: page.judge.plan.models.count() > 0, timeout=WAIT)
    assert page.pages.currentWidget() is page.judge
    return page.judge


def press(button: QWidget) -> None:
    QTest.keyClick(button, Qt.Key.Key_Space)


def read_cell(table: FigureTable, row: int, column: int) -> str:
    return str(table.model().index(row, column).data())


def hold(launcher: FakeJudgeLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs stay at work until they are told to stop."""
    prepare = launcher.prepare

    def prepare_held(plan: JudgePlan, folders: Mapping[str, Path]) -> Path:
        folder = prepare(plan, folders)
        launcher.states[folder] = [replace(launcher.states[folder][1], seconds_left=600.0)]
        return folder

    monkeypatch.setattr(launcher, "prepare", prepare_held)


def test_ticked_models_are_judged_and_figures_say_what_they_mean(story_window: MainWindow, qtbot: QtBot) -> None:
    page = open_judge(story_window, qtbot)
    opened: list[Path] = []

    def open_page(path: Path) -> bool:
        opened.append(path)
        return True

    page.open_page = open_page
    page.plan.models.tick()
    assert page.plan.start_button.isEnabled()
    assert "at most" in page.plan.count.text()
    press(page.plan.start_button)
    assert page.run.isVisible()
    qtbot.waitUntil(lambda: page.report.isVisible(), timeout=WAIT)
    plan, _folders = find_launcher(story_window).plans[-1]
    assert plan.data == (story_window.workroom.desk.samples,)
    assert plan.models == tuple(page.plan.models.values(only_ticked=False))
    table = page.report.table
    headings = [table.model().headerData(column, Qt.Orientation.Horizontal) for column in range(table.columnCount())]
    assert headings[:2] == ["Measure", "People"]
    rows = {read_cell(table, row, 0): row for row in range(table.rowCount())}
    row = rows["Held-out perplexity"]
    assert read_cell(table, row, 1) == "–"
    assert read_cell(table, row, 2) == "40.0 (38.0 to 42.0)"
    assert read_cell(table, rows["Different pairs of words"], 1) == "91.0 % (88.0 % to 94.0 %)"
    assert read_cell(table, row, table.columnCount() - 1) == "low"
    table.setCurrentCell(row, 0)
    assert page.report.meaning.text() == "How surprised. Not how good."
    assert table.model().index(row, 0).data(Qt.ItemDataRole.ToolTipRole) == page.report.meaning.text()
    press(page.report.page_button)
    assert opened == [Path("/judgements/1/report.html")]
    press(page.report.again_button)
    qtbot.waitUntil(lambda: page.plan.jobs.count() == 1, timeout=WAIT)
    press(page.plan.open_button)
    qtbot.waitUntil(lambda: page.report.isVisible(), timeout=WAIT)


def test_a_stopped_job_goes_on_later(story_window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = find_launcher(story_window)
    hold(launcher, monkeypatch)
    page = open_judge(story_window, qtbot)
    page.plan.models.tick()
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: "1 of 4" in page.run.progress.text(), timeout=WAIT)
    assert "about 10 minutes left" in page.run.progress.text()
    assert "Writing stories" in page.run.work.text()
    QTest.keyClick(page, Qt.Key.Key_Escape)  # leaving does not stop it
    assert page.run.stop_button.isEnabled()
    press(story_window.judging.page.sheets.judge_button)
    assert page.run.isVisible()
    press(page.run.stop_button)
    qtbot.waitUntil(lambda: page.plan.jobs.count() == 1 and page.plan.isVisible(), timeout=WAIT)
    assert "broken off" in page.plan.jobs.item(0).text()
    assert page.plan.open_button.text() == "Go on"
    [folder] = launcher.states
    [at_work] = launcher.states[folder]
    launcher.states[folder] = [at_work, replace(at_work, status=RunStatus.COMPLETED, done=4, report=folder)]
    press(page.plan.open_button)
    qtbot.waitUntil(lambda: page.report.isVisible(), timeout=WAIT)
    assert len(launcher.plans) == 1


def test_what_went_wrong_is_said_in_a_sentence(
    story_window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = find_launcher(story_window)
    prepare = launcher.prepare

    def prepare_broken(plan: JudgePlan, folders: Mapping[str, Path]) -> Path:
        folder = prepare(plan, folders)
        begun = launcher.states[folder][0]
        launcher.states[folder] = [begun, begun.fail(Failure(FailureCode.DISK_FULL, {"path": "/somewhere"}))]
        return folder

    monkeypatch.setattr(launcher, "prepare", prepare_broken)
    page = open_judge(story_window, qtbot)
    page.plan.models.tick()
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: bool(page.plan.trouble.text()), timeout=WAIT)
    assert page.plan.isVisible()
    assert "/somewhere" in page.plan.trouble.text()
    page.plan.take_file(Path("/nowhere/prompts.txt"))
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: "prompts.txt" in page.plan.trouble.text(), timeout=WAIT)


def test_prompts_come_from_the_shelf_or_a_file(story_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    launcher = find_launcher(story_window)
    story_window.workroom.shelf.keep([ShelfPrompt(0, "A bell under the sea")])
    page = open_judge(story_window, qtbot)
    qtbot.waitUntil(page.plan.shelf_choice.isEnabled, timeout=WAIT)
    page.plan.models.tick()
    page.plan.shelf_choice.setChecked(True)
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.report.isVisible(), timeout=WAIT)
    assert [prompt for prompt, _story in launcher.plans[-1][0].pairs] == ["A bell under the sea"]
    press(page.report.again_button)
    path = tmp_path / "prompts.txt"
    path.write_text("A lamp\nA door\n", encoding="utf-8")
    page.plan.take_file(path)
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.report.isVisible(), timeout=WAIT)
    assert list(launcher.plans[-1][0].pairs) == [("A lamp", ""), ("A door", "")]
    assert not launcher.plans[-1][0].data


def test_settings_are_tried_and_ranked(story_window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = find_launcher(story_window)

    def read_report(folder: Path) -> JudgeReport:
        ranks = (RankedSettings(1, 0.2, 0.1, 0.3, False, {}), RankedSettings(0, 0.9, 0.8, 1.0, True, {}))
        return replace(make_report(folder), settings=("temperature 0.7", "temperature 1.1"), sweeps={"starter": ranks})

    monkeypatch.setattr(launcher, "read_report", read_report)
    page = open_judge(story_window, qtbot)
    page.plan.models.tick()
    press(page.plan.sweep.button)
    field = page.plan.fields["temperature"]
    QTest.keyClicks(field, "0.7 warm")
    assert not page.plan.start_button.isEnabled()
    assert "no number" in page.plan.count.text()
    field.clear()
    QTest.keyClicks(field, "0.7 1,1")
    QTest.keyClicks(page.plan.fields["min_p"], "0")
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.report.isVisible(), timeout=WAIT)
    assert launcher.plans[-1][0].settings == ({"temperature": 0.7, "min_p": 0.0}, {"temperature": 1.1, "min_p": 0.0})
    ranking = page.report.tried.ranking
    assert [read_cell(ranking, row, 0) for row in range(2)] == ["temperature 1.1", "temperature 0.7"]
    assert [read_cell(ranking, row, 2) for row in range(2)] == ["nearest to people's stories", "surely further away"]
    page.report.settings.setCurrentIndex(1)  # nothing was measured with these but what no settings matter to
    assert read_cell(page.report.table, 0, 2) == "40.0 (38.0 to 42.0)"


def test_a_job_left_at_work_is_followed(story_window: MainWindow, qtbot: QtBot) -> None:
    launcher = find_launcher(story_window)
    desk = story_window.workroom.desk
    folder = desk.judge_jobs.prepare(JudgePlan((desk.models.active,), (("A bell", ""),)))
    launcher.alive.add(folder)
    page = open_judge(story_window, qtbot)
    qtbot.waitUntil(lambda: page.report.isVisible(), timeout=WAIT)


def test_earlier_jobs_have_names_and_come_back_from_the_trash(story_window: MainWindow, qtbot: QtBot) -> None:
    launcher = find_launcher(story_window)
    jobs = story_window.workroom.desk.judge_jobs
    folders = [
        jobs.prepare(JudgePlan(("starter",), (("A bell", ""),) * 12)),
        jobs.prepare(JudgePlan(("starter",), (("A bell", ""),), settings=({}, {"top_p": 0.9}), title="Bells")),
    ]
    launcher.states[folders[0]] = launcher.states[folders[0]][:2]
    page = open_judge(story_window, qtbot)
    lines = [page.plan.jobs.item(row).text() for row in range(2)]
    assert lines[0].startswith("starter · 12 prompts · ")
    assert all("2026" in line for line in lines)
    assert lines[0].endswith("broken off, 1 of 4 steps")
    assert lines[1].startswith("Bells · 1 prompt · 2 choices of settings · ")
    assert lines[1].endswith("finished")
    page.plan.jobs.setCurrentRow(1)
    press(page.plan.delete_button)
    qtbot.waitUntil(lambda: page.plan.jobs.count() == 1, timeout=WAIT)
    assert page.plan.undo_bar.label.text() == "“Bells” is in the trash for 30 days."
    press(page.plan.undo_bar.button)
    qtbot.waitUntil(lambda: page.plan.jobs.count() == 2, timeout=WAIT)
    page.plan.jobs.setFocus()
    page.plan.jobs.setCurrentRow(0)
    launcher.alive.add(folders[0])  # somebody went on with it in the meantime
    QTest.keyClick(page.plan.jobs, Qt.Key.Key_Delete)
    qtbot.waitUntil(page.run.isVisible, timeout=WAIT)  # it stays, and is shown at work
    assert folders[0] in launcher.states


def test_values_to_try_are_read_as_people_write_them() -> None:
    assert read_values("temperature", "0.7, 0,9; 1.1 0.7").values == (0.7, 0.9, 1.1)
    assert read_values("temperature", "").values == ()
    assert not read_values("temperature", "").problem
    for wrong in ("warm", "7", "-1", "nan", "inf"):
        assert read_values("temperature", wrong).problem
