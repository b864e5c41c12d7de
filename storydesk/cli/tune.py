"""``storydesk tune``: a model of one's own from one's stories."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import MAXIMUM_SEED, add_json_option, decimal_number, whole_number
from storydesk.cli.console import Console
from storydesk.cli.runs import RunView, describe_parity, tell_interrupted, wait_for_run
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.run_settings import describe_range, list_groups
from storydesk.domain.tuning import TuningPlan
from storydesk.services.desk import Desk
from storydesk.services.tuning import TuningOutcome

DEFAULT_NAME = "my-voice"
_LONGEST_MINUTES = 7 * 24 * 60.0


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "tune",
        help="tune a model on your stories",
        description="Tune a model on your stories (txt, md, csv, jsonl, docx, odt, epub, html, pdf, folders of them, "
        "or hub:owner/name).",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", nargs="+", metavar="PATH", help="files and folders of stories")
    what.add_argument(
        "--list-settings", action="store_true", help="say every setting that --set takes, and what it does"
    )
    what.add_argument("--resume", metavar="RUN", help="go on with a run that was broken off; `list` shows them")
    parser.add_argument("--base", default="", metavar="N", help="the model to start from (the one in use if left out)")
    parser.add_argument("--name", default=DEFAULT_NAME, metavar="N", help=f"the new model's name ({DEFAULT_NAME})")
    parser.add_argument(
        "--minutes",
        type=decimal_number("--minutes", 0.0, _LONGEST_MINUTES, above=True),
        metavar="M",
        help="how long the tuning itself may take",
    )
    parser.add_argument("--seed", type=whole_number("--seed", 0, MAXIMUM_SEED), default=7, metavar="S", help="(7)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting such as epochs=2")
    parser.add_argument(
        "--use",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="write with the new model afterwards (if it predicts held-out text better, where left out)",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Tune, or go on tuning, and install the model."""
    if arguments.list_settings:
        return _list_settings(desk, console)
    if arguments.resume == "list":
        return _list_unfinished(desk, console)
    with console.progress("Reading your stories") as report:
        folder = (
            desk.tuning.find_run(arguments.resume) if arguments.resume else desk.tuning.prepare(_make_plan(arguments))
        )
        view = RunView(console, report)
        state, interrupted = wait_for_run(desk.tuning.start(folder), console, view.show)
        # A run that was through when Ctrl+C came has a model, and the model is kept.
        if interrupted and state.bundle is None:
            return tell_interrupted(state, folder, console)
        outcome = desk.tuning.finish(state, use=arguments.use)
    if outcome.model is None:
        return tell_interrupted(state, folder, console, code=1)
    _tell(outcome, folder, desk, console)
    return 0


def read_settings(items: list[str]) -> dict[str, str | int | float | bool]:
    """Return NAME=VALUE pairs with numbers and true or false understood."""
    settings: dict[str, str | int | float | bool] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="--set", value=item, expected="NAME=VALUE")
        settings[name.strip().replace("-", "_")] = _read_value(value.strip())
    return settings


def _read_value(value: str) -> str | int | float | bool:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _make_plan(arguments: argparse.Namespace) -> TuningPlan:
    return TuningPlan(
        name=arguments.name,
        base=arguments.base,
        data=tuple(arguments.data),
        minutes=arguments.minutes,
        seed=arguments.seed,
        settings=read_settings(arguments.set),
    )


def _list_settings(desk: Desk, console: Console) -> int:
    """Say every setting with its range, what it is by itself and what it does."""
    settings = desk.tuning.list_settings()
    words = {setting.name: console.name_setting(setting.name) for setting in settings}
    console.give(
        {
            "settings": [
                {
                    "name": setting.name,
                    "title": words[setting.name].title,
                    "sentence": words[setting.name].sentence,
                    "group": setting.group,
                    "default": setting.default,
                    "low": setting.low,
                    "high": setting.high,
                    "choices": list(setting.choices),
                }
                for setting in settings
            ]
        }
    )
    for group in list_groups(settings):
        console.say(f"{group}:")
        for setting in settings:
            if setting.group == group:
                shown = f"{setting.default:g}" if isinstance(setting.default, float) else str(setting.default).lower()
                console.say(f"  {setting.name}={shown}  ({describe_range(setting)})")
                console.say(f"      {words[setting.name].title}. {words[setting.name].sentence}")
    return 0


def _list_unfinished(desk: Desk, console: Console) -> int:
    states = desk.tuning.list_unfinished()
    console.give(
        {"unfinished": [{"run": state.folder.name, "step": state.step, "of": state.total_steps} for state in states]}
    )
    for state in states:
        console.say(f"{state.folder.name}  step {state.checkpoint_step} of {state.total_steps}")
    if not states:
        console.say("No tuning was broken off.")
    return 0


def _tell(outcome: TuningOutcome, folder: Path, desk: Desk, console: Console) -> None:
    state, model = outcome.state, outcome.model
    if model is None:
        return
    console.give(
        {
            "model": model.name,
            "heldout": {
                "perplexity_before": state.perplexity_before,
                "perplexity_after": state.perplexity_after,
                "documents": state.heldout_documents,
            },
            "in_use": desk.models.active == model.name,
            "run": folder.name,
            "device": state.device,
            "steps": state.step,
            "stories": state.training_documents + state.heldout_documents,
            "words": state.words,
            "changed": dict(state.changed),
            "dropped": dict(state.dropped),
            "parity": describe_parity(state),
            "samples": [{"prompt": prompt, "text": text} for prompt, text in state.samples],
        }
    )
    console.say(
        f"{model.name}: held-out perplexity {state.perplexity_before:.2f} before, {state.perplexity_after:.2f} after."
    )
    if desk.models.active == model.name:
        console.say("It is in use now.")
    elif outcome.adopted is False and state.perplexity_after >= state.perplexity_before:
        console.say("It does not predict held-out text better, so your model stays in use.")
    if desk.models.active != model.name:
        console.say(f'`storydesk models use "{model.name}"` writes with it.')
