"""The outline of a draft: its parts, moving them without losing a character, and what is kept of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.manuscript import count_words
from storydesk.domain.outline import (
    MOST_PARTS,
    KeptPart,
    OutlineReader,
    PartDetails,
    PartKind,
    Place,
    Status,
    apply_shifts,
    find_chapter,
    follow_parts,
    move_part,
    read_outline,
    read_status,
)

NOVEL = """A word before.

# One

Mara came first.

***

Then the rain came.

***

Nobody slept.

## A letter

Dear all.

# Two

The lamp was out.

# Three

## Within

It was over."""


def titles(text: str) -> list[str]:
    return [part.title for part in read_outline(text).parts]


def move(text: str, moved: str, target: str, place: Place) -> str:
    outline = read_outline(text)
    names = [part.title for part in outline.parts]
    return apply_shifts(text, move_part(text, outline, names.index(moved), names.index(target), place))


def test_headings_are_chapters_and_scenes_lie_between_breaks() -> None:
    outline = read_outline(NOVEL)
    assert [(part.title, part.kind.value, part.depth) for part in outline.parts] == [
        ("One", "chapter", 0),
        ("Mara came first.", "scene", 1),
        ("Then the rain came.", "scene", 1),
        ("Nobody slept.", "scene", 1),
        ("A letter", "chapter", 1),
        ("Two", "chapter", 0),
        ("Three", "chapter", 0),
        ("Within", "chapter", 1),
    ]
    one, letter = outline.parts[0], outline.parts[4]
    assert NOVEL[one.start : one.end].startswith("# One")
    assert NOVEL[one.start : one.end].endswith("Dear all.")
    assert (letter.words, one.words) == (4, 14)
    assert outline.words == count_words(NOVEL)
    assert outline.find(NOVEL.index("rain")) == outline.parts[2]
    assert outline.find(0) is None
    assert find_chapter(NOVEL, NOVEL.index("Dear")) == "A letter"
    assert find_chapter(NOVEL, 0) == ""


@pytest.mark.parametrize(
    "text", ["", "\n\n", "Only words.", "***", "***\n\n***", "#", "#no heading", "# One\n\n***\n\nx"]
)
def test_a_text_without_parts_has_none_but_its_headings(text: str) -> None:
    assert titles(text) == (["One"] if text.startswith("# One") else [])


def test_scenes_need_no_heading() -> None:
    text = "The lamp was out and nobody in the long house had any oil to spare.\n\n* * *\n\nMara waited."
    assert titles(text) == ["The lamp was out and nobody in the long house…", "Mara waited."]


def test_a_chapter_takes_along_what_lies_below_it() -> None:
    moved = move(NOVEL, "One", "Two", Place.AFTER)
    assert [name for name in titles(moved) if name in ("One", "A letter", "Two", "Three")] == [
        "Two",
        "One",
        "A letter",
        "Three",
    ]
    assert moved.startswith("A word before.\n\n# Two\n\nThe lamp was out.\n\n# One\n\nMara")
    assert move(moved, "One", "Two", Place.BEFORE) == NOVEL


def test_the_last_chapter_moved_to_the_front_is_still_parted_by_blank_lines() -> None:
    moved = move(NOVEL, "Three", "One", Place.BEFORE)
    assert moved.startswith("A word before.\n\n# Three\n\n## Within\n\nIt was over.\n\n# One\n\nMara came first.")
    assert moved.endswith("# Two\n\nThe lamp was out.")


def test_scenes_change_places_around_their_breaks() -> None:
    moved = move(NOVEL, "Nobody slept.", "Mara came first.", Place.BEFORE)
    assert "# One\n\nNobody slept.\n\n***\n\nMara came first.\n\n***\n\nThen the rain came.\n\n## A letter" in moved
    assert move(moved, "Nobody slept.", "Then the rain came.", Place.AFTER) == NOVEL


def test_a_scene_takes_its_break_to_another_chapter() -> None:
    moved = move(NOVEL, "Then the rain came.", "Two", Place.INTO)
    assert "Mara came first.\n\n***\n\nNobody slept." in moved
    assert "# Two\n\nThe lamp was out.\n\n***\n\nThen the rain came.\n\n# Three" in moved
    back = move(moved, "The lamp was out.", "Nobody slept.", Place.BEFORE)
    assert "***\n\nThe lamp was out.\n\n***\n\nNobody slept." in back


def test_what_cannot_be_moved_stays() -> None:
    for moved, target, place in (
        ("One", "One", Place.AFTER),
        ("One", "A letter", Place.AFTER),
        ("One", "Mara came first.", Place.BEFORE),
        ("Mara came first.", "Two", Place.BEFORE),
        ("One", "Two", Place.BEFORE),
        ("Two", "One", Place.AFTER),
        ("Nobody slept.", "One", Place.INTO),
    ):
        assert move(NOVEL, moved, target, place) == NOVEL


LINES = st.sampled_from(
    [
        "# One",
        "## Two",
        "### Deep",
        "***",
        "* * *",
        "",
        "",
        "",
        "Words stand here.",
        "  more words",
        "~",
        "# One",
        "é😀",
    ]
)


@given(st.lists(LINES, max_size=30), st.data())
def test_moving_never_loses_a_character(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines)
    outline = read_outline(text)
    if not outline.parts:
        return
    numbers = st.integers(0, len(outline.parts) - 1)
    moved, target = data.draw(numbers), data.draw(numbers)
    shifts = move_part(text, outline, moved, target, data.draw(st.sampled_from(Place)))
    for shift in shifts:
        assert 0 <= shift.start < shift.end <= len(text)
        assert not shift.start < shift.to < shift.end
    after = apply_shifts(text, shifts)
    assert Counter(after) == Counter(text)
    before_lines = Counter(line for line in text.split("\n") if line.strip())
    assert Counter(line for line in after.split("\n") if line.strip()) == before_lines
    if shifts and outline.parts[moved].kind is PartKind.CHAPTER:
        chapters = [part.title for part in outline.parts if part.kind is PartKind.CHAPTER]
        now = [part.title for part in read_outline(after).parts if part.kind is PartKind.CHAPTER]
        assert Counter(now) == Counter(chapters)


@given(st.lists(LINES, max_size=40))
def test_parts_lie_in_order_and_hold_their_words(lines: list[str]) -> None:
    text = "\n".join(lines)
    reader = OutlineReader()
    outline = reader.read(text)
    assert outline == reader.read(text) == read_outline(text)
    assert outline.words == count_words(text)
    for ordinal, part in enumerate(outline.parts):
        assert part.ordinal == ordinal
        assert part.words == count_words(text[part.start : part.end])
        assert part.parent < ordinal
        if part.parent >= 0:
            parent = outline.parts[part.parent]
            assert parent.start < part.start
            assert part.end <= parent.end
            assert part.depth == parent.depth + 1


def test_the_list_of_parts_is_bounded() -> None:
    assert len(read_outline("# One\n" * (MOST_PARTS + 50)).parts) == MOST_PARTS
    assert len(read_outline("word\n***\n" * (MOST_PARTS + 50)).parts) == MOST_PARTS


def kept(text: str, **details: PartDetails) -> tuple[KeptPart, ...]:
    parts = follow_parts((), read_outline(text).parts)
    return tuple(KeptPart(part.title, part.kind, details.get(part.title, part.details)) for part in parts)


NOTED = PartDetails(Status.REVISED, 1200, "Less rain.")


def find(parts: tuple[KeptPart, ...], title: str) -> PartDetails:
    return next(part.details for part in parts if part.title == title and part.present)


def test_details_follow_a_part_that_moves() -> None:
    before = kept(NOVEL, Two=NOTED)
    after = follow_parts(before, read_outline(move(NOVEL, "Two", "One", Place.BEFORE)).parts)
    assert find(after, "Two") == NOTED
    assert find(after, "One") == PartDetails()


def test_details_follow_a_part_that_is_renamed() -> None:
    after = follow_parts(kept(NOVEL, Two=NOTED), read_outline(NOVEL.replace("# Two", "# The Lamp")).parts)
    assert find(after, "The Lamp") == NOTED
    renamed = NOVEL.replace("# One", "# Rain").replace("# Three", "# Calm")
    after = follow_parts(kept(NOVEL, One=NOTED, Three=PartDetails(target=9)), read_outline(renamed).parts)
    assert (find(after, "Rain"), find(after, "Calm").target) == (NOTED, 9)


def test_details_wait_for_a_part_that_was_cut_out() -> None:
    without = NOVEL.replace("# Two\n\nThe lamp was out.\n\n", "")
    waiting = follow_parts(kept(NOVEL, Two=NOTED), read_outline(without).parts)
    assert waiting[-1] == KeptPart("Two", PartKind.CHAPTER, NOTED, present=False)
    assert find(follow_parts(waiting, read_outline(NOVEL).parts), "Two") == NOTED


def test_parts_of_one_name_keep_their_order() -> None:
    text = "# Night\n\na\n\n# Day\n\nb\n\n# Night\n\nc"
    first, last = PartDetails(target=1), PartDetails(target=2)
    parts = tuple(
        KeptPart(name, PartKind.CHAPTER, details)
        for name, details in (("Night", first), ("Day", PartDetails()), ("Night", last))
    )
    after = follow_parts(parts, read_outline(text).parts)
    assert [part.details.target for part in after] == [1, 0, 2]


@given(st.lists(LINES, max_size=20), st.lists(LINES, max_size=20))
def test_details_are_never_given_twice(one: list[str], other: list[str]) -> None:
    parts = read_outline("\n".join(one)).parts
    before = tuple(KeptPart(part.title, part.kind, PartDetails(target=number + 1)) for number, part in enumerate(parts))
    after = follow_parts(before, read_outline("\n".join(other)).parts)
    targets = [part.details.target for part in after if part.details.target]
    assert sorted(targets) == [number + 1 for number in range(len(parts))]


def test_a_status_is_read_from_its_word() -> None:
    assert [read_status(word) for word in ("idea", "finished", "", "no such thing")] == [
        Status.IDEA,
        Status.FINISHED,
        Status.NONE,
        Status.NONE,
    ]
