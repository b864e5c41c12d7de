"""The engine's figures as Markdown: a table with ratios, what memory allows, and which targets are reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEGIN = "<!-- figures: begin (python -m tests.bench.engine_peers --markdown writes them) -->"
END = "<!-- figures: end -->"
OURS = "storydesk int8"

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that issue 3 asks for: in words, what was measured in words, and whether that is it."""

    words: str
    measured: str
    reached: bool

    def format(self) -> str:
        """Return the table's row."""
        return f"| {self.words} | {self.measured} | {'yes' if self.reached else '**no**'} |"


def format_report(results: Mapping[str, Any]) -> str:
    """Return one model's table, bounds and targets; ``results`` is what the benchmark joins from its rounds."""
    read = f"memory is read at {results['bandwidth'] / 1e9:.1f} GB/s"
    others = f"others took at most {results['foreign']:.0%} of one processor"
    lines = [
        f"### {results['model']}",
        "",
        f"{results['machine']}; medians of {results['rounds']} rounds; {read}; {others}.",
        "",
        "Milliseconds: load to the first token, prefill, edit, cancel. Tokens per second: decode, score. Memory: MB.",
        "In brackets: how many times as much of it ours in 8 bits does, or as quickly.",
        "",
        *_list_table(results["engines"]),
        "",
        *_list_bounds(results),
        "",
        "| wanted | measured | |",
        "|---|---|---|",
        *(
            f"| {each.words} | {each.measured} | {'yes' if each.reached else '**no**'} |"
            for each in _find_targets(results)
        ),
    ]
    return "\n".join(lines)


def write_report(results: Sequence[Mapping[str, Any]], page: Path) -> None:
    """Replace what stands between the page's marks; raise ValueError for a page without them."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the figures")
    reports = "\n\n".join(format_report(each) for each in results)
    page.write_text(f"{before}{begin}\n\n{reports}\n\n{end}{after}", encoding="utf-8")


def _list_table(engines: Mapping[str, Figures]) -> Iterator[str]:
    keys = list(dict.fromkeys(key for figures in engines.values() for key in figures))
    yield "| engine | " + " | ".join(keys) + " |"
    yield "|---|" + "---:|" * len(keys)
    ours = engines.get(OURS, {})
    for name, figures in engines.items():
        cells = []
        for key in keys:
            value = figures.get(key)
            text = "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
            if value and ours.get(key) and name != OURS:
                text += f" ({_compare(key, ours[key], value):.2f}x)"
            cells.append(text)
        yield f"| {name} | {' | '.join(cells)} |"


def _compare(key: str, ours: float, others: float) -> float:
    """Return how many times as good our figure is."""
    return ours / others if key.startswith(("decode", "score")) else others / ours


def _list_bounds(results: Mapping[str, Any]) -> Iterator[str]:
    for name, bound in results["bounds"].items():
        figures = results["engines"][name]
        yield (
            f"- {name}: a step reads {bound['weights']:.0f} MB of weights and {bound['cache']:.0f} MB of cache, so at "
            f"most {bound['floor']:.0f} a second; {figures['decode x1']:.0f} is "
            f"{figures['decode x1'] / bound['floor']:.0%} of that. Memory: {figures['memory']:.0f} MB, the file "
            f"{bound['file']:.0f} MB, the cache {bound['whole cache']:.0f} MB."
        )


def _find_targets(results: Mapping[str, Any]) -> Iterator[Target]:
    """Yield every target for which something was measured; most are meant for the 124M shape."""
    ours, bound = results["engines"].get(OURS, {}), results["bounds"].get(OURS)
    if results["model"] == "124M":
        yield from _find_targets_beside_others(results["engines"], bound)
    yield from _find_own_targets(results["model"], ours, bound)


def _find_targets_beside_others(engines: Mapping[str, Figures], bound: Figures | None) -> Iterator[Target]:
    """Yield how we do beside others, and beside what the machine allows."""
    ours, small = engines.get(OURS, {}), engines.get("storydesk int4", {})

    def beat(words: str, mine: Figures, key: str, other: str, least: float) -> Iterator[Target]:
        theirs = engines.get(other, {})
        if key in mine and key in theirs:
            ratio = _compare(key, mine[key], theirs[key])
            yield Target(f"{words}: {least:g}x {other}", f"{ratio:.2f}x", ratio >= least)

    for other, least in (("transformers fp32", 4.5), ("ctranslate2 int8", 2), ("llama.cpp q8_0", 1.8)):
        yield from beat("decode, 8 bits", ours, "decode x1", other, least)
    if bound:
        share = ours["decode x1"] / bound["floor"]
        yield Target("decode, 8 bits: 85 % of what memory allows", f"{share:.0%}", share >= 0.85)
    yield from beat("decode, 4 bits", small, "decode x1", "llama.cpp q4_0", 1.7)
    if ours:
        gain = ours["decode x4"] / ours["decode x1"]
        yield Target("four at once: 2.5x the tokens of one", f"{gain:.2f}x", gain >= 2.5)
    for other in ("llama.cpp q8_0", "llama.cpp q4_0 repacked", "ctranslate2 int8"):
        yield from beat("prefill of 512", ours, "prefill 512", other, 1)
    yield from beat("prefill of 512, in 1.1 times the time or less", ours, "prefill 512", "transformers bf16", 0.91)
    for words in ("1000", "20000"):
        yield from beat(f"scoring {words} words", ours, f"score {words}", "transformers bf16", 1)


def _find_own_targets(model: str, ours: Figures, bound: Figures | None) -> Iterator[Target]:
    """Yield the targets that nobody else is measured for."""
    most = {"124M": 1000, "starter": 300}.get(model)
    if most and ours:
        yield Target(f"load to the first token: under {most} ms", f"{ours['load']:.0f} ms", ours["load"] < most)
    if "edit" in ours and "prefill 900" in ours:
        share = ours["edit"] / ours["prefill 900"]
        yield Target("going on after an edit: a tenth of a prefill of 900", f"{share:.1%}", share < 0.1)
    if "cancel, worst" in ours:
        waited = ours["cancel, worst"]
        yield Target("cancel: under 100 ms", f"{waited:.1f} ms", waited < 100)
    if bound and model == "124M":
        size = (ours["memory"] - bound["whole cache"]) / bound["file"]
        yield Target("memory: 1.4 times the file, plus the cache", f"{size:.2f} times", size <= 1.4)
