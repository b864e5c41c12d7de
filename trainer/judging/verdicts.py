"""What a report says in a few sentences, honestly: which model is ahead in what, and where nobody can tell.

A verdict is a code with parameters, so that the app can say it in the reader's language; here it is said in English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.evaluation.ranking import CHOICES
from trainer.judging.metrics import Direction, Group
from trainer.judging.plots import show

AS_WRITTEN, EQUAL = "written", "equal"
_MOST_NAMED = 8

Record = Mapping[str, Any]

SENTENCES: Mapping[str, str] = {
    "predicts_level": "{first} and {second} predict people's stories equally well, as far as can be told (their "
    "perplexities differ by {low} to {high}, 95 % interval).",
    "predicts_better": "{better} predicts people's stories better than {other}: its perplexity is {by} lower (95 % "
    "interval {low} to {high}).",
    "ahead_too": "{better} is ahead by these measures of prediction, too: {metrics}.",
    "stories_better": "The stories of {better} are better than those of {other} in: {metrics}.",
    "stories_better_with": "The stories of {better} are better than those of {other} (with {settings}) in: {metrics}.",
    "stories_nearer": "The stories of {better} are nearer to people's than those of {other} in: {metrics}.",
    "stories_nearer_with": "The stories of {better} are nearer to people's than those of {other} (with {settings}) in: "
    "{metrics}.",
    "stories_level": "In {unclear} of {judged} measures of their stories {first} and {second} can't be told apart.",
    "stories_level_with": "In {unclear} of {judged} measures of their stories (with {settings}) {first} and {second} "
    "can't be told apart.",
    "settings_best": "For {model}, the stories nearest to people's are those with {settings}, and all other settings "
    "are further away.",
    "settings_open": "For {model}, the stories nearest to people's are those with {settings}, but none of the other "
    "settings can be told apart from it.",
    "settings_some": "For {model}, the stories nearest to people's are those with {settings}; these can't be told "
    "apart from it: {level}.",
    "prompts_unheard": "Whether the reader finds the prompts of people's own stories more often than by chance can't "
    "be told ({value} of 100, {low} to {high}; by chance {chance}), so nothing is said of who keeps to these prompts.",
    "few_prompts": "There were {prompts} prompts only: more would make all of this surer.",
    "more": "{list} and {count} more",
}
"""A sentence for each code. ``more`` ends a list that is too long."""

_SIGNED = frozenset({"predicts_level"})


@dataclass(frozen=True, slots=True)
class VerdictFound:
    """A code of SENTENCES; ``metrics`` are names of metrics, ``settings`` and ``level`` places in the report's list."""

    code: str
    parameters: Mapping[str, Any]


def list_verdicts(record: Record) -> list[VerdictFound]:
    """Return what a report comes to, the most telling first."""
    found = list(_judge_pairs(record))
    found += _judge_settings(record)
    found += _judge_prompts(record)
    if record["prompts"] < 20 and found:
        found.append(VerdictFound("few_prompts", {"prompts": record["prompts"]}))
    return found


def say_verdict(verdict: VerdictFound, record: Record) -> str:
    """Return a verdict as an English sentence."""
    titles = {metric["name"]: metric["title"] for metric in record["metrics"]}
    labels = [settings["label"] for settings in record["settings"]]
    words: dict[str, str] = {}
    for name, value in verdict.parameters.items():
        if name == "metrics":
            words[name] = _join([titles[metric] for metric in value], ",")
        elif name == "settings":
            words[name] = labels[value]
        elif name == "level":
            words[name] = _join([labels[place] for place in value], ";")
        else:
            words[name] = show(value, signed=verdict.code in _SIGNED) if isinstance(value, float) else str(value)
    return SENTENCES[verdict.code].format(**words)


def _judge_pairs(record: Record) -> Iterator[VerdictFound]:
    """Yield of each pair of models how they predict people's stories, and how their own stories differ."""
    mute = {
        metric["name"] for metric in record["metrics"] if metric["group"] == Group.PROMPT and _judge_prompts(record)
    }
    directions = {
        metric["name"]: Direction.NONE if metric["name"] in mute else Direction(metric["direction"])
        for metric in record["metrics"]
    }
    pairs = list(dict.fromkeys((each["first"], each["second"]) for each in record["differences"]))
    for first, second in pairs:
        of = [each for each in record["differences"] if (each["first"], each["second"]) == (first, second)]
        yield from _judge_prediction(of, first, second)
        for settings in sorted({each["settings"] for each in of if each["settings"] >= 0}):
            chosen = [each for each in _take_fairest(of) if each["settings"] == settings]
            where = {"settings": settings} if len(record["settings"]) > 1 else {}
            yield from _judge_stories(chosen, directions, first, second, where)


def _judge_prediction(of: Sequence[Record], first: str, second: str) -> Iterator[VerdictFound]:
    perplexity = next((each for each in of if each["metric"] == "perplexity"), None)
    if perplexity is None or perplexity["low"] is None:
        return
    if not perplexity["better"]:
        bounds = {"low": float(perplexity["low"]), "high": float(perplexity["high"])}
        yield VerdictFound("predicts_level", {"first": first, "second": second, **bounds})
        return
    better, other = (first, second) if perplexity["better"] == first else (second, first)
    low, high = sorted(abs(float(perplexity[side])) for side in ("low", "high"))
    by = abs(float(perplexity["value"]))
    yield VerdictFound("predicts_better", {"better": better, "other": other, "by": by, "low": low, "high": high})
    ahead = [
        each["metric"]
        for each in of
        if each["metric"] in ("prompt_ranking", "coherence", "first_guess") and each["better"] == better
    ]
    if ahead:
        yield VerdictFound("ahead_too", {"better": better, "metrics": ahead})


def _judge_stories(
    chosen: Sequence[Record], directions: Mapping[str, Direction], first: str, second: str, where: Mapping[str, int]
) -> Iterator[VerdictFound]:
    """Yield in which measures of the stories themselves either is better, and in how many nobody can tell.

    To be nearer to people's stories is another thing than to be better, and is said apart.
    """
    kind = "_with" if where else ""
    judged = [each for each in chosen if directions[each["metric"]] is not Direction.NONE and each["low"] is not None]
    for name, other in ((first, second), (second, first)):
        for code, is_nearer in (("stories_better", False), ("stories_nearer", True)):
            ahead = [
                each["metric"]
                for each in judged
                if each["better"] == name and (directions[each["metric"]] is Direction.NEARER) is is_nearer
            ]
            if ahead:
                yield VerdictFound(f"{code}{kind}", {"better": name, "other": other, "metrics": ahead, **where})
    unclear = sum(not each["better"] for each in judged)
    if unclear:
        counts = {"unclear": unclear, "judged": len(judged)}
        yield VerdictFound(f"stories_level{kind}", {"first": first, "second": second, **counts, **where})


def _take_fairest(of: Sequence[Record]) -> list[Record]:
    """Return one difference for each metric and settings: at equal length where there is that."""
    found: dict[tuple[str, int], Record] = {}
    for each in sorted(of, key=lambda each: each["control"] == EQUAL):
        found[each["metric"], each["settings"]] = each
    return list(found.values())


def _judge_prompts(record: Record) -> list[VerdictFound]:
    """Return that the reader can't tell the prompts of people's stories, where it can't: it can't judge models then."""
    people = (each for each in record["values"] if each["metric"] == "prompt_found" and each["style"] == "")
    found = next((each for each in people if each["control"] == AS_WRITTEN), None)
    if found is None or found["low"] is None:
        return []
    chance = 1 / min(CHOICES, max(2, record["prompts"]))
    if found["low"] > chance:
        return []
    shares = {name: round(100 * found[name]) for name in ("value", "low", "high")}
    return [VerdictFound("prompts_unheard", {**shares, "chance": round(100 * chance)})]


def _judge_settings(record: Record) -> Iterator[VerdictFound]:
    for sweep in record["sweep"]:
        best, *others = sweep["ranking"]
        level = [row["settings"] for row in others if not row["told_apart"]]
        of = {"model": sweep["style"], "settings": best["settings"]}
        if not level:
            yield VerdictFound("settings_best", of)
        elif len(level) == len(others):
            yield VerdictFound("settings_open", of)
        else:
            yield VerdictFound("settings_some", {**of, "level": level})


def _join(parts: Sequence[str], mark: str) -> str:
    if len(parts) > _MOST_NAMED:
        shown = f"{mark} ".join(parts[:_MOST_NAMED])
        return SENTENCES["more"].format(list=shown, count=len(parts) - _MOST_NAMED)
    return f"{mark} ".join(parts)
