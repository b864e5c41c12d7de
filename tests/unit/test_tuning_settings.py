"""Every setting of a run has words, and the app takes for one exactly what the trainer takes."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.run_settings import (
    Misfit,
    MisfitError,
    RunSetting,
    Value,
    describe_range,
    list_groups,
    read_kept,
    write_kept,
)
from storydesk.domain.tuning import TuningPlan
from storydesk.services.phrasebook import Phrasebook
from storydesk.training.run_settings import list_run_settings
from tests.fakes.services import make_world
from trainer.config import Hyperparameters
from trainer.protocol.failures import TrainerError

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = list_run_settings()
BY_NAME = {setting.name: setting for setting in SETTINGS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_and_every_choice_has_words(setting: RunSetting) -> None:
    words = Phrasebook(ROOT / "resources" / "i18n" / "en.toml").name_setting(setting.name)
    assert words.sentence.endswith(".")
    assert words.title[0].isupper()
    assert "_" not in words.title + words.sentence
    assert set(words.choices) == set(setting.choices)
    assert setting.read(str(setting.default).lower()) == setting.default


def test_groups_stand_together_in_their_order() -> None:
    assert list_groups(SETTINGS) == ["learning", "length", "memory", "measuring", "samples"]
    groups = [setting.group for setting in SETTINGS]
    assert groups == sorted(groups, key=list_groups(SETTINGS).index)


VALUES = st.one_of(
    st.booleans(),
    st.integers(-5, 2_000_000),
    st.floats(allow_nan=True),
    st.floats(-1, 2),
    st.text(max_size=6),
    st.sampled_from(("auto", "full", "bf16", "linear", "story")),
)


@given(st.sampled_from(SETTINGS), VALUES)
def test_the_app_takes_what_the_trainer_takes(setting: RunSetting, value: str | float | bool) -> None:
    try:
        mine: object = setting.accept(value)
    except MisfitError:
        mine = None
    try:
        theirs: object = getattr(Hyperparameters.from_settings({setting.name: value}), setting.name)
    except TrainerError:
        theirs = None
    assert mine == theirs
    assert type(mine) is type(theirs)


@given(st.sampled_from(SETTINGS), st.text(max_size=12))
def test_whatever_is_typed_is_a_value_or_has_a_reason(setting: RunSetting, text: str) -> None:
    with contextlib.suppress(MisfitError):
        value = setting.read(text)
        assert setting.accept(value) == value


@pytest.mark.parametrize(
    ("name", "text", "misfit"),
    [
        ("epochs", "many", Misfit.NO_NUMBER),
        ("epochs", "", Misfit.NO_NUMBER),
        ("epochs", "2.5", Misfit.NOT_WHOLE),
        ("dropout", "1.5", Misfit.OUT_OF_RANGE),
        ("dropout", "nan", Misfit.NO_NUMBER),
        ("schedule", "steps", Misfit.NOT_OFFERED),
        ("tf32", "perhaps", Misfit.NOT_OFFERED),
    ],
)
def test_why_it_can_t_be_is_told_apart(name: str, text: str, misfit: Misfit) -> None:
    with pytest.raises(MisfitError) as caught:
        BY_NAME[name].read(text)
    assert caught.value.misfit is misfit


def test_what_was_changed_is_kept_and_what_no_longer_fits_is_left_out() -> None:
    changed: dict[str, Value] = {"epochs": 3, "learning_rate": 0.0002, "tf32": False, "schedule": "linear"}
    assert read_kept(write_kept(changed), SETTINGS) == changed
    assert write_kept({}) == ""
    stale = json.dumps({"epochs": 2, "dropout": 7, "speed": "fast", "patience": BY_NAME["patience"].default})
    assert read_kept(stale, SETTINGS) == {"epochs": 2}
    for damaged in ("", "[1]", "{", "3"):
        assert read_kept(damaged, SETTINGS) == {}


def test_a_setting_that_is_not_one_is_said_before_a_run_is_prepared(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (tmp_path / "tale.txt").write_text("word " * 300, encoding="utf-8")
    plan = TuningPlan("Mine", "starter", (str(tmp_path / "tale.txt"),))
    for name, value, expected in (("epoch", 3, "epochs"), ("dropout", 2, "a number from 0 to 0.9")):
        with pytest.raises(StorydeskError) as caught:
            world.desk.tuning.prepare(replace(plan, settings={name: value}))
        assert caught.value.failure.code == FailureCode.BAD_ARGUMENT
        assert caught.value.failure.parameters["expected"] == expected
    assert not world.launcher.plans


def test_ranges_are_said_as_one_types_them() -> None:
    assert describe_range(BY_NAME["batch_tokens"]) == "a whole number from 16 to 1048576"
    assert describe_range(BY_NAME["schedule"]) == "cosine or linear or constant"
    assert describe_range(BY_NAME["tf32"]) == "true or false"
