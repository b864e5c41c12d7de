"""How far raters agree: published examples, an independent library, and what can't be said."""

from __future__ import annotations

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.agreement import Level, estimate_alpha, intraclass_correlations, krippendorff_alpha

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = list(zip(*OBSERVERS, strict=True))
# Shrout and Fleiss 1979, Psychological Bulletin 86, table 2: six targets, four judges.
TARGETS = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]


@pytest.mark.parametrize(
    ("level", "published"),
    [(Level.NOMINAL, 0.743), (Level.ORDINAL, 0.815), (Level.INTERVAL, 0.849), (Level.RATIO, 0.797)],
)
def test_alpha_is_what_krippendorff_published(level: Level, published: float) -> None:
    alpha = krippendorff_alpha(UNITS, level)
    assert alpha is not None
    assert round(alpha, 3) == published


@pytest.mark.parametrize("level", list(Level))
@settings(max_examples=40, deadline=None)
@given(
    table=st.integers(2, 5).flatmap(
        lambda raters: st.lists(
            st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=raters, max_size=raters), min_size=2, max_size=12
        )
    )
)
def test_alpha_equals_the_independent_library(level: Level, table: list[list[int | None]]) -> None:
    ours = krippendorff_alpha(table, level)
    data = np.array([[np.nan if value is None else value for value in unit] for unit in table], dtype=float).T
    try:
        with np.errstate(all="ignore"):
            theirs = float(krippendorff.alpha(reliability_data=data, level_of_measurement=level.value))
    except ValueError:  # a single value, or nothing to compare
        theirs = math.nan
    if ours is None:
        assert not math.isfinite(theirs) or theirs == 1.0
    else:
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_alpha_is_not_made_up() -> None:
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([(3, None), (None, 2)]) is None
    assert krippendorff_alpha([(3, 3), (3, 3)]) is None
    assert krippendorff_alpha([(1, 1), (5, 5)]) == 1.0
    assert estimate_alpha([(1, 2)]) is None


def test_the_interval_of_alpha_holds_it_and_is_the_same_again() -> None:
    estimate = estimate_alpha(UNITS)
    assert estimate is not None
    assert estimate.low < estimate.value < estimate.high <= 1
    assert estimate.count == 11  # one unit was seen by one observer only
    assert estimate == estimate_alpha(UNITS)


def test_intraclass_correlations_are_what_shrout_and_fleiss_published() -> None:
    found = intraclass_correlations(TARGETS)
    assert found is not None
    singles = (found.one_way, found.agreement, found.consistency)
    means = (found.one_way_mean, found.agreement_mean, found.consistency_mean)
    assert [round(each.value, 2) for each in singles] == [0.17, 0.29, 0.71]
    assert [round(each.value, 2) for each in means] == [0.44, 0.62, 0.91]


def test_their_intervals_are_those_of_psych() -> None:
    """Revelle's psych for R prints these for the same table (help page of ICC)."""
    found = intraclass_correlations(TARGETS)
    assert found is not None
    bounds = {
        "one_way": (-0.133, 0.72),
        "agreement": (0.019, 0.76),
        "consistency": (0.342, 0.95),
        "one_way_mean": (-0.884, 0.91),
        "agreement_mean": (0.071, 0.93),
        "consistency_mean": (0.676, 0.99),
    }
    for name, (low, high) in bounds.items():
        estimate = getattr(found, name)
        assert (round(estimate.low, 3), round(estimate.high, 2)) == (low, high), name


def test_only_what_every_rater_judged_counts() -> None:
    full = intraclass_correlations(TARGETS)
    assert intraclass_correlations([*TARGETS, (1, None, 2, 3)]) == full
    assert intraclass_correlations([(1, 2)]) is None
    assert intraclass_correlations([(1,), (2,)]) is None
    assert intraclass_correlations([(3, 3), (3, 3)]) is None
    perfect = intraclass_correlations([(1, 1), (2, 2), (5, 5)])
    assert perfect is not None
    assert perfect.agreement.value == perfect.consistency.low == 1.0


def test_a_few_texts_make_nobody_sure_even_where_all_agree() -> None:
    agreed = estimate_alpha([(1, 1), (4, 4), (2, 2), (5, 5)])
    assert agreed is not None
    assert agreed.value == agreed.high == 1.0
    assert agreed.low < 0.7
    mixed = [(1, 2, 1), (4, 4, 5), (3, 2, 4), (5, 3, 5)]
    few, many = estimate_alpha(mixed), estimate_alpha(mixed * 10)
    assert few is not None
    assert many is not None
    assert few.width > 2.5 * many.width
    assert few.low < few.value < few.high <= 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(1, 5), min_size=3, max_size=3), min_size=2, max_size=8))
def test_no_table_of_ratings_breaks_them(table: list[list[int]]) -> None:
    found = intraclass_correlations(table)
    if found is not None:
        for each in (found.one_way, found.agreement, found.consistency):
            assert each.value <= 1 + 1e-9
            assert not math.isnan(each.low)
            assert not math.isnan(each.high)
