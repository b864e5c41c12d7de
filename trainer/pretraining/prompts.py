"""Prompts for texts that have none: their title, the opening of a passage, or a line made of its key words."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from trainer.text.ngrams import count_words
from trainer.text.template import Template

SHORTEST_PASSAGE, LONGEST_PASSAGE = 250, 900
"""Words of a passage: it ends with the paragraph in which a number between these is reached."""

PROMPTED_SHARE = 0.75
"""How often a later passage begins a text of its own, with a prompt; else it goes on from the one before."""

_TITLE_SHARE, _OPENING_SHARE = 0.3, 0.5
_SHORTEST_OPENING, _LONGEST_OPENING = 20, 220
_FEWEST_KEYS, _MOST_KEYS = 2, 5
_RARE, _COMMON = 3, 0.25
_KEY_LINES = ("A story about {}.", "A tale of {}.", "Write a story with {}.", "Tell me about {}.", "{}")
_LONG_WORD = re.compile(r"[a-z]{4,}")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s")


class KeyWords:
    """Knows in how many texts each word stands, and so which words say what a passage is about. Any one thread."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._texts = 0
        self._holders: Counter[str] = Counter()

    def learn(self, story: str) -> None:
        """Count the words of one text."""
        self._texts += 1
        self._holders.update(set(_LONG_WORD.findall(story.lower())))

    def choose(self, passage: str, count: int) -> list[str]:
        """Return up to ``count`` words that are frequent here and rare elsewhere, names with their capital."""
        names = Counter(_NAME.findall(passage))
        weights = {
            word: times * math.log(self._texts / (1 + self._holders[word]))
            for word, times in Counter(_LONG_WORD.findall(passage.lower())).items()
            if _RARE <= self._holders[word] < self._texts * _COMMON
        }
        best = sorted(weights, key=lambda word: (-weights[word], word))[:count]
        return [word.capitalize() if names[word.capitalize()] >= 2 else word for word in best]


def split_passages(story: str, chance: random.Random) -> Iterator[str]:
    """Yield the story in passages that end where paragraphs do."""
    current: list[str] = []
    words, enough = 0, chance.randint(SHORTEST_PASSAGE, LONGEST_PASSAGE)
    for paragraph in story.split("\n\n"):
        current.append(paragraph)
        words += count_words(paragraph)
        if words >= enough:
            yield "\n\n".join(current)
            current, words, enough = [], 0, chance.randint(SHORTEST_PASSAGE, LONGEST_PASSAGE)
    if current:
        yield "\n\n".join(current)


def make_prompt(title: str, passage: str, keys: KeyWords, chance: random.Random) -> str:
    """Return a prompt for a passage, empty where nothing offers itself; ``title`` is empty but for the first."""
    drawn = chance.random()
    if title and drawn < _TITLE_SHARE:
        return title
    opening = _SENTENCE_END.split(passage.strip(), maxsplit=1)[0]
    if drawn < _OPENING_SHARE and _SHORTEST_OPENING < len(opening) < _LONGEST_OPENING:
        return opening
    words = keys.choose(passage, chance.randint(_FEWEST_KEYS, _MOST_KEYS))
    if not words:
        return title
    listed = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
    return chance.choice(_KEY_LINES).format(listed)


def compose_texts(title: str, story: str, keys: KeyWords, template: Template, chance: random.Random) -> list[str]:
    """Return a story as the texts it is learned as: one or more passages each, most of them after a prompt."""
    texts: list[str] = []
    for passage in split_passages(story, chance):
        if texts and chance.random() >= PROMPTED_SHARE:
            texts[-1] += f"\n\n{passage}"
            continue
        prompt = make_prompt("" if texts else title, passage, keys, chance)
        if texts and not prompt:
            texts[-1] += f"\n\n{passage}"
        else:
            texts.append(template.render(prompt) + passage)
    return texts


def learn_keys(stories: Iterable[str]) -> KeyWords:
    """Return what the words of all stories tell."""
    keys = KeyWords()
    for story in stories:
        keys.learn(story)
    return keys
