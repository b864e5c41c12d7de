"""``storydesk score``: how surprising a text is to a model."""

from __future__ import annotations

import argparse
from typing import Any

from storydesk.cli.arguments import add_json_option
from storydesk.cli.console import Console
from storydesk.cli.files import read_source
from storydesk.services.desk import Desk


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "score",
        help="measure how surprising a text is to the model",
        description="Measure how surprising a text (docx, md, txt) is to the model: its perplexity.",
    )
    parser.add_argument("file", metavar="FILE", help="the text; - reads standard input")
    parser.add_argument("--prompt", default="", metavar="P", help="the prompt that the text answers")
    parser.add_argument("--model", metavar="N", help="the model that reads (the one in use if left out)")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Score one text."""
    source = read_source(arguments.file, desk.publishing)
    with console.progress("Reading it word by word"):
        scored = desk.scoring.score(source.text, arguments.prompt, model=arguments.model)
    score = scored.score
    console.give(
        {
            "perplexity": score.perplexity,
            "nats_per_word": score.nats_per_word,
            "bits_per_byte": score.bits_per_byte,
            "tokens": len(score.tokens),
            "words": score.words,
            "model": scored.model,
        }
    )
    console.say(f"perplexity     {score.perplexity:10.2f}   a token, to the model {scored.model}")
    console.say(f"nats per word  {score.nats_per_word:10.3f}   fit to compare models with")
    console.say(f"bits per byte  {score.bits_per_byte:10.3f}")
    console.say(f"tokens         {len(score.tokens):10,}")
    console.say(f"words          {score.words:10,}")
    return 0
