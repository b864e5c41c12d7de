"""``storydesk write``: stories from a prompt, streamed as they come."""

from __future__ import annotations

import argparse
import itertools
import random
from dataclasses import dataclass
from typing import Any

from storydesk.cli.arguments import MAXIMUM_SEED, add_json_option, decimal_number, whole_number
from storydesk.cli.console import Console
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import Finished, SamplingSettings, TextChunk
from storydesk.domain.manuscript import count_words
from storydesk.services.desk import Desk
from storydesk.services.writing import Started, WritingRequest

_DEFAULTS = SamplingSettings()


@dataclass(slots=True)
class _Story:
    text: str
    seed: int
    model: str
    perplexity: float
    finished: Finished


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "write", help="write stories from a prompt", description="Write stories that answer a prompt."
    )
    parser.add_argument("--prompt", required=True, metavar="P", help="what the story is about, in a sentence")
    parser.add_argument("--model", metavar="N", help="the model that writes (the one in use if left out)")
    parser.add_argument(
        "--seed", type=whole_number("--seed", 0, MAXIMUM_SEED), metavar="S", help="the same seed gives the same story"
    )
    parser.add_argument(
        "--words", type=whole_number("--words", 1, 10_000), default=250, metavar="W", help="about how long (250)"
    )
    parser.add_argument(
        "--count", type=whole_number("--count", 1, 100), default=1, metavar="C", help="how many stories (1)"
    )
    parser.add_argument(
        "--temperature",
        type=decimal_number("--temperature", 0.0, 2.0),
        default=_DEFAULTS.temperature,
        metavar="T",
        help=f"how wild, from 0 to 2 ({_DEFAULTS.temperature})",
    )
    parser.add_argument(
        "--top-p",
        type=decimal_number("--top-p", 0.0, 1.0, above=True),
        default=_DEFAULTS.top_p,
        metavar="P",
        help=f"draw from the likeliest tokens that make up this share ({_DEFAULTS.top_p})",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Write the stories; the second has the first one's seed plus one, and so on."""
    if not arguments.prompt.strip():
        expected = "a sentence to start from"
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name="--prompt", value="empty", expected=expected)
    first = arguments.seed
    if first is None:
        first = random.SystemRandom().randrange(MAXIMUM_SEED)
    settings = SamplingSettings(temperature=arguments.temperature, top_p=arguments.top_p)
    stories: list[_Story] = []
    for number in range(arguments.count):
        seed = (first + number) % (MAXIMUM_SEED + 1)
        if arguments.count > 1:
            console.say(f"{'' if number == 0 else chr(10)}## Story {number + 1} of {arguments.count} (seed {seed})\n")
        request = desk.writing.request(
            arguments.prompt, words=arguments.words, seed=seed, settings=settings, model=arguments.model
        )
        story = _write_story(request, desk, console)
        stories.append(story)
        if not console.as_json:
            console.note(_describe(story))
    console.give({"stories": [_as_record(story) for story in stories]})
    return 0


def _write_story(request: WritingRequest, desk: Desk, console: Console) -> _Story:
    pieces: list[str] = []
    model = ""
    finished: Finished | None = None
    events = desk.writing.write(request)
    with console.progress("Waking the model"):
        # The first event comes when the model is loaded; the starter's graphs are built before its first use.
        begun = next(events)
    for event in itertools.chain([begun], events):
        if isinstance(event, Started):
            model = event.model
        elif isinstance(event, TextChunk):
            pieces.append(event.text)
            console.stream(event.text)
        else:
            finished = event
    console.stream("\n")
    if finished is None:
        raise StorydeskError(FailureCode.CANCELLED)
    text = "".join(pieces)
    perplexity = 0.0
    if text.strip():
        perplexity = desk.scoring.score(text, request.prompt, model=request.model).score.perplexity
    return _Story(text, request.seed, model, perplexity, finished)


def _describe(story: _Story) -> str:
    speed = story.finished.tokens_per_second
    return (
        f"[{story.model}, seed {story.seed}, {count_words(story.text)} words, "
        f"perplexity {story.perplexity:.1f}, {speed:.0f} tokens a second]"
    )


def _as_record(story: _Story) -> dict[str, Any]:
    return {
        "text": story.text,
        "seed": story.seed,
        "model": story.model,
        "perplexity": story.perplexity,
        "words": count_words(story.text),
        "tokens": story.finished.tokens,
        "tokens_per_second": story.finished.tokens_per_second,
        "ended": str(story.finished.reason),
    }
