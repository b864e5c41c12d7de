"""Saving memory in tuning: nothing that is learned from gets lost or counted twice, and the ladder has an end."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from trainer.corpus.rows import Row
from trainer.tuning.thrift import SHORTEST_ROW, Thrift

ROWS = st.lists(
    st.integers(2, 40).flatmap(
        lambda length: st.integers(1, length).map(lambda first: Row(tuple(range(length)), counted_from=first))
    ),
    min_size=1,
    max_size=9,
)


def _learned(rows: list[Row]) -> Counter[tuple[int, int]]:
    """Count every (token before, token) that loss is taken of."""
    return Counter((row.ids[at - 1], row.ids[at]) for row in rows for at in range(row.counted_from, len(row.ids)))


@given(ROWS, st.integers(1, 8), st.integers(2, 50))
def test_every_token_is_learned_once_however_a_batch_is_cut(rows: list[Row], parts: int, limit: int) -> None:
    thrift = Thrift(parts=parts, row_limit=limit)
    pieces = [thrift.cut(rows, part) for part in range(parts)]
    assert all(pieces)
    assert max(len(row.ids) for piece in pieces for row in piece) <= limit
    assert _learned([row for piece in pieces for row in piece]) == _learned(rows)


def test_the_ways_to_save_come_in_order_and_end() -> None:
    batches, lengths = [[0, 1, 2], [3]], [1024, 900, 30, 10]
    thrift, codes = Thrift(), []
    while (saving := thrift.save_more(batches, lengths)) is not None:
        thrift, code = saving
        codes.append(code)
    first = ["memory_smaller_batches", "memory_smaller_batches", "memory_recompute", "memory_adapters"]
    assert codes == [*first, *["memory_shorter_rows"] * 3]
    assert thrift == Thrift(parts=4, recompute=True, adapters=True, row_limit=SHORTEST_ROW)


@given(st.integers(1, 64), st.booleans(), st.booleans(), st.integers(0, 2048))
def test_a_later_start_knows_what_was_saved(parts: int, recompute: bool, adapters: bool, limit: int) -> None:
    thrift = Thrift(parts, recompute, adapters, limit)
    assert Thrift.from_state(thrift.as_state()) == thrift


@given(st.one_of(st.none(), st.text(), st.dictionaries(st.sampled_from(["parts", "row_limit"]), st.text())))
def test_a_damaged_note_means_no_thrift(state: object) -> None:
    found = Thrift.from_state(state)
    assert found.parts >= 1
    assert found.row_limit >= 0
