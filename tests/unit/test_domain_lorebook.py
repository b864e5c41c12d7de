"""Keys, patterns, hits, recollection, and the window that they share with the story."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.key_pattern import KeyPattern, read_pattern
from storydesk.domain.lorebook import LoreEntry, find_hits, find_key, join_keys, split_keys
from storydesk.domain.memory import MOST_DEPTH, MOST_RECENT, StoryMemory, recall, take_recent
from storydesk.domain.prompting import Part, fit_window


@pytest.mark.parametrize(
    ("key", "text", "found"),
    [
        ("Mara", "Then mara came.", True),
        ("Mara", "Then Tamara came.", False),
        ("Mara", "Mara’s lamp", True),
        ("Mara's lamp", "MARA’S   \n lamp", True),
        ("AI", "He said: ai!", False),
        ("AI", "The AI spoke.", True),
        ("McKay", "mckay left", False),
        ("Salt Road", "the salt road", True),
        ("C++", "she wrote C++ at night", True),
        ("Zoe\u0308", "Zo\u00eb laughed", True),
        ("東京", "彼は東京に住む", True),
        ("Mara & Tom", "Tom met Mara.", True),
        ("Mara & Tom", "Tom met nobody.", False),
        ("AT&T", "He worked for AT&T then.", True),
        ("/(ship|boat)s?/i", "Two Boats", True),
        ("/(?=x)/", "x", False),
        ("/[/", "[", False),
        ("", "anything", False),
    ],
)
def test_keys_are_found_as_a_reader_would_find_them(key: str, text: str, found: bool) -> None:
    assert (find_key(key, text) >= 0) is found


_PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\w", r"\s", r"\b", "^", "$", "c d"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,3}", "{2}", "*?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(_PATTERNS, st.text(alphabet="abc d\n", max_size=12))
def test_patterns_match_where_python_would_match(pattern: str, text: str) -> None:
    expected = re.compile(pattern, re.MULTILINE)
    try:
        ours = KeyPattern(f"/{pattern}/")
    except ValueError:
        assert expected.search("") is not None  # what matches nothing at all is refused
        return
    ends = [
        end for end in range(len(text) + 1) if any(_matches(expected, text, start, end) for start in range(end + 1))
    ]
    assert ours.find_last(text) == max(ends, default=-1)


def _matches(pattern: re.Pattern[str], text: str, start: int, end: int) -> bool:
    """Return whether the whole span matches, seen with its surroundings."""
    return (
        re.compile(f"(?s:.{{{start}}})(?:{pattern.pattern})(?=(?s:.{{{len(text) - end}}})\\Z)", re.MULTILINE).match(
            text
        )
        is not None
    )


def test_patterns_that_never_end_elsewhere_end_here() -> None:
    for evil in ("/(a*)*b/", "/(a|a)*b/", "/" + "a?" * 40 + "a" * 40 + "b/", r"/(\w+\s?)*$x/"):
        pattern = read_pattern(evil)
        if pattern is not None:
            assert pattern.find_last("a" * 3_000) == -1
    assert read_pattern("/(){50}{50}{50}{50}{50}x/") is None
    assert read_pattern("/" + "(" * 60 + "x" + ")" * 60 + "/") is None


def test_entries_come_by_priority_then_by_the_last_name() -> None:
    entries = [
        LoreEntry(1, "Mara", "Keeps the light.", ("Mara",)),
        LoreEntry(2, "Tom", "Her brother.", aliases=("Thomas",)),
        LoreEntry(3, "Law", "Nobody lies here.", always=True, priority=-5),
        LoreEntry(4, "Sea", "It is old.", ("sea",), priority=9),
        LoreEntry(5, "Off", "Never seen.", ("Mara",), enabled=False),
        LoreEntry(6, "Empty", "  ", ("Mara",)),
        LoreEntry(7, "Ferry", "Leaves at six."),
    ]
    hits = find_hits(entries, "The sea. Mara waited. Then Thomas took the ferry.")
    assert [hit.entry.id for hit in hits] == [4, 7, 2, 1, 3]
    assert [hit.key for hit in hits] == ["sea", "Ferry", "Thomas", "Mara", ""]


def test_names_are_looked_for_in_the_recent_words_and_the_prompt() -> None:
    entry = LoreEntry(1, "Mara", "Keeps the light.", ("Mara",))
    text = "Mara went home. " + "word " * 100
    memory = StoryMemory(recent_words=50)
    assert recall(memory, [entry], text).lore == ()
    assert recall(memory, [entry], text, "What Mara saw").lore == ("Keeps the light.",)
    assert recall(StoryMemory(recent_words=200), [entry], text).lore == ("Keeps the light.",)
    assert take_recent("one two three", 2) == "two three"


@given(st.lists(st.text(alphabet="ab /,'&", max_size=8), max_size=5))
def test_keys_on_a_line_come_back(keys: list[str]) -> None:
    first = split_keys(join_keys(keys))
    assert split_keys(join_keys(first)) == first


def test_a_pattern_may_hold_commas() -> None:
    assert split_keys("Mara, /a{1,2}b/i, salt road\nTom") == ("Mara", "/a{1,2}b/i", "salt road", "Tom")
    assert split_keys("and/or, he/she") == ("and/or", "he/she")


@given(st.text(max_size=60))
def test_any_kept_memory_can_be_read(text: str) -> None:
    memory = StoryMemory.from_text(text)
    assert StoryMemory.from_text(memory.to_text()) == memory


def test_memory_stays_within_its_limits() -> None:
    kept = StoryMemory.from_text('{"memory": "m", "note_depth": 900, "recent_words": 10000000, "author_note": 5}')
    assert kept == StoryMemory("m", "", note_depth=MOST_DEPTH, recent_words=MOST_RECENT)


def _count(text: str) -> int:
    return len(text.split())


def test_entries_are_in_the_window_whole_or_not_at_all() -> None:
    lore = ["one two three", "long " * 30, "four five"]
    window = fit_window(
        "a door", "The end.", budget=40, count_tokens=_count, render=lambda prompt: f"Prompt: {prompt}\n", lore=lore
    )
    assert window.context == "one two three\nfour five\n\nPrompt: a door\nThe end."
    assert window.lore_left_out == (1,)
    assert [(each.part, each.number) for each in window.sections] == [
        (Part.LORE, 0),
        (Part.LORE, 2),
        (Part.PROMPT, 0),
        (Part.TEXT, 0),
    ]
    assert window.context[: window.head].endswith("door\n")


@given(
    st.lists(st.text(alphabet="ab ", max_size=40), max_size=6),
    st.text(alphabet="ab .\n", max_size=200),
    st.text(alphabet="ab ", max_size=60),
    st.integers(8, 60),
)
def test_sections_are_the_whole_window_and_it_fits(lore: list[str], text: str, memory: str, budget: int) -> None:
    window = fit_window(
        "p q",
        text,
        budget=budget,
        count_tokens=_count,
        render=lambda prompt: f"Prompt: {prompt}\n" if prompt else "",
        memory=memory,
        author_note="fog",
        lore=lore,
    )
    assert _count(window.context) <= budget
    assert "".join(window.context[each.start : each.end] for each in window.sections) == window.context
    beside = window.context[: window.head] + window.context[slice(*window.note)]
    assert _count(beside) <= budget // 2
    kept = {each.number for each in window.sections if each.part is Part.LORE}
    assert kept.isdisjoint(window.lore_left_out)
    assert kept | set(window.lore_left_out) == set(range(len(lore)))
