"""Authorship spans: exact through thousands of edits, undone and redone, beside an oracle that knows every letter."""

from __future__ import annotations

import random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from storydesk.domain.authorship import (
    PASTED,
    UNKNOWN,
    WRITTEN,
    Kind,
    Origin,
    Run,
    Runs,
    Source,
    SpanJournal,
    Spans,
    count_words_by_kind,
    cut_runs,
    dump_runs,
    edit_spans,
    find_touched,
    join_runs,
    load_runs,
    measure_runs,
)

SOURCE = Source("a1", "starter", 7, 1_000_000.0)
OTHER = Source("b2", "my voice", 8, 2_000_000.0)
MADE = Origin(Kind.GENERATED, SOURCE)
EDITED = Origin(Kind.EDITED, SOURCE)
ORIGINS = (WRITTEN, PASTED, UNKNOWN, MADE, EDITED, Origin(Kind.GENERATED, OTHER))
EDITS_A_STEP = 40
OPERATIONS = 20_000


def spread(runs: Runs) -> list[Origin]:
    """Return the origin of every letter."""
    return [origin for length, origin in runs for _ in range(length)]


def edit_letters(
    letters: list[Origin], start: int, end: int, added: list[Origin], touched: tuple[int, int] | None
) -> list[Origin]:
    """Do to letters, one by one, what an edit does to spans: the rules again, in the plainest way."""
    gone, new = letters[start:end], [*letters[:start], *added, *letters[end:]]
    if touched is None:
        return new
    low, high = min(touched[0], start), max(touched[1], start + len(added))
    left = new[start - 1] if start > low else None
    right = new[start + len(added)] if start + len(added) < high else None
    between = left is not None and right is not None and left.from_model and right.from_model
    beside = (left is not None and left.from_model) or (right is not None and right.from_model)
    if not (between or (beside and any(origin.from_model for origin in gone))):
        return new
    for place in range(low, high):
        if start <= place < start + len(added):
            if between and left is not None and new[place] == WRITTEN:
                new[place] = Origin(Kind.EDITED, left.source)
        elif new[place].kind is Kind.GENERATED:
            new[place] = Origin(Kind.EDITED, new[place].source)
    return new


class EditingMachine(RuleBasedStateMachine):
    """Edits, undoes and redoes like an editor whose undo stack joins typing into steps."""

    done: ClassVar[list[int]] = [0]

    @initialize(seed=st.integers(0, 2**31))
    def begin(self, seed: int) -> None:
        self.dice = random.Random(seed)
        first = tuple((self.dice.randint(1, 30), self.dice.choice(ORIGINS)) for _ in range(8))
        self.spans = Spans(first)
        self.journal = SpanJournal()
        self.history = [spread(first)]
        self.height = 0

    @rule(seed=st.integers(0, 2**31), spread_out=st.booleans())
    def edit(self, seed: int, spread_out: bool) -> None:
        self.dice.seed(seed)
        place = self.dice.randint(0, self.spans.length)
        for _ in range(EDITS_A_STEP):
            if spread_out or self.dice.random() < 0.2:
                place = self.dice.randint(0, self.spans.length)
            place = self._edit_at(min(place, self.spans.length))

    def _edit_at(self, start: int) -> int:
        dice, length = self.dice, self.spans.length
        end = start if dice.random() < 0.6 else min(start + dice.choice((1, 1, 2, 5, 40)), length)
        count = 0 if end > start and dice.random() < 0.6 else dice.choice((1, 1, 1, 3, 12))
        origin = dice.choice((WRITTEN, WRITTEN, WRITTEN, *ORIGINS))
        added: Runs = join_runs([(count, origin)] if dice.random() < 0.8 else [(count, origin), (2, PASTED)])
        size = measure_runs(added)
        after = length - (end - start) + size
        touched = None
        if dice.random() < 0.7:
            touched = (max(start - dice.randint(0, 20), 0), min(start + size + dice.randint(0, 20), after))
        letters = edit_letters(self.history[self.height][:], start, end, spread(added), touched)
        change = edit_spans(self.spans, start, end, added, touched)
        if dice.random() < 0.5 or not self.height:
            self.height += 1  # else the editor joins it with the step before
        del self.history[self.height :]
        self.history.append(letters)
        self.journal.record(self.height, change)
        EditingMachine.done[0] += 1
        return start + size

    @rule(seed=st.integers(0, 2**31))
    def undo_and_redo(self, seed: int) -> None:
        self.dice.seed(seed)
        for _ in range(EDITS_A_STEP // 2):
            self.height = self.dice.randint(0, len(self.history) - 1)
            self.journal.go_to(self.spans, self.height)
            assert spread(self.spans.runs()) == self.history[self.height]
            EditingMachine.done[0] += 1

    @invariant()
    def spans_are_exact(self) -> None:
        runs = self.spans.runs()
        assert spread(runs) == self.history[self.height]
        assert join_runs(runs) == runs
        assert self.spans.length == len(self.history[self.height])


def test_spans_stay_exact_through_twenty_thousand_operations() -> None:
    EditingMachine.done[0] = 0
    rounds = 0
    while EditingMachine.done[0] < OPERATIONS:
        rounds += 1
        run_state_machine_as_test(
            EditingMachine,
            settings=settings(
                max_examples=30,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
    assert EditingMachine.done[0] >= OPERATIONS
    assert rounds < 10


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(ORIGINS)), max_size=12), st.data())
def test_a_stretch_is_what_stands_there(runs: list[Run], data: st.DataObject) -> None:
    spans = Spans(runs)
    letters = spread(spans.runs())
    start = data.draw(st.integers(0, len(letters)))
    end = data.draw(st.integers(start, len(letters)))
    assert spread(spans.slice(start, end)) == spread(cut_runs(runs, start, end)) == letters[start:end]
    assert all(spans.origin_at(place) == letters[place] for place in range(start, end))
    with pytest.raises(ValueError, match="of"):
        spans.slice(0, len(letters) + 1)


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from(ORIGINS)), min_size=1, max_size=12))
def test_what_was_saved_comes_back(runs: list[Run]) -> None:
    text = "é😀x"[: measure_runs(runs)] + "a" * max(measure_runs(runs) - 3, 0)
    assert load_runs(dump_runs(runs, text), text) == join_runs(runs)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"v":1}', '{"v":9,"n":3,"f":0,"g":[],"s":[]}', "null"])
def test_what_does_not_fit_the_text_is_unknown_and_nothing_breaks(damage: str) -> None:
    assert load_runs(damage, "abc") == ((3, UNKNOWN),)


def test_spans_of_another_text_are_not_believed() -> None:
    stored = dump_runs([(3, WRITTEN)], "abc")
    assert load_runs(stored, "abd") == ((3, UNKNOWN),)
    assert load_runs(stored.replace('[3,"w"]', '[2,"w"]'), "abc") == ((3, UNKNOWN),)
    assert load_runs("", "abc", "generated") == ((3, Origin(Kind.GENERATED)),)
    assert load_runs("", "abc", "imported") == ((3, PASTED),)
    assert load_runs(stored, "") == ()


# What "edited" means


def _edit(text: str, runs: Runs, old: str, new: str) -> list[tuple[str, Origin]]:
    start = text.index(old)
    after = text.replace(old, new, 1)
    spans = Spans(runs)
    added = ((len(new), WRITTEN),) if new else ()
    edit_spans(spans, start, start + len(old), added, find_touched(after, start, start + len(new)))
    place, found = 0, []
    for length, origin in spans.runs():
        found.append((after[place : place + length], origin))
        place += length
    return found


def test_typing_into_a_generated_sentence_makes_that_sentence_edited() -> None:
    text = "The bell rang. The sea slept. Mara woke."
    assert _edit(text, ((len(text), MADE),), "sea ", "sea never ") == [
        ("The bell rang. ", MADE),
        ("The sea never slept.", EDITED),
        (" Mara woke.", MADE),
    ]


def test_cutting_a_whole_sentence_leaves_its_neighbours_generated() -> None:
    text = "The bell rang. The sea slept. Mara woke."
    assert _edit(text, ((len(text), MADE),), "The sea slept. ", "") == [("The bell rang. Mara woke.", MADE)]
    assert _edit(text, ((len(text), MADE),), " Mara woke.", "") == [("The bell rang. The sea slept.", MADE)]


def test_cutting_a_part_of_a_sentence_makes_the_rest_edited() -> None:
    text = "The bell rang. The sea slept. Mara woke."
    assert _edit(text, ((len(text), MADE),), "The sea", "") == [
        ("The bell rang.  slept.", EDITED),  # a small letter goes on with the sentence before
        (" Mara woke.", MADE),
    ]
    assert _edit(text, ((len(text), MADE),), "a slept. Mara woke.", "") == [
        ("The bell rang. ", MADE),
        ("The se", EDITED),
    ]


def test_going_on_behind_generated_text_is_written() -> None:
    text = "The bell rang."
    assert _edit(text + "x", ((len(text), MADE), (1, WRITTEN)), "x", " Mara woke.") == [
        (text, MADE),
        (" Mara woke.", WRITTEN),
    ]


def test_words_are_counted_by_kind_and_by_model() -> None:
    text = "Mara woke. The bell rang twice. Pasted words."
    first, second = len("Mara woke. "), len("The bell ")
    runs = ((first, WRITTEN), (second, MADE), (len("rang twice. "), EDITED), (len("Pasted words."), PASTED))
    tally = count_words_by_kind(text, runs)
    assert {kind: count for kind, count in tally.words.items() if count} == {
        Kind.WRITTEN: 2,
        Kind.GENERATED: 2,
        Kind.EDITED: 2,
        Kind.PASTED: 2,
    }
    [share] = tally.models
    assert (share.model, share.generated, share.edited, tally.total) == ("starter", 2, 2, 8)
    assert tally.share(Kind.PASTED) == 0.25


def test_a_word_that_a_model_began_and_the_writer_ended_is_edited() -> None:
    assert count_words_by_kind("sundown", ((3, MADE), (4, WRITTEN))).words[Kind.EDITED] == 1
    assert count_words_by_kind("sundown", ((3, PASTED), (4, WRITTEN))).words[Kind.WRITTEN] == 1
    assert count_words_by_kind("a b", (), lambda: True).total == 0
