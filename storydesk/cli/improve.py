"""``storydesk improve``: the model in use learns from what was rated, chosen, taken and changed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import MAXIMUM_SEED, add_json_option, whole_number
from storydesk.cli.console import Console
from storydesk.cli.runs import RunView, tell_interrupted, wait_for_run
from storydesk.domain.improving import ImprovingChances, Way
from storydesk.domain.tuning import RunState
from storydesk.services.desk import Desk
from storydesk.services.improving import ImprovingWish
from storydesk.services.tuning import TuningOutcome


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "improve",
        help="let the model learn from your feedback",
        description="Let the model in use learn from your ratings, choices and what became of its suggestions. "
        "`storydesk ratings feedback` shows what there is.",
    )
    parser.add_argument("--name", default="", metavar="N", help="the new model's name (that of the one in use)")
    parser.add_argument("--seed", type=whole_number("--seed", 0, MAXIMUM_SEED), default=7, metavar="S", help="(7)")
    parser.add_argument("--look", action="store_true", help="only say what would be learned from, and how")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Learn from feedback and install the model."""
    _, chances = desk.improving.look()
    console.say(_describe(chances))
    if arguments.look:
        console.give(_as_record(chances))
        return 0
    with console.progress("Gathering your feedback") as report:
        folder = desk.improving.prepare(ImprovingWish(arguments.name, arguments.seed))
        view = RunView(console, report)
        state, interrupted = wait_for_run(desk.tuning.start(folder), console, view.show)
        if interrupted and state.bundle is None:
            return tell_interrupted(state, folder, console)
        outcome = desk.tuning.finish(state)
    if outcome.model is None:
        return tell_interrupted(state, folder, console, code=1)
    _tell(outcome, chances, folder, desk, console)
    return 0


def _as_record(chances: ImprovingChances) -> dict[str, Any]:
    return {
        "way": str(chances.way),
        "choices": chances.choices,
        "kept_aside": chances.kept_aside,
        "examples": chances.examples,
        "missing": chances.missing,
        "left_out": chances.left_out,
        "origins": {str(origin): count for origin, count in sorted(chances.origins.items())},
    }


def _describe(chances: ImprovingChances) -> str:
    """Return which way is taken, and why."""
    have = f"{chances.choices} choices to learn from, {chances.kept_aside} kept aside to check with"
    if chances.way is Way.CHOICES:
        return f"{have}: learning which of two texts is better."
    more = f"About {chances.missing} more are needed to learn from choices."
    if chances.way is Way.EXAMPLES:
        return f"{have}. {more} Until then: learning from {chances.examples} texts that were taken or rated high."
    return f"{have}, {chances.examples} texts taken or rated high. {more}"


def _tell(outcome: TuningOutcome, chances: ImprovingChances, folder: Path, desk: Desk, console: Console) -> None:
    state, model = outcome.state, outcome.model
    if model is None:
        return
    moments = {choice.moment: choice for choice in state.choices}
    console.give(
        {
            "model": model.name,
            "in_use": desk.models.active == model.name,
            "run": folder.name,
            "feedback": _as_record(chances),
            "choices": {
                moment: {"pairs": each.pairs, "accuracy": each.accuracy, "loss": each.loss}
                for moment, each in moments.items()
                if moment in ("before", "after")
            },
            "heldout": {"perplexity_before": state.perplexity_before, "perplexity_after": state.perplexity_after},
        }
    )
    if "before" in moments and "after" in moments:
        before, after = moments["before"], moments["after"]
        console.say(
            f"Of {after.pairs} choices that were kept aside it tells {before.accuracy:.0%} before, "
            f"{after.accuracy:.0%} after (loss {before.loss:.3f}, then {after.loss:.3f})."
        )
    console.say(
        f"{model.name}: held-out perplexity {state.perplexity_before:.2f} before, {state.perplexity_after:.2f} after."
    )
    if desk.models.active == model.name:
        console.say("It is in use now. `storydesk models roll-back` goes back to the model before it.")
    else:
        console.say(_say_why_not(state))
        console.say(f'`storydesk models use "{model.name}"` writes with it.')


def _say_why_not(state: RunState) -> str:
    if not state.choices:
        return "It does not predict held-out text better, so your model stays in use."
    if not state.keeps_stories:
        return "Held-out stories surprise it too much, so your model stays in use."
    return "It does not predict your choices better, so your model stays in use."
