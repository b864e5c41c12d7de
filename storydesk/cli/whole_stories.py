"""``storydesk write --prompts``: each prompt of a file becomes a whole story with an ending."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from storydesk.cli.console import Console, Report
from storydesk.domain.generation import SamplingSettings, count_seed
from storydesk.domain.whole_story import LEAST_WORDS, QueuedStory, StoryEnding, StoryState, StoryWish
from storydesk.services.desk import Desk
from storydesk.services.memory import MemoryPage
from storydesk.services.prompts import read_prompt_file

_ENDINGS = {
    StoryEnding.OWN: "ended by the model itself",
    StoryEnding.LIKELY: "stopped where the model finds an end likeliest",
    StoryEnding.CUT: "stopped at a sentence, with no end in sight",
}


def write_whole_stories(
    arguments: argparse.Namespace,
    seed: int,
    settings: SamplingSettings,
    page: MemoryPage,
    desk: Desk,
    console: Console,
) -> int:
    """Write ``--count`` stories for each prompt, one after another, each as soon as it is whole."""
    prompts = read_prompt_file(Path(arguments.prompts))
    words = max(arguments.words, LEAST_WORDS)
    wishes = [
        StoryWish(prompt, words, count_seed(seed, number), settings, arguments.model or "")
        for number, prompt in enumerate(prompt for prompt in prompts for _ in range(arguments.count))
    ]
    polishing = desk.new_polishing() if arguments.polish else None
    records: list[dict[str, Any]] = []
    try:
        for number, wish in enumerate(wishes, start=1):
            console.say(f"{'' if number == 1 else chr(10)}## Story {number} of {len(wishes)}: {wish.prompt}\n")
            with console.progress(f"Writing story {number} of {len(wishes)}") as report:
                story = _write(QueuedStory(number, wish), page, desk, report)
            text = polishing.polish_addition("", story.text.strip()) if polishing is not None else story.text.strip()
            console.say(text)
            if not console.as_json:
                console.note(_describe(story))
            records.append(_as_record(story, text))
    finally:
        if polishing is not None:
            polishing.close()
    console.give({"stories": records})
    return 0


def _write(story: QueuedStory, page: MemoryPage, desk: Desk, report: Report) -> QueuedStory:
    while story.state is not StoryState.DONE:
        story = desk.story_writer.advance(story, lambda: False, page)
        report("Writing", story.words, story.wish.words)
    return story


def _describe(story: QueuedStory) -> str:
    return (
        f"[{story.model}, seed {story.wish.seed}, {story.words} words, perplexity {story.perplexity:.1f}, "
        f"{_ENDINGS[StoryEnding(story.ending)]} ({story.end_chance:.1%})]"
    )


def _as_record(story: QueuedStory, text: str) -> dict[str, Any]:
    return {
        "prompt": story.wish.prompt,
        "text": text,
        "seed": story.wish.seed,
        "model": story.model,
        "perplexity": story.perplexity,
        "words": story.words,
        "ending": story.ending,
        "end_chance": story.end_chance,
    }
