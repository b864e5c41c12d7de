"""What a sheet says, in a reader's words: figures with what they leave open, and what none of them can tell."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from storydesk.domain.estimates import Estimate
from storydesk.domain.judging import Criterion
from storydesk.domain.judging_summary import Agreement, RatedDifference, Summary
from storydesk.domain.pairwise import Duel, Ranking, Standing, Verdict
from storydesk.ui.figures import say_number

NameCriterion = Callable[[Criterion], str]
# Krippendorff's own bounds: above the higher one may conclude, below the lower one nothing follows.
_SOLID, _TENTATIVE = 0.8, 0.667
_FEWEST_TEXTS = 10
"""Below this an interval is drawn from too little to be leant on: five texts said alike look like certainty."""


def say_estimate(estimate: Estimate, decimals: int = 1) -> str:
    """Return ``3.8 (3.2 to 4.4)``; without ends where nothing bounds it."""
    value = say_number(estimate.value, decimals)
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return _tr("{value} (of one)").format(value=value)
    return _tr("{value} ({low} to {high})").format(
        value=value, low=say_number(estimate.low, decimals), high=say_number(estimate.high, decimals)
    )


def say_percent(estimate: Estimate) -> str:
    """Return ``62 % (48 to 74)``."""
    return _tr("{value} % ({low} to {high})").format(
        value=say_number(estimate.value * 100), low=say_number(estimate.low * 100), high=say_number(estimate.high * 100)
    )


def say_more(more: int | None) -> str:
    """Return how many more choices it takes, as far as anybody can say."""
    if more is None:
        return _tr("they are so close that no number of choices would tell")
    return _tr("about {count} more").format(count=say_number(more))


def say_duel(duel: Duel) -> str:
    """Return in a sentence what the choices between two tell by now."""
    names = {"first": duel.first, "second": duel.second, "more": say_more(duel.more)}
    if duel.verdict is Verdict.TOO_FEW:
        return _tr("Not enough choices yet: {more}.").format(**names)
    if duel.verdict is Verdict.OPEN:
        return _tr("Not told yet which is better: {more}.").format(**names)
    if duel.verdict is Verdict.FIRST:
        return _tr("{first} is chosen more often.").format(**names)
    return _tr("{second} is chosen more often.").format(**names)


def say_difference(difference: RatedDifference) -> str:
    """Return in a sentence what the ratings of two tell by now."""
    names = {"first": difference.first, "second": difference.second}
    if difference.verdict is Verdict.FIRST:
        return _tr("{first} is rated higher than {second}.").format(**names)
    if difference.verdict is Verdict.SECOND:
        return _tr("{second} is rated higher than {first}.").format(**names)
    if difference.more is None:
        return _tr("No difference can be told, and no number of ratings would.")
    start = _tr("Not enough texts yet") if difference.verdict is Verdict.TOO_FEW else _tr("Not told yet")
    return _tr("{start}; prompts still missing that both answer: about {count}.").format(
        start=start, count=say_number(difference.more)
    )


def say_place(standing: Standing) -> str:
    """Return the places that one of many may hold."""
    if standing.best == standing.worst:
        return say_number(standing.best)
    return _tr("{best} to {worst}").format(best=say_number(standing.best), worst=say_number(standing.worst))


def say_ranking(ranking: Ranking) -> str:
    """Return what the order can't tell, in sentences."""
    said = [
        _tr("Strength is measured against the average of all; where two have places in common, either may be better.")
    ]
    if len(ranking.groups) > 1:
        said.append(_tr("Some of them never met, not even through others, so there is no order of all."))
    if ranking.held_back:
        said.append(
            _tr("Somebody won or lost every time; that can't be measured, so the strengths are held back a little.")
        )
    return " ".join(said)


def say_agreement(agreement: Agreement) -> str:
    """Return in a sentence how far raters agree."""
    if agreement.raters < 2 or not agreement.texts:
        return _tr("Only one person judged, so nothing is known about agreement.")
    if agreement.alpha is None:
        return _tr("Everybody said the same about everything, which measures nothing.")
    if agreement.texts < _FEWEST_TEXTS:
        return _tr("Too little was judged by several people to know.")
    low, value = agreement.alpha.low, agreement.alpha.value
    if low >= _SOLID:
        return _tr("They see it alike.")
    if value >= _TENTATIVE:
        return _tr("They mostly see it alike; take the figures as a hint.")
    if agreement.alpha.high < _TENTATIVE:
        return _tr("They see it differently: an average says little about any one reader.")
    return _tr("Too little was judged by several people to know.")


def say_headline(summary: Summary) -> str:
    """Return how much was said, and by how many."""
    counts = {
        "items": say_number(summary.items),
        "ratings": say_number(summary.ratings),
        "choices": say_number(summary.choices),
        "raters": say_number(summary.raters),
    }
    if not summary.ratings and not summary.choices:
        return _tr("Nobody has said anything yet.")
    if summary.choices:
        return _tr("Choices: {choices}. Pairs: {items}. People: {raters}.").format(**counts)
    return _tr("Points given: {ratings}. Texts: {items}. People: {raters}.").format(**counts)


def say_verdict(summary: Summary) -> str:
    """Return in a few lines what can be told by now: of choices each two, of ratings the overall score or the first."""
    if summary.duels:
        return "\n".join(
            _tr("{first} and {second}: {verdict}").format(first=duel.first, second=duel.second, verdict=say_duel(duel))
            for duel in summary.duels
        )
    wanted = [each for each in summary.differences if each.criterion is Criterion.OVERALL]
    if not wanted and summary.differences:
        wanted = [each for each in summary.differences if each.criterion is summary.differences[0].criterion]
    return "\n".join(
        _tr("{first} and {second}: {verdict}").format(
            first=each.first, second=each.second, verdict=say_difference(each)
        )
        for each in wanted
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("Judging", text)
