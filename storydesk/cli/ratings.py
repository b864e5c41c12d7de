"""``storydesk ratings``: sheets to rate blind, files for friends, and what all ratings say."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import whole_number
from storydesk.cli.console import Console
from storydesk.domain.agreement import IntraclassCorrelations
from storydesk.domain.estimates import Estimate
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judging import MOST_ITEMS, SHORT, Criterion, Sheet
from storydesk.domain.judging_summary import Agreement, Summary
from storydesk.domain.pairwise import Duel, Verdict
from storydesk.services.atomic_file import refuse_existing
from storydesk.services.desk import Desk
from storydesk.services.entry_files import read_entries

_VERDICTS = {
    Verdict.TOO_FEW: "not enough yet",
    Verdict.OPEN: "can't be told apart yet",
    Verdict.FIRST: "{first} is better",
    Verdict.SECOND: "{second} is better",
}


def add_parser(subparsers: Any) -> None:
    """Add the command and its own commands to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "ratings",
        help="rate stories blind, send sheets to friends, add ratings up",
        description="Sheets of stories that people rate or choose between, without knowing who wrote what.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
    parser.set_defaults(run=run_list)
    actions = parser.add_subparsers(metavar="ACTION", dest="action")

    def add(name: str, words: str, run: Any) -> argparse.ArgumentParser:
        action: argparse.ArgumentParser = actions.add_parser(name, help=words, description=words)
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object instead of words"
        )
        action.set_defaults(run=run)
        return action

    add("list", "Show the sheets and who rated how much.", run_list)
    making = add("new", "Make a sheet out of stories in files.", run_new)
    making.add_argument("name", metavar="NAME", help="what the sheet is called")
    making.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="json (as `write --json` prints it), jsonl, csv or tsv with text, prompt and model",
    )
    making.add_argument("--pairs", action="store_true", help="let raters choose between two stories of one prompt")
    making.add_argument("--short", action="store_true", help=f"ask for {', '.join(SHORT)} only")
    most = whole_number("--most", 1, MOST_ITEMS)
    making.add_argument("--most", type=most, default=0, metavar="N", help="with --pairs: at most so many pairs")
    sending = add("export", "Write a sheet for a friend, or with --rater the ratings of one rater.", run_export)
    sending.add_argument("sheet", metavar="SHEET", help="its name or number")
    sending.add_argument("--out", required=True, metavar="PATH", help="the file to write")
    sending.add_argument("--rater", metavar="NAME", help="whose ratings, to send them back to whoever made the sheet")
    sending.add_argument("--force", action="store_true", help="replace a file that is there")
    taking = add("import", "Take in a sheet that a friend sent, or ratings that came back.", run_import)
    taking.add_argument("files", nargs="+", metavar="FILE", help="what `ratings export` wrote")
    adding = add("summary", "Show averages, win rates, an order and how far raters agree.", run_summary)
    adding.add_argument("sheets", nargs="*", metavar="SHEET", help="names or numbers; all sheets if left out")
    adding.add_argument(
        "--reveal", action="store_true", help="show who wrote what; from then on these sheets take no more ratings here"
    )
    learning = add("feedback", "Show what a model could learn from ratings, choices and suggestions.", run_feedback)
    learning.add_argument("--out", metavar="PATH", help="write it as a file with one record a line")
    learning.add_argument("--force", action="store_true", help="replace a file that is there")


def run_list(_arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """List the sheets."""
    cards = desk.judging.list_sheets()
    console.give(
        {
            "sheets": [
                {
                    **_sheet_record(card.sheet),
                    "items": card.items,
                    "raters": {rater.name: done for rater, done in card.raters},
                }
                for card in cards
            ]
        }
    )
    for card in cards:
        done = ", ".join(f"{rater.name} {count}" for rater, count in card.raters) or "nobody yet"
        console.say(f"{card.sheet.id:>3}  {card.sheet.name}  {card.items} to judge; {done}")
    if not cards:
        console.say("There is no rating sheet yet. `storydesk ratings new` makes one.")
    return 0


def run_new(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Make a sheet."""
    entries = [entry for name in arguments.files for entry in read_entries(Path(name))]
    if arguments.pairs:
        sheet = desk.judging.add_pairs(arguments.name, entries, most=arguments.most)
    else:
        sheet = desk.judging.add_sheet(arguments.name, entries, SHORT if arguments.short else tuple(Criterion))
    items = len(desk.judging.load_sheet(sheet.id).items)
    console.give({"sheet": {**_sheet_record(sheet), "items": items}})
    console.say(f"{sheet.name}: {items} to judge. It is in the window, and `ratings export` sends it to a friend.")
    return 0


def run_export(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Write a sheet or ratings."""
    path = Path(arguments.out)
    if not arguments.force:
        refuse_existing(path)
    sheet = desk.judging.find_sheet(arguments.sheet)
    if arguments.rater is None:
        desk.judging.export_sheet(sheet.id, path, overwrite=arguments.force)
        words = f"{sheet.name} is in {path}: the stories without names. Whoever gets it opens it in Storydesk to rate."
    else:
        raters = desk.judging.list_raters(guests=True)
        rater = next((each for each in raters if each.name.casefold() == arguments.rater.strip().casefold()), None)
        if rater is None:
            known = ", ".join(each.name for each in raters) or "nobody yet"
            raise StorydeskError(
                FailureCode.BAD_ARGUMENT, name="--rater", value=arguments.rater or "empty", expected=f"one of: {known}"
            )
        desk.judging.export_ratings(sheet.id, rater.id, path, overwrite=arguments.force)
        words = f"What {rater.name} said about {sheet.name} is in {path}."
    console.give({"path": str(path.resolve()), "sheet": _sheet_record(sheet), "rater": arguments.rater})
    console.say(words)
    return 0


def run_import(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Take files in, one after the other; the first that can't be taken ends it, and those before it stay."""
    records = []
    for name in arguments.files:
        found = desk.judging.import_file(Path(name))
        who = found.rater.name if found.rater is not None else None
        records.append({"sheet": _sheet_record(found.sheet), "rater": who, "new": found.count})
        if who is None:
            fresh = f"{found.count} to judge" if found.count else "it was here already"
            console.say(f"{name}: the sheet {found.sheet.name}, {fresh}.")
        else:
            console.say(f"{name}: {found.count} new ratings of {who} for {found.sheet.name}.")
    console.give({"imported": records})
    return 0


def run_summary(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Add ratings up."""
    if arguments.sheets:
        sheets = [desk.judging.find_sheet(name) for name in arguments.sheets]
    else:
        sheets = [card.sheet for card in desk.judging.list_sheets() if not card.sheet.is_guest]
    if not sheets:
        raise StorydeskError(FailureCode.SHEET_EMPTY)
    if arguments.reveal:
        sheets = [desk.judging.reveal(sheet.id) for sheet in sheets]
    with console.progress("Adding up"):
        summary = desk.judging.summarise([sheet.id for sheet in sheets])
    blind = any(not sheet.revealed for sheet in sheets)
    console.give({"sheets": [_sheet_record(sheet) for sheet in sheets], "blind": blind, **_summary_record(summary)})
    _say_summary(summary, console)
    if blind:
        console.say("\nWho wrote what stays hidden behind letters until --reveal.")
    return 0


def run_feedback(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Show what could be learned, and write it where somebody asks for it."""
    if arguments.out and not arguments.force:
        refuse_existing(Path(arguments.out))
    feedback = desk.feedback.collect()
    written = None
    if arguments.out:
        desk.feedback.write(feedback, Path(arguments.out), overwrite=arguments.force)
        written = str(Path(arguments.out).resolve())
    counts = {
        "pairs": len(feedback.training_pairs),
        "heldout_pairs": len(feedback.heldout_pairs),
        "examples": len(feedback.training_examples),
        "heldout_examples": len(feedback.heldout_examples),
        "left_out": sum(each.left_out for each in feedback.pairs) + sum(each.left_out for each in feedback.examples),
    }
    console.give({**counts, "path": written})
    console.say(f"{counts['pairs']} times one text was better than another, and {counts['examples']} texts are good.")
    kept = counts["heldout_pairs"] + counts["heldout_examples"]
    console.say(f"Kept aside to check a model with: {kept}. Left out by you: {counts['left_out']}.")
    if written:
        console.say(f"Saved to {arguments.out}.")
    return 0


# Words


def _say_summary(summary: Summary, console: Console) -> None:
    console.say(
        f"{summary.ratings} ratings and {summary.choices} choices by {summary.raters} raters on {summary.items} items."
    )
    if summary.contenders:
        console.say("\nAverages from 1 to 5, with the interval that holds the true one 95 times in 100:")
        for contender in summary.contenders:
            console.say(f"  {contender.name} ({contender.texts} texts)")
            for criterion, estimate in contender.averages.items():
                console.say(f"    {criterion:<12}{_say_estimate(estimate, 2)}")
        for difference in summary.differences:
            if difference.criterion in (Criterion.OVERALL, *_only_criterion(summary)):
                told = _say_verdict(difference.first, difference.second, difference.verdict, difference.more, "prompts")
                points = _say_estimate(difference.points, 2)
                console.say(f"  {difference.first} less {difference.second}, {difference.criterion}: {points}; {told}")
    if summary.duels:
        console.say("\nHow often the first was chosen (no difference counts half):")
        for duel in summary.duels:
            console.say(f"  {_say_duel(duel)}")
    if summary.ranking is not None and len(summary.ranking.standings) > 2:
        _say_ranking(summary, console)
    if summary.agreements:
        console.say("\nHow far raters agree (1 is perfect, 0 is chance):")
        for agreement in summary.agreements:
            console.say(f"  {_say_agreement(agreement)}")


def _only_criterion(summary: Summary) -> tuple[Criterion, ...]:
    """Return the first criterion where nobody rated the whole."""
    asked = [difference.criterion for difference in summary.differences]
    return () if Criterion.OVERALL in asked or not asked else (asked[0],)


def _say_duel(duel: Duel) -> str:
    rate = f"{duel.rate.value:.0%} ({duel.rate.low:.0%} to {duel.rate.high:.0%})"
    told = _say_verdict(duel.first, duel.second, duel.verdict, duel.more, "choices")
    return f"{duel.first} over {duel.second}: {rate} of {duel.count}; {told}"


def _say_verdict(first: str, second: str, verdict: Verdict, more: int | None, what: str) -> str:
    words = _VERDICTS[verdict].format(first=first, second=second)
    if verdict in (Verdict.FIRST, Verdict.SECOND):
        return words
    if more is None:
        return f"{words}, and so near each other that no number of {what} would do"
    return f"{words}; about {more} more {what} would, if it goes on like this"


def _say_ranking(summary: Summary, console: Console) -> None:
    ranking = summary.ranking
    if ranking is None:
        return
    console.say("\nOrder by all choices, with the places that each may hold:")
    for group in ranking.groups:
        if len(ranking.groups) > 1:
            console.say("  These met only each other:")
        for standing in ranking.standings:
            if standing.name in group:
                span = f"{standing.best} to {standing.worst}" if standing.best != standing.worst else f"{standing.best}"
                console.say(f"  {standing.name}: {_say_estimate(standing.strength, 2)}, place {span}")
    if ranking.held_back:
        console.say("  Somebody won or lost everything, so the strengths are held back.")


def _say_agreement(agreement: Agreement) -> str:
    name = agreement.criterion or "choices"
    if agreement.raters < 2 or not agreement.texts:
        return f"{name}: nothing was judged by two raters yet"
    alpha = _say_estimate(agreement.alpha, 2) if agreement.alpha is not None else "can't be said, all is the same"
    words = f"{name}: alpha {alpha}, {agreement.texts} judged by two or more of {agreement.raters}"
    if agreement.correlations is not None:
        words += f"; ICC(2,1) {_say_estimate(agreement.correlations.agreement, 2)}"
    return words


def _say_estimate(estimate: Estimate, places: int) -> str:
    if not math.isfinite(estimate.low):
        return f"{estimate.value:.{places}f} (from one only, so anything may be true)"
    return f"{estimate.value:.{places}f} ({estimate.low:.{places}f} to {estimate.high:.{places}f})"


# Records


def _sheet_record(sheet: Sheet) -> dict[str, Any]:
    return {
        "number": sheet.id,
        "name": sheet.name,
        "criteria": [str(each) for each in sheet.criteria],
        "from_elsewhere": sheet.is_guest,
        "revealed": bool(sheet.revealed),
    }


def _summary_record(summary: Summary) -> dict[str, Any]:
    ranking = summary.ranking
    return {
        "items": summary.items,
        "ratings": summary.ratings,
        "choices": summary.choices,
        "raters": summary.raters,
        "contenders": [
            {
                "name": each.name,
                "texts": each.texts,
                "ratings": each.ratings,
                "averages": {str(name): _record(estimate) for name, estimate in each.averages.items()},
            }
            for each in summary.contenders
        ],
        "differences": [
            {
                "first": each.first,
                "second": each.second,
                "criterion": str(each.criterion),
                "points": _record(each.points),
                "verdict": str(each.verdict),
                "more": each.more,
            }
            for each in summary.differences
        ],
        "duels": [
            {
                "first": duel.first,
                "second": duel.second,
                "wins": duel.wins,
                "losses": duel.losses,
                "ties": duel.ties,
                "rate": _record(duel.rate),
                "verdict": str(duel.verdict),
                "more": duel.more,
            }
            for duel in summary.duels
        ],
        "ranking": None
        if ranking is None
        else {
            "standings": [
                {"name": each.name, "strength": _record(each.strength), "best": each.best, "worst": each.worst}
                for each in ranking.standings
            ],
            "groups": [list(group) for group in ranking.groups],
            "held_back": ranking.held_back,
        },
        "agreement": [_agreement_record(each) for each in summary.agreements],
    }


def _agreement_record(agreement: Agreement) -> dict[str, Any]:
    return {
        "criterion": str(agreement.criterion) if agreement.criterion is not None else "choices",
        "raters": agreement.raters,
        "texts": agreement.texts,
        "alpha": _record(agreement.alpha),
        "icc": _correlations_record(agreement.correlations),
    }


def _correlations_record(found: IntraclassCorrelations | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names: Sequence[tuple[str, Estimate]] = (
        ("1,1", found.one_way),
        ("2,1", found.agreement),
        ("3,1", found.consistency),
        ("1,k", found.one_way_mean),
        ("2,k", found.agreement_mean),
        ("3,k", found.consistency_mean),
    )
    return {name: _record(estimate) for name, estimate in names}


def _record(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    low, high = (each if math.isfinite(each) else None for each in (estimate.low, estimate.high))
    return {"value": estimate.value, "low": low, "high": high, "count": estimate.count}
