"""What was written today and since the program was opened."""

from __future__ import annotations

from storydesk.domain.manuscript import count_words
from storydesk.domain.word_goal import Tally, WordGoal


def test_the_day_adds_up_over_several_drafts() -> None:
    goal = WordGoal("2026-11-22 100", "2026-11-22")
    goal.begin(5000)
    assert goal.note(5050, "2026-11-22", 200) == Tally(150, 50, 200)
    goal.begin(10)
    assert goal.note(60, "2026-11-22", 200) == Tally(200, 100, 200)
    assert goal.note(60, "2026-11-22", 200).reached
    assert goal.keep() == "2026-11-22 200"


def test_another_day_begins_at_nothing_and_the_session_goes_on() -> None:
    goal = WordGoal("2026-11-21 999", "2026-11-22")
    goal.begin(0)
    assert goal.note(30, "2026-11-22", 0) == Tally(30, 30, 0)
    assert goal.note(35, "2026-11-23", 0) == Tally(5, 35, 0)
    assert goal.keep() == "2026-11-23 5"


def test_cutting_is_no_debt() -> None:
    goal = WordGoal("nonsense", "2026-11-22")
    goal.begin(500)
    assert goal.note(100, "2026-11-22", 50) == Tally(0, 0, 50)
    goal.begin(0)
    assert goal.note(7, "2026-11-22", 50).today == 7


def test_words_are_counted_in_scripts_that_part_none() -> None:
    assert count_words("日本語の文章。") == 6
    assert count_words("她走了 two words, カタカナ") == 9
    assert count_words("한국어 단어 셋") == 3
    assert count_words("Don’t count well-known words twice") == 5
