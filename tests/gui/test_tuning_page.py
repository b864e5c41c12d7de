"""The four steps as a writer goes through them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_controller import TuningController
from storydesk.domain.failures import Failure
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.tuning import RunState, RunStatus, StoryFigures
from storydesk.ui.tuning import TuningPage
from storydesk.ui.tuning.change_step import ChangeStep
from storydesk.ui.tuning.curves import smooth
from storydesk.ui.tuning.run_step import RunStep, measure_progress
from storydesk.ui.tuning.story_picker import StoryPicker
from storydesk.ui.tuning.tuning_page import CHANGE, PLAN, RUN, WORDS
from tests.fakes.services import FakeSettings, FakeWorld
from trainer.protocol.messages import Stage


@pytest.fixture
def world(studio_world: FakeWorld) -> FakeWorld:
    return studio_world


@pytest.fixture
def page(studio: TuningPage) -> TuningPage:
    return studio


def press(button: QWidget) -> None:
    """Press a button by key, as someone without a mouse does."""
    assert button.isVisible()
    assert button.isEnabled()
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def go_to_plan(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    page.words.add_paths([world.home / "tale.txt"])
    qtbot.waitUntil(lambda: page.words.counted is not None)
    press(page.words.next_button)
    assert page.step == PLAN


def test_from_words_to_the_adopted_model(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    changed: list[str] = []
    page.model_changed.connect(changed.append)
    assert page.step == WORDS
    assert not page.words.next_button.isEnabled()
    go_to_plan(page, world, qtbot)
    assert "1 text" in page.plan.words
    assert "starter" in page.plan.words
    page.plan.name_field.setText("Salt")
    page.plan.minutes_box.setValue(3)
    assert "5 minutes" in page.plan.words
    press(page.plan.start_button)
    assert page.step == RUN
    qtbot.waitUntil(lambda: page.step == CHANGE)
    qtbot.waitUntil(lambda: bool(changed))
    plan = world.launcher.plans[0]
    assert (plan.name, plan.base, plan.minutes) == ("Salt", "starter", 3.0)
    assert plan.data == (str(world.home / "tale.txt"),)
    assert changed == ["Salt"]
    assert "33 percent less" in page.change.said.text()
    assert "30.0 → 20.0" in page.change.figures.text()
    assert "Salt is in use now" in page.change.in_use.text()


def test_the_old_model_can_be_kept(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    changed: list[str] = []
    page.model_changed.connect(changed.append)
    go_to_plan(page, world, qtbot)
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.step == CHANGE)
    press(page.change.keep_button)
    qtbot.waitUntil(lambda: changed[-1:] == ["starter"])
    assert world.settings.get(ACTIVE_MODEL) == "starter"
    press(page.change.use_button)
    qtbot.waitUntil(lambda: changed[-1:] == ["My voice"])
    assert world.settings.get(ACTIVE_MODEL) == "My voice"


def test_a_model_that_is_no_better_is_used_only_on_request(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.launcher.after = 33.0
    go_to_plan(page, world, qtbot)
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.step == CHANGE)
    assert page.change.heading.text() == "No better than before"
    assert world.settings.get(ACTIVE_MODEL) == "starter"
    with qtbot.waitSignal(page.model_changed, timeout=5000):
        press(page.change.use_button)
    assert world.settings.get(ACTIVE_MODEL) == "My voice"


def test_pausing_and_going_on(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    state = RunState("r", world.home / "runs" / "My voice", RunStatus.RUNNING, stage="tuning", step=1, total_steps=9)
    world.launcher.states = [state]
    go_to_plan(page, world, qtbot)
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.run.stage.text() == "Learning your voice")
    press(page.run.pause_button)
    qtbot.waitUntil(lambda: page.step == CHANGE)
    assert page.change.heading.text() == "Paused"
    assert "step 3" in page.change.said.text()
    world.launcher.states = None
    press(page.change.resume_button)
    qtbot.waitUntil(lambda: page.change.heading.text() == "Your voice is ready")


def test_cancelling_asks_once(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.launcher.states = [RunState("r", world.home, RunStatus.RUNNING, stage="tuning", step=1, total_steps=9)]
    go_to_plan(page, world, qtbot)
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.run.stage.text() == "Learning your voice")
    press(page.run.cancel_button)
    assert page.run.cancel_button.text() == "Cancel the tuning?"
    assert page.step == RUN
    press(page.run.cancel_button)
    qtbot.waitUntil(lambda: page.step == CHANGE)
    assert page.change.heading.text() == "Cancelled"
    press(page.change.again_button)
    assert page.step == PLAN


def test_too_little_text_is_said_with_a_remedy(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    state = RunState("r", world.home, RunStatus.RUNNING)
    failure = Failure("too_little_text", {"stories": 1, "words": 300, "needed_stories": 4})
    world.launcher.states = [state, state.fail(failure)]
    go_to_plan(page, world, qtbot)
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.step == CHANGE)
    assert "too little to learn" in page.change.said.text()
    assert "4 stories are the least" in page.change.said.text()


def test_a_broken_off_run_is_offered(world: FakeWorld, phrases: Phrases, qtbot: QtBot) -> None:
    broken = RunState("r", world.home / "runs" / "r", RunStatus.RUNNING, stage="tuning", step=5, total_steps=10)
    world.launcher.broken_off = [broken]
    controller = TuningController(world.desk.tuning)
    page = TuningPage(controller, world.desk, phrases)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page.offer.isVisible)
    assert "47 percent" in page.offer_text.text()
    press(page.go_on_button)
    qtbot.waitUntil(lambda: page.change.heading.text() == "Your voice is ready")
    assert not page.offer.isVisible()
    page.close_jobs()
    assert controller.close(5.0)


def test_sources_are_counted_named_and_removed(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    (world.home / "bad.png").write_text("x", encoding="utf-8")
    world.library.add_story("The Door", "", "It was warm.")
    world.data_folders.stories = [("tale", "", "word " * 300)]
    assert page.words.list.empty.isVisible()
    page.words.add_paths([world.home / "tale.txt", world.home / "bad.png", world.home / "tale.txt"])
    page.words.add_stories(world.library.list_stories())
    qtbot.waitUntil(lambda: page.words.counted is not None)
    assert page.words.list.lines.topLevelItemCount() == 3
    assert page.words.total.text() == "2 texts, 303 words"
    assert "bad.png: The format png is not known." in page.words.unread.text()
    assert page.words.next_button.isEnabled()
    second = page.words.list.lines.topLevelItem(1)
    assert second is not None
    second.setSelected(True)
    page.words.list.lines.setFocus()
    QTest.keyClick(page.words.list.lines, Qt.Key.Key_Delete)
    assert [source.name for source in page.words.sources] == ["tale.txt", "Stories of your library"]
    assert not page.words.unread.isVisible()
    page.words.add_stories([])
    assert [source.name for source in page.words.sources] == ["tale.txt"]


def test_library_stories_are_picked(world: FakeWorld, qtbot: QtBot) -> None:
    stories = [world.library.add_story("One"), world.library.add_story("")]
    picker = StoryPicker(stories)
    qtbot.addWidget(picker)
    assert picker.chosen == stories
    item = picker._list.item(0)
    assert item is not None
    item.setCheckState(Qt.CheckState.Unchecked)
    assert picker.chosen == stories[1:]


def test_a_run_is_told_in_words(phrases: Phrases, qtbot: QtBot, tmp_path: Path) -> None:
    step = RunStep(phrases, FakeSettings())
    qtbot.addWidget(step)
    step.show()
    state = RunState(
        "r",
        tmp_path,
        RunStatus.RUNNING,
        stage="tuning",
        device="cpu",
        step=5,
        total_steps=10,
        losses=((1, 3.4), (5, 3.1)),
        heldout=((0, 30.0), (5, 26.0)),
        seconds_left=200,
        training_documents=64,
        heldout_documents=8,
        words=21000,
        dropped={"too_short": 2},
        perplexity_before=30.0,
        samples=(("A door.", "It was warm."),),
        notices=(Failure("device_failed", {"device": "GPU", "detail": "no driver"}),),
    )
    step.show_state(state)
    assert step.stage.text() == "Learning your voice"
    assert step.detail.text() == "about 4 minutes left · on the processor · step 5 of 10"
    assert "30.0 before → 26.0 now" in step.surprise.text()
    assert "Learns from 64 texts" in step.corpus.text()
    assert "2 × too short" in step.corpus.text()
    assert "GPU could not be used" in step.notices.text()
    assert step.samples.isVisible()
    assert not step.plots.is_empty
    step.begin()
    assert not step.samples.isVisible()
    step.close_jobs()


def test_progress_never_goes_back(tmp_path: Path) -> None:
    state = RunState("r", tmp_path, RunStatus.RUNNING, total_steps=4)
    places = [(stage, at) for stage in Stage for at in (range(5) if stage is Stage.TUNING else (4,))]
    shares = [measure_progress(replace(state, stage=stage.value, step=at)) for stage, at in places]
    assert shares == sorted(shares)
    assert shares[-1] < 1.0
    assert measure_progress(replace(state, status=RunStatus.COMPLETED)) == 1.0
    assert measure_progress(replace(state, stage="something_newer")) == 0.0


def test_smoothing_starts_at_the_first_value_and_follows() -> None:
    assert smooth([(1, 4.0)])[0][1] == pytest.approx(4.0)
    flat = smooth([(step, 2.0) for step in range(50)])
    assert all(value == pytest.approx(2.0) for _, value in flat)


def test_everything_that_can_be_pressed_has_a_name_and_is_reached_by_key(page: TuningPage) -> None:
    for button in page.findChildren(QAbstractButton):
        assert button.text() or button.accessibleName(), button
        if button.isVisibleTo(page) and not button.objectName().startswith("qt_"):
            assert button.focusPolicy() & Qt.FocusPolicy.TabFocus, button.text()
    for name in (page.words.list.lines, page.run.bar, page.steps):
        assert name.accessibleName()


def _change_step(phrases: Phrases, world: FakeWorld, qtbot: QtBot) -> ChangeStep:
    step = ChangeStep(phrases, world.settings, lambda name: f"# {name}")
    qtbot.addWidget(step)
    step.show()
    return step


def test_stories_of_before_and_after_stand_side_by_side(
    world: FakeWorld, phrases: Phrases, qtbot: QtBot, tmp_path: Path
) -> None:
    step = _change_step(phrases, world, qtbot)
    state = RunState(
        "r",
        tmp_path,
        RunStatus.COMPLETED,
        samples=(("A door.", "It was warm."),),
        samples_before=(("A door.", "It was the the."),),
        stories=(
            StoryFigures("before", 0.5, 0.2, 2, "it was", 0.0),
            StoryFigures("after", 0.9, 0.05, 4, "the bell had rung", 0.0),
        ),
    )
    step._show_run(state)
    texts = [label.text() for label in step.samples.findChildren(QLabel)]
    assert texts[-4:] == ["Before", "It was the the.", "Now", "It was warm."]
    assert "Not learnt by heart: at most 4 words" in step.copying.text()
    assert "50% → 90%" in step.copying.text()


def test_a_model_that_knows_its_stories_by_heart_is_told_of(
    world: FakeWorld, phrases: Phrases, qtbot: QtBot, tmp_path: Path
) -> None:
    step = _change_step(phrases, world, qtbot)
    heart = StoryFigures("after", 0.9, 0.0, 31, "and then the bell rang over the wall", 0.4)
    step._show_run(RunState("r", tmp_path, RunStatus.COMPLETED, stories=(heart,)))
    assert "Learnt by heart in part: 31 words in a row" in step.copying.text()
    assert "the bell rang over the wall" in step.copying.text()
    step._show_run(None)
    assert not step.copying.isVisible()


def test_the_best_so_far_can_be_kept_while_it_learns(world: FakeWorld, phrases: Phrases, qtbot: QtBot) -> None:
    step = RunStep(phrases, world.settings)
    qtbot.addWidget(step)
    assert not step.best_button.isEnabled()
    state = RunState("r", world.home, RunStatus.RUNNING, stage="tuning", step=3, total_steps=9)
    step.show_state(state)
    with qtbot.waitSignal(step.best_wanted):
        step.best_button.click()
    step.show_state(state)
    assert not step.best_button.isEnabled()


def test_a_run_that_waits_can_be_thrown_away(world: FakeWorld, phrases: Phrases, qtbot: QtBot) -> None:
    broken = RunState("old", world.home / "runs" / "old", RunStatus.STOPPED, stage="tuning", checkpoint_step=3)
    world.launcher.broken_off = [broken]
    controller = TuningController(world.desk.tuning)
    page = TuningPage(controller, world.desk, phrases)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page.offer.isVisible)
    press(page.discard_button)
    qtbot.waitUntil(lambda: world.launcher.discarded == [broken.folder])
    assert not page.offer.isVisible()
    page.close_jobs()
    assert controller.close(5.0)


def test_the_plan_says_what_a_look_at_this_computer_found(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    go_to_plan(page, world, qtbot)
    assert "Looking at your words" in page.plan.foresight.text()
    qtbot.waitUntil(lambda: "of memory" in page.plan.foresight.text())
    assert "works on the processor and changes starter as a whole" in page.plan.words
    assert "3 times takes about 6 minutes" in page.plan.words
    assert "8.0 GB free" in page.plan.foresight.text()
    page.plan.minutes_box.setValue(1)
    assert "it ends after" in page.plan.words
    assert not world.launcher.plans  # nothing was begun
    assert world.launcher.discarded


def test_too_large_a_base_is_said_before_anything_runs(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    planned = world.launcher.foresight.planned
    assert planned is not None
    tight = replace(planned, adapters=True, memory_needed=9 * 10**9)
    world.launcher.foresight = replace(world.launcher.foresight, planned=tight)
    go_to_plan(page, world, qtbot)
    qtbot.waitUntil(lambda: "choose a smaller base" in page.plan.foresight.text())
    assert "small additions learn (LoRA)" in page.plan.words


def test_too_little_text_is_said_with_the_plan(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    failure = Failure("too_little_text", {"stories": 1, "words": 300, "needed_stories": 4})
    world.launcher.foresight = RunState("plan", world.home, RunStatus.FAILED, failure=failure)
    go_to_plan(page, world, qtbot)
    qtbot.waitUntil(lambda: "4 stories are the least" in page.plan.foresight.text())
    page.plan.every.set_settings({"epochs": 5})  # another choice is looked at anew
    world.launcher.foresight = replace(world.launcher.foresight, failure=None, status=RunStatus.STOPPED)
    assert "Looking at your words" in page.plan.foresight.text()
