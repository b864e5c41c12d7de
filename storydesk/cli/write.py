"""``storydesk write``: stories from a prompt, streamed as they come, or whole ones from a file of prompts."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import MAXIMUM_SEED, add_json_option, decimal_number, whole_number
from storydesk.cli.console import Console
from storydesk.cli.whole_stories import write_whole_stories
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import Finished, SamplingSettings, TextChunk, TokenChoice, count_seed
from storydesk.domain.manuscript import count_words
from storydesk.domain.memory import StoryMemory
from storydesk.services.desk import Desk
from storydesk.services.memory import MemoryPage, read_lorebook_file
from storydesk.services.writing import Started, WritingRequest

_DEFAULTS = SamplingSettings()


@dataclass(slots=True)
class _Story:
    seed: int
    model: str = ""
    perplexity: float = 0.0
    pieces: list[str] = field(default_factory=list)
    choices: list[TokenChoice] = field(default_factory=list)
    finished: Finished | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "write", help="write stories from a prompt", description="Write stories that answer a prompt."
    )
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--prompt", metavar="P", help="what the story is about, in a sentence")
    asked.add_argument(
        "--prompts", metavar="FILE", help="a file with a prompt on each line (or csv, jsonl): whole stories that end"
    )
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
    _add_drawing(parser.add_argument_group("how words are drawn"))
    _add_limits(parser.add_argument_group("what may come, and where it ends"))
    parser.add_argument(
        "--polish", action="store_true", help="mend what has a clear remedy before a story is shown (off)"
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def _add_drawing(group: Any) -> None:
    share = decimal_number("--typical", 0.0, 1.0, above=True)
    penalties = {name: decimal_number(name, -10.0, 10.0) for name in ("--frequency", "--presence")}
    numbers = (
        ("--top-k", whole_number("--top-k", 0, 1_000_000), "top_k", "draw from so many of the likeliest tokens"),
        ("--min-p", decimal_number("--min-p", 0.0, 1.0), "min_p", "leave out what has less than this of the best"),
        ("--typical", share, "typical_p", "draw from what is about as surprising as expected, up to this share"),
        ("--repetition", decimal_number("--repetition", 0.1, 10.0), "repetition_penalty", "above 1 less comes back"),
        ("--frequency", penalties["--frequency"], "frequency_penalty", "nats less for each time a word was written"),
        ("--presence", penalties["--presence"], "presence_penalty", "nats less for a word that was written at all"),
        ("--no-repeat", whole_number("--no-repeat", 0, 1_000), "no_repeat_ngram", "tokens in a row never come twice"),
    )
    for name, kind, destination, words in numbers:
        default = getattr(_DEFAULTS, destination)
        shown = f"{words} ({default})"
        group.add_argument(name, type=kind, default=default, dest=destination, metavar="N", help=shown)
    group.add_argument(
        "--alternatives",
        type=whole_number("--alternatives", 0, 100),
        default=0,
        metavar="N",
        help="with --json: so many of the likeliest tokens in each place (0)",
    )


def _add_limits(group: Any) -> None:
    group.add_argument("--ban", action="append", default=[], metavar="PHRASE", help="a word or phrase that never comes")
    group.add_argument(
        "--prefer",
        action="append",
        type=_read_preference,
        default=[],
        metavar="PHRASE=NATS",
        help="a phrase that comes more easily, or less easily with a number below 0",
    )
    group.add_argument("--stop", action="append", default=[], metavar="TEXT", help="end before this text")
    for name, words in (("--min-words", "never shorter"), ("--max-words", "never longer")):
        group.add_argument(name, type=whole_number(name, 0, 10_000), default=0, metavar="W", help=f"{words} (no limit)")
    group.add_argument("--memory", default="", metavar="TEXT", help="what the model should always know")
    group.add_argument("--note", default="", metavar="TEXT", help="an author's note, near the end of what it sees")
    group.add_argument("--lorebook", metavar="FILE", help="entries (also KoboldAI's, NovelAI's) for names that come up")


def _read_preference(value: str) -> tuple[str, float]:
    phrase, _, nats = value.rpartition("=")
    if not phrase.strip():
        expected = "a phrase and a number, such as lantern=2"
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name="--prefer", value=value or "empty", expected=expected)
    return phrase, decimal_number("--prefer", -100.0, 100.0)(nats)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Write the stories, side by side; the second has the first one's seed plus one, and so on."""
    if arguments.prompt is not None and not arguments.prompt.strip():
        expected = "a sentence to start from"
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name="--prompt", value="empty", expected=expected)
    if arguments.polish and arguments.alternatives:
        expected = "0 with --polish, for a mended text has other words in those places"
        raise StorydeskError(
            FailureCode.BAD_ARGUMENT, name="--alternatives", value=arguments.alternatives, expected=expected
        )
    if 0 < arguments.max_words < arguments.min_words:
        expected = f"at least --min-words, {arguments.min_words}"
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name="--max-words", value=arguments.max_words, expected=expected)
    seed = arguments.seed
    if seed is None:
        seed = random.SystemRandom().randrange(MAXIMUM_SEED)
    entries = read_lorebook_file(Path(arguments.lorebook)).entries if arguments.lorebook else ()
    page = MemoryPage(StoryMemory(arguments.memory, arguments.note), entries)
    if arguments.prompts is not None:
        return write_whole_stories(arguments, seed, _read_settings(arguments), page, desk, console)
    request = desk.writing.request(
        arguments.prompt,
        words=arguments.words,
        seed=seed,
        settings=_read_settings(arguments),
        model=arguments.model,
        count=arguments.count,
        alternatives=arguments.alternatives,
        recalled=page.recall("", arguments.prompt),
    )
    if not arguments.polish:
        stories = _write_stories(request, desk, console, lambda text: text)
    else:
        polishing = desk.new_polishing()
        try:
            mend = functools.partial(polishing.polish_addition, "")
            stories = _write_stories(request, desk, console, mend, whole=True)
        finally:
            polishing.close()
    console.give({"stories": [_as_record(story, request) for story in stories]})
    return 0


def _read_settings(arguments: argparse.Namespace) -> SamplingSettings:
    return SamplingSettings(
        temperature=arguments.temperature,
        top_p=arguments.top_p,
        top_k=arguments.top_k,
        min_p=arguments.min_p,
        repetition_penalty=arguments.repetition_penalty,
        no_repeat_ngram=arguments.no_repeat_ngram,
        typical_p=arguments.typical_p,
        frequency_penalty=arguments.frequency_penalty,
        presence_penalty=arguments.presence_penalty,
        banned=tuple(arguments.ban),
        phrase_bias=tuple(arguments.prefer),
        stops=tuple(stop.replace("\\n", "\n") for stop in arguments.stop),
        minimum_words=arguments.min_words,
        maximum_words=arguments.max_words,
    )


def _write_stories(
    request: WritingRequest, desk: Desk, console: Console, finish: Callable[[str], str], *, whole: bool = False
) -> list[_Story]:
    """Write all stories at once; the first that is not done yet is shown as it comes, the others wait for it.

    ``finish`` has the last word on a story's text; where it changes one, stories are shown ``whole``.
    """
    stories = [_Story(count_seed(request.seed, number)) for number in range(request.count)]
    events = desk.writing.write(request)
    with console.progress("Waking the model"):
        # The first event comes when the model is loaded; the starter's graphs are built before its first use.
        started = next(events)
    if isinstance(started, Started):
        for story in stories:
            story.model = started.model
        _say_left_out(started, console)
    current, shown = 0, 0
    _head(stories, 0, console)
    for event in events:
        if isinstance(event, TextChunk):
            stories[event.candidate].pieces.append(event.text)
            stories[event.candidate].choices += event.choices
        elif isinstance(event, Finished):
            stories[event.candidate].finished = event
        while current < len(stories):
            story = stories[current]
            if whole and story.finished is None:
                break
            if whole:
                story.pieces = [finish(story.text)]
            console.stream("".join(story.pieces[shown:]))
            shown = len(story.pieces)
            if story.finished is None:
                break
            console.stream("\n")
            _measure(story, request, desk)
            if not console.as_json:
                console.note(_describe(story))
            current, shown = current + 1, 0
            if current < len(stories):
                _head(stories, current, console)
    if current < len(stories):
        raise StorydeskError(FailureCode.CANCELLED)
    return stories


def _head(stories: list[_Story], number: int, console: Console) -> None:
    if len(stories) > 1:
        first = "" if number == 0 else "\n"
        console.say(f"{first}## Story {number + 1} of {len(stories)} (seed {stories[number].seed})\n")


def _say_left_out(started: Started, console: Console) -> None:
    parts = (("prompt", started.prompt_left_out), ("memory", started.memory_left_out), ("note", started.note_left_out))
    for name, count in parts:
        if count and not console.as_json:
            console.note(f"[{count:,} characters of the {name} don't fit and are left out]")
    if started.lore_left_out and not console.as_json:
        console.note(f"[{started.lore_left_out} entries of the lorebook don't fit and are left out]")


def _measure(story: _Story, request: WritingRequest, desk: Desk) -> None:
    """Say how surprising the story is to its own model."""
    if story.text.strip():
        story.perplexity = desk.scoring.score(story.text, request.prompt, model=request.model).score.perplexity


def _describe(story: _Story) -> str:
    speed = story.finished.tokens_per_second if story.finished else 0.0
    return (
        f"[{story.model}, seed {story.seed}, {count_words(story.text)} words, "
        f"perplexity {story.perplexity:.1f}, {speed:.0f} tokens a second]"
    )


def _as_record(story: _Story, request: WritingRequest) -> dict[str, Any]:
    assert story.finished is not None
    record: dict[str, Any] = {
        "text": story.text,
        "seed": story.seed,
        "model": story.model,
        "perplexity": story.perplexity,
        "words": count_words(story.text),
        "tokens": story.finished.tokens,
        "tokens_per_second": story.finished.tokens_per_second,
        "ended": str(story.finished.reason),
    }
    if request.alternatives:
        record["choices"] = [dataclasses.asdict(choice) for choice in story.choices]
    return record
