"""Closing the window while a model is learning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from storydesk.domain.tuning import RunState, RunStatus, TuningPlan
from storydesk.ui.main_window import MainWindow
from storydesk.ui.questions import Leaving
from tests.fakes.services import FakeRun, FakeWorld
from tests.gui.conftest import WAIT

Open = Callable[[FakeWorld], MainWindow]


def _starter(runs: list[FakeRun], state: RunState) -> Callable[[Path], FakeRun]:
    """Return what starts runs that never end by themselves."""

    def start(folder: Path) -> FakeRun:
        runs.append(FakeRun(folder, [state]))
        return runs[-1]

    return start


@pytest.mark.parametrize(
    ("answer", "detached", "stopped"), [(Leaving.GO_ON, True, False), (Leaving.PAUSE, False, True)]
)
def test_a_tuning_goes_on_or_waits_as_the_writer_says(
    open_window: Open,
    world: FakeWorld,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    answer: Leaving,
    detached: bool,
    stopped: bool,
) -> None:
    runs: list[FakeRun] = []
    state = RunState("r", world.home, RunStatus.RUNNING, stage="tuning", step=1, total_steps=9)
    monkeypatch.setattr(world.launcher, "start", _starter(runs, state))
    story = world.home / "story.txt"
    story.write_text("A story.", encoding="utf-8")
    window = open_window(world)
    window.actions_by_name["tune"].trigger()
    controller = window.side.find_tuning()
    controller.start(lambda: TuningPlan("my voice", "", (str(story),)))
    qtbot.waitUntil(lambda: controller.state == state, timeout=WAIT)
    answers = [Leaving.STAY, answer]
    monkeypatch.setattr("storydesk.ui.side_pages.ask_about_tuning", lambda _window: answers.pop(0))
    assert not window.close()
    assert window.isVisible()
    assert window.close()
    assert (runs[0].detached, runs[0].stopped) == (detached, stopped)


def test_nobody_is_asked_where_the_system_ends_the_session(
    open_window: Open, world: FakeWorld, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[FakeRun] = []
    state = RunState("r", world.home, RunStatus.RUNNING, stage="tuning", step=1, total_steps=9)
    monkeypatch.setattr(world.launcher, "start", _starter(runs, state))
    world.launcher.alone = [world.home / "runs" / "r"]
    window = open_window(world)
    window.side.look_for_runs()
    controller = window.side.find_tuning()
    qtbot.waitUntil(lambda: controller.state == state, timeout=WAIT)
    window.side.asks = False
    assert window.close()
    assert runs[0].stopped
