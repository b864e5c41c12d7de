"""Words and phrases that a writer bans or asks for: every way to spell them in tokens, and a watch over the text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storydesk.domain.generation import SamplingSettings
from storydesk.inference.sampling import PhraseRules, Spelling
from storydesk.inference.tokenizer import TextTokenizer


def read_phrases(settings: SamplingSettings, tokenizer: TextTokenizer) -> PhraseRules:
    """Return the phrases of the settings in tokens; empty ones are passed over."""
    banned = frozenset(spelling for phrase in settings.banned for spelling in spell_phrase(phrase, tokenizer))
    biases = tuple((spell_wish(phrase, tokenizer), nats) for phrase, nats in settings.phrase_bias if phrase.strip())
    return PhraseRules(banned, biases)


def spell_wish(phrase: str, tokenizer: TextTokenizer) -> frozenset[Spelling]:
    """Return the tokens of a phrase as it stands and with a capital letter, after a space, and alone if one token.

    In pieces and without the space a phrase begins with fragments that would come up inside other words.
    """
    phrase = phrase.strip()
    cases = {phrase, phrase[:1].upper() + phrase[1:]}
    spaced = {tuple(tokenizer.encode(" " + case)) for case in cases}
    bare = {tuple(tokenizer.encode(case)) for case in cases}
    return frozenset({*spaced, *(spelling for spelling in bare if len(spelling) == 1)})


def spell_phrase(phrase: str, tokenizer: TextTokenizer) -> frozenset[Spelling]:
    """Return the tokens of a phrase as it stands, in small letters, capitals and Title Case, each after a space too."""
    phrase = phrase.strip()
    if not phrase:
        return frozenset()
    titled = " ".join(word[:1].upper() + word[1:] for word in phrase.lower().split(" "))
    cases = {phrase, phrase.lower(), phrase.upper(), titled, phrase[:1].upper() + phrase[1:]}
    spellings = {tuple(tokenizer.encode(before + case)) for case in cases for before in ("", " ")}
    return frozenset(spelling for spelling in spellings if spelling)


class PhraseWatch:
    """Finds a banned phrase in the text, however its tokens were cut. One thread; one watch for one text.

    A model may write a word in pieces that no tokenizer would make of it, and those the spellings don't name.
    """

    def __init__(self, phrases: Sequence[str], tokenizer: TextTokenizer) -> None:
        """Watch for whole words: ``cat`` is not found in ``catalogue``, unless only ``cat`` is there yet."""
        self._tokenizer = tokenizer
        phrases = sorted({phrase.strip() for phrase in phrases if phrase.strip()}, key=len, reverse=True)
        self._longest = max((len(phrase) for phrase in phrases), default=0)
        inner = "|".join(_bound(phrase) for phrase in phrases)
        self._pattern = re.compile(inner, re.IGNORECASE) if inner else None

    def completes(self, window: Sequence[int], token: int) -> bool:
        """Say whether a token completes a banned phrase behind the tokens of ``window``."""
        if self._pattern is None:
            return False
        # One character before the phrase proves that a word begins there; a token is a byte at least.
        tail = list(window[-(4 * self._longest + 4) :])
        before = self._tokenizer.decode(tail)
        text = self._tokenizer.decode([*tail, token])
        return any(match.end() > len(before) for match in self._pattern.finditer(text))


def _bound(phrase: str) -> str:
    left = r"(?<!\w)" if phrase[0].isalnum() else ""
    right = r"(?!\w)" if phrase[-1].isalnum() else ""
    return left + re.escape(phrase) + right
