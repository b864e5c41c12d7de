"""The model card: what a tuned model comes from and what was measured, for whoever meets its folder."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from trainer.protocol.messages import Parameter, PromptsRanked, StoriesMeasured

if TYPE_CHECKING:
    from trainer.export.bundle import Description
    from trainer.protocol.manifest import Graph

CARD_NAME = "README.md"
_LIBRARIES = ("torch", "transformers", "accelerate", "peft", "onnx", "onnxruntime", "onnxruntime-gpu", "tokenizers")


def write_card(description: Description, graphs: Sequence[Graph]) -> str:
    """Return the card as Markdown."""
    lines = [f"# {description.name}", "", _say_origin(description), "", f"Licence: {description.licence}."]
    if description.lineage:
        lines += ["", "## Lineage", "", *_list_lineage(description)]
    if description.data:
        lines += ["", "## Text", "", *_list_items(description.data)]
    perplexities = {name: value for name, value in description.heldout.items() if name.startswith("perplexity")}
    if perplexities:
        lines += [
            "",
            "## Held-out text (perplexity per token, given the prompts)",
            "",
            *_list_items(perplexities),
        ]
    choices = {name: value for name, value in description.heldout.items() if name.startswith("choice")}
    if choices:
        lines += ["", "## The writer's choices that were kept aside (ln 2 nats: nothing learned)", ""]
        lines += _list_items(choices)
    if description.ranked:
        lines += ["", "## Prompts told from others", "", *map(_say_ranking, description.ranked)]
    if description.stories:
        lines += ["", "## Stories written on held-out prompts", "", *_table(description.stories)]
    if graphs:
        lines += ["", "## Graphs", "", "| graph | perplexity | of the reference |", "|---|---:|---:|"]
        lines += [
            f"| {graph.precision} | {graph.perplexity:.4g} | {graph.reference_perplexity:.4g} |" for graph in graphs
        ]
    if description.settings:
        lines += ["", "## Settings", "", *_list_items(description.settings)]
    lines += ["", "## Made with", "", *_list_items(list_versions()), ""]
    return "\n".join(lines)


def list_versions() -> dict[str, Parameter]:
    """Return the versions of what took part, as far as it is installed."""
    found: dict[str, Parameter] = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _say_origin(description: Description) -> str:
    return f"A GPT-2 model, {description.origin}."


def _list_lineage(description: Description) -> list[str]:
    """Return the generations, the base first; the nearest one with the fingerprint that its weights are known by."""
    names = [*reversed(description.lineage), description.name]
    marks = {len(names) - 2: f" (weights {description.parent})"} if description.parent else {}
    return [f"{number}. {name}{marks.get(number, '')}" for number, name in enumerate(names)]


def _say_ranking(ranked: PromptsRanked) -> str:
    """Return one measurement of prompt ranking as a list item."""
    return (
        f"- {ranked.moment}: {ranked.accuracy:.0%} of {ranked.stories} held-out stories are likeliest under their own "
        f"prompt, of {ranked.choices} prompts ({ranked.low:.0%} to {ranked.high:.0%} with 95 % certainty; "
        f"guessing gives {1 / ranked.choices:.0%})"
    )


def _list_items(items: Mapping[str, object]) -> list[str]:
    return [f"- {name.replace('_', ' ')}: {_say(value)}" for name, value in items.items()]


def _say(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _table(stories: Sequence[StoriesMeasured]) -> list[str]:
    lines = [
        "| | distinct-2 | repetition-3 | longest copy, words | runs of eight copied |",
        "|---|---:|---:|---:|---:|",
    ]
    return lines + [
        f"| {each.moment} | {each.distinct_2:.3f} | {each.repetition_3:.3f} | {each.longest_copy} "
        f"| {each.copied_share:.1%} |"
        for each in stories
    ]
