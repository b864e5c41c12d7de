"""Rating blind: sheets in the library, who sees what when, and what it adds up to."""

from __future__ import annotations

import dataclasses
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judging import (
    SHORT,
    Criterion,
    CriterionGuide,
    Entry,
    Rater,
    Rating,
    Sheet,
    Side,
    fingerprint,
    make_pairs,
)
from storydesk.domain.pairwise import Verdict
from storydesk.services.criteria import read_guides
from storydesk.services.judging import JudgingService
from storydesk.storage.judging import SqliteJudging
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.migrations import STEPS
from tests.fakes.judging import FakeJudging

ROOT = Path(__file__).resolve().parents[2]
GUIDES = read_guides(ROOT / "resources" / "i18n" / "en.toml")
PROMPTS = [f"A door that opens only at night, number {number}." for number in range(6)]


def write(prompts: list[str] = PROMPTS, contenders: tuple[str, ...] = ("Salt", "Amber")) -> list[Entry]:
    return [
        Entry(prompt, f"{prompt} It was {place}. " + "The bell rang. " * 5, name)
        for prompt in prompts
        for place, name in enumerate(contenders)
    ]


@pytest.fixture(params=["sqlite", "fake"])
def judging(request: pytest.FixtureRequest, tmp_path: Path) -> JudgingService:
    """The same service over the real store and over the fake that other tests use."""
    store = SqliteJudging(SqliteLibrary(tmp_path / "library.sqlite3")) if request.param == "sqlite" else FakeJudging()
    return JudgingService(store, lambda: GUIDES)


def test_every_criterion_has_a_question_and_five_different_anchors() -> None:
    assert [guide.criterion for guide in GUIDES] == list(Criterion)
    for guide in GUIDES:
        assert guide.question.endswith("?")
        assert len(set(guide.anchors)) == 5
        assert all(anchor.endswith(".") for anchor in guide.anchors)


def test_without_a_table_criteria_are_called_by_their_names(tmp_path: Path) -> None:
    guides = read_guides(tmp_path / "none.toml")
    assert guides[0] == CriterionGuide(Criterion.ACCURACY, "Accuracy", "Accuracy", ("1", "2", "3", "4", "5"))


def test_a_rater_sees_texts_in_an_own_order_and_no_names(judging: JudgingService) -> None:
    sheet = judging.add_sheet("First look", write(), SHORT, seed=1)
    assert sheet.criteria == SHORT
    ada, bea = judging.add_rater("Ada"), judging.add_rater(" Bea  ")
    seats = [judging.sit_down(sheet.id, rater.id) for rater in (ada, bea)]
    orders = [[item.item_id for item in seat.items] for seat in seats]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    assert [item.place for item in seats[0].items] == list(range(12))
    assert "Salt" not in repr(seats[0].items)
    assert judging.sit_down(sheet.id, ada.id) == seats[0]
    assert judging.add_rater("ADA") == ada


def test_a_rater_may_change_the_name_but_not_into_somebody_else(judging: JudgingService) -> None:
    ada, bea = judging.add_rater("Ada"), judging.add_rater("Bea")
    assert judging.rename_rater(ada.id, "ada ").name == "ada"
    assert judging.rename_rater(ada.id, "Bea").name == "Bea (2)"
    assert judging.rename_rater(bea.id, "  ") == bea
    assert len(judging.list_raters()) == 2


def test_rating_goes_on_where_it_stopped(judging: JudgingService) -> None:
    sheet = judging.add_sheet("First look", write(), (Criterion.OVERALL, Criterion.GRAMMAR))
    ada = judging.add_rater("Ada")
    first, second = judging.sit_down(sheet.id, ada.id).items[:2]
    judging.rate(sheet.id, ada.id, first.item_id, Criterion.OVERALL, 4)
    assert judging.sit_down(sheet.id, ada.id).next_open == 0
    judging.rate(sheet.id, ada.id, first.item_id, Criterion.GRAMMAR, 2)
    judging.rate(sheet.id, ada.id, second.item_id, Criterion.OVERALL, 3)
    judging.rate(sheet.id, ada.id, second.item_id, Criterion.OVERALL, None)
    seat = judging.sit_down(sheet.id, ada.id)
    assert (seat.done, seat.next_open) == (1, 1)
    assert seat.items[0].ratings == {Criterion.OVERALL: 4, Criterion.GRAMMAR: 2}
    assert seat.items[1].ratings == {}
    [card] = judging.list_sheets()
    assert (card.items, [(rater.name, done) for rater, done in card.raters]) == (12, [("Ada", 1)])


def test_a_choice_is_of_the_text_and_not_of_the_side(judging: JudgingService) -> None:
    sheet = judging.add_pairs("Which one", write(), seed=5)
    raters = [judging.add_rater(name) for name in ("Ada", "Bea", "Cid")]
    for rater in raters:
        for item in judging.sit_down(sheet.id, rater.id).items:
            salt_is_left = "It was 0" in item.texts[0]
            judging.choose(sheet.id, rater.id, item.item_id, Side.LEFT if salt_is_left else Side.RIGHT, " warmer ")
        seen = judging.sit_down(sheet.id, rater.id)
        assert seen.next_open is None
        for item in seen.items:
            assert item.why == "warmer"
            assert "It was 0" in item.texts[0 if item.side is Side.LEFT else 1]
    sides = {
        tuple("It was 0" in item.texts[0] for item in sorted(seat.items, key=lambda each: each.item_id))
        for seat in (judging.sit_down(sheet.id, rater.id) for rater in raters)
    }
    assert len(sides) > 1  # not every rater has the same text on the left
    judging.reveal(sheet.id)
    [duel] = judging.summarise([sheet.id]).duels
    assert (duel.first, duel.second, duel.wins, duel.losses) == ("Amber", "Salt", 0, 18)
    assert duel.verdict is Verdict.SECOND


def test_who_wrote_what_is_shown_afterwards_only(judging: JudgingService) -> None:
    sheet = judging.add_sheet("First look", write(), SHORT)
    ada = judging.add_rater("Ada")
    item = judging.sit_down(sheet.id, ada.id).items[0]
    judging.rate(sheet.id, ada.id, item.item_id, Criterion.OVERALL, 5)
    assert {each.name for each in judging.summarise([sheet.id]).contenders} <= {"A", "B"}
    judging.reveal(sheet.id)
    assert {each.name for each in judging.summarise([sheet.id]).contenders} <= {"Salt", "Amber"}
    with pytest.raises(StorydeskError) as caught:
        judging.rate(sheet.id, ada.id, item.item_id, Criterion.OVERALL, 1)
    assert caught.value.failure.code == FailureCode.SHEET_REVEALED


@pytest.mark.parametrize(
    ("entries", "pairs"),
    [([], False), ([Entry("A door.", "  ")], False), (write(contenders=("Salt",)), True), (write()[::13], True)],
)
def test_nothing_to_judge_is_said(judging: JudgingService, entries: list[Entry], pairs: bool) -> None:
    with pytest.raises(StorydeskError) as caught:
        judging.add_pairs("None", entries) if pairs else judging.add_sheet("None", entries)
    assert caught.value.failure.code == FailureCode.SHEET_EMPTY


def test_what_makes_no_sense_is_refused(judging: JudgingService) -> None:
    sheet = judging.add_sheet("First look", write(), SHORT)
    pairs = judging.add_pairs("Which one", write())
    ada = judging.add_rater("Ada")
    text = judging.sit_down(sheet.id, ada.id).items[0].item_id
    pair = judging.sit_down(pairs.id, ada.id).items[0].item_id
    attempts: list[Callable[[], object]] = [
        lambda: judging.rate(sheet.id, ada.id, text, Criterion.OVERALL, 6),
        lambda: judging.rate(sheet.id, ada.id, text, Criterion.SURPRISE, 3),
        lambda: judging.rate(sheet.id, ada.id, pair, Criterion.OVERALL, 3),
        lambda: judging.rate(sheet.id, 99, text, Criterion.OVERALL, 3),
        lambda: judging.choose(sheet.id, ada.id, text, Side.LEFT),
        lambda: judging.sit_down(77, ada.id),
        lambda: judging.add_rater("  "),
    ]
    for attempt in attempts:
        with pytest.raises(StorydeskError) as caught:
            attempt()
        assert caught.value.failure.code in (FailureCode.SHEET_NOT_FOUND, FailureCode.BAD_ARGUMENT)
    assert judging.summarise([sheet.id, pairs.id]).ratings == 0


def test_a_sheet_goes_to_the_trash_and_comes_back(judging: JudgingService) -> None:
    sheet = judging.add_sheet("First look", write())
    judging.delete_sheet(sheet.id)
    judging.trash_sheet(sheet.id)
    assert judging.list_sheets() == []
    assert [card.sheet.id for card in judging.list_sheets(trash=True)] == [sheet.id]
    judging.trash_sheet(sheet.id, restore=True)
    assert judging.rename_sheet(sheet.id, " A  second look ").name == "A second look"
    assert judging.find_sheet("a second LOOK").id == sheet.id
    judging.trash_sheet(sheet.id)
    judging.delete_sheet(sheet.id)
    with pytest.raises(StorydeskError):
        judging.load_sheet(sheet.id)


def test_averages_differences_and_agreement_are_what_raters_said(judging: JudgingService) -> None:
    prompts = [f"Prompt {number}" for number in range(12)]
    sheet = judging.add_sheet("First look", write(prompts), (Criterion.OVERALL,), seed=1)
    judging.reveal(sheet.id)
    content = judging.load_sheet(sheet.id)
    raters = [judging.add_rater(name) for name in ("Ada", "Bea")]
    draw = random.Random(6)
    for rater in raters:
        said = []
        for item in content.items:
            middle = 4 if item.first.contender == "Salt" else 2
            said.append(Rating(item.id, rater.id, Criterion.OVERALL, middle + draw.choice((-1, 0, 0, 1)), 1.0))
        judging._store.add_opinions(said)
    summary = judging.summarise([sheet.id])
    assert (summary.items, summary.ratings, summary.raters) == (24, 48, 2)
    salt = next(each for each in summary.contenders if each.name == "Salt")
    assert salt.averages[Criterion.OVERALL].holds(4.0)
    assert salt.averages[Criterion.OVERALL].count == 12
    difference = summary.find_difference("Salt", "Amber", Criterion.OVERALL)
    assert difference is not None
    assert (difference.first, difference.verdict, difference.more) == ("Amber", Verdict.SECOND, 0)
    assert difference.points.holds(-2.0)
    [agreement] = summary.agreements
    assert agreement.texts == 24
    assert agreement.alpha is not None
    assert agreement.alpha.low > 0.3
    assert agreement.correlations is not None
    # A metric that goes with the ratings is seen to do so; one of an unknown text is passed over.
    figures = {
        fingerprint(item.prompt, item.first.text): 1.0 if item.first.contender == "Salt" else 0.0 + draw.random() / 10
        for item in content.items
    }
    found = judging.correlate({**figures, "unknown": 3.0})
    assert found.texts == 24
    assert found.spearman is not None
    assert found.spearman.low > 0.5


def test_pairs_of_many_contenders_meet_evenly() -> None:
    entries = write([f"Prompt {number}" for number in range(20)], ("a", "b", "c", "d"))
    items = make_pairs(entries, seed=3, most=30)
    met: dict[frozenset[str], int] = {}
    for item in items:
        assert len({entry.prompt for entry in item.entries}) == 1
        two = frozenset(entry.contender for entry in item.entries)
        met[two] = met.get(two, 0) + 1
    assert sorted(met.values()) == [5] * 6
    first = sum(item.first.contender < item.entries[1].contender for item in items)
    assert 5 < first < 25  # nor does the alphabet decide who comes first


def test_what_was_said_is_on_disk_when_the_program_is_killed(tmp_path: Path) -> None:
    """A second program rates, is killed without a word, and what it had said is all there."""
    path = tmp_path / "library.sqlite3"
    library = SqliteLibrary(path)
    judging = JudgingService(SqliteJudging(library), lambda: GUIDES)
    sheet = judging.add_sheet("First look", write(), (Criterion.OVERALL,), seed=4)
    ada = judging.add_rater("Ada")
    library.close()
    script = f"""
import os, signal
from pathlib import Path
from storydesk.domain.judging import Criterion
from storydesk.services.judging import JudgingService
from storydesk.storage.judging import SqliteJudging
from storydesk.storage.library import SqliteLibrary
judging = JudgingService(SqliteJudging(SqliteLibrary(Path({str(path)!r}))), lambda: ())
for item in judging.sit_down({sheet.id}, {ada.id}).items[:7]:
    judging.rate({sheet.id}, {ada.id}, item.item_id, Criterion.OVERALL, 4)
os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
"""
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode != 0
    again = SqliteLibrary(path)
    seat = JudgingService(SqliteJudging(again), lambda: GUIDES).sit_down(sheet.id, ada.id)
    assert (seat.done, seat.next_open) == (7, 7)
    again.close()


def test_opinions_are_kept_all_or_none(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path / "library.sqlite3")
    store = SqliteJudging(library)
    sheet = store.add_sheet(Sheet(0, "k", "S", SHORT, 1, 0.0), make_pairs(write(), 1))
    rater = store.keep_rater(Rater(0, "r", "Ada"))
    item = store.load_sheet(sheet.id).items[0]
    good = Rating(item.id, rater.id, Criterion.OVERALL, 3, 1.0)
    with pytest.raises(StorydeskError) as caught:
        store.add_opinions([good, dataclasses.replace(good, item_id=999)])
    assert caught.value.failure.code == FailureCode.SHEET_NOT_FOUND
    assert store.load_sheet(sheet.id).ratings == ()
    assert store.add_sheet(Sheet(0, "k", "Other", SHORT, 1, 0.0), []).id == sheet.id
    library.close()


def test_a_library_of_before_gets_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    for step in STEPS[:3]:
        for statement in step:
            connection.execute(statement)
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    library = SqliteLibrary(path)
    judging = JudgingService(SqliteJudging(library), lambda: GUIDES)
    assert judging.add_sheet("First look", write()).id == 1
    library.close()
