"""``storydesk data``: gather text to tune on, see what is wrong with it, put it right and keep it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storydesk.cli.console import Console, Report
from storydesk.domain.dataset import (
    DatasetCard,
    DatasetFinding,
    DatasetProgress,
    DatasetVersion,
    DatasetView,
    DataSource,
    FindingKind,
    Remedy,
    SourceKind,
)
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.dataset_ports import ReportProgress
from storydesk.services.desk import Desk

_HUB = "hub:"
_SHOWN = 20

_STEPS = {
    "gathering": "Opening your documents",
    "reading": "Reading",
    "examining": "Looking through the text",
    "keeping": "Keeping the text",
}
_FINDINGS = {
    FindingKind.EXACT_COPIES: "the same story again",
    FindingKind.NEAR_COPIES: "nearly the same story again",
    FindingKind.MARKUP: "tags and marks that are no prose",
    FindingKind.BOILERPLATE: "lines that publishers and printers add",
    FindingKind.REMARKS: "remarks to readers",
    FindingKind.BROKEN_ENCODING: "broken letters",
    FindingKind.OTHER_LANGUAGE: "another language",
    FindingKind.TOO_SHORT: "hardly any words",
    FindingKind.TOO_LONG: "very long stories",
    FindingKind.LEAKS: "passages that stand in other stories as well",
}
_REMEDIES = {Remedy.MEND: "mends the text", Remedy.LEAVE_OUT: "leaves them out", Remedy.CUT: "cuts them into chapters"}


def add_parser(subparsers: Any) -> None:
    """Add the command and its own commands to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "data", help="gather, look through and keep text to tune on", description="Look after the text to tune on."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
    parser.set_defaults(run=run_list)
    actions = parser.add_subparsers(metavar="ACTION", dest="action")

    def add(name: str, words: str, run: Any, *, dataset: bool = True) -> argparse.ArgumentParser:
        action: argparse.ArgumentParser = actions.add_parser(name, help=words, description=words)
        if dataset:
            action.add_argument("dataset", metavar="NAME", help="the dataset, by its name or its id")
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object instead of words"
        )
        action.set_defaults(run=run)
        return action

    add("list", "Show the datasets.", run_list, dataset=False)
    new = add("new", "Read files, folders and Hub data sets into a new dataset.", run_new, dataset=False)
    new.add_argument("data", nargs="*", metavar="PATH", help="files and folders of stories, or hub:owner/name")
    new.add_argument("--name", default="", metavar="N", help="the dataset's name (that of its first source)")
    new.add_argument("--samples", action="store_true", help="Storydesk's own sample stories as well")
    new.add_argument("--library", action="store_true", help="the stories of your library as well")
    showing = add("show", "Show the stories and what was found.", run_show)
    showing.add_argument("--all", action="store_true", help=f"every story, not the first {_SHOWN}")
    add("read", "Read the sources again; what you changed stays.", run_read)
    add("examine", "Look through the text again.", run_examine)
    fix = add("fix", "Put what was found right; `undo` takes it back.", run_fix)
    fix.add_argument("finding", nargs="+", metavar="FINDING", help="findings that `show` lists, or `all`")
    for name, words in (("leave-out", "Leave stories out."), ("take-back", "Take stories back that were left out.")):
        add(name, words, run_leave_out).add_argument("pairs", nargs="+", metavar="STORY", help="ids that `show` lists")
    add("undo", "Undo the last change.", run_undo)
    add("keep", "Keep the text as it is, to tune on.", run_keep)
    add("versions", "Show what was kept.", run_versions)
    add("delete", "Delete a dataset with all that was kept of it.", run_delete)


def run_list(_arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """List the datasets."""
    cards = desk.datasets.list_datasets()
    console.give({"datasets": [_card_record(card) for card in cards]})
    for card in cards:
        console.say(f"{card.name}  ({card.id}; {_join_sources(card)}{'' if card.is_read else '; not read yet'})")
    if not cards:
        console.say("There is no dataset yet; `storydesk data new PATH` makes one.")
    return 0


def run_new(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Make a dataset and read it."""
    sources = [_as_source(item) for item in arguments.data]
    if arguments.samples:
        sources.append(DataSource(SourceKind.SAMPLES, "samples", str(desk.samples)))
    if arguments.library:
        stories = tuple(story.id for story in desk.library.list_stories())
        sources.append(DataSource(SourceKind.LIBRARY, "library", stories=stories))
    with console.progress("Reading") as report:
        watch = _watch(report)
        card = desk.datasets.create(arguments.name, sources, watch)
        try:
            view = desk.datasets.read(card.id, watch)
        except BaseException:
            desk.datasets.delete(card.id)  # nobody would look for a dataset that a failed command left behind
            raise
    return _tell(view, console)


def run_show(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Show pairs and findings."""
    view = _open(arguments, desk)
    shown = view.pairs if arguments.all else view.pairs[:_SHOWN]
    for pair in shown:
        mark = "-" if pair.left_out else "*" if pair.edited else " "
        console.say(f"{mark} {pair.id}  {pair.words:>7,} words  {pair.prompt[:60] or pair.opening[:60]}")
    if len(shown) < len(view.pairs):
        console.say(f"  and {len(view.pairs) - len(shown):,} more; --all shows them")
    return _tell(view, console, pairs=True)


def run_read(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Gather and read again."""
    card = desk.datasets.find(arguments.dataset)
    with console.progress("Reading") as report:
        watch = _watch(report)
        desk.datasets.gather_again(card.id, card.sources, watch)
        view = desk.datasets.read(card.id, watch)
    return _tell(view, console)


def run_examine(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Examine again."""
    card = desk.datasets.find(arguments.dataset)
    with console.progress("Looking through the text") as report:
        view = desk.datasets.examine(card.id, _watch(report))
    return _tell(view, console)


def run_fix(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Apply the remedies of findings."""
    view = _open(arguments, desk)
    wanted = [found.id for found in view.findings] if arguments.finding == ["all"] else arguments.finding
    for finding in wanted:
        view = desk.datasets.fix(view.card.id, finding)
    return _tell(view, console)


def run_leave_out(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Leave stories out, or take them back."""
    card = desk.datasets.find(arguments.dataset)
    act = desk.datasets.leave_out if arguments.action == "leave-out" else desk.datasets.take_back
    return _tell(act(card.id, arguments.pairs), console)


def run_undo(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Undo the newest act."""
    view = _open(arguments, desk)
    if view.undoable is None:
        console.note("There is nothing to undo.")
    return _tell(desk.datasets.undo(view.card.id), console)


def run_keep(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Keep a version."""
    card = desk.datasets.find(arguments.dataset)
    with console.progress("Keeping the text") as report:
        version = desk.datasets.keep(card.id, _watch(report))
    console.give({"version": _version_record(version)})
    console.say(f"Kept {version.pairs:,} stories with {version.words:,} words as {version.fingerprint[:12]}.")
    console.say(f'`storydesk tune --data "{version.folder}"` tunes on it.')
    return 0


def run_versions(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """List what was kept."""
    versions = desk.datasets.list_versions(desk.datasets.find(arguments.dataset).id)
    console.give({"versions": [_version_record(version) for version in versions]})
    for version in versions:
        console.say(
            f"{version.fingerprint[:12]}  {version.kept_at}  {version.pairs:,} stories, {version.words:,} words"
            f"  {version.folder}"
        )
    if not versions:
        console.say("Nothing was kept yet; `storydesk data keep` does.")
    return 0


def run_delete(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Delete a dataset."""
    card = desk.datasets.find(arguments.dataset)
    desk.datasets.delete(card.id)
    console.give({"deleted": card.id})
    console.say(f"{card.name} is gone.")
    return 0


def _as_source(item: str) -> DataSource:
    if item.startswith(_HUB):
        return DataSource(SourceKind.HUB, item.removeprefix(_HUB), item.removeprefix(_HUB))
    path = Path(item).absolute()
    if not path.exists():
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=item)
    return DataSource(SourceKind.FOLDER if path.is_dir() else SourceKind.FILE, path.name, str(path))


def _open(arguments: argparse.Namespace, desk: Desk) -> DatasetView:
    return desk.datasets.open(desk.datasets.find(arguments.dataset).id)


def _watch(report: Report) -> ReportProgress:
    def watch(progress: DatasetProgress) -> None:
        words = _STEPS.get(progress.step, "Starting")
        report(f"{words} {progress.place}".strip(), progress.done, progress.total)

    return watch


def _tell(view: DatasetView, console: Console, *, pairs: bool = False) -> int:
    """Say what stands and what was found."""
    kept = view.kept
    record = {
        "dataset": _card_record(view.card),
        "stories": len(kept),
        "words": view.words,
        "left_out": len(view.pairs) - len(kept),
        "findings": [_finding_record(found) for found in view.findings],
        "unread": [console.describe(failure) for failure in view.unread],
        "edits": view.edits,
        "can_undo": view.can_undo,
    }
    if view.split is not None:
        split = view.split
        record["split"] = {"training": split.training, "heldout": split.heldout, "leaks": split.leaks}
    if pairs:
        record["pairs"] = [
            {
                "id": pair.id,
                "prompt": pair.prompt,
                "prompt_from": str(pair.prompt_from),
                "opening": pair.opening,
                "words": pair.words,
                "source": pair.source,
                "left_out": pair.left_out,
                "edited": pair.edited,
            }
            for pair in view.pairs
        ]
    console.give(record)
    out = f", {len(view.pairs) - len(kept):,} left out" if len(kept) < len(view.pairs) else ""
    console.say(f"{view.card.name}: {len(kept):,} stories, {view.words:,} words{out}.")
    for failure in view.unread:
        console.note_failure(failure)
    _tell_findings(view.findings, console)
    if view.is_stale and view.findings:
        console.say("You have changed something since; `storydesk data examine` looks again.")
    return 0


def _tell_findings(findings: Sequence[DatasetFinding], console: Console) -> None:
    for found in findings:
        words = _FINDINGS[found.kind] + (f" ({found.detail})" if found.kind is FindingKind.OTHER_LANGUAGE else "")
        if found.is_settled:
            console.say(f"  {found.id:<20}  {words}: settled")
            continue
        console.say(f"  {found.id:<20}  {words}: {found.count:,}; `fix {found.id}` {_REMEDIES[found.remedy]}")
        if found.examples:
            example = found.examples[0]
            console.say(f"      {example.before[:100]}")
            if example.after:
                console.say(f"   -> {example.after[:100]}")
    if not findings:
        console.say("  Nothing is wrong with it.")


def _card_record(card: DatasetCard) -> dict[str, Any]:
    return {
        "id": card.id,
        "name": card.name,
        "created": card.created,
        "sources": [source.place or source.name for source in card.sources],
        "read": card.is_read,
        "folder": str(card.folder),
    }


def _finding_record(found: DatasetFinding) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": str(found.kind),
        "remedy": str(found.remedy),
        "count": found.count,
        "found": found.found,
        "detail": found.detail,
        "limit": found.limit,
        "stories": list(found.pairs),
        "examples": [
            {"story": each.pair, "before": each.before, "after": each.after, "other": each.other}
            for each in found.examples
        ],
    }


def _version_record(version: DatasetVersion) -> dict[str, Any]:
    return {
        "fingerprint": version.fingerprint,
        "kept_at": version.kept_at,
        "stories": version.pairs,
        "words": version.words,
        "edits": version.edits,
        "sources": list(version.sources),
        "folder": str(version.folder),
    }


def _join_sources(card: DatasetCard) -> str:
    return ", ".join(source.name for source in card.sources)
