"""The plan: what a tuning starts from and why, and every setting that there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from storydesk.bridge.phrases import Phrases
from storydesk.domain.base_choice import (
    BaseOption,
    Kind,
    Room,
    choose_base,
    count_weights,
    find_obstacle,
    fit_base,
    list_bases,
)
from storydesk.domain.failures import Failure
from storydesk.domain.run_settings import Value
from storydesk.domain.settings import TUNING_SETTINGS
from storydesk.domain.style_model import HubModel
from storydesk.domain.tuning import RunState, RunStatus, TuningPlan
from storydesk.training.launcher import TrainerLauncher
from storydesk.training.run_settings import estimate_needs, list_run_settings
from storydesk.ui.tuning import TuningPage
from storydesk.ui.tuning.plan_step import PlanStep
from storydesk.ui.tuning.setting_row import SettingRow
from storydesk.ui.tuning.tuning_page import PLAN
from tests.fakes.services import FakeWorld, make_model
from tests.gui.conftest import WAIT
from trainer.config import Hyperparameters
from trainer.protocol.codec import decode_request
from trainer.protocol.hyperparameters import DECLARATIONS

SMALL = HubModel("gpt2", "openai-community/gpt2", "0", 548_105_171, "00", "MIT")
LARGE = HubModel("gpt2-large", "openai-community/gpt2-large", "0", 3_247_159_078, "00", "MIT")
HERE = replace(
    make_model("gpt2", built_in=False), layers=12, width=768, positions=1024, vocabulary=50257, origin=SMALL.repository
)


@pytest.fixture
def world(studio_world: FakeWorld) -> FakeWorld:
    return studio_world


@pytest.fixture
def page(studio: TuningPage) -> TuningPage:
    return studio


def go_to_plan(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    page.words.add_paths([world.home / "tale.txt"])
    qtbot.waitUntil(lambda: page.words.counted is not None, timeout=WAIT)
    page.words.next_button.click()
    assert page.step == PLAN
    page.plan._look_due.setInterval(0)


@pytest.fixture
def plan(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> PlanStep:
    go_to_plan(page, world, qtbot)
    qtbot.waitUntil(lambda: "of memory" in page.plan.foresight.text(), timeout=WAIT)
    return page.plan


def put_elsewhere(row: SettingRow) -> Value:
    """Change a setting by its own field, as a writer would, and return what it is then."""
    field, setting = row.field, row.setting
    if isinstance(field, QComboBox):
        field.setCurrentIndex((field.currentIndex() + 1) % field.count())
    elif isinstance(field, QCheckBox):
        field.click()
    else:
        assert isinstance(field, QLineEdit)
        value = setting.high if setting.default != setting.high else setting.low
        field.setText(f"{value:.10g}")
    assert row.value is not None
    return row.value


def test_every_setting_stands_there_with_a_sentence_and_reaches_the_request(
    plan: PlanStep, world: FakeWorld, tmp_path: Path
) -> None:
    plan.more.button.click()
    assert list(plan.every.rows) == [setting.name for setting in list_run_settings()]
    assert set(plan.every.rows) == {declared.name for declared in DECLARATIONS}
    wanted = {}
    for name, row in plan.every.rows.items():
        shown = [label.text() for label in row.findChildren(QLabel) if label.isVisible()]
        assert row.words.title in shown
        assert row.words.sentence in shown
        assert row.field.isVisible()
        assert row.field.accessibleName() == row.words.title
        wanted[name] = put_elsewhere(row)
        assert row.value != row.setting.default
        assert row.reset_button.isVisible()
    assert plan.choices.settings == wanted
    assert plan.start_button.isEnabled()
    choices = plan.choices
    asked = TuningPlan(choices.name, choices.base, ("tale.txt",), choices.minutes, choices.seed, choices.settings)
    folder = TrainerLauncher(tmp_path / "runs").prepare(asked, tmp_path / "weights", tmp_path / "bundle")
    request = decode_request((folder / "request.json").read_text(encoding="utf-8"))
    assert request.settings == wanted
    heard = Hyperparameters.from_settings(request.settings)
    assert {name: getattr(heard, name) for name in wanted} == wanted


def test_what_can_t_be_is_said_while_it_is_typed(plan: PlanStep) -> None:
    plan.more.button.click()
    row = plan.every.rows["epochs"]
    assert isinstance(row.field, QLineEdit)
    for typed, said in (("2.5", "whole number"), ("two", "has to be a number"), ("5000", "has to be between 0 and")):
        row.field.setText(typed)
        assert said in row.problem.text()
        assert row.problem.isVisible()
        assert not plan.start_button.isEnabled()
        assert "can't be as it is typed" in plan.foresight.text()
    row.reset_button.click()
    assert not row.problem.isVisible()
    assert row.field.text() == "0"
    assert plan.start_button.isEnabled()


def test_a_setting_is_found_by_its_words(plan: PlanStep) -> None:
    plan.more.button.click()
    QTest.keyClicks(plan.every.search, "lora")
    shown = {name for name, row in plan.every.rows.items() if row.isVisible()}
    assert "method" in shown
    assert "dropout" not in shown
    assert not plan.every.nothing.isVisible()
    plan.every.search.setText("zebra")
    assert plan.every.nothing.isVisible()
    plan.every.search.clear()
    assert all(row.isVisible() for row in plan.every.rows.values())


def test_what_the_plan_makes_of_a_setting_stands_beside_it(plan: PlanStep, world: FakeWorld) -> None:
    planned = world.launcher.foresight.planned
    assert planned is not None
    plan.more.button.click()
    plan.show_foresight(replace(planned, precision="bf16", learning_rate=0.0002))
    assert "as planned: 3" in plan.every.rows["epochs"].range.text()
    assert "as planned: 0.0002" in plan.every.rows["learning_rate"].range.text()
    assert "as planned: 16 bits, wide (bf16)" in plan.every.rows["precision"].range.text()


def test_what_was_changed_is_said_kept_for_the_next_time_and_taken_back(
    plan: PlanStep, world: FakeWorld, phrases: Phrases, qtbot: QtBot
) -> None:
    assert not plan.by_hand.isVisible()
    plan.more.button.click()
    plan.every.rows["epochs"].set_value(5)
    plan.every.rows["epochs"].changed.emit()
    assert "Times each story is read: 5 (by itself: chosen for you)" in plan.by_hand.text()
    plan.start_button.click()
    assert world.settings.get(TUNING_SETTINGS) == '{"epochs": 5}'
    later = PlanStep(world.desk, phrases)
    qtbot.addWidget(later)
    assert later.choices.settings == {"epochs": 5}
    assert "Times each story is read: 5" in later.by_hand.text()
    later.as_usual_button.click()
    assert later.choices.settings == {}
    assert not later.by_hand.text()
    later.close_jobs()


def test_the_choices_are_told_in_sentences(plan: PlanStep, world: FakeWorld) -> None:
    planned = world.launcher.foresight.planned
    assert planned is not None
    plan.every.set_settings({"accumulation": 4})
    plan.show_foresight(
        replace(
            planned,
            adapters=True,
            precision="bf16",
            batch_tokens=2048,
            learning_rate=0.0002,
            context=512,
            seconds_per_step=2.5,
        )
    )
    plan.chosen.button.click()
    said = plan.chosen.inside
    assert isinstance(said, QLabel)
    assert said.isVisible()
    for part in (
        "starts from starter",
        "14 million",
        "LoRA",
        "3 times, in 90 steps",
        "4 times 2",
        "512 tokens",
        "0.0002",
        "bf16",
        "2.50 seconds",
    ):
        assert part in said.text()


def test_gpt2_that_is_not_here_is_offered_and_never_fetched_unasked(
    plan: PlanStep, world: FakeWorld, qtbot: QtBot
) -> None:
    assert plan.base.name == "starter"
    assert "GPT-2, which knows more English, is not on this computer, so the starter learns." in plan.words
    assert "gpt2 has 548 MB" in plan.words
    assert list(world.models.shelf) == ["starter"]
    plan.base.box.setCurrentIndex(plan.base.box.findData("gpt2"))
    plan.base.box.activated.emit(plan.base.box.currentIndex())
    assert plan.base.is_by_hand
    assert not plan.start_button.isEnabled()
    assert "has to be fetched first" in plan.foresight.text()
    assert "read far more English" in plan.base.consequence.text()
    assert list(world.models.shelf) == ["starter"]
    QTest.mouseClick(plan.base.fetch_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(plan.start_button.isEnabled, timeout=WAIT)
    assert plan.choices.base == "gpt2"
    assert "on your shelf" in plan.base.said.text()
    assert not plan.base.fetch_button.isVisible()


def test_gpt2_that_is_here_is_tuned(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.models.shelf["gpt2"] = HERE
    go_to_plan(page, world, qtbot)
    qtbot.waitUntil(lambda: "of memory" in page.plan.foresight.text(), timeout=WAIT)
    assert page.plan.choices.base == "gpt2"
    assert [plan.base for plan in world.launcher.foreseen] == ["gpt2"]


def test_what_this_computer_can_t_carry_is_passed_over_and_said(
    page: TuningPage, world: FakeWorld, qtbot: QtBot
) -> None:
    world.models.shelf["gpt2"] = HERE
    planned = world.launcher.foresight.planned
    assert planned is not None
    tight = replace(planned, memory_needed=9 * 10**9)
    world.launcher.foresight = replace(world.launcher.foresight, planned=tight)
    go_to_plan(page, world, qtbot)
    qtbot.waitUntil(lambda: bool(page.plan.base.passed_over), timeout=WAIT)
    assert page.plan.base.name == "starter"
    assert "gpt2 is here too, but needs about 9.0 GB of memory, and 8.0 GB are free" in page.plan.words
    world.launcher.foresight = replace(world.launcher.foresight, planned=planned)
    page.plan._look_again()
    qtbot.waitUntil(lambda: "1.0 GB of memory" in page.plan.foresight.text(), timeout=WAIT)
    assert page.plan.choices.base == "starter"


def test_a_base_too_large_to_be_loaded_is_passed_over_too(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.models.shelf["gpt2"] = HERE
    well = world.launcher.foresight
    failure = Failure("memory_full", {"detail": "9 GB needed"})
    world.launcher.foresight = RunState("plan", world.home, RunStatus.FAILED, failure=failure)
    go_to_plan(page, world, qtbot)
    qtbot.waitUntil(lambda: bool(page.plan.base.passed_over), timeout=WAIT)
    assert page.plan.base.name == "starter"
    assert "there is not enough memory for it" in page.plan.words
    world.launcher.foresight = well
    page.plan._look_again()
    qtbot.waitUntil(lambda: "of memory" in page.plan.foresight.text(), timeout=WAIT)


def test_more_time_brings_a_slow_base_back(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.models.shelf["gpt2"] = HERE
    planned = world.launcher.foresight.planned
    assert planned is not None
    slow = replace(planned, seconds=3 * 3600.0)
    world.launcher.foresight = replace(world.launcher.foresight, planned=slow)
    go_to_plan(page, world, qtbot)
    qtbot.waitUntil(lambda: bool(page.plan.base.passed_over), timeout=WAIT)
    assert page.plan.base.name == "starter"
    assert "to read everything once with it takes about 60 minutes and you give it about 15 minutes" in page.plan.words
    page.plan.minutes_box.setValue(90)
    assert page.plan.base.name == "gpt2"
    qtbot.waitUntil(lambda: "of memory" in page.plan.foresight.text(), timeout=WAIT)
    assert page.plan.choices.base == "gpt2"


def test_the_writer_s_own_choice_stands(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.models.shelf["gpt2"] = HERE
    planned = world.launcher.foresight.planned
    assert planned is not None
    go_to_plan(page, world, qtbot)
    qtbot.waitUntil(lambda: page.plan.base.name == "gpt2", timeout=WAIT)
    page.plan.base.box.activated.emit(page.plan.base.box.currentIndex())
    page.plan.show_foresight(replace(planned, memory_needed=9 * 10**9))
    assert page.plan.choices.base == "gpt2"
    assert "too little memory" in page.plan.foresight.text()


# The rules behind it


def test_bases_are_known_by_what_they_are() -> None:
    own = replace(HERE, name="Mine", lineage=("gpt2",))
    other = replace(make_model("other", built_in=False), vocabulary=999)
    options = {option.name: option for option in list_bases([make_model(), HERE, own, other], [SMALL, LARGE])}
    kinds = {name: option.kind for name, option in options.items()}
    assert kinds == {
        "starter": Kind.STARTER,
        "gpt2": Kind.GPT2,
        "Mine": Kind.OWN,
        "other": Kind.OTHER,
        "gpt2-large": Kind.GPT2,
    }
    assert count_weights(HERE) == pytest.approx(124_000_000, rel=0.01)
    assert not options["gpt2-large"].is_here
    assert options["gpt2"].is_here


def test_the_largest_gpt2_that_is_here_goes_first_then_the_starter() -> None:
    medium = replace(HERE, name="gpt2-medium", layers=24, width=1024)
    options = list_bases([make_model(), HERE, medium], [LARGE])
    for passed_over, expected in (
        ((), "gpt2-medium"),
        (("gpt2-medium",), "gpt2"),
        (("gpt2-medium", "gpt2"), "starter"),
    ):
        chosen = choose_base(options, passed_over, "Mine")
        assert chosen is not None
        assert chosen.name == expected
    assert choose_base([], (), "Mine") is None


@pytest.mark.parametrize(
    ("memory", "disk", "room"),
    [
        (0, 0, Room.WHOLE),
        (16 * 10**9, 10**12, Room.WHOLE),
        (2 * 10**9, 10**12, Room.ADDITIONS),
        (10**9, 10**12, Room.NO_MEMORY),
        (16 * 10**9, 10**9, Room.NO_DISK),
    ],
)
def test_whether_a_base_fits_is_known_before_it_is_fetched(memory: int, disk: int, room: Room) -> None:
    option = BaseOption("gpt2", Kind.GPT2, 124_000_000, 50257, 548_000_000)

    def needs(weights: int, vocabulary: int, adapters: bool) -> tuple[int, int]:
        return estimate_needs(weights, vocabulary, adapters=adapters)

    assert fit_base(option, needs, memory, disk).room is room


def test_nothing_stands_in_the_way_where_nobody_says_what_is_free(world: FakeWorld) -> None:
    planned = world.launcher.foresight.planned
    assert planned is not None
    unknown = replace(planned, memory_free=0, disk_free=0, seconds=1e6)
    assert find_obstacle("gpt2", unknown, 0.0) is None


def test_small_numbers_are_written_out(plan: PlanStep) -> None:
    plan.more.button.click()
    row = plan.every.rows["learning_rate"]
    assert row.range.text().startswith("0.0000001 to 0.1")
    row.set_value(2e-5)
    assert isinstance(row.field, QLineEdit)
    assert row.field.text() == "0.00002"
    assert row.value == 2e-5
