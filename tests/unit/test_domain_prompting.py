"""The window that fits: the prompt's start and the text's end, cut where a reader would cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.prompting import fit_window, keep_end, share_room


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


def test_memory_comes_first_and_the_note_before_the_last_paragraphs() -> None:
    window = fit_window(
        "a door",
        "One.\n\nTwo.\n\nThree.\n\nFour.",
        budget=60,
        count_tokens=_count,
        render=_render,
        memory="Mara is old.",
        author_note="fog",
        note_depth=2,
    )
    expected = "Mara is old.\n\nPrompt: a door Story: One.\n\nTwo.\n\n[Author's note: fog]\n\nThree.\n\nFour."
    assert window.context == expected
    assert window.context[: window.head] == "Mara is old.\n\nPrompt: a door Story: "
    assert window.context[slice(*window.note)] == "[Author's note: fog]\n\n"
    assert (window.memory_left_out, window.note_left_out, window.prompt_left_out, window.text_left_out) == (0, 0, 0, 0)


def test_memory_prompt_and_note_take_half_at_most_and_what_is_left_out_is_said() -> None:
    window = fit_window(
        "prompt " * 90,
        "story " * 500,
        budget=80,
        count_tokens=_count,
        render=_render,
        memory="memory " * 90,
        author_note="note " * 90,
    )
    beside = window.context[: window.head] + window.context[slice(*window.note)]
    assert _count(beside) <= 40
    assert _count(window.context) <= 80
    for word in ("memory", "prompt", "note"):
        assert word in beside
    assert min(window.memory_left_out, window.prompt_left_out, window.note_left_out, window.text_left_out) > 0
    assert _count(window.context) > 60


@given(st.lists(st.integers(0, 50), min_size=1, max_size=4), st.integers(0, 100))
def test_room_is_shared_fairly(needs: list[int], room: int) -> None:
    shares = share_room(needs, room)
    assert sum(shares) <= room
    assert all(share <= need for share, need in zip(shares, needs, strict=True))
    if sum(needs) <= room:
        assert shares == needs
    for share, need in zip(shares, needs, strict=True):
        assert share == need or share >= room // len(needs)


def test_a_text_that_grows_keeps_its_beginning_for_a_while() -> None:
    sentence = "She went to the wall and looked down at the water there. "
    starts = []
    for count in range(40, 120):
        text = sentence * count
        window = fit_window("", text, budget=200, count_tokens=_count, render=_render)
        assert _count(window.context) <= 200
        assert _count(window.context) > 100
        starts.append(window.text_left_out)
    assert starts == sorted(starts)
    assert len(set(starts)) < len(starts) / 3
