"""Texts go to the checkers in a form they can take, and findings come back to the writer's own characters."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from storydesk.grammar.submission import Submission, cut

_ANYTHING = st.text(alphabet=st.characters(), max_size=40)
_ACCENTS = st.text(alphabet="ae\u0301\u0308\u0323 \r\n😀\ud800n\u0303x", max_size=40)


@given(before=st.one_of(_ANYTHING, _ACCENTS), after=st.one_of(_ANYTHING, _ACCENTS))
def test_a_word_found_in_the_submission_is_that_word_in_the_text(before: str, after: str) -> None:
    text = f"{before} wrongg {after}"
    submission = Submission(text)
    start = submission.text.rindex("wrongg") if "wrongg" not in after else submission.text.index("wrongg")
    span = submission.original_span(start, start + len("wrongg"))
    assert span is not None
    assert text[slice(*span)] == "wrongg"


@given(st.one_of(_ANYTHING, _ACCENTS))
def test_a_submission_can_always_be_encoded(text: str) -> None:
    Submission(text).text.encode("utf-8")


@given(st.one_of(_ANYTHING, _ACCENTS), st.data())
def test_every_span_lies_in_the_text(text: str, data: st.DataObject) -> None:
    submission = Submission(text)
    start = data.draw(st.integers(0, len(submission.text)))
    end = data.draw(st.integers(start, len(submission.text)))
    span = submission.original_span(start, end)
    assert span is None or 0 <= span[0] <= span[1] <= len(text)


def test_decomposed_accents_are_composed_and_come_back_whole() -> None:
    text = unicodedata.normalize("NFD", "Ça va, a café é")
    submission = Submission(text)
    assert submission.text == "Ça va, a café é"
    start = submission.text.index("café")
    span = submission.original_span(start, start + 4)
    assert span is not None
    assert text[slice(*span)] == unicodedata.normalize("NFD", "café")


def test_a_finding_on_a_broken_character_is_dropped() -> None:
    submission = Submission("a\ud800b fine")
    assert submission.original_span(0, 3) is None
    assert submission.original_span(4, 8) == (4, 8)


@given(st.text(alphabet="ab .\n\r\u0301😀", max_size=300), st.integers(2, 50))
def test_pieces_join_to_the_text_and_keep_the_limit(text: str, limit: int) -> None:
    pieces = list(cut(text, limit))
    assert "".join(piece for _, piece in pieces) == text
    assert all(len(piece) <= limit for _, piece in pieces)
    assert all(text.startswith(piece, offset) for offset, piece in pieces)


def test_pieces_end_where_paragraphs_end() -> None:
    paragraph = "One sentence. Another one. " * 10
    text = "\r\n\r\n".join([paragraph] * 30)
    pieces = [piece for _, piece in cut(text, 2000)]
    assert len(pieces) > 3
    assert all(piece.endswith("\r\n\r\n") for piece in pieces[:-1])
