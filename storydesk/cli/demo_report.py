"""The demonstration's report, as JSON and for people."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storydesk.cli.runs import describe_parity, describe_time
from storydesk.domain.manuscript import count_words
from storydesk.services.demonstration import STARTER, DemoReport


def make_record(report: DemoReport, files: Sequence[Path], notices: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Return the report as JSON has it; times are seconds but for ``minutes``."""
    run, story = report.run, report.story
    exact = report.parity("fp32")
    return {
        "model": report.model,
        "in_use": report.in_use,
        "heldout": {
            "perplexity_before": run.perplexity_before,
            "perplexity_after": run.perplexity_after,
            "documents": run.heldout_documents,
        },
        "tuning": {
            "device": run.device,
            "steps": run.step,
            "stories": run.training_documents + run.heldout_documents,
            "words": run.words,
            "changed": dict(run.changed),
            "dropped": dict(run.dropped),
            "measurements": [{"step": step, "perplexity": value} for step, value in run.heldout],
        },
        "parity": {
            "fp32_largest_difference": exact.largest_difference if exact else None,
            "int8_perplexity_excess": report.int8_excess,
            "graphs": describe_parity(run),
        },
        "tokens_per_second": story.tokens_per_second,
        "device": story.device,
        "story": {
            "title": story.title,
            "prompt": story.prompt,
            "seed": story.seed,
            "ended": story.ended,
            "words": count_words(report.polished),
            "written": story.text,
            "text": report.polished,
        },
        "polish": {
            "engines": list(report.checkers),
            "findings": report.findings,
            "changes": [
                {
                    "before": change.before,
                    "after": change.after,
                    "category": change.category,
                    "message": change.message,
                    "source": change.source,
                }
                for change in report.changes
            ],
            "notices": list(notices),
        },
        "scores": {
            name: {
                "perplexity": score.perplexity,
                "nats_per_word": score.nats_per_word,
                "bits_per_byte": score.bits_per_byte,
            }
            for name, score in ((STARTER, report.starter_score), (report.model, report.tuned_score))
        },
        "files": [str(path.resolve()) for path in files],
        "minutes": {name: seconds / 60 for name, seconds in report.seconds.items()},
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def make_markdown(record: dict[str, Any]) -> str:
    """Return the same report as Markdown."""
    story = record["story"]
    lines = [
        f"# {story['title']}",
        "",
        f"*{story['prompt']}*",
        "",
        *story["text"].splitlines(),
        "",
        "# How it came to be",
        "",
        *_describe_tuning(record),
        *_describe_parity(record["parity"]),
        _describe_speed(record),
        *_describe_scores(record["scores"]),
        *_describe_polish(record["polish"]),
        f"- It took {_describe_minutes(record['minutes'])}.",
        "",
        "Files:",
        "",
        *(f"- {path}" for path in record["files"]),
    ]
    return "\n".join(lines) + "\n"


def _describe_tuning(record: dict[str, Any]) -> list[str]:
    tuning, heldout = record["tuning"], record["heldout"]
    before, after = heldout["perplexity_before"], heldout["perplexity_after"]
    use = "and is in use now" if record["in_use"] else "and the model that was in use before still is"
    change = f", {100 * (1 - after / before):.0f} % lower" if before > after else ""
    stories = f"{tuning['stories']} sample stories ({tuning['words']:,} words)"
    tuned = f"- Tuned on {stories}, {tuning['steps']} steps on {tuning['device']}."
    unseen = f"{heldout['documents']} stories it never saw"
    return [
        f"{tuned} The model is called {record['model']} {use}.",
        f"- Held-out perplexity, on {unseen}: {before:.2f} before, {after:.2f} after{change}.",
    ]


def _describe_speed(record: dict[str, Any]) -> str:
    story = record["story"]
    where = f"at {record['tokens_per_second']:.0f} tokens a second on the {record['device']}"
    return f"- Written {where} (seed {story['seed']}, {story['words']} words)."


def _describe_parity(parity: dict[str, Any]) -> list[str]:
    lines = [
        f"- The {graph['graph']} graph beside {graph['reference']}: log-probabilities differ by "
        f"{graph['largest_difference']:.1e} at most, perplexity {graph['perplexity']:.3f} "
        f"against {graph['reference_perplexity']:.3f}."
        for graph in parity["graphs"]
    ]
    if parity["int8_perplexity_excess"] is not None:
        lines.append(f"- 8 bits change perplexity by {100 * parity['int8_perplexity_excess']:+.2f} % against fp32.")
    return lines


def _describe_scores(scores: dict[str, dict[str, float]]) -> list[str]:
    parts = [f"{value['perplexity']:.1f} to {name}" for name, value in scores.items()]
    return [f"- The finished story's perplexity: {', '.join(parts)}."]


def _describe_polish(polish: dict[str, Any]) -> list[str]:
    names = {"harper": "Harper", "languagetool": "LanguageTool"}
    engines = " and ".join(names.get(engine, engine) for engine in polish["engines"]) or "Nobody"
    lines = [f"- {notice['sentence']} {notice['remedy']}" for notice in polish["notices"]]
    lines.append(f"- {engines} found {polish['findings']} things and changed {len(polish['changes'])}:")
    if not polish["changes"]:
        lines[-1] = f"- {engines} found {polish['findings']} things and changed nothing."
    return lines + [
        f"    - “{change['before']}” became “{change['after']}” ({change['message']})" for change in polish["changes"]
    ]


def _describe_minutes(minutes: dict[str, float]) -> str:
    parts = ", ".join(f"{name} {describe_time(value * 60)}" for name, value in minutes.items() if name != "all")
    return f"{minutes['all']:.1f} minutes ({parts})"
