"""Suggestions in the order in which the writer's own model would have written them.

A trial is one finding's sentence with each of its replacements; a model says how surprising each variant is. Which
model, and where it runs, is none of this module's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from storydesk.domain.polishing import Category, Finding
from storydesk.domain.sentences import Span, sentence_at, split_sentences
from storydesk.domain.vocabulary import count_edits

MOST_VARIANTS = 6
"""Suggestions that are tried; checkers give their best first, and what comes later is hardly ever meant."""

CONTEXT = 240
"""Characters before the sentence that the model reads too: about fifty tokens, less than one chunk of a prefill."""

# The figures below were chosen on the development half of tests/bench/grammar with the starter (docs/grammar.md).

GAIN_WANTED = {Category.SPELLING: 4.0, Category.GRAMMAR: -3.0}
"""Nats that a correction has to save (or may cost, where negative) the sentence; else it is held back as doubtful.

What is misspelt costs a model dear, so a spelling that gains little is most likely a word that no dictionary knows.
"""

PLACE_NATS = 2.0
"""What each place further down in the checker's own order counts against a suggestion."""

EDIT_NATS = 2.0
"""What each letter that differs counts against another spelling; capitals and apostrophes are free."""


@dataclass(frozen=True, slots=True)
class Trial:
    """``before`` is read and not counted; ``variants`` are the sentence as it is and then with each suggestion."""

    before: str
    variants: tuple[str, ...]


def needs_trial(finding: Finding) -> bool:
    """Return whether a model's opinion could change anything about a finding."""
    return finding.category in GAIN_WANTED and bool(finding.suggestions)


def make_trials(text: str, findings: Iterable[Finding]) -> list[tuple[Finding, Trial]]:
    """Return a trial for every finding that needs one, in order, so that neighbours share what the model has read."""
    wanted = [finding for finding in findings if needs_trial(finding)]
    sentences = split_sentences(text) if wanted else []
    return [(finding, _make_trial(text, sentences, finding)) for finding in wanted]


def judge(words: str, finding: Finding, nats: Sequence[float]) -> Finding:
    """Return the finding with its suggestions likeliest first, and doubtful where the best gains too little.

    ``words`` are what the finding is about, ``nats`` those of the sentence as it is and then with each suggestion
    that was tried.
    """
    as_it_is, tried = nats[0], nats[1:]

    def cost(index: int) -> float:
        edits = count_edits(words, finding.suggestions[index]) if finding.category is Category.SPELLING else 0
        return tried[index] + PLACE_NATS * index + EDIT_NATS * edits

    order = sorted(range(len(tried)), key=cost)
    suggestions = (*(finding.suggestions[index] for index in order), *finding.suggestions[len(tried) :])
    doubtful = finding.doubtful or as_it_is - min(tried) < GAIN_WANTED[finding.category]
    return replace(finding, suggestions=suggestions, doubtful=doubtful)


def _make_trial(text: str, sentences: Sequence[Span], finding: Finding) -> Trial:
    first = max(sentence_at(sentences, finding.start), 0)
    last = max(sentence_at(sentences, max(finding.end - 1, finding.start)), first)
    start = min(sentences[first][0], finding.start) if sentences else finding.start
    end = max(sentences[last][1], finding.end) if sentences else finding.end
    before, after = text[start : finding.start], text[finding.end : end]
    context = text[max(0, start - CONTEXT) : start]
    if start > CONTEXT:  # begin at a word
        context = context[context.find(" ") + 1 :]
    passages = (text[finding.start : finding.end], *finding.suggestions[:MOST_VARIANTS])
    return Trial(context, tuple(f"{before}{passage}{after}" for passage in passages))
