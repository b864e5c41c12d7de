"""What a model can learn from the writer: which of two texts is better, and which texts are good.

Out of ratings, choices between two, and what became of suggestions. Some prompts are held out, so that a model which
learned from the others can be asked whether it got better; a prompt is held out with all that was said about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean

from storydesk.domain.draft_history import Outcome
from storydesk.domain.judging import MOST, Choice, Criterion, Entry, SheetContent
from storydesk.domain.manuscript import count_words

HELD_OUT_SHARE = 0.2
FEWEST_PROMPTS = 5
"""With fewer prompts none is held out: what is left would teach nothing, and one prompt would prove nothing."""
GOOD = 4.0
"""A text is good from this rating on."""
LEAST_APART = 1.0
"""Two ratings of one rater say which text is better from so many points on."""
UNUSED_WEIGHT = 0.5
"""A suggestion that was left standing may not even have been read; one that was thrown away was."""
MOST_RIVALS = 5
"""Of one suggestion's rivals so many count, the newest first."""
FEWEST_CHARACTERS = 12
"""Shorter texts say nothing about a taste."""
FEWEST_STORY_WORDS = 20
FEWEST_PASSAGE_WORDS = 5
"""Of texts to learn from as from stories; the trainer passes over shorter ones."""


class FeedbackOrigin(StrEnum):
    """Where feedback comes from."""

    RATING = "rating"
    CHOICE = "choice"
    SUGGESTION = "suggestion"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a model wrote for a story, and what became of it.

    ``before`` is the text it went on from, ``standing`` what of it stands in the draft now, as the writer left it;
    empty where nobody knows. ``story`` keeps together what belongs to a story without a prompt.
    """

    story: str
    prompt: str
    before: str
    text: str
    outcome: Outcome
    created: float
    standing: str = ""


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Of two texts that follow ``prompt`` and ``before`` the first is better; ``weight`` is above 0, at most 1.

    ``key`` is the same as long as the texts are; ``group`` is what is held out together.
    """

    key: str
    group: str
    prompt: str
    before: str
    chosen: str
    rejected: str
    origin: FeedbackOrigin
    weight: float
    created: float
    held_out: bool = False
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class GoodExample:
    """A text that is worth learning from: a whole one, or a passage that goes on from ``before``."""

    key: str
    group: str
    prompt: str
    before: str
    text: str
    origin: FeedbackOrigin
    weight: float
    created: float
    held_out: bool = False
    left_out: bool = False

    @property
    def is_passage(self) -> bool:
        """Whether it was written into a story; what was rated is judged as a whole."""
        return self.origin is not FeedbackOrigin.RATING

    @property
    def is_long_enough(self) -> bool:
        """Whether it can be learned from as a story is; a whole text of a few words teaches to stop at once."""
        return count_words(self.text) >= (FEWEST_PASSAGE_WORDS if self.is_passage else FEWEST_STORY_WORDS)


@dataclass(frozen=True, slots=True)
class Feedback:
    """All of it, the newest first; what the writer left out is marked and not gone."""

    pairs: tuple[PreferencePair, ...] = ()
    examples: tuple[GoodExample, ...] = ()

    @property
    def training_pairs(self) -> tuple[PreferencePair, ...]:
        """Pairs to learn from."""
        return tuple(pair for pair in self.pairs if not (pair.held_out or pair.left_out))

    @property
    def heldout_pairs(self) -> tuple[PreferencePair, ...]:
        """Pairs that tell whether a model learned the taste."""
        return tuple(pair for pair in self.pairs if pair.held_out and not pair.left_out)

    @property
    def training_examples(self) -> tuple[GoodExample, ...]:
        """Texts to learn from as from stories."""
        return tuple(each for each in self.examples if not (each.held_out or each.left_out) and each.is_long_enough)

    @property
    def heldout_examples(self) -> tuple[GoodExample, ...]:
        """Good texts that no model learns from."""
        return tuple(each for each in self.examples if each.held_out and not each.left_out)


def collect_feedback(
    contents: Iterable[SheetContent],
    suggestions: Iterable[Suggestion],
    *,
    left_out: Iterable[str] = (),
    seed: int = 7,
    share: float = HELD_OUT_SHARE,
) -> Feedback:
    """Return what can be learned, each thing once; where opinions contradict each other, what outweighs."""
    pairs: list[PreferencePair] = []
    examples: list[GoodExample] = []
    for content in contents:
        pairs += _pair_choices(content)
        rated_pairs, rated_examples = _use_ratings(content)
        pairs += rated_pairs
        examples += rated_examples
    suggested_pairs, suggested_examples = _use_suggestions(suggestions)
    settled = _settle(pairs + suggested_pairs)
    good = _merge(examples + suggested_examples)
    held = choose_held_out([each.group for each in settled] + [each.group for each in good], seed, share)
    out = frozenset(left_out)
    return Feedback(
        tuple(replace(each, held_out=each.group in held, left_out=each.key in out) for each in settled),
        tuple(replace(each, held_out=each.group in held, left_out=each.key in out) for each in good),
    )


def choose_held_out(groups: Iterable[str], seed: int, share: float = HELD_OUT_SHARE) -> frozenset[str]:
    """Return the groups that are held out: by a number that each draws for itself, so that others hardly matter.

    A group that is held out today is so tomorrow, whatever else comes in; only where none falls below ``share`` the
    lowest one is taken.
    """
    draws = {group: _draw(seed, group) for group in groups}
    if len(draws) < FEWEST_PROMPTS or share <= 0:
        return frozenset()
    held = frozenset(group for group, draw in draws.items() if draw < share)
    if len(held) == len(draws):
        return held - {max(draws, key=draws.__getitem__)}
    return held or frozenset({min(draws, key=draws.__getitem__)})


def group_of(prompt: str, story: str = "") -> str:
    """Return what feedback on a prompt is held out with; without a prompt it is its story."""
    plain = " ".join(prompt.split()).casefold()
    return f"prompt:{plain}" if plain else f"story:{story}"


def _pair_choices(content: SheetContent) -> list[PreferencePair]:
    said: dict[int, list[float]] = {}
    when: dict[int, float] = {}
    for choice in content.choices:
        if choice.choice is not None:
            score = {Choice.FIRST: 1.0, Choice.SECOND: -1.0, Choice.NEITHER: 0.0}[choice.choice]
            said.setdefault(choice.item_id, []).append(score)
            when[choice.item_id] = max(when.get(choice.item_id, 0.0), choice.created)
    pairs = []
    for item in content.items:
        scores = said.get(item.id)
        if scores and item.second is not None:
            net = fmean(scores)
            better, worse = (item.first, item.second) if net > 0 else (item.second, item.first)
            pairs += _make_pair(better, worse, FeedbackOrigin.CHOICE, abs(net), when[item.id])
    return pairs


def _use_ratings(content: SheetContent) -> tuple[list[PreferencePair], list[GoodExample]]:
    scores = _score_items(content)
    items = {item.id: item for item in content.items if item.id in scores}
    examples = []
    for number, item in items.items():
        given = scores[number]
        mean, entry = fmean(score for score, _ in given.values()), item.first
        if mean >= GOOD:
            weight = 0.5 + 0.5 * (mean - GOOD) / (MOST - GOOD)
            created = max(created for _, created in given.values())
            examples += _make_example(entry.prompt, "", entry.text, FeedbackOrigin.RATING, weight, created)
    pairs = []
    numbers = sorted(items)
    for place, one in enumerate(numbers):
        for two in numbers[place + 1 :]:
            if items[one].prompt != items[two].prompt:
                continue
            both = [rater for rater in scores[one] if rater in scores[two]]
            if not both:
                continue
            apart = fmean(scores[one][rater][0] - scores[two][rater][0] for rater in both)
            if abs(apart) >= LEAST_APART:
                better, worse = (one, two) if apart > 0 else (two, one)
                created = max(scores[each][rater][1] for each in (one, two) for rater in both)
                weight = min(abs(apart) / 2, 1.0)
                pairs += _make_pair(items[better].first, items[worse].first, FeedbackOrigin.RATING, weight, created)
    return pairs, examples


def _score_items(content: SheetContent) -> dict[int, dict[int, tuple[float, float]]]:
    """Return each rated item's score by rater, with its time: the overall one, else the mean of what was rated."""
    said: dict[int, dict[int, dict[Criterion, int]]] = {}
    when: dict[tuple[int, int], float] = {}
    for rating in content.ratings:
        if rating.value is not None:
            said.setdefault(rating.item_id, {}).setdefault(rating.rater_id, {})[rating.criterion] = rating.value
            place = (rating.item_id, rating.rater_id)
            when[place] = max(when.get(place, 0.0), rating.created)
    return {
        item: {
            rater: (float(points.get(Criterion.OVERALL, fmean(points.values()))), when[item, rater])
            for rater, points in raters.items()
        }
        for item, raters in said.items()
    }


def _use_suggestions(suggestions: Iterable[Suggestion]) -> tuple[list[PreferencePair], list[GoodExample]]:
    together: dict[tuple[str, str, str], list[Suggestion]] = {}
    for each in suggestions:
        together.setdefault((group_of(each.prompt, each.story), each.prompt, each.before), []).append(each)
    pairs: list[PreferencePair] = []
    examples: list[GoodExample] = []
    for (group, prompt, before), offered in together.items():
        used = [each for each in offered if each.outcome in (Outcome.ACCEPTED, Outcome.EDITED)]
        rivals = sorted(
            (each for each in offered if each.outcome in (Outcome.REJECTED, Outcome.UNUSED)),
            key=lambda each: (each.outcome is Outcome.UNUSED, -each.created),
        )[:MOST_RIVALS]
        for each in used:
            best = each.standing or each.text
            examples += _make_example(prompt, before, best, FeedbackOrigin.SUGGESTION, 1.0, each.created, group)
            for rival in rivals:
                weight = UNUSED_WEIGHT if rival.outcome is Outcome.UNUSED else 1.0
                good, bad = Entry(prompt, best), Entry(prompt, rival.text)
                pairs += _make_pair(good, bad, FeedbackOrigin.SUGGESTION, weight, each.created, before, group)
            if each.outcome is Outcome.EDITED and each.standing:
                good, bad = Entry(prompt, each.standing), Entry(prompt, each.text)
                pairs += _make_pair(good, bad, FeedbackOrigin.EDIT, 1.0, each.created, before, group)
    return pairs, examples


def _settle(pairs: Sequence[PreferencePair]) -> list[PreferencePair]:
    """Return each two texts once, the newest first: contrary opinions are taken off each other."""
    known: dict[str, PreferencePair] = {}
    for pair in pairs:
        turned = _key("pair", pair.group, pair.before, pair.rejected, pair.chosen)
        if turned in known:
            other = known.pop(turned)
            net = pair.weight - other.weight
            if abs(net) > 1e-9:
                winner = pair if net > 0 else other
                known[winner.key] = replace(winner, weight=abs(net))
        elif pair.key in known:
            other = known[pair.key]
            newest = max(pair.created, other.created)
            known[pair.key] = replace(other, weight=max(pair.weight, other.weight), created=newest)
        else:
            known[pair.key] = pair
    return sorted(known.values(), key=lambda each: (-each.created, each.key))


def _merge(examples: Sequence[GoodExample]) -> list[GoodExample]:
    known: dict[str, GoodExample] = {}
    for each in examples:
        other = known.get(each.key)
        if other is None:
            known[each.key] = each
        else:
            newest = max(each.created, other.created)
            known[each.key] = replace(other, weight=max(each.weight, other.weight), created=newest)
    return sorted(known.values(), key=lambda each: (-each.created, each.key))


def _make_pair(
    better: Entry,
    worse: Entry,
    origin: FeedbackOrigin,
    weight: float,
    created: float,
    before: str = "",
    group: str = "",
) -> list[PreferencePair]:
    """Return the pair, or nothing where it says nothing."""
    chosen, rejected = better.text, worse.text
    if weight <= 0 or " ".join(chosen.split()) == " ".join(rejected.split()):
        return []
    if min(len(chosen.strip()), len(rejected.strip())) < FEWEST_CHARACTERS:
        return []
    belongs = group or group_of(better.prompt)
    key = _key("pair", belongs, before, chosen, rejected)
    return [PreferencePair(key, belongs, better.prompt, before, chosen, rejected, origin, min(weight, 1.0), created)]


def _make_example(
    prompt: str, before: str, text: str, origin: FeedbackOrigin, weight: float, created: float, group: str = ""
) -> list[GoodExample]:
    if len(text.strip()) < FEWEST_CHARACTERS:
        return []
    belongs = group or group_of(prompt)
    key = _key("example", belongs, before, text)
    return [GoodExample(key, belongs, prompt, before, text, origin, weight, created)]


def _key(*parts: str) -> str:
    plain = "\0".join(" ".join(part.split()) for part in parts)
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:32]


def _draw(seed: int, group: str) -> float:
    """Return a number from 0 to 1 that depends on nothing but seed and group."""
    raw = hashlib.sha256(f"{seed}/held out/{group}".encode("utf-8", "replace")).digest()
    return int.from_bytes(raw[:8]) / 2**64
