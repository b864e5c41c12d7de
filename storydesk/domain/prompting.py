"""What the model will see: memory, lorebook and prompt first, then as much recent text as fits, a note near its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

CountTokens = Callable[[str], int]
RenderPrompt = Callable[[str], str]

# Half of the window at most for what stands beside the story; the rest is for the story itself.
PROMPT_SHARE = 0.5
NOTE_DEPTH = 3
"""Paragraphs of the story that stand behind the author's note."""


class Part(StrEnum):
    """What a piece of the context is."""

    MEMORY = "memory"
    LORE = "lore"
    PROMPT = "prompt"
    NOTE = "note"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Section:
    """A span of the context; ``number`` says which entry a piece of the lorebook is."""

    part: Part
    start: int
    end: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The context in the model's text form, and what of the writer's own was left out of it (characters).

    The first ``head`` characters and the span ``note`` are kept when the window moves while the text is written.
    ``sections`` are the whole context in order; ``lore_left_out`` are the numbers of the entries that have no room.
    """

    context: str
    prompt_left_out: int
    text_left_out: int
    memory_left_out: int = 0
    note_left_out: int = 0
    head: int = 0
    note: tuple[int, int] = (0, 0)
    lore_left_out: tuple[int, ...] = ()
    sections: tuple[Section, ...] = ()


def fit_window(
    prompt: str,
    text: str,
    *,
    budget: int,
    count_tokens: CountTokens,
    render: RenderPrompt,
    memory: str = "",
    author_note: str = "",
    note_depth: int = NOTE_DEPTH,
    lore: Sequence[str] = (),
) -> Window:
    """Return the window of at most ``budget`` tokens that keeps the start of the prompt and the end of the text.

    All texts are already in the model's text form. Memory, lorebook, prompt and note take half of the budget at most,
    shared fairly, and keep their beginnings; an entry of the lorebook is there as a whole or not at all, the first ones
    first. The text is cut at a paragraph, sentence or word where one is near, so that the model never starts inside a
    word, and in large strides, so that a text that grows keeps its beginning for a while and nothing has to be read
    again.
    """
    parts = (
        (memory.strip(), lambda kept: f"{kept}\n\n" if kept else ""),
        (prompt, render),
        (author_note.strip(), lambda kept: f"[Author's note: {kept}]\n\n" if kept else ""),
    )
    needs = [count_tokens(frame(part)) for part, frame in parts]
    entries = [f"{entry.strip()}\n" for entry in lore]
    needs.append(count_tokens("".join(entries) + "\n") if entries else 0)
    rooms = share_room(needs, int(budget * PROMPT_SHARE))
    known, lore_left_out = _fit_entries(entries, rooms[3], count_tokens)
    fitted = [_fit_part(part, room, count_tokens, frame) for (part, frame), room in zip(parts, rooms[:3], strict=True)]
    pieces = [(Part.MEMORY, 0, fitted[0][0]), *known, (Part.PROMPT, 0, fitted[1][0])]
    head = "".join(piece for _part, _number, piece in pieces)
    note = fitted[2][0]
    room = max(budget - count_tokens(head) - count_tokens(note), 1)
    tail = keep_end(text, room, count_tokens)
    place = _find_note_place(tail, note_depth) if note else 0
    start = len(head) + place
    pieces += [(Part.TEXT, 0, tail[:place]), (Part.NOTE, 0, note), (Part.TEXT, 0, tail[place:])]
    return Window(
        context=head + tail[:place] + note + tail[place:],
        prompt_left_out=fitted[1][1],
        text_left_out=len(text) - len(tail),
        memory_left_out=fitted[0][1],
        note_left_out=fitted[2][1],
        head=len(head),
        note=(start, start + len(note)) if note else (0, 0),
        lore_left_out=lore_left_out,
        sections=_place_sections(pieces),
    )


def _place_sections(pieces: Sequence[tuple[Part, int, str]]) -> tuple[Section, ...]:
    sections, place = [], 0
    for part, number, piece in pieces:
        if piece:
            sections.append(Section(part, place, place + len(piece), number))
            place += len(piece)
    return tuple(sections)


def _fit_entries(
    entries: Sequence[str], room: int, count_tokens: CountTokens
) -> tuple[list[tuple[Part, int, str]], tuple[int, ...]]:
    """Return the entries that fit, the first ones first, an empty line behind the last, and the numbers of the rest."""
    kept: list[int] = []
    left_out = []
    for number, entry in enumerate(entries):
        whole = "".join(entries[each] for each in (*kept, number)) + "\n"
        if entry.strip() and count_tokens(whole) <= room:
            kept.append(number)
        else:
            left_out.append(number)
    pieces = [(Part.LORE, number, entries[number]) for number in kept]
    if pieces:
        part, number, entry = pieces[-1]
        pieces[-1] = (part, number, entry + "\n")
    return pieces, tuple(left_out)


def share_room(needs: Sequence[int], room: int) -> list[int]:
    """Return how much of ``room`` each need gets: the small ones all they need, the others equal parts of the rest."""
    shares = [0] * len(needs)
    left, waiting = room, len(needs)
    for index in sorted(range(len(needs)), key=needs.__getitem__):
        shares[index] = min(needs[index], left // waiting)
        left -= shares[index]
        waiting -= 1
    return shares


def keep_end(text: str, room: int, count_tokens: CountTokens) -> str:
    """Return a long end of ``text`` of at most ``room`` tokens that starts at a paragraph, sentence or word.

    The places where it may start lie as many characters apart as it has tokens, about a quarter of it in prose.
    """
    # No tokenizer makes more tokens than UTF-8 bytes; a token of prose is about four characters, so start near.
    if len(text.encode("utf-8", "replace")) <= room or (len(text) <= room * 12 and count_tokens(text) <= room):
        return text
    first = max(len(text) - room * 12, 0) // room
    low, high = first, len(text) // room
    while low < high:
        middle = (low + high) // 2
        if count_tokens(text[middle * room :]) <= room:
            high = middle
        else:
            low = middle + 1
    tail = text[low * room :]
    if len(tail) < room * 2 or count_tokens(tail) > room:
        # Hardly a character for a token, as in other scripts: a stride would leave too little.
        tail = _keep_most(text, room, count_tokens)
    return tail[_find_clean_start(tail) :]


def _keep_most(text: str, room: int, count_tokens: CountTokens) -> str:
    low, high = 0, min(len(text), room * 12)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(text[len(text) - middle :]) <= room:
            low = middle
        else:
            high = middle - 1
    return text[len(text) - low :]


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


def _find_note_place(tail: str, depth: int) -> int:
    """Return where the last ``depth`` paragraphs begin, 0 where there are fewer."""
    place = len(tail.rstrip())
    for _ in range(depth):
        place = tail.rfind("\n\n", 0, place)
        if place < 0:
            return 0
    return place + 2 if depth else len(tail)


def _fit_part(part: str, room: int, count_tokens: CountTokens, frame: RenderPrompt) -> tuple[str, int]:
    """Return the longest beginning of ``part`` in its frame that fits, and the characters left out."""
    whole = frame(part)
    if not part or count_tokens(whole) <= room:
        return whole, 0
    words = part.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(frame(" ".join(words[:middle]))) <= room:
            low = middle
        else:
            high = middle - 1
    kept = " ".join(words[:low])
    return frame(kept) if kept else "", len(part) - len(kept)
