"""What the model will see: the prompt first, then as much recent text as fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

CountTokens = Callable[[str], int]
RenderPrompt = Callable[[str], str]

# Half of the window at most for what stands before the story; the rest is for the story itself.
PROMPT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Window:
    """The context in the model's text form, and what of the writer's prompt and text was left out (characters)."""

    context: str
    prompt_left_out: int
    text_left_out: int


def fit_window(prompt: str, text: str, *, budget: int, count_tokens: CountTokens, render: RenderPrompt) -> Window:
    """Return the window of at most ``budget`` tokens that keeps the start of the prompt and the end of the text.

    ``prompt`` and ``text`` are already in the model's text form. The text is cut at a paragraph, sentence or word
    where one is near, so that the model never starts inside a word.
    """
    head, prompt_left_out = _fit_head(prompt, int(budget * PROMPT_SHARE), count_tokens, render)
    room = max(budget - count_tokens(head), 1)
    tail = keep_end(text, room, count_tokens)
    return Window(head + tail, prompt_left_out, len(text) - len(tail))


def keep_end(text: str, room: int, count_tokens: CountTokens) -> str:
    """Return the longest end of ``text`` of at most ``room`` tokens that starts at a paragraph, sentence or word."""
    # No tokenizer makes more tokens than UTF-8 bytes; a token of prose is about four characters, so start near.
    if len(text.encode("utf-8", "replace")) <= room or (len(text) <= room * 12 and count_tokens(text) <= room):
        return text
    low, high = 0, min(len(text), room * 12)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(text[len(text) - middle :]) <= room:
            low = middle
        else:
            high = middle - 1
    tail = text[len(text) - low :]
    return tail[_find_clean_start(tail) :]


def _find_clean_start(tail: str) -> int:
    """Return where a reader would start: after a paragraph or sentence in the first quarter, else after a word."""
    quarter = len(tail) // 4
    paragraph = tail.find("\n\n", 0, quarter)
    if paragraph >= 0:
        return paragraph + 2
    for mark in (". ", "! ", "? ", '." ', '!" ', '?" '):
        sentence = tail.find(mark, 0, quarter)
        if sentence >= 0:
            return sentence + len(mark)
    word = tail.find(" ", 0, quarter)
    return word + 1 if word >= 0 else 0


def _fit_head(prompt: str, room: int, count_tokens: CountTokens, render: RenderPrompt) -> tuple[str, int]:
    head = render(prompt)
    if count_tokens(head) <= room:
        return head, 0
    words = prompt.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(render(" ".join(words[:middle]))) <= room:
            low = middle
        else:
            high = middle - 1
    kept = " ".join(words[:low])
    return render(kept) if kept else "", len(prompt) - len(kept)
