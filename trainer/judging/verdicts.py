"""What a report says in a few sentences, honestly: which model is ahead in what, and where nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.judging.plots import show

AS_WRITTEN, EQUAL = "written", "equal"
_MOST_NAMED = 8

Record = Mapping[str, Any]


def list_verdicts(record: Record) -> list[str]:
    """Return the sentences of a report, the most telling ones first."""
    sentences = list(_say_pairs(record))
    sentences += _say_settings(record)
    if record["prompts"] < 20 and sentences:
        sentences.append(f"There were {record['prompts']} prompts only: more would make all of this surer.")
    return sentences


def _say_pairs(record: Record) -> Iterator[str]:
    """Say of each pair of models how they predict people's stories, and how their own stories differ."""
    titles = {metric["name"]: metric for metric in record["metrics"]}
    pairs = list(dict.fromkeys((each["first"], each["second"]) for each in record["differences"]))
    for first, second in pairs:
        of = [each for each in record["differences"] if (each["first"], each["second"]) == (first, second)]
        yield from _say_prediction(of, titles, first, second)
        for settings in sorted({each["settings"] for each in of if each["settings"] >= 0}):
            chosen = [each for each in _take_fairest(of) if each["settings"] == settings]
            label = record["settings"][settings]["label"] if len(record["settings"]) > 1 else ""
            yield from _say_stories(chosen, titles, first, second, label)


def _say_prediction(of: Sequence[Record], titles: Mapping[str, Record], first: str, second: str) -> Iterator[str]:
    perplexity = next((each for each in of if each["metric"] == "perplexity"), None)
    if perplexity is None or perplexity["low"] is None:
        return
    if not perplexity["better"]:
        interval = f"{show(perplexity['low'], signed=True)} to {show(perplexity['high'], signed=True)}"
        what = f"{first} and {second} predict people's stories equally well, as far as can be told"
        yield f"{what} (their perplexities differ by {interval}, 95 % interval)."
        return
    better, other = (first, second) if perplexity["better"] == first else (second, first)
    low, high = sorted(abs(perplexity[side]) for side in ("low", "high"))
    by = f"{show(abs(perplexity['value']))} lower (95 % interval {show(low)} to {show(high)})"
    yield f"{better} predicts people's stories better than {other}: its perplexity is {by}."
    ahead = [
        _begin_small(titles[each["metric"]]["title"])
        for each in of
        if each["metric"] in ("prompt_ranking", "coherence", "first_guess") and each["better"] == better
    ]
    if ahead:
        yield f"{better} is ahead by these measures of prediction, too: {_join(ahead)}."


def _say_stories(
    chosen: Sequence[Record], titles: Mapping[str, Record], first: str, second: str, label: str
) -> Iterator[str]:
    """Say in which measures of the stories themselves either is better, and in how many nobody can tell."""
    where = f" (with {label})" if label else ""
    for name, other in ((first, second), (second, first)):
        ahead = [_begin_small(titles[each["metric"]]["title"]) for each in chosen if each["better"] == name]
        if ahead:
            what = f"The stories of {name} are better or nearer to people's than those of {other}"
            yield f"{what}{where} in: {_join(ahead)}."
    judged = [each for each in chosen if titles[each["metric"]]["direction"] != "none" and each["low"] is not None]
    unclear = sum(not each["better"] for each in judged)
    if unclear:
        among = f"In {unclear} of {len(judged)} measures of their stories"
        yield f"{among}{where} {first} and {second} can't be told apart."


def _take_fairest(of: Sequence[Record]) -> list[Record]:
    """Return one difference for each metric and settings: at equal length where there is that."""
    found: dict[tuple[str, int], Record] = {}
    for each in sorted(of, key=lambda each: each["control"] == EQUAL):
        found[each["metric"], each["settings"]] = each
    return list(found.values())


def _say_settings(record: Record) -> Iterator[str]:
    for sweep in record["sweep"]:
        labels = [record["settings"][row["settings"]]["label"] for row in sweep["ranking"]]
        level = [label for label, row in zip(labels, sweep["ranking"], strict=True) if not row["told_apart"]][1:]
        best = f"For {sweep['style']}, the stories nearest to people's are those with {labels[0]}"
        if not level:
            yield f"{best}, and all other settings are further away."
        elif len(level) == len(labels) - 1:
            yield f"{best}, but none of the other settings can be told apart from it."
        else:
            yield f"{best}; these can't be told apart from it: {_join(level, ';')}."


def _begin_small(title: str) -> str:
    return title[:1].lower() + title[1:]


def _join(parts: Sequence[str], mark: str = ",") -> str:
    if len(parts) > _MOST_NAMED:
        return f"{mark} ".join(parts[:_MOST_NAMED]) + f" and {len(parts) - _MOST_NAMED} more"
    return f"{mark} ".join(parts)
