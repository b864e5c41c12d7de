"""What "Improve from my feedback" does with what there is: learn from choices, from good texts, or ask for more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from storydesk.domain.feedback import Feedback, FeedbackOrigin

FEWEST_CHOICES: Final = 16
"""Choices to learn from below which the trainer refuses."""
FEWEST_ASIDE: Final = 4
"""Choices kept aside below which nobody can tell whether anything was learned."""
FEWEST_EXAMPLES: Final = 8
"""Good texts below which the trainer finds too little to learn from."""


class Way(StrEnum):
    """How a model learns from feedback."""

    CHOICES = "choices"
    """From pairs, by preference."""
    EXAMPLES = "examples"
    """From texts that were taken or rated high, as from stories: there are too few pairs."""
    NEITHER = "neither"
    """Not at all yet."""


@dataclass(frozen=True, slots=True)
class ImprovingChances:
    """What can be learned from, counted without what was left out, and which way that is.

    ``examples`` are good texts to learn from; of these the trainer keeps some aside to measure with.
    """

    choices: int
    kept_aside: int
    examples: int
    origins: Mapping[FeedbackOrigin, int]
    left_out: int

    @property
    def way(self) -> Way:
        """The way that is taken."""
        if self.choices >= FEWEST_CHOICES and self.kept_aside >= FEWEST_ASIDE:
            return Way.CHOICES
        return Way.EXAMPLES if self.examples >= FEWEST_EXAMPLES else Way.NEITHER

    @property
    def missing(self) -> int:
        """How many choices more are needed, 0 where there are enough; a fifth of new ones is kept aside."""
        to_learn = max(0, FEWEST_CHOICES - self.choices)
        aside = max(0, FEWEST_ASIDE - self.kept_aside)
        return max(to_learn + aside, -(-to_learn * 5 // 4), aside * 5) if to_learn or aside else 0


def weigh_feedback(feedback: Feedback) -> ImprovingChances:
    """Count what can be learned from."""
    left_out = [pair.left_out for pair in feedback.pairs] + [each.left_out for each in feedback.examples]
    return ImprovingChances(
        choices=len(feedback.training_pairs),
        kept_aside=len(feedback.heldout_pairs),
        examples=len(feedback.training_examples),
        origins=Counter(pair.origin for pair in feedback.pairs if not pair.left_out),
        left_out=sum(left_out),
    )
