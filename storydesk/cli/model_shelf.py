"""The rarer half of ``storydesk models``: rename, delete and restore, roll back, compare, export, lineage."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storydesk.cli.console import Console
from storydesk.domain.generation import TextChunk
from storydesk.domain.model_shelf import DeletedModel, ExportForm, LineageNode, ModelComparison
from storydesk.domain.style_model import StyleModel
from storydesk.services.desk import Desk

AddParser = Callable[..., argparse.ArgumentParser]
_COMPARED_WORDS = 60


def add_parsers(add: AddParser) -> None:
    """Add these commands to the table of ``models``."""
    renaming = add("rename", "Give a model another name.", run_rename, "NAME", "the model")
    renaming.add_argument("new", metavar="NEW", help="the name that it gets")
    deleting = add("delete", "Put a model into the trash, where it stays for 30 days.", run_delete, "NAME", "the model")
    deleting.add_argument("--use", metavar="OTHER", help="what to use instead, where it is the model in use")
    add("restore", "Take a model out of the trash.", run_restore, "NAME", "one that `models trash` shows")
    trash = add("trash", "Show what is in the trash.", run_trash)
    trash.add_argument("--empty", action="store_true", help="delete for good what is there")
    add("roll-back", "Use the model that was in use before.", run_roll_back)
    add("history", "Show which model came into use when.", run_history)
    comparing = add("compare", "Show what two models differ in.", run_compare, "FIRST", "a model")
    comparing.add_argument("second", metavar="SECOND", help="another one")
    comparing.add_argument("--prompt", metavar="P", default="", help="let both write on this, with one seed")
    comparing.add_argument("--words", metavar="W", type=int, default=_COMPARED_WORDS, help="how much they write")
    comparing.add_argument("--seed", metavar="S", type=int, help="the seed (drawn if left out)")
    exporting = add("export", "Write a model to a folder or a zip.", run_export, "NAME", "the model")
    forms = [str(form) for form in ExportForm]
    words = "storydesk (all of it), huggingface (for transformers) or onnx (for other tools)"
    exporting.add_argument("--to", metavar="FORM", choices=forms, required=True, help=words)
    exporting.add_argument("--out", metavar="PATH", required=True, help="the new folder, or a file that ends in .zip")
    exporting.add_argument("--force", action="store_true", help="write over what is there")
    add("lineage", "Show which model was tuned from which, and on what.", run_lineage)


def run_rename(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Rename a model."""
    model = desk.models.rename(arguments.name, arguments.new)
    console.give({"model": as_record(model, desk.models.active)})
    console.say(f"{arguments.name} is called {model.name} now.")
    return 0


def run_delete(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Put a model into the trash."""
    deleted = desk.models.delete(arguments.name, arguments.use)
    console.give({"deleted": _as_deleted(deleted), "active": desk.models.active})
    console.say(f'{deleted.name} is in the trash. `storydesk models restore "{deleted.name}"` brings it back.')
    return 0


def run_restore(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Bring a model back."""
    model = desk.models.restore(arguments.name)
    console.give({"model": as_record(model, desk.models.active)})
    console.say(f"{model.name} is on the shelf again.")
    return 0


def run_trash(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """List the trash, or empty it."""
    deleted = desk.models.list_deleted()
    if arguments.empty:
        desk.models.empty_trash()
    console.give({"emptied" if arguments.empty else "trash": [_as_deleted(each) for each in deleted]})
    for each in deleted:
        console.say(f"{each.name}  {each.bytes / 1e6:,.0f} MB, deleted {_say_time(each.deleted)}")
    console.say("Gone for good." if arguments.empty and deleted else "" if deleted else "The trash is empty.")
    return 0


def run_roll_back(_arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Use what was used before."""
    before = desk.models.active
    with console.progress("Checking the model's files"):
        model = desk.models.roll_back()
    console.give({"model": as_record(model, desk.models.active), "before": before})
    console.say(f"{model.name} is in use again, instead of {before}.")
    return 0


def run_history(_arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """List what was in use when."""
    uses = desk.models.list_uses()
    console.give({"uses": [{"name": use.name, "since": _as_time(use.since), "back": use.back} for use in uses]})
    for use in uses:
        console.say(f"{_say_time(use.since):<17}  {use.name}{'  (rolled back)' if use.back else ''}")
    return 0


def run_compare(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Show two models beside each other, and what they write where a prompt is given."""
    found = desk.models.compare(arguments.first, arguments.second)
    record = _as_comparison(found)
    _say_comparison(found, console)
    if arguments.prompt.strip():
        record["texts"] = _write_both(arguments, found, desk, console)
    console.give(record)
    return 0


def _write_both(
    arguments: argparse.Namespace, found: ModelComparison, desk: Desk, console: Console
) -> list[dict[str, Any]]:
    asked = desk.writing.request(arguments.prompt, words=max(arguments.words, 1), seed=arguments.seed)
    texts = []
    for details in (found.first, found.second):
        with console.progress(f"{details.name} is writing"):
            request = desk.writing.request(
                asked.prompt, words=asked.words, seed=asked.seed, settings=asked.settings, model=details.name
            )
            events = desk.writing.write(request)
            text = "".join(event.text for event in events if isinstance(event, TextChunk))
        texts.append({"model": details.name, "seed": asked.seed, "text": text})
        console.say(f"\n{details.name} (seed {asked.seed})\n{text}")
    return texts


def run_export(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Write a model out."""
    words = f"Writing {arguments.name}"
    with console.progress(words) as report:
        out = desk.models.export(
            arguments.name,
            ExportForm(arguments.to),
            Path(arguments.out),
            lambda done, total: report(words, done, total),
            overwrite=arguments.force,
        )
    console.give({"path": str(out)})
    console.say(f"{arguments.name} was written to {out}.")
    return 0


def run_lineage(_arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Show the trees."""
    trees = desk.models.trace_lineage()
    active = desk.models.active
    console.give({"trees": [_as_node(tree, active) for tree in trees]})
    for tree in trees:
        for node in tree.walk():
            depth = node.generation - tree.generation
            console.say(f"{'   ' * depth}{'└─ ' if depth else ''}{node.name}{_say_node(node, active)}")
    return 0


def _say_node(node: LineageNode, active: str) -> str:
    details = node.details
    if details is None:
        return "  (no longer on the shelf)"
    parts = ["in use"] if node.name == active else []
    if details.data.get("words"):
        parts.append(f"{details.data['words']:,} words of {details.data.get('training_stories', '?')} stories")
    before, after = (details.model.heldout.get(f"perplexity_{moment}", 0.0) for moment in ("before", "after"))
    if before and after:
        parts.append(f"perplexity {before:.1f} to {after:.1f}")
    return f"  ({', '.join(parts)})" if parts else ""


def _say_comparison(found: ModelComparison, console: Console) -> None:
    first, second = found.first, found.second
    rows = [
        ("", first.name, second.name),
        ("made from", *(" <- ".join(each.model.lineage) or "-" for each in (first, second))),
        ("size", *(f"{each.model.bytes / 1e6:,.0f} MB" for each in (first, second))),
        ("layers x width", *(f"{each.model.layers} x {each.model.width}" for each in (first, second))),
        ("learned from", *(str(each.data.get("sha256", "-"))[:12] for each in (first, second))),
        ("words learned", *(str(each.data.get("words", "-")) for each in (first, second))),
    ]
    if found.heldout is not None:
        rows.append(("perplexity", f"{found.heldout.first:.2f}", f"{found.heldout.second:.2f}"))
    rows += [(name, *("-" if value is None else str(value) for value in pair)) for name, pair in found.settings.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        console.say(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip())
    if found.heldout is None:
        console.say("\nTheir perplexities were measured on different pages and can't be compared.")


def _as_comparison(found: ModelComparison) -> dict[str, Any]:
    heldout = found.heldout
    return {
        "models": [
            {
                "name": each.name,
                "fingerprint": each.fingerprint,
                "lineage": list(each.model.lineage),
                "bytes": each.model.bytes,
                "data": dict(each.data),
                "heldout": dict(each.model.heldout),
            }
            for each in (found.first, found.second)
        ],
        "same_data": found.same_data,
        "perplexity": None if heldout is None else [heldout.first, heldout.second],
        "settings": {name: list(pair) for name, pair in found.settings.items()},
    }


def _as_node(node: LineageNode, active: str) -> dict[str, Any]:
    details = node.details
    return {
        "name": node.name,
        "generation": node.generation,
        "on_shelf": details is not None,
        "active": node.name == active,
        "fingerprint": details.fingerprint if details else "",
        "created": details.model.created if details else "",
        "data": dict(details.data) if details else {},
        "settings": dict(details.settings) if details else {},
        "heldout": dict(details.model.heldout) if details else {},
        "children": [_as_node(child, active) for child in node.children],
    }


def _as_deleted(deleted: DeletedModel) -> dict[str, Any]:
    return {"id": deleted.id, "name": deleted.name, "deleted": _as_time(deleted.deleted), "bytes": deleted.bytes}


def _as_time(seconds: float) -> str:
    """Return ISO 8601 in UTC, "" for a time that nobody noted."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds") if seconds else ""


def _say_time(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M}" if seconds else "from the start"


def as_record(model: StyleModel, active: str) -> dict[str, Any]:
    """Return a model as JSON has it."""
    return {
        "name": model.name,
        "kind": model.kind,
        "active": model.name == active,
        "built_in": model.built_in,
        "folder": str(model.folder),
        "precision": model.precision,
        "choice": {"code": model.choice, "parameters": dict(model.choice_parameters)},
        "layers": model.layers,
        "heads": model.heads,
        "width": model.width,
        "positions": model.positions,
        "vocabulary": model.vocabulary,
        "bytes": model.bytes,
        "licence": model.licence,
        "origin": model.origin,
        "created": model.created,
        "lineage": list(model.lineage),
        "heldout": dict(model.heldout),
        "graphs": {name: str(path) for name, path in model.graphs.items()},
    }
