"""Where models come from, what two differ in, and what to roll back to: pure, for whatever a shelf may hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.model_shelf import (
    ModelDetails,
    UseRecord,
    build_lineage,
    compare_models,
    find_previous,
    find_spans,
)
from tests.fakes.services import make_model

NAMES = ("starter", "A", "B", "C", "D")


def make(name: str, *lineage: str, before: float = 0.0, after: float = 0.0, **more: Any) -> ModelDetails:
    heldout = {"perplexity_before": before, "perplexity_after": after} if after else {}
    model = replace(make_model(name), lineage=lineage, heldout=heldout, vocabulary=more.pop("vocabulary", 384))
    return ModelDetails(model, **more)


def draw(shelf: list[ModelDetails]) -> list[tuple[str, int, bool]]:
    return [
        (node.name, node.generation, node.details is not None) for tree in build_lineage(shelf) for node in tree.walk()
    ]


def test_generations_stand_below_each_other_and_what_has_gone_keeps_its_place() -> None:
    shelf = [make("starter"), make("A", "starter"), make("B", "A", "starter"), make("D", "C", "A", "starter")]
    assert draw(shelf) == [
        ("starter", 0, True), ("A", 1, True), ("B", 2, True), ("C", 2, False), ("D", 3, True),
    ]  # fmt: skip


def test_a_parent_is_known_by_its_weights_whatever_it_is_called() -> None:
    renamed = make("Salt", "starter", fingerprint="f1")
    impostor = make("A", "starter", fingerprint="f2")
    child = make("B", "A", "starter", parent="f1", fingerprint="f3")
    assert draw([make("starter"), renamed, impostor, child]) == [
        ("starter", 0, True), ("Salt", 1, True), ("B", 2, True), ("A", 1, True),
    ]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.lists(st.sampled_from(NAMES), max_size=3),
            st.sampled_from(["", "f1", "f2"]),
            st.sampled_from(["", "f1", "f2"]),
        ),
        unique_by=lambda each: each[0],
    )
)
def test_every_model_stands_in_the_trees_once(wild: list[tuple[str, list[str], str, str]]) -> None:
    shelf = [make(name, *lineage, fingerprint=own, parent=parent) for name, lineage, own, parent in wild]
    assert sorted(name for name, _generation, there in draw(shelf) if there) == sorted(each.name for each in shelf)


@pytest.mark.parametrize(
    ("used", "there", "previous"),
    [
        ("", "s", ""),
        ("s", "s", ""),
        ("sAB", "sAB", "A"),
        ("sABa", "sAB", "s"),
        ("sABas", "sAB", ""),
        ("sABaB", "sAB", "A"),
        ("sAB", "sB", "s"),
        ("sAsA", "sA", "s"),
        ("sABb", "sAB", "A"),
        ("xs", "s", ""),
    ],
)
def test_rolling_back_goes_along_what_was_in_use(used: str, there: str, previous: str) -> None:
    """A small letter but the starter's ``s`` is a roll back; an ``s`` behind one, too."""
    records = [
        UseRecord(
            letter.upper() if letter != "s" else "s", float(at), letter in "ab" or (letter == "s" and "a" in used[:at])
        )
        for at, letter in enumerate(used)
    ]
    active = records[-1].name if records else "s"
    assert find_previous(records, set(there), active) == previous


def test_when_a_model_was_in_use() -> None:
    uses = [UseRecord("s", 0.0), UseRecord("A", 5.0), UseRecord("A", 6.0), UseRecord("s", 8.0), UseRecord("A", 9.0)]
    assert find_spans(uses, "A") == [(5.0, 8.0), (9.0, None)]
    assert find_spans(uses, "s") == [(0.0, 5.0), (8.0, 9.0)]
    assert find_spans([], "A") == find_spans(uses, "B") == []


TEXT = {"sha256": "d1", "words": 900}


@pytest.mark.parametrize(
    ("first", "second", "figures"),
    [
        (make("A"), make("B", "A", before=30.0, after=20.0), (30.0, 20.0)),
        (make("B", "A", before=30.0, after=20.0), make("A"), (20.0, 30.0)),
        (make("A", "s", after=20.0, data=TEXT), make("B", "t", after=25.0, data=TEXT), (20.0, 25.0)),
        (make("A", "s", after=20.0, data=TEXT, settings={"seed": 1}),
         make("B", "t", after=25.0, data=TEXT, settings={"seed": 2}), None),
        (make("A", "s", after=20.0, data=TEXT), make("B", "t", after=25.0, data={"sha256": "d2"}), None),
        (make("A", "s", after=20.0), make("B", "t", after=25.0), None),
        (make("A"), make("B", "A", before=30.0, after=20.0, vocabulary=999), None),
        (make("A"), make("B", "A"), None),
    ],
)  # fmt: skip
def test_figures_are_compared_only_where_they_can_be(
    first: ModelDetails, second: ModelDetails, figures: tuple[float, float] | None
) -> None:
    heldout = compare_models(first, second).heldout
    assert (None if heldout is None else (heldout.first, heldout.second)) == figures


def test_settings_that_differ_are_listed() -> None:
    found = compare_models(
        make("A", settings={"epochs": 3, "seed": 7}, data=TEXT), make("B", settings={"epochs": 4, "seed": 7}, data=TEXT)
    )
    assert found.settings == {"epochs": (3, 4)}
    assert found.same_data
