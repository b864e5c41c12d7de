"""What was edited since: places in an earlier text are found in the new one, or known to be gone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storydesk.bridge.edit_log import EditLog
from storydesk.ui.editor.heights import Heights

EDITS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.integers(0, 4)), max_size=12)


@given(EDITS)
def test_a_place_is_followed_exactly_while_its_text_stands(edits: list[tuple[int, int, int]]) -> None:
    now: list[int | None] = list(range(40))
    log = EditLog()
    for position, removed, added in edits:
        position = min(position, len(now))
        removed = min(removed, len(now) - position)
        now[position : position + removed] = [None] * added
        log.note(position, removed, added)
    for start in range(40):
        for end in range(start + 1, min(40, start + 5)):
            expected = None
            if start in now and now[now.index(start) : now.index(start) + end - start] == list(range(start, end)):
                expected = now.index(start) - start
            assert log.follow(start, end) == expected
    for place in range(len(now)):
        after = [origin for origin in now[place:] if origin is not None]
        assert log.trace(place) == (after[0] if after else log.trace(len(now)))
    for start, end, origin in log.copy().find(0, len(now)):
        assert now[start:end] == list(range(origin, origin + min(end, len(now)) - start))


@given(
    st.lists(st.integers(1, 50), max_size=600),
    st.lists(
        st.tuples(st.integers(0, 700), st.integers(0, 40), st.lists(st.integers(1, 50), max_size=300)), max_size=8
    ),
)
def test_heights_add_up_through_all_changes(heights: list[int], changes: list[tuple[int, int, list[int]]]) -> None:
    kept = Heights()
    kept.reset(heights)
    for first, removed, added in changes:
        first = min(first, len(heights))
        removed = min(removed, len(heights) - first)
        heights[first : first + removed] = added
        kept.splice(first, removed, added)
        assert len(kept) == len(heights)
        assert kept.total == sum(heights)
        for number in range(0, len(heights), 97):
            assert kept.get(number) == heights[number]
            assert kept.top_of(number) == sum(heights[:number])
            assert kept.find(kept.top_of(number) + 0.5) == number
