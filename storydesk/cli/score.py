"""``storydesk score``: how surprising a text is to a model, as a whole, part by part, and beside another model."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from storydesk.cli.arguments import add_json_option, one_of
from storydesk.cli.console import Console
from storydesk.cli.files import read_source
from storydesk.domain.scoring import PartScore, TextScore, summarise
from storydesk.services.desk import Desk
from storydesk.services.scoring import ComparedText

_BY = ("sentence", "paragraph")
_SHOWN = 46
"""Characters of a part that are shown beside its figures."""
_MOST_WORDS = 8


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "score",
        help="measure how surprising a text is to the model",
        description="Measure how surprising a text is to the model: its perplexity.",
    )
    parser.add_argument(
        "file", metavar="FILE", help="the text (docx, odt, epub, html, pdf, md, txt); - reads standard input"
    )
    parser.add_argument("--prompt", default="", metavar="P", help="the prompt that the text answers")
    parser.add_argument("--model", metavar="N", help="the model that reads (the one in use if left out)")
    parser.add_argument(
        "--by", type=one_of("--by", *_BY), metavar="PART", help="figures for each paragraph or sentence"
    )
    parser.add_argument(
        "--compare", metavar="N", help="a second model; says what is less surprising to the first than to it"
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Score one text."""
    text = read_source(arguments.file, desk.publishing).text
    compared: ComparedText | None = None
    with console.progress("Reading it word by word"):
        if arguments.compare:
            compared = desk.scoring.compare(text, arguments.prompt, model=arguments.model, base=arguments.compare)
            scored = compared.tuned
        else:
            scored = desk.scoring.score(text, arguments.prompt, model=arguments.model)
    summary = summarise(scored.score, text)
    parts = {"paragraph": summary.paragraphs, "sentence": summary.sentences}.get(arguments.by or "", ())
    record = {**_measure(scored.score), "tokens": len(scored.score.tokens), "model": scored.model}
    record["stride"] = summary.stride
    if arguments.by:
        record[f"{arguments.by}s"] = [_describe_part(part, text) for part in parts]
    if compared is not None:
        record["compare"] = {"model": compared.base.model, **_measure(compared.base.score)}
        record["words_compared"] = [
            {**dataclasses.asdict(each), "gain": each.gain, "text": text[each.start : each.end]}
            for each in compared.words
        ]
    console.give(record)
    _say_score(scored.score, scored.model, console)
    _say_parts(parts, text, console)
    if compared is not None:
        _say_comparison(compared, text, console)
    return 0


def _measure(score: TextScore) -> dict[str, Any]:
    return {
        "perplexity": score.perplexity,
        "nats_per_word": score.nats_per_word,
        "bits_per_byte": score.bits_per_byte,
        "words": score.words,
    }


def _describe_part(part: PartScore, text: str) -> dict[str, Any]:
    return {
        "start": part.start,
        "end": part.end,
        "perplexity": part.perplexity,
        "nats_per_word": part.nats_per_word,
        "bits_per_byte": part.bits_per_byte,
        "tokens": part.tokens,
        "words": part.words,
        "text": text[part.start : part.end],
    }


def _say_score(score: TextScore, model: str, console: Console) -> None:
    console.say(f"perplexity     {score.perplexity:10.2f}   a token, to the model {model}")
    console.say(f"nats per word  {score.nats_per_word:10.3f}   fit to compare models with")
    console.say(f"bits per byte  {score.bits_per_byte:10.3f}")
    console.say(f"tokens         {len(score.tokens):10,}")
    console.say(f"words          {score.words:10,}")


def _say_parts(parts: Sequence[PartScore], text: str, console: Console) -> None:
    if parts:
        console.say("\nperplexity  nats a word  words")
    for part in parts:
        shown = _shorten(text[part.start : part.end])
        console.say(f"{part.perplexity:10.2f}  {part.nats_per_word:11.3f}  {part.words:5}  {shown}")


def _say_comparison(compared: ComparedText, text: str, console: Console) -> None:
    tuned, base = compared.tuned.score, compared.base.score
    gain = base.nats_per_word - tuned.nats_per_word
    console.say(
        f"\nto the model {compared.base.model}: {base.nats_per_word:.3f} nats a word, perplexity {base.perplexity:.2f}"
    )
    better = "less" if gain >= 0 else "more"
    console.say(f"{abs(gain):.3f} nats a word {better} surprising to {compared.tuned.model}")
    ranked = sorted(compared.words, key=lambda each: each.gain)
    for title, chosen in (("most its own", ranked[::-1][:_MOST_WORDS]), ("least its own", ranked[:_MOST_WORDS])):
        words = ", ".join(f"{_shorten(text[each.start : each.end])} ({each.gain:+.1f})" for each in chosen)
        console.say(f"{title}: {words}")


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
