"""What is pasted from other programs, and what is copied for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.rich_text import clean_pasted, exact_pasted, html_to_markup, markup_to_html

WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset="utf-8"><title>x</title>
<style><!-- p.MsoNormal {margin:0cm} --></style><!--[if gte mso 9]><xml><o:Pages>1</o:Pages></xml><![endif]--></head>
<body><!--StartFragment-->
<h1>Chapter One</h1><p class=MsoNormal>She <i>walked</i>&nbsp;on, <b>slow\u00adly</b>.<o:p></o:p></p>
<p class=MsoNormal><span style='font-style:italic'>The</span> sea  rose.</p><!--EndFragment--></body></html>"""


def test_words_own_html_gives_headings_emphasis_and_paragraphs() -> None:
    assert html_to_markup(WORD) == "# Chapter One\n\nShe *walked*\u00a0on, **slowly**.\n\n*The* sea rose."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one<br>two</p>", "one\ntwo"),
        ("a<hr>b", "a\n\n***\n\nb"),
        ("<script>bad()</script><p>good</p>", "good"),
        ("<b style='font-weight:normal'><p>from a web page</p></b>", "from a web page"),
        ("<ul><li>one</li><li>two</li></ul>", "one\n\ntwo"),
        ("<p>a &lt; b &amp; c</p>", "a < b & c"),
        ("<p>5 * 4 * 3</p>", "5 * 4 * 3"),
        ("<em>a <strong>b</strong></em>", "*a* ***b***"),
        ("<p>unclosed <i>thing", "unclosed *thing*"),
        ("", ""),
    ],
)
def test_html_becomes_a_drafts_own_marks(source: str, expected: str) -> None:
    assert html_to_markup(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("soft\u00adhyphen zero\u200bwidth \ufeffmark", "softhyphen zerowidth mark"),
        ("\tIndented.\n    So too.\n\n\n\nFar.  Two spaces.", "Indented.\nSo too.\n\nFar.  Two spaces."),
        ("10\u00a0km", "10\u00a0km"),
        ("a\tb", "a b"),
        (" inside a sentence ", " inside a sentence "),
        ("שלום\u200f!", "שלום\u200f!"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
    ],
)
def test_plain_text_is_cleaned(source: str, expected: str) -> None:
    assert clean_pasted(source) == expected


def test_pasting_exactly_changes_line_ends_only() -> None:
    assert exact_pasted("\ta\u00ad  b \r\n\r\n\r\n\r\nc") == "\ta\u00ad  b \n\n\n\nc"


def test_what_is_copied_with_its_look_comes_back_the_same() -> None:
    text = "# One\n\nShe *walked* on, **slowly**.\n\n***\n\na < b"
    html = markup_to_html(text)
    assert "<h1>One</h1>" in html
    assert "a &lt; b" in html
    assert html_to_markup(html) == text.replace("***\n", "* * *\n")


@given(st.text(max_size=200))
def test_anything_can_be_pasted(text: str) -> None:
    html_to_markup(text)
    assert "\r" not in clean_pasted(text)
    assert "\r" not in exact_pasted(text)
