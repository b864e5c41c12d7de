"""Measures of the words of stories, without any model: n-grams, copying, readability, likeness. Any one thread."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from trainer.text.ngrams import iterate_ngrams, split_words

BLEU_ORDERS = 4

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s|$)")
# Function words of English and the auxiliaries; everything else counts as content.
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\S+",
        "a about above after again against all am an and any are aren't as at away back be because been "
        "before being below between both but by came can can't come could couldn't did didn't do does doesn't "
        "doing don't down during each either else even ever every few for from further get go got had hadn't "
        "has hasn't have haven't having he he'd he'll he's her here hers herself him himself his how i i'd "
        "i'll i'm i've if in into is isn't it it's its itself just let like ll made make many may me might "
        "mine more most much must my myself neither never no none nor not now of off on once one only onto or "
        "other our ours ourselves out over own quite rather re s said same say says see shall shan't she "
        "she'd she'll she's should shouldn't since so some still such t than that that's the their theirs "
        "them themselves then there there's these they they'd they'll they're they've this those though "
        "through to too two under until up upon us ve very was wasn't we we'd we'll we're we've went were "
        "weren't what when where whether which while who whom whose why will with within without won't would "
        "wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves",
    )
)


def cut_words(text: str, words: int) -> str:
    """Return a text up to the end of its ``words``-th word; the whole where it has fewer."""
    end = 0
    for number, match in enumerate(re.finditer(r"\S+", text), start=1):
        end = match.end()
        if number == words:
            return text[:end]
    return text[:end]


def count_space_words(text: str) -> int:
    """Return how many words a text has as they are counted for cutting: runs without white space."""
    return len(text.split())


def measure_grade(text: str) -> float:
    """Return the automated readability index (Smith and Senter 1967), about a school grade; NaN without words.

    4.71 x letters per word + 0.5 x words per sentence - 21.43. It needs no syllables, so nothing is guessed.
    """
    words = text.split()
    letters = sum(character.isalnum() for character in text)
    if not words or not letters:
        return math.nan
    sentences = max(len(_SENTENCE_END.findall(text)), 1)
    return 4.71 * letters / len(words) + 0.5 * len(words) / sentences - 21.43


class ContentWords:
    """How like two texts are by the content words they share: cosine of TF-IDF. Immutable."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Count in how many ``texts`` each word stands: words that stand everywhere tell little."""
        self._texts = 0
        self._containing: Counter[str] = Counter()
        for text in texts:
            self._texts += 1
            self._containing.update(set(_list_content(text)))

    def compare(self, first: str, second: str) -> float:
        """Return the cosine, 0 to 1; NaN where one of them has no content word."""
        one, two = self._weigh(first), self._weigh(second)
        sizes = [math.sqrt(sum(weight * weight for weight in side.values())) for side in (one, two)]
        if 0 in sizes:
            return math.nan
        shared = sum(weight * two.get(word, 0.0) for word, weight in one.items())
        return shared / (sizes[0] * sizes[1])

    def _weigh(self, text: str) -> Mapping[str, float]:
        counts = Counter(_list_content(text))
        return {
            word: (1 + math.log(count)) * (math.log((1 + self._texts) / (1 + self._containing[word])) + 1)
            for word, count in counts.items()
        }


def _list_content(text: str) -> list[str]:
    return [_stem(word) for word in split_words(text) if word not in _FUNCTION_WORDS and len(word) > 1]


def _stem(word: str) -> str:
    """Return a word without the commonest endings, so that ``lamps`` and ``lamp's`` are ``lamp``."""
    word = re.sub(r"['’]s?$|['’]$", "", word)
    for ending, least in (("ies", 5), ("ing", 6), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def share_repeated(stories: Sequence[Sequence[str]], groups: Sequence[int], n: int) -> list[float]:
    """Return for each story the share of its n-grams that stand in a story of another group too; NaN for short ones.

    Groups are prompts: stories on one prompt may well share words.
    """
    holders: dict[tuple[str, ...], set[int]] = {}
    for words, group in zip(stories, groups, strict=True):
        for gram in iterate_ngrams(words, n):
            holders.setdefault(gram, set()).add(group)
    shares = []
    for words in stories:
        grams = list(iterate_ngrams(words, n))
        elsewhere = sum(len(holders[gram]) > 1 for gram in grams)
        shares.append(elsewhere / len(grams) if grams else math.nan)
    return shares


def measure_self_bleu(stories: Sequence[str]) -> list[float]:
    """Return for each story its BLEU, 0 to 100, with all the others as references; NaN where there is no other.

    Equal to sacrebleu's ``BLEU(effective_order=True).sentence_score(story, others)``: its tokens and its formula, but
    every story's n-grams are counted once instead of once for each other story.
    """
    if len(stories) < 2:
        return [math.nan] * len(stories)
    tokenise = BLEU().tokenizer
    split = [tokenise(story.strip()).split() for story in stories]
    grams = [Counter(gram for n in range(1, BLEU_ORDERS + 1) for gram in iterate_ngrams(words, n)) for words in split]
    best, second = _find_most(grams)
    lengths = [len(words) for words in split]
    scores = []
    for own, words in zip(grams, split, strict=True):
        correct, total = [0] * BLEU_ORDERS, [max(len(words) - n, 0) for n in range(BLEU_ORDERS)]
        for gram, count in own.items():
            others = second.get(gram, 0) if count == best[gram] else best[gram]
            correct[len(gram) - 1] += min(count, others)
        closest = _find_closest(len(words), lengths)
        scores.append(
            BLEU.compute_bleu(correct, total, len(words), closest, smooth_method="exp", effective_order=True).score
        )
    return scores


def _find_most(
    grams: Sequence[Counter[tuple[str, ...]]],
) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
    """Return for each n-gram how often it stands in the story that has it most often, and in the next one."""
    best: dict[tuple[str, ...], int] = {}
    second: dict[tuple[str, ...], int] = {}
    for own in grams:
        for gram, count in own.items():
            most = best.get(gram, 0)
            if count > most:
                best[gram], second[gram] = count, most
            elif count > second.get(gram, 0):
                second[gram] = count
    return best, second


def _find_closest(length: int, lengths: Sequence[int]) -> int:
    """Return the length among the others that is closest to a story's own; the shorter of two."""
    others = list(lengths)
    others.remove(length)
    return min(others, key=lambda other: (abs(other - length), other))


def count_bleu(story: str, reference: str) -> tuple[list[int], list[int], int, int]:
    """Return sacrebleu's counts of a pair: matching and all n-grams of 1 to 4 tokens, and both lengths in tokens."""
    score = BLEU(effective_order=True).sentence_score(story, [reference])
    return list(score.counts), list(score.totals), score.sys_len, score.ref_len


def compute_bleu(counts: Sequence[float]) -> float:
    """Return corpus BLEU, 0 to 100, of counts that were added up: 4 matching, 4 in all, and both lengths."""
    whole = [round(count) for count in counts]
    score: float = BLEU.compute_bleu(whole[:4], whole[4:8], whole[8], whole[9], smooth_method="exp").score
    return score


def measure_chrf(story: str, reference: str) -> float:
    """Return sacrebleu's chrF2 of a pair, 0 to 100."""
    score: float = CHRF().sentence_score(story, [reference]).score
    return score
