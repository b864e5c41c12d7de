"""How a text reads: lengths, passives, adverbs, openings, speech, and a standard formula. English only.

The formula is Flesch's reading ease (R. Flesch, "A new readability yardstick", Journal of Applied Psychology 32,
1948): 206.835 - 1.015 x words per sentence - 84.6 x syllables per word; 60 to 70 is plain English, higher is easier.
Syllables are counted by rule, as programs do, so the figure may differ by a few points from a count by hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

from storydesk.domain.sentences import find_quotations, split_sentences

_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_VOWELS = re.compile(r"[aeiouyàáâäèéêëìíîïòóôöùúûü]+")
_SILENT = re.compile(r"(?<=[^aeiouyl])e$|(?<=[aeiouy])le$|(?<=[^td])ed$|(?<=[^cgsxz])es$")
_BE = "am|is|are|was|were|be|been|being|get|gets|got|isn['’]t|aren['’]t|wasn['’]t|weren['’]t"
_IRREGULAR = (
    "beaten|begun|bent|bitten|blown|born|borne|bought|bound|broken|brought|built|burnt|caught|chosen|cut|dealt|done|"
    "drawn|driven|drunk|eaten|fed|felt|fought|flung|forbidden|forgotten|found|frozen|given|ground|grown|heard|held|"
    "hidden|hit|hung|hurt|kept|known|laid|led|left|lent|let|lit|lost|made|meant|met|paid|put|read|ridden|rung|said|"
    "seen|sent|set|sewn|shaken|shed|shot|shown|shut|slain|sold|spent|split|spoken|spun|stolen|struck|stuck|sung|sunk|"
    "swept|sworn|taken|taught|thrown|told|torn|understood|woken|won|worn|woven|written|wrung"
)
_PASSIVE = re.compile(
    rf"\b(?:{_BE})\b(?:\s+(?:not|never|just|\w+ly))?\s+(?:\w{{2,}}[^e\W]ed|{_IRREGULAR})\b", re.IGNORECASE
)
_NO_ADVERB = frozenset(
    re.findall(
        r"\w+",
        "ally anomaly apply assembly belly bely bully butterfly chilly comply curly daily deadly dolly early "
        "elderly family fly folly friendly ghastly ghostly gnarly heavenly hilly holly holy homely imply italy jelly "
        "july kindly lively lily lonely lovely lowly manly melancholy monopoly only orderly rally rely reply scholarly "
        "silly sly smelly stately sully supply surly timely ugly unlikely weekly wily wobbly woolly worldly yearly",
    )
)


@dataclass(frozen=True, slots=True)
class Readability:
    """Figures of one text. Shares are of sentences (passive, repeated openings) or of words (adverbs, speech)."""

    words: int
    sentences: int
    mean_sentence: float
    longest_sentence: int
    reading_ease: float
    passive_share: float
    adverb_share: float
    repeated_opening_share: float
    dialogue_share: float

    def as_record(self) -> dict[str, float]:
        """Return the figures by name, rounded."""
        return {name: round(getattr(self, name), 4) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ProseCounts:
    """What is counted in a stretch of text; ``lengths`` and ``openings`` are of its sentences, in order."""

    words: int
    syllables: int
    adverbs: int
    passive: int
    spoken: int
    lengths: tuple[int, ...]
    openings: tuple[str, ...]


def measure_readability(text: str) -> Readability:
    """Return the figures of an English text; all 0 where there are no words."""
    return sum_up([count_prose(text)])


def count_prose(text: str) -> ProseCounts:
    """Count what the figures are made of, in a text or in one paragraph of it."""
    sentences = [
        (text[start:end], words) for start, end in split_sentences(text) if (words := _WORD.findall(text[start:end]))
    ]
    lowered = [word.lower() for _, words in sentences for word in words]
    return ProseCounts(
        words=len(lowered),
        syllables=sum(map(count_syllables, lowered)),
        adverbs=sum(map(is_adverb, lowered)),
        passive=sum(_PASSIVE.search(sentence) is not None for sentence, _ in sentences),
        spoken=sum(len(_WORD.findall(text, start, end)) for start, end in find_quotations(text)),
        lengths=tuple(len(words) for _, words in sentences),
        openings=tuple(words[0].lower() for _, words in sentences),
    )


def sum_up(counts: Sequence[ProseCounts]) -> Readability:
    """Return the figures of paragraphs that follow each other; all 0 where there are no words."""
    words = sum(each.words for each in counts)
    sentences = sum(len(each.lengths) for each in counts)
    if not words:
        return Readability(0, 0, 0.0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
    openings = chain.from_iterable(each.openings for each in counts)
    repeated = sum(first == second for first, second in pairwise(openings))
    mean = words / sentences
    return Readability(
        words=words,
        sentences=sentences,
        mean_sentence=mean,
        longest_sentence=max(max(each.lengths, default=0) for each in counts),
        reading_ease=206.835 - 1.015 * mean - 84.6 * sum(each.syllables for each in counts) / words,
        passive_share=sum(each.passive for each in counts) / sentences,
        adverb_share=sum(each.adverbs for each in counts) / words,
        repeated_opening_share=repeated / sentences,
        dialogue_share=sum(each.spoken for each in counts) / words,
    )


@lru_cache(maxsize=20_000)
def count_syllables(word: str) -> int:
    """Return about how many syllables an English word in small letters has, at least one."""
    stem = _SILENT.sub("", word) if len(word) > 2 else word
    if word.endswith("le") and len(word) > 2 and word[-3] not in "aeiouy":
        stem = word
    return max(len(_VOWELS.findall(stem)), 1)


def is_adverb(word: str) -> bool:
    """Return whether a word in small letters looks like an adverb of manner."""
    return len(word) > 3 and word.endswith("ly") and word not in _NO_ADVERB
