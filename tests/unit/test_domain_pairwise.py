"""Choices between two: a published ranking, an independent library, and what can honestly be said so far."""

from __future__ import annotations

import random

import choix
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.pairwise import (
    FEWEST,
    Comparison,
    Verdict,
    count_for_width,
    count_needed,
    fit_strengths,
    judge_duel,
    rank_all,
    win_rate,
)

# Agresti 2002, Categorical Data Analysis (2nd edition), table 10.10: seven teams in 1987, row over column.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
GAMES = [Comparison(TEAMS[one], TEAMS[two], 1.0) for one in range(7) for two in range(7) for _ in range(WINS[one][two])]


def duel(wins: int, losses: int, ties: int = 0) -> list[Comparison]:
    scores = [1.0] * wins + [0.0] * losses + [0.5] * ties
    return [Comparison("old", "new", score) for score in scores]


def test_strengths_are_what_agresti_published() -> None:
    """Table 10.11, column 3, with Baltimore at 0; standard errors about 0.3."""
    ranking = rank_all(GAMES)
    assert [standing.name for standing in ranking.standings] == list(TEAMS)
    apart = [ranking.apart[team, "Baltimore"] for team in TEAMS[:-1]]
    assert [round(each.value, 2) for each in apart] == [1.58, 1.44, 1.29, 1.25, 1.11, 0.68]
    assert all(round(each.width / 2 / 1.96, 1) == 0.3 for each in apart)
    assert ranking.groups == (tuple(sorted(TEAMS)),)
    assert not ranking.held_back
    last = ranking.standings[-1]
    assert (last.best, last.worst) == (7, 7)
    assert ranking.standings[0].worst > 1  # the best six can't all be told apart


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(0, 10_000))
def test_strengths_equal_the_independent_library(size: int, seed: int) -> None:
    draw = random.Random(seed)
    wins = [[0.0 if one == two else draw.randint(1, 9) for two in range(size)] for one in range(size)]
    games = [(one, two) for one in range(size) for two in range(size) for _ in range(int(wins[one][two]))]
    assert fit_strengths(wins) == pytest.approx(list(choix.ilsr_pairwise(size, games)), abs=1e-6)


def test_no_difference_is_half_a_choice_for_each() -> None:
    with_ties = rank_all([*duel(6, 2, ties=4)])
    without = rank_all([*duel(8, 4)])
    assert with_ties.apart["old", "new"].value == pytest.approx(without.apart["old", "new"].value)
    assert judge_duel("old", "new", duel(6, 2, ties=4)).rate.value == pytest.approx(8 / 12)


def test_who_never_met_has_no_common_order() -> None:
    ranking = rank_all([*duel(8, 5), Comparison("left", "right", 1.0), Comparison("left", "right", 0.0)], ["alone"])
    assert ranking.groups == (("left", "right"), ("new", "old"), ("alone",))
    assert ranking.win_chance("old", "right") is None
    chance = ranking.win_chance("old", "new")
    assert chance is not None
    assert chance.low < 8 / 13 < chance.high


def test_who_won_everything_keeps_a_finite_strength() -> None:
    ranking = rank_all(duel(12, 0))
    assert ranking.held_back
    strength = ranking.standings[0].strength
    assert 0 < strength.value < 5
    assert strength.width < 10
    with pytest.raises(ValueError, match="everything"):
        fit_strengths([[0, 3], [0, 0]])


@pytest.mark.parametrize(
    ("comparisons", "verdict"),
    [
        ([], Verdict.TOO_FEW),
        (duel(FEWEST - 1, 0), Verdict.TOO_FEW),
        (duel(12, 0), Verdict.FIRST),
        (duel(2, 18), Verdict.SECOND),
        (duel(11, 9), Verdict.OPEN),
        (duel(0, 0, ties=30), Verdict.OPEN),
    ],
)
def test_nothing_is_called_better_too_early(comparisons: list[Comparison], verdict: Verdict) -> None:
    found = judge_duel("old", "new", comparisons)
    assert found.verdict is verdict
    assert (found.more == 0) is (verdict in (Verdict.FIRST, Verdict.SECOND))
    turned = judge_duel("new", "old", comparisons)
    assert turned.rate.value == pytest.approx(1 - found.rate.value)


def test_it_says_how_many_more_choices_it_takes() -> None:
    """As many as it asks for do tell the difference at least as often as promised."""
    early = judge_duel("old", "new", duel(13, 7))
    assert early.more is not None
    assert early.more > 20
    assert judge_duel("old", "new", duel(10, 10)).more is None  # at this rate no number would
    needed = count_needed(0.65)
    assert needed is not None
    draw = random.Random(4)
    told = sum(not win_rate([float(draw.random() < 0.65) for _ in range(needed)]).holds(0.5) for _ in range(1000))
    assert 0.76 < told / 1000 < 0.86
    assert count_needed(0.5001) is None
    assert count_needed(0.65, ties=0.4) is not None
    assert (count_needed(0.65, ties=0.4) or 0) < needed


def test_it_says_how_many_make_an_interval_narrow_enough() -> None:
    count = count_for_width(0.6, 0.2)
    assert win_rate([1.0] * round(0.6 * count) + [0.0] * round(0.4 * count)).width <= 0.2 + 0.005
    assert count_for_width(0.6, 0.1) > 3 * count


def test_several_raters_of_one_pair_count_for_less_than_several_pairs() -> None:
    scores = [1.0] * 30 + [0.0] * 15
    alone = win_rate(scores)
    alike = win_rate(scores, [number // 3 for number in range(45)])
    assert alike.value == pytest.approx(alone.value)
    assert alike.width > 1.4 * alone.width
    assert alike.count == 45
    one_cluster = win_rate(scores, [0] * 45)
    assert one_cluster.width > 0.6


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"), st.sampled_from("abcd"), st.sampled_from((0.0, 0.5, 1.0)), st.integers(0, 5)
        ),
        max_size=40,
    )
)
def test_any_choices_give_an_order(drawn: list[tuple[str, str, float, int]]) -> None:
    ranking = rank_all([Comparison(*each) for each in drawn])
    names = {name for first, second, *_ in drawn if first != second for name in (first, second)}
    assert {standing.name for standing in ranking.standings} == names
    for standing in ranking.standings:
        assert standing.strength.low <= standing.strength.value <= standing.strength.high
        assert 1 <= standing.best <= standing.worst <= len(names)
