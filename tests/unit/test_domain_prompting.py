"""The window that fits: the prompt's start and the text's end, cut where a reader would cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.prompting import fit_window, keep_end


def _count(text: str) -> int:
    """Count words and paragraph breaks, as a tokenizer would roughly do."""
    return len(text.replace("\n\n", " | ").split())


def _render(prompt: str) -> str:
    return f"Prompt: {prompt} Story: " if prompt else ""


def test_what_fits_is_kept_whole() -> None:
    window = fit_window("a door", "It was warm.", budget=40, count_tokens=_count, render=_render)
    assert window.context == "Prompt: a door Story: It was warm."
    assert (window.prompt_left_out, window.text_left_out) == (0, 0)


def test_long_text_loses_its_beginning_at_a_sentence() -> None:
    text = "One two three. " * 30 + "The end is here."
    window = fit_window("a door", text, budget=30, count_tokens=_count, render=_render)
    assert window.context.startswith("Prompt: a door Story: One two three. ")
    assert window.context.endswith("The end is here.")
    assert window.text_left_out > 0
    assert _count(window.context) <= 30


def test_a_huge_prompt_takes_half_at_most() -> None:
    window = fit_window("word " * 500, "The last words.", budget=40, count_tokens=_count, render=_render)
    assert window.context.endswith("The last words.")
    assert window.prompt_left_out > 0
    assert _count(window.context) <= 40


@given(st.text(alphabet="abc .\n", max_size=400), st.integers(1, 50))
def test_the_end_is_always_kept_and_always_fits(text: str, room: int) -> None:
    tail = keep_end(text, room, _count)
    assert text.endswith(tail)
    assert _count(tail) <= room
