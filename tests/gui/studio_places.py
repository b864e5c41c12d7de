"""The plan, the run and its end with something in them, as the list of places and the screenshots show them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QScrollArea, QWidget

from storydesk.bridge.tuning_sources import Measure
from storydesk.domain.tuning import (
    GraphParity,
    MachineFigures,
    PlannedRun,
    PromptRanking,
    RunState,
    RunStatus,
    SampleDuring,
    StoryFigures,
)
from storydesk.services.tuning import TuningOutcome
from storydesk.ui.main_window import MainWindow
from storydesk.ui.tuning import TuningPage
from storydesk.ui.tuning.tuning_page import CHANGE, PLAN, RUN

Wait = Callable[[Callable[[], bool]], None]

PLANNED = PlannedRun(
    "cpu",
    False,
    14_000_000,
    186,
    4,
    412.0,
    21_500,
    420_000_000,
    6_200_000_000,
    1_300_000_000,
    84_000_000_000,
    precision="bf16",
    batch_tokens=2048,
    learning_rate=2.5e-4,
    context=1024,
    seconds_per_step=2.1,
)
STEPS = 186
PROMPT = "She finds a door on the beach at low tide, and it is warm."
ON_THE_WAY = (
    SampleDuring(47, PROMPT, "The door was the door of the door. She was warm, and the sea had been gone for a long"),
    SampleDuring(93, PROMPT, "Mara put her hand flat on the wood. It was warm the way a stone is warm at night, and"),
)
BEFORE = "The man who had been in the house was a man of the world, and he had been in the house for a long time."
AFTER = (
    "The handle was warm. That was the first thing she would tell them afterwards, when they asked, and they would "
    "ask for the rest of her life: it was warm, and it turned."
)


def make_run(folder: Path, done: int = 120) -> RunState:
    """Return a run that got this far, with all that can be drawn."""
    chance = random.Random(7)
    steps = range(1, done + 1)
    heldout = tuple((at, 21.0 + 11.0 * math.exp(-at / 60)) for at in range(0, done + 1, 24))
    return RunState(
        "r",
        folder,
        RunStatus.RUNNING,
        stage="tuning",
        device="cpu",
        step=done,
        total_steps=STEPS,
        losses=tuple((at, 3.1 + 1.1 * math.exp(-at / 45) + chance.gauss(0, 0.12)) for at in steps),
        heldout=heldout,
        speeds=tuple((at, 1010 + chance.gauss(0, 40)) for at in steps),
        memories=tuple((at, 1.1e9 + 1e8 * (1 - math.exp(-at / 20))) for at in range(1, done + 1, 4)),
        temperatures=tuple((at, 44 + 20 * (1 - math.exp(-at / 30))) for at in range(1, done + 1, 4)),
        tokens_per_second=1010.0,
        seconds_left=140.0,
        machine=MachineFigures(process_memory=1_200_000_000, temperature=64.0),
        checkpoint_step=done,
        training_documents=64,
        heldout_documents=8,
        words=21_500,
        dropped={"too_short": 2},
        perplexity_before=32.0,
        samples_during=ON_THE_WAY,
    )


def make_end(folder: Path) -> RunState:
    """Return the same run at its end."""
    return replace(
        make_run(folder, STEPS),
        status=RunStatus.COMPLETED,
        perplexity_after=21.4,
        samples=((PROMPT, AFTER),),
        samples_before=((PROMPT, BEFORE),),
        stories=(
            StoryFigures("before", 0.61, 0.18, 2, "it was", 0.0),
            StoryFigures("after", 0.87, 0.04, 5, "for the rest of her", 0.0),
        ),
        prompt_rankings=(
            PromptRanking("before", 60, 10, 0.37, 0.26, 0.49),
            PromptRanking("after", 60, 10, 0.63, 0.51, 0.74),
        ),
        parity=(GraphParity("int8", "torch", 0.08, 21.43, 21.4),),
    )


def find_page(window: MainWindow) -> TuningPage:
    """Open the studio."""
    window.actions_by_name["tune"].trigger()
    page = window.pages.currentWidget()
    assert isinstance(page, TuningPage)
    return page


def open_plan(window: MainWindow, wait: Wait) -> QWidget:
    """Show the plan with what a look at the computer found, and its choices opened."""
    page = find_page(window)
    page._show_step(PLAN)
    page.plan.refresh(Measure(72, 21_500))
    wait(lambda: bool(page.plan.base.options))
    page.plan._look_due.stop()
    page.plan.show_foresight(PLANNED)
    page.plan.chosen.button.setChecked(True)
    page.plan.more.button.setChecked(False)
    return window


def open_settings(window: MainWindow, wait: Wait) -> QWidget:
    """Show every setting, two of them changed and one of those wrong."""
    page = find_page(window)
    open_plan(window, wait)
    page.plan.chosen.button.setChecked(False)
    page.plan.more.button.setChecked(True)
    page.plan.every.set_settings({"epochs": 3})
    page.plan.every.rows["schedule"].set_value("linear")
    page.plan.every.rows["dropout"].set_value(3.0)
    page.plan.every.rows["dropout"].changed.emit()
    page.plan._look_due.stop()
    for area in page.findChildren(QScrollArea):
        inside = area.widget()
        if inside is not None and area.isAncestorOf(page.plan.every):
            wait(page.plan.every.rows["epochs"].isVisible)
            bar = area.verticalScrollBar()
            wait(lambda: bar.maximum() > page.plan.every.height() // 2)  # noqa: B023 - called at once
            bar.setValue(page.plan.every.mapTo(inside, page.plan.every.rect().topLeft()).y())
    return window


def open_run(window: MainWindow, wait: Wait) -> QWidget:
    """Show a run with its curves drawn."""
    page = find_page(window)
    page.run.begin()
    page._show_step(RUN)
    page.run.show_state(make_run(window.workroom.desk.home / "runs" / "My voice"))
    wait(lambda: len(page.run.plots.plots) > 1)
    return window


def open_result(window: MainWindow, wait: Wait) -> QWidget:
    """Show what changed by a run that made something better."""
    page = find_page(window)
    model = window.workroom.desk.models.show(window.workroom.desk.models.active)
    state = make_end(window.workroom.desk.home / "runs" / "My voice")
    page.change.show_outcome(TuningOutcome(state, replace(model, name="My voice"), adopted=True))
    page._show_step(CHANGE)
    wait(lambda: len(page.change.plots.plots) > 1)
    return window
