"""Improve from my feedback as a writer goes through it: look, leave out, one button, what changed, and back."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from storydesk.domain.failures import Failure
from storydesk.domain.judging import Entry, Side
from storydesk.domain.tuning import ChoicePrediction, RunState, RunStatus
from storydesk.services.desk import Desk
from storydesk.ui.judging.changed_words import mark_changes
from storydesk.ui.judging.improve_page import ImprovePage
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT

PROMPTS = 40


def choose(desk: Desk, prompts: int = PROMPTS) -> None:
    """Let somebody choose the shorter text on so many prompts."""
    entries = [
        Entry(f"A bell in the fog, {number}", f"The bell rang {word} for number {number}.", word)
        for number in range(prompts)
        for word in ("once", "on and on and on")
    ]
    sheet, rater = desk.judging.add_pairs("Pairs", entries, seed=1), desk.judging.add_rater("Mara")
    for item in desk.judging.sit_down(sheet.id, rater.id).items:
        desk.judging.choose(sheet.id, rater.id, item.item_id, Side.LEFT if "once" in item.texts[0] else Side.RIGHT)


def make_states(world: FakeWorld, loss: float, perplexity: float, notice: str = "") -> list[RunState]:
    """Return a run that learns from choices, gives a notice and ends."""
    begun = RunState("r", world.home / "runs" / "my-voice", RunStatus.RUNNING, stage="tuning", step=1, total_steps=4)
    choices = (ChoicePrediction("before", 0, 8, 0.5, math.log(2)), ChoicePrediction("after", 4, 8, 0.75, loss))
    ended = replace(
        begun,
        status=RunStatus.COMPLETED,
        step=4,
        perplexity_before=30.0,
        perplexity_after=perplexity,
        choices=choices,
        notices=(Failure(notice, {"pairs": 8}),) if notice else (),
        bundle=world.home / "found-1",
    )
    return [begun, ended]


def open_improving(window: MainWindow, qtbot: QtBot) -> ImprovePage:
    window.activateWindow()
    window.actions_by_name["judge"].trigger()
    page = window.judging.page
    page.sheets.improve_button.click()
    qtbot.waitUntil(lambda: bool(page.improve.gather.way.text()), timeout=WAIT)
    return page.improve


def press(button: QWidget) -> None:
    QTest.keyClick(button, Qt.Key.Key_Space)


@pytest.fixture
def known(world: FakeWorld) -> FakeWorld:
    path = world.home / "tales.jsonl"
    path.write_text('{"prompt": "A bell", "story": "It rang."}', encoding="utf-8")
    world.launcher.learned_from = (str(path),)
    return world


def test_before_anything_was_said_it_tells_what_is_missing(story_window: MainWindow, qtbot: QtBot) -> None:
    page = open_improving(story_window, qtbot)
    assert "too little" in page.gather.way.text()
    assert "20 more" in page.gather.way.text()
    assert not page.gather.improve_button.isEnabled()
    assert not page.gather.list.isVisible()
    assert not page.gather.name_field.isVisible(), "there is nothing to name"
    assert page.gather.sheet_button.hasFocus()
    press(page.gather.sheet_button)
    judging = story_window.judging.page
    qtbot.waitUntil(judging.new.isVisible, timeout=WAIT)


def test_feedback_is_looked_through_left_out_and_taken_back(story_window: MainWindow, qtbot: QtBot) -> None:
    choose(story_window.workroom.desk)
    page = open_improving(story_window, qtbot)
    shelf = page.gather.list
    assert f"choosing between two: {PROMPTS}" in page.gather.counts.text()
    assert shelf.list.count() == PROMPTS
    assert "once" in shelf.better.toPlainText()
    assert "on and on" in shelf.other.toPlainText()

    shelf.list.setFocus()
    QTest.keyClick(shelf.list, Qt.Key.Key_Down)
    QTest.keyClick(shelf.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: "left out: 1" in page.gather.counts.text(), timeout=WAIT)
    assert shelf.list.currentRow() == 1  # where the writer was
    assert "left out" in shelf.list.item(1).text()
    assert shelf.leave_button.text() == "Take back"
    press(shelf.undo_bar.button)
    qtbot.waitUntil(lambda: "left out" not in page.gather.counts.text(), timeout=WAIT)
    press(shelf.leave_button)
    qtbot.waitUntil(lambda: "left out: 1" in page.gather.counts.text(), timeout=WAIT)
    press(shelf.leave_button)
    qtbot.waitUntil(lambda: "left out" not in page.gather.counts.text(), timeout=WAIT)


def test_feedback_is_found_by_kind_and_words_and_several_are_left_out_at_once(
    story_window: MainWindow, qtbot: QtBot
) -> None:
    desk = story_window.workroom.desk
    choose(desk)
    page = open_improving(story_window, qtbot)
    shelf = page.gather.list
    feedback, _chances = desk.improving.look()
    shelf.kind.setCurrentText("Kept aside to check with")
    assert shelf.list.count() == sum(pair.held_out for pair in feedback.pairs) > 0
    assert all("kept aside" in shelf.list.item(row).text() for row in range(shelf.list.count()))
    shelf.kind.setCurrentText("Rated")
    assert shelf.nothing.isVisible()
    assert not shelf.leave_button.isEnabled()
    shelf.kind.setCurrentIndex(0)
    QTest.keyClicks(shelf.search, "NUMBER fog, 3")
    found = [number for number in range(PROMPTS) if "3" in str(number)]
    assert shelf.list.count() == len(found)
    assert "A bell in the fog" in shelf.context.text()
    assert "the fog, 3" in shelf.context.text()

    shelf.list.setFocus()
    shelf.list.selectAll()
    assert shelf.leave_button.text() == f"Leave out ({len(found)})"
    QTest.keyClick(shelf.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: f"left out: {len(found)}" in page.gather.counts.text(), timeout=WAIT)
    assert shelf.leave_button.text() == f"Take back ({len(found)})"
    assert shelf.undo_bar.label.text() == f"Left out: {len(found)}"
    press(shelf.undo_bar.button)
    qtbot.waitUntil(lambda: "left out" not in page.gather.counts.text(), timeout=WAIT)


def test_what_differs_between_the_two_is_marked_where_one_was_made_of_the_other(
    story_window: MainWindow, qtbot: QtBot
) -> None:
    choose(story_window.workroom.desk)
    shelf = open_improving(story_window, qtbot).gather.list
    (mark,) = shelf.better.extraSelections()
    assert mark.cursor.selectedText() == "once"
    assert mark.format.fontUnderline()
    (gone,) = shelf.other.extraSelections()
    assert gone.cursor.selectedText() == "on and on and on"
    assert gone.format.fontStrikeOut()
    shelf.better.setPlainText("A 🔔 rang, and nothing else is the same as there.")
    shelf.other.setPlainText("Whoever reads this, reads quite another text.")
    mark_changes(shelf.other, shelf.better)
    assert not shelf.better.extraSelections()
    shelf.other.setPlainText("A 🔔 hung, and nothing else is the same as there.")
    mark_changes(shelf.other, shelf.better)
    assert [each.cursor.selectedText() for each in shelf.better.extraSelections()] == ["rang"]


def test_the_new_model_has_the_name_and_the_seed_that_were_chosen(
    known: FakeWorld, story_window: MainWindow, qtbot: QtBot
) -> None:
    known.launcher.states = make_states(known, 0.5, 30.6)
    choose(story_window.workroom.desk)
    page = open_improving(story_window, qtbot)
    assert page.gather.name_field.text() == "My voice"
    page.gather.name_field.clear()
    QTest.keyClicks(page.gather.name_field, "By ear")
    page.gather.seed_box.setValue(11)
    page.gather.list.leave_button.click()
    qtbot.waitUntil(lambda: "left out: 1" in page.gather.counts.text(), timeout=WAIT)
    assert page.gather.name_field.text() == "By ear", "what was typed stays"
    press(page.gather.improve_button)
    qtbot.waitUntil(lambda: page.change.isVisible(), timeout=WAIT)
    plan = known.launcher.plans[-1]
    assert (plan.name, plan.seed) == ("By ear", 11)


def test_one_button_improves_and_the_old_model_is_a_button_away(
    known: FakeWorld, story_window: MainWindow, qtbot: QtBot
) -> None:
    desk = story_window.workroom.desk
    known.launcher.states = make_states(known, 0.5, 30.6)
    choose(desk)
    before = desk.models.active
    page = open_improving(story_window, qtbot)
    press(page.gather.improve_button)
    assert page.run.isVisible()
    qtbot.waitUntil(lambda: page.change.isVisible(), timeout=WAIT)
    assert page.change.heading.text() == "It has learnt your taste"
    assert "75%" in page.change.said.text()
    assert "50%" in page.change.said.text()
    assert "30.0 → 30.6" in page.change.figures.text()
    assert "your choices better" in page.change.why.text()
    assert desk.models.active != before
    press(page.change.keep_button)
    qtbot.waitUntil(lambda: desk.models.active == before, timeout=WAIT)
    press(page.change.leave_button)
    assert story_window.judging.page.sheets.isVisible()


@pytest.mark.parametrize(
    ("loss", "perplexity", "notice", "reason"),
    [
        (0.5, 33.0, "", "forgotten how to write"),
        (math.log(2), 30.0, "choices_too_costly", "forgotten how to write"),
        (math.log(2), 30.0, "choices_not_learned", "no better"),
    ],
)
def test_what_is_no_better_is_not_taken_and_it_says_why(
    known: FakeWorld, story_window: MainWindow, qtbot: QtBot, loss: float, perplexity: float, notice: str, reason: str
) -> None:
    desk = story_window.workroom.desk
    known.launcher.states = make_states(known, loss, perplexity, notice)
    choose(desk)
    before = desk.models.active
    page = open_improving(story_window, qtbot)
    press(page.gather.improve_button)
    qtbot.waitUntil(lambda: page.change.isVisible(), timeout=WAIT)
    assert reason in page.change.why.text()
    assert desk.models.active == before
    press(page.change.again_button)
    assert page.gather.isVisible()
