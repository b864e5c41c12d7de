"""Generated text takes on the document's own quotes, dashes, ellipses and paragraphs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.typography import PLAIN, StyleRestorer, TypographyStyle, detect_style, restore_style
from trainer.text.normaliser import normalise


def test_a_new_story_is_typeset() -> None:
    assert restore_style('"It\'s late--go," he said...\n\nShe went.', TypographyStyle()) == (
        "“It’s late—go,” he said…\n\nShe went."
    )


def test_a_plain_document_stays_plain() -> None:
    style = detect_style('"Yes," she said -- and ran...\nHe followed.')
    assert style == TypographyStyle('"', '"', "'", "'", "--", "...", "\n")
    assert restore_style('"Well--"\n\n"No..."', style) == '"Well--"\n"No..."'


@pytest.mark.parametrize(
    ("document", "spoken"),
    [("«Oui», dit-elle.", "«No»"), ("„Ja“, sagte sie.", "„No“"), ("“Yes,” she said.", "“No”")],
)
def test_quotes_follow_the_document(document: str, spoken: str) -> None:
    assert restore_style('"No"', detect_style(document)) == spoken


def test_a_quote_closes_after_what_stands_before_the_cursor() -> None:
    assert restore_style('," he said.', TypographyStyle(), before="“Never") == ",” he said."
    assert restore_style('"Now."', TypographyStyle(), before="He said: ") == "“Now.”"


def test_decades_take_an_apostrophe() -> None:
    assert restore_style("the '90s", TypographyStyle()) == "the ’90s"


@given(st.text(alphabet="ab \"'-.\n,!", max_size=60), st.lists(st.integers(1, 7), max_size=30))
def test_streaming_equals_the_whole(text: str, cuts: list[int]) -> None:
    restorer = StyleRestorer(TypographyStyle())
    out, position = [], 0
    for size in cuts:
        out.append(restorer.feed(text[position : position + size]))
        position += size
    out += [restorer.feed(text[position:]), restorer.finish()]
    assert "".join(out) == restore_style(text, TypographyStyle())


@given(st.text(alphabet="abc \"'.-\n", max_size=60))
def test_restoring_and_normalising_come_back(text: str) -> None:
    plain = normalise(text).text
    assert normalise(restore_style(plain, PLAIN)).text == plain


@given(st.text())
def test_detection_never_fails(text: str) -> None:
    restore_style(text, detect_style(text), text)
