"""``storydesk models``: the shelf of models."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from storydesk.cli import model_shelf
from storydesk.cli.arguments import add_json_option
from storydesk.cli.console import Console
from storydesk.cli.model_shelf import as_record
from storydesk.domain.failures import Failure
from storydesk.domain.style_model import StyleModel
from storydesk.services.desk import Desk


def add_parser(subparsers: Any) -> None:
    """Add the command and its own commands to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "models", help="list, use, compare, rename, export ... models", description="Look after the models that write."
    )
    add_json_option(parser)
    parser.set_defaults(run=run_list)
    actions = parser.add_subparsers(metavar="ACTION", dest="action")

    def add(name: str, words: str, run: Any, argument: str = "", words_for_it: str = "") -> argparse.ArgumentParser:
        action: argparse.ArgumentParser = actions.add_parser(name, help=words, description=words)
        if argument:
            action.add_argument(argument.lower(), metavar=argument, help=words_for_it)
        # SUPPRESS: `models --json list` and `models list --json` mean the same.
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object instead of words"
        )
        action.set_defaults(run=run)
        return action

    add("list", "Show what is installed and what can be fetched.", run_list)
    add("show", "Show one model.", run_show, "NAME", "the model")
    for name in ("add", "import"):
        words = "Add a GPT-2 folder, a Storydesk model, or a zip of either."
        path = "folder with config, weights (safetensors) and tokenizer, or what `models export` wrote"
        adding = add(name, words, run_add, "PATH", path)
        adding.add_argument("--name", metavar="N", help="the name it gets (its own, or the folder's, if left out)")
    add("fetch", "Fetch a model from the hub.", run_fetch, "ID", "one that `models list` shows as fetchable")
    using = add("use", "Make a model the one in use.", run_use, "NAME", "the model")
    using.add_argument(
        "--precision", metavar="P", help="write with this graph of it: fp32, int8, int4, or auto for the one that fits"
    )
    add("remove", "Remove a model that you added, fetched or tuned, for good.", run_remove, "NAME", "the model")
    model_shelf.add_parsers(add)


def run_list(_arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """List the shelf."""
    active = desk.models.active
    installed = desk.models.list_models()
    fetchable = desk.models.list_hub_models()
    console.give(
        {
            "active": active,
            "models": [as_record(model, active) for model in installed],
            "fetchable": [
                {
                    "id": model.id,
                    "repository": model.repository,
                    "revision": model.revision,
                    "bytes": model.weight_bytes,
                    "licence": model.licence,
                }
                for model in fetchable
            ],
        }
    )
    width = max((len(model.name) for model in installed), default=0)
    for model in installed:
        mark = "*" if model.name == active else " "
        console.say(f"{mark} {model.name:<{width}}  {_describe(model)}")
    console.say(f"\n* is in use. To fetch: {', '.join(model.id for model in fetchable)}.")
    return 0


def run_show(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Show one model."""
    active = desk.models.active
    model = desk.models.show(arguments.name)
    record = as_record(model, active)
    console.give({"model": record})
    for key, value in record.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {entry:.4g}" if isinstance(entry, float) else name
                              for name, entry in value.items())  # fmt: skip
        elif isinstance(value, list):
            value = ", ".join(str(entry) for entry in value)
        if value not in ("", None):
            console.say(f"{key.replace('_', ' '):<13}  {value}")
    return 0


def run_add(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Add a folder."""
    with console.progress("Taking the model in") as report:
        model = desk.models.add(
            Path(arguments.path), arguments.name, lambda done, total: report("Taking the model in", done, total)
        )
    return _tell(model, f"{model.name} is on the shelf. `storydesk models use \"{model.name}\"` writes with it.",
                 desk, console)  # fmt: skip


def run_fetch(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Fetch a model, with the bytes that have come."""
    with console.progress(f"Fetching {arguments.id}") as report:

        def show(done: int, total: int) -> None:
            report(f"Fetching {arguments.id} ({done / 1e6:,.0f} of {total / 1e6:,.0f} MB)", done, total)

        model = desk.models.fetch(arguments.id, show)
    return _tell(model, f"{model.name} is on the shelf.", desk, console)


def run_use(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Switch to a model."""
    with console.progress("Checking the model's files"):
        model = desk.models.use(arguments.name, arguments.precision)
    reason = _explain(model, console)
    return _tell(model, f"{model.name} is in use." + (f" {reason}" if reason else ""), desk, console)


def run_remove(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Remove a model."""
    desk.models.remove(arguments.name)
    console.give({"removed": arguments.name})
    console.say(f"{arguments.name} is gone.")
    return 0


def _explain(model: StyleModel, console: Console) -> str:
    """Return why the model's graph serves, in a sentence."""
    return console.describe(Failure(model.choice, model.choice_parameters))["sentence"] if model.choice else ""


def _tell(model: StyleModel, words: str, desk: Desk, console: Console) -> int:
    console.give({"model": as_record(model, desk.models.active)})
    console.say(words)
    return 0


def _describe(model: StyleModel) -> str:
    parts = [
        model.kind,
        f"{model.layers} x {model.width}",
        f"{model.positions} positions",
        f"{model.bytes / 1e6:,.0f} MB",
    ]
    if model.lineage:
        parts.append(f"from {model.lineage[0]}")
    if model.heldout.get("perplexity_after"):
        before, after = model.heldout.get("perplexity_before", 0.0), model.heldout["perplexity_after"]
        parts.append(f"perplexity {before:.1f} to {after:.1f}")
    return ", ".join(parts)
