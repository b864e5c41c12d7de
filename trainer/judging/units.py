"""The units of a job, each done once, by keys: numbers of models, settings, prompts and samples."""

from __future__ import annotations

from collections.abc import Iterator

from trainer.protocol.judging import JudgeRequest


def make_heldout_key(style: int, prompt: int) -> str:
    """Return the key of what a model makes of a person's story."""
    return f"heldout/{style}/{prompt}"


def make_story_key(style: int, settings: int, prompt: int, sample: int) -> str:
    """Return the key of a story that a model writes."""
    return f"story/{style}/{settings}/{prompt}/{sample}"


def make_reading_key(story_key: str) -> str:
    """Return the key of what the reader makes of a story."""
    return story_key.replace("story/", "reading/", 1)


def list_story_keys(request: JudgeRequest, prompts: int, style: int) -> Iterator[tuple[str, int, int, int]]:
    """Yield key, settings, prompt and sample of each story that a style writes."""
    for settings in range(len(request.settings)):
        for prompt in range(prompts):
            for sample in range(request.stories):
                yield make_story_key(style, settings, prompt, sample), settings, prompt, sample
