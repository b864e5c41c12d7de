"""Settings are checked by name, kind and range before a run starts; the schedule follows them."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from itertools import pairwise

import pytest

from trainer.config import Hyperparameters
from trainer.protocol import hyperparameters
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import Parameter
from trainer.tuning.schedule import Schedule, choose_epochs, fit_steps, plan_schedule, rate_factor


def test_settings_replace_defaults_and_keep_their_kind() -> None:
    given: dict[str, Parameter] = {"epochs": 3.0, "learning_rate": 0.01, "loss_on": "story"}
    settings = Hyperparameters.from_settings(given)
    assert (settings.epochs, settings.learning_rate, settings.loss_on) == (3, 0.01, "story")
    assert isinstance(settings.epochs, int)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speed", 1),
        ("epochs", 2.5),
        ("epochs", True),
        ("epochs", "3"),
        ("learning_rate", float("nan")),
        ("learning_rate", 0),
        ("learning_rate", 5.0),
        ("loss_on", "prompt"),
        ("loss_on", 1),
        ("batch_tokens", -1),
        ("sample_top_p", 1.5),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: Parameter) -> None:
    with pytest.raises(TrainerError) as caught:
        Hyperparameters.from_settings({name: value})
    assert caught.value.code is TrainerFailure.BAD_REQUEST
    assert name in str(caught.value.parameters["detail"])


def test_every_setting_has_a_sentence() -> None:
    tree = ast.parse(inspect.getsource(hyperparameters))
    classes = {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
    body = classes["RunSettings"]
    documented = {
        first.target.id
        for first, second in pairwise(body)
        if isinstance(first, ast.AnnAssign)
        and isinstance(first.target, ast.Name)
        and isinstance(second, ast.Expr)
        and isinstance(second.value, ast.Constant)
        and str(second.value.value).endswith(".")
    }
    assert documented == {field.name for field in dataclasses.fields(Hyperparameters)}
    assert documented == {each.name for each in hyperparameters.DECLARATIONS}


def test_every_default_is_within_its_own_limits() -> None:
    for declared in hyperparameters.DECLARATIONS:
        assert declared.accept(declared.default) == declared.default == getattr(Hyperparameters(), declared.name)


def test_less_text_is_seen_more_often() -> None:
    settings = Hyperparameters()
    assert (
        choose_epochs(settings, 10_000) > choose_epochs(settings, 100_000) >= choose_epochs(settings, 10_000_000) >= 1
    )
    assert choose_epochs(Hyperparameters(epochs=5), 10_000_000) == 5


def test_the_rate_rises_falls_and_ends_low_even_when_time_runs_out() -> None:
    settings = Hyperparameters()
    schedule = plan_schedule(settings, batches=200, epochs=4, weights=1_000_000, rate_scale=1.0)
    rates = [rate_factor(settings, schedule, step=step) for step in range(201)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] == pytest.approx(settings.final_rate_share)
    assert rate_factor(settings, schedule, step=30, elapsed_share=1.0) == pytest.approx(settings.final_rate_share)
    assert all(
        rate_factor(dataclasses.replace(settings, schedule=kind), schedule, step=100) > 0
        for kind in ("linear", "constant")
    )


def test_large_models_take_smaller_steps_and_a_limit_fewer() -> None:
    settings = Hyperparameters()
    small = plan_schedule(settings, batches=100, epochs=2, weights=14_000_000, rate_scale=1.0)
    large = plan_schedule(settings, batches=100, epochs=2, weights=124_000_000, rate_scale=1.0)
    assert large.learning_rate < small.learning_rate
    assert isinstance(small, Schedule)
    assert fit_steps(100, seconds=None, seconds_per_step=1) == 100
    assert fit_steps(100, seconds=30, seconds_per_step=1) == 30
    assert fit_steps(100, seconds=0.1, seconds_per_step=1) == 1
