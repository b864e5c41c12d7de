"""Tuning beside the window: from the plan to the model in use, stopping, failing, and closing the app."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from storydesk.bridge.tuning_controller import TuningController
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.tuning import RunState, RunStatus, TuningPlan
from storydesk.services.tuning import TuningOutcome
from tests.fakes.services import FakeRun, FakeWorld, make_world


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path)


@pytest.fixture
def controller(world: FakeWorld, qtbot: QtBot) -> Iterator[TuningController]:
    made = TuningController(world.desk.tuning, grace_seconds=0.3)
    yield made
    assert made.close(5.0)
    assert not any(thread.name in ("tuning", "job") for thread in threading.enumerate())


def make_plan(world: FakeWorld) -> Callable[[], TuningPlan]:
    story = world.home / "story.txt"
    story.write_text("A story.", encoding="utf-8")
    return lambda: TuningPlan("my voice", "", (str(story),))


def run_for_ever(world: FakeWorld) -> None:
    """Let the next run stay at its first state until it is stopped."""
    world.launcher.states = [RunState("r", world.home, RunStatus.RUNNING, stage="tuning", step=1, total_steps=9)]


def test_a_run_ends_in_a_model_that_is_in_use(controller: TuningController, world: FakeWorld, qtbot: QtBot) -> None:
    states: list[RunState] = []
    busy: list[bool] = []
    changed: list[str] = []
    controller.state_changed.connect(states.append)
    controller.busy_changed.connect(busy.append)
    controller.model_changed.connect(changed.append)
    with qtbot.waitSignal(controller.finished, timeout=5000) as finished:
        controller.start(make_plan(world))
        assert controller.busy
    outcome = finished.args[0]
    assert isinstance(outcome, TuningOutcome)
    assert outcome.adopted
    assert [state.status for state in states] == [RunStatus.RUNNING, RunStatus.COMPLETED]
    assert controller.state == states[-1]
    qtbot.waitUntil(lambda: bool(changed))
    assert busy == [True, False]
    assert world.settings.get(ACTIVE_MODEL) == changed[0]


def test_a_model_that_is_no_better_is_kept_on_the_shelf(
    controller: TuningController, world: FakeWorld, qtbot: QtBot
) -> None:
    world.launcher.after = 31.0
    with qtbot.waitSignal(controller.finished, timeout=5000) as finished:
        controller.start(make_plan(world))
    assert not finished.args[0].adopted
    assert finished.args[0].model is not None
    assert world.settings.get(ACTIVE_MODEL) == "starter"


def test_stopping_ends_a_run_that_can_go_on(controller: TuningController, world: FakeWorld, qtbot: QtBot) -> None:
    run_for_ever(world)
    with qtbot.waitSignal(controller.state_changed, timeout=5000):
        controller.start(make_plan(world))
    with qtbot.waitSignal(controller.finished, timeout=5000) as finished:
        controller.stop()
    assert finished.args[0].state.status is RunStatus.STOPPED
    assert finished.args[0].state.checkpoint_step == 3


def test_a_second_start_while_busy_changes_nothing(
    controller: TuningController, world: FakeWorld, qtbot: QtBot
) -> None:
    run_for_ever(world)
    with qtbot.waitSignal(controller.state_changed, timeout=5000):
        controller.start(make_plan(world))
    controller.start(make_plan(world))
    controller.resume(world.home)
    assert len(world.launcher.plans) == 1


def test_a_trainer_that_does_not_listen_is_killed_after_its_grace(
    controller: TuningController, world: FakeWorld, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_for_ever(world)
    monkeypatch.setattr(FakeRun, "stop", lambda self: None)
    with qtbot.waitSignal(controller.state_changed, timeout=5000):
        controller.start(make_plan(world))
    with qtbot.waitSignal(controller.finished, timeout=5000) as finished:
        controller.stop()
    assert finished.args[0].state.status is RunStatus.STOPPED


def test_cancelling_is_no_failure_of_the_trainer(
    controller: TuningController, world: FakeWorld, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_for_ever(world)

    def poll_killed(run: FakeRun) -> RunState:
        state = RunState("r", run.folder, RunStatus.RUNNING)
        return state.fail(Failure(FailureCode.TRAINER_ENDED, {"exit_code": -9, "log": "x"})) if run.killed else state

    monkeypatch.setattr(FakeRun, "poll", poll_killed)
    with qtbot.waitSignal(controller.state_changed, timeout=5000):
        controller.start(make_plan(world))
    with qtbot.waitSignal(controller.failed, timeout=5000) as failed:
        controller.kill()
    assert failed.args[0].code == FailureCode.CANCELLED


def test_a_plan_that_cannot_work_fails_before_anything_starts(
    controller: TuningController, world: FakeWorld, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(controller.failed, timeout=5000) as failed:
        controller.start(lambda: TuningPlan("my voice", "", ("/no/such/story.txt",)))
    assert failed.args[0].code == FailureCode.FILE_NOT_FOUND
    assert not controller.busy


def test_the_trainer_s_own_failure_is_handed_on(controller: TuningController, world: FakeWorld, qtbot: QtBot) -> None:
    state = RunState("r", world.home, RunStatus.RUNNING)
    world.launcher.states = [state, state.fail(Failure("too_little_text", {"stories": 1, "words": 9}))]
    with qtbot.waitSignal(controller.failed, timeout=5000) as failed:
        controller.start(make_plan(world))
    assert failed.args[0].code == "too_little_text"


def test_broken_off_runs_are_found_and_go_on(controller: TuningController, world: FakeWorld, qtbot: QtBot) -> None:
    broken = RunState("r", world.home / "runs" / "r", RunStatus.RUNNING, stage="tuning", step=4, total_steps=9)
    world.launcher.broken_off = [broken]
    with qtbot.waitSignal(controller.unfinished_found, timeout=5000) as found:
        controller.look_for_unfinished()
    assert found.args[0] == (broken,)
    with qtbot.waitSignal(controller.finished, timeout=5000) as finished:
        controller.resume(broken.folder)
    assert finished.args[0].adopted


def test_closing_the_app_stops_the_run_and_says_nothing_more(
    world: FakeWorld, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = TuningController(world.desk.tuning)
    run_for_ever(world)
    stopped: list[Path] = []
    stop = FakeRun.stop

    def stop_and_note(run: FakeRun) -> None:
        stopped.append(run.folder)
        stop(run)

    monkeypatch.setattr(FakeRun, "stop", stop_and_note)
    with qtbot.waitSignal(controller.state_changed, timeout=5000):
        controller.start(make_plan(world))
    heard: list[object] = []
    controller.finished.connect(heard.append)
    assert controller.close(5.0)
    qtbot.wait(20)
    assert heard == []
    assert stopped == [world.home / "runs" / "my voice"]


def test_a_run_that_was_left_at_work_is_followed_and_its_model_installed(
    controller: TuningController, world: FakeWorld, qtbot: QtBot
) -> None:
    folder = world.desk.tuning.prepare(TuningPlan("mine", "starter", (str(world.home),)))
    world.launcher.alone = [folder]
    with qtbot.waitSignal(controller.finished) as caught:
        controller.look_for_runs_left_alone()
    assert caught.args[0].adopted
