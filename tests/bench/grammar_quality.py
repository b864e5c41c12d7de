"""Precision, recall and first-suggestion accuracy of the checkers on the sentences in tests/bench/grammar.

    python -m tests.bench.grammar_quality [--held-back] [--model NAME] [--markdown FILE] [--show]

The development half unless --held-back is given, which is for final figures only (see grammar/README.md). Every
sentence is a text of its own. An error is found where a finding touches its place; whatever else is flagged, in these
sentences or in the clean ones, is a false alarm. Matters of style are counted in a column of their own, since nothing
applies them unasked. A first suggestion is right where applying it gives the sentence as it should be.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storydesk.bootstrap import build_desk
from storydesk.domain.polishing import Category, Finding, PolishSettings
from storydesk.services.polishing import AUTO, HARPER, LANGUAGETOOL
from storydesk.services.ranking import EngineRanker, rank_findings

SET = Path(__file__).parent / "grammar"
Findings = dict[str, tuple[Finding, ...]]
ROWS = ("Harper", "LanguageTool", "both", "both + ranking")


@dataclass
class Tally:
    """What one checker did on the whole half."""

    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    clean_flagged: set[str] = field(default_factory=set)
    style: int = 0
    elsewhere: int = 0


def read_set(name: str, half: str) -> list[dict[str, Any]]:
    """Return the sentences of one half."""
    lines = (SET / name).read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["half"] == half]


def count(errors: Sequence[dict[str, Any]], clean: Sequence[dict[str, Any]], findings: Findings) -> Tally:
    """Hold findings against the set."""
    tally = Tally()
    for record in errors:
        offered = _offered(findings[record["id"]], tally)
        at_place = [finding for finding in offered if _touches(finding, record)]
        tally.elsewhere += len(offered) - len(at_place)
        if at_place:
            tally.found[record["category"]] += 1
            tally.right[record["category"]] += any(_mends(record, finding) for finding in at_place)
    for record in clean:
        offered = _offered(findings[record["id"]], tally)
        tally.alarms[record["kind"]] += len(offered)
        if offered:
            tally.clean_flagged.add(record["id"])
    return tally


def _offered(findings: Iterable[Finding], tally: Tally) -> list[Finding]:
    """Return the corrections, less matters of style and what is held back."""
    kept = [finding for finding in findings if not finding.doubtful]
    tally.style += sum(finding.category is Category.STYLE for finding in kept)
    return [finding for finding in kept if finding.category is not Category.STYLE]


def _touches(finding: Finding, record: dict[str, Any]) -> bool:
    return bool(finding.start <= record["end"] and record["start"] <= finding.end)


def _mends(record: dict[str, Any], finding: Finding) -> bool:
    if not finding.suggestions:
        return False
    text: str = record["text"]
    mended = text[: finding.start] + finding.suggestions[0] + text[finding.end :]
    return bool(mended == record["fixed"])


def measure(half: str, model: str | None) -> tuple[dict[str, Findings], list[Any], list[Any], dict[str, float]]:
    """Return the findings of every row by sentence, the sentences, and seconds by step."""
    errors, clean = read_set("errors.jsonl", half), read_set("clean.jsonl", half)
    desk = build_desk(library=False)
    polishing = desk.new_polishing()
    seconds: dict[str, float] = defaultdict(float)
    rows: dict[str, Findings] = {}
    try:
        for row, engine in (("Harper", HARPER), ("LanguageTool", LANGUAGETOOL), ("both", AUTO)):
            start = time.perf_counter()
            rows[row] = {
                record["id"]: polishing.check(record["text"], engine, settings=PolishSettings()).findings
                for record in (*errors, *clean)
            }
            seconds[row] = time.perf_counter() - start
        ranker = EngineRanker(desk.engines, model)
        print(f"ranking with {ranker.model}")
        start = time.perf_counter()
        tried = 0
        ranked: Findings = {}
        for record in (*errors, *clean):
            ranking = rank_findings(record["text"], rows["both"][record["id"]], ranker)
            ranked[record["id"]] = ranking.findings
            tried += ranking.tried
        rows["both + ranking"] = ranked
        seconds["ranking"] = time.perf_counter() - start
        seconds["findings ranked"] = tried
    finally:
        polishing.close()
        desk.close()
    return rows, errors, clean, seconds


def report(rows: dict[str, Findings], errors: Sequence[Any], clean: Sequence[Any], say: Callable[[str], None]) -> None:
    """Say the figures as Markdown tables."""
    tallies = {row: count(errors, clean, findings) for row, findings in rows.items()}
    say(
        "| checker | precision | recall | first suggestion right, of those found | of all errors "
        f"| false alarms in clean sentences | clean sentences flagged (of {len(clean)}) "
        "| beside the error | style notes |"
    )
    say("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for row, tally in tallies.items():
        found, right, alarms = tally.found.total(), tally.right.total(), tally.alarms.total()
        precision = found / max(found + alarms + tally.elsewhere, 1)
        say(
            f"| {row} | {precision:.1%} | {found / len(errors):.1%} | {right / max(found, 1):.1%} "
            f"| {right / len(errors):.1%} | {alarms} | {len(tally.clean_flagged)} | {tally.elsewhere} | {tally.style} |"
        )
    sizes = Counter(record["category"] for record in errors)
    say("\nFound and, behind the stroke, first suggestion right:\n")
    say(f"| category | sentences | {' | '.join(tallies)} |\n|---|--:|{'--:|' * len(tallies)}")
    for category, size in sizes.items():
        cells = " | ".join(f"{tally.found[category]} / {tally.right[category]}" for tally in tallies.values())
        say(f"| {category} | {size} | {cells} |")
    kinds = Counter(record["kind"] for record in clean)
    say(
        f"\nFalse alarms in clean sentences:\n\n| kind | sentences | {' | '.join(tallies)} |"
        f"\n|---|--:|{'--:|' * len(tallies)}"
    )
    for kind, size in kinds.items():
        say(f"| {kind} | {size} | {' | '.join(str(tally.alarms[kind]) for tally in tallies.values())} |")


def show(rows: dict[str, Findings], errors: Sequence[Any], clean: Sequence[Any]) -> None:
    """Print every false alarm and every error that both miss or mend wrongly."""
    for record in (*errors, *clean):
        for finding in rows["both + ranking"][record["id"]]:
            if "category" in record and _touches(finding, record) and _mends(record, finding) and not finding.doubtful:
                continue
            words = record["text"][finding.start : finding.end]
            kind = record.get("category") or record["kind"]
            print(
                f"{record['id']} {kind}: [{finding.source}/{finding.rule}/{finding.category}"
                f"{'/doubtful' if finding.doubtful else ''}] “{words}” -> {finding.suggestions[:4]}"
                f"  | {record['text'][:90]}"
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--model")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--markdown", type=Path, help="also append the tables to this file")
    arguments = parser.parse_args()
    half = "held_back" if arguments.held_back else "development"
    rows, errors, clean, seconds = measure(half, arguments.model)
    lines: list[str] = []
    report(rows, errors, clean, lines.append)
    print("\n".join(lines))
    print("\nseconds:", {name: round(value, 2) for name, value in seconds.items()})
    if arguments.markdown:
        with arguments.markdown.open("a", encoding="utf-8") as file:
            file.write(f"\n### {half.replace('_', '-')} half\n\n" + "\n".join(lines) + "\n")
    if arguments.show:
        show(rows, errors, clean)


if __name__ == "__main__":
    main()
