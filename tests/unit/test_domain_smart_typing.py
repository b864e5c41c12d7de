"""Signs as one types: what a key becomes in each language, and what stays plain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.smart_typing import MANNERS, SIGNS, find_manners, make_smart


def type_all(keys: str, language: str) -> str:
    """Return what a page holds after these keys."""
    manners, text = find_manners(language), ""
    for key in keys:
        change = make_smart(text.rpartition("\n")[2], key, manners) if key in SIGNS else None
        text = text + key if change is None else text[: len(text) - change.removed] + change.text
    return text


@pytest.mark.parametrize(
    ("language", "keys", "expected"),
    [
        ("en-US", '"Don\'t," she said, "\'tis."', "“Don’t,” she said, “‘tis.”"),
        ("en-US", "He said: \"She said 'no'.\"", "He said: “She said ‘no’.”"),
        ("en-US", "wait--what", "wait—what"),
        ("en-US", "wait -- what", "wait — what"),
        ("en-US", "and so...", "and so…"),
        ("en-GB", '"No," he said', "‘No,’ he said"),
        ("en-GB", "wait -- what", "wait – what"),
        ("de", "\"Nein\", sagte sie. 'Doch'.", "„Nein“, sagte sie. ‚Doch‘."),
        ("de", "Peter's Hund", "Peter’s Hund"),
        ("de_AT", '"Ja"', "„Ja“"),
        ("de-CH", '"Ja"', "«Ja»"),
        ("fr", '"Oui", dit-il. "Non !"', "«\u202fOui\u202f», dit-il. «\u202fNon\u202f!\u202f»"),
        ("fr", "Quoi? Si: oui; non", "Quoi\u202f? Si: oui\u202f; non"),
        ("fr", "Voici : oui", "Voici\u00a0: oui"),
        ("fr", "l'eau", "l’eau"),
        ("es", '"Sí"', "«Sí»"),
        ("it", '"Sì"', "«Sì»"),
        ("pl", '"Tak"', "„Tak”"),
        ("sv", '"Ja", sa hon', "”Ja”, sa hon"),
        ("ru", '"Да"', "«Да»"),
        ("xx", '"Yes"', "“Yes”"),
    ],
)
def test_a_language_has_its_own_signs(language: str, keys: str, expected: str) -> None:
    assert type_all(keys, language) == expected


@pytest.mark.parametrize("keys", ["---", "- a list", "1990-2000", "....", "a.b", "--- ", "well-known"])
def test_what_is_no_typography_stays_plain(keys: str) -> None:
    assert type_all(keys, "en-US") == keys.replace("....", "….")


def test_quotes_open_after_brackets_and_dashes() -> None:
    assert type_all('("a") -"b"', "en-US") == "(“a”) -“b”"


@given(st.text(alphabet="ab \"'-.!?\n«„“", max_size=40), st.sampled_from(sorted(MANNERS)))
def test_typing_never_loses_a_letter(keys: str, language: str) -> None:
    typed = type_all(keys, language)
    assert [sign for sign in typed if sign in "ab\n"] == [sign for sign in keys if sign in "ab\n"]
