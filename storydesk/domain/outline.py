"""The outline of a draft: chapters are its headings, scenes lie between its scene breaks; what is kept follows them.

Nothing but the text says what the parts are; status, target and note of a part are found again by title and place.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from storydesk.domain.manuscript import count_words
from storydesk.domain.markup import BlockKind, is_scene_break, parse_blocks, strip_markup

MOST_PARTS = 2000
"""No more parts than these are listed; a longer list helps nobody."""
MOST_ORPHANS = 500
SCENE_LEVEL = 7
"""Below every heading."""

_TITLE_LENGTH = 48
_SPECIAL = "#*~⁂-–—•"
_PERHAPS_SPECIAL = frozenset(_SPECIAL) | {chr(code) for code in range(0x3001) if chr(code).isspace()}
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
_GAP = re.compile(r"\s*\n|\s*\Z")
_REMEMBERED_LINES = 100_000


class Status(StrEnum):
    """How far a story or a part has come."""

    NONE = ""
    IDEA = "idea"
    DRAFT = "draft"
    REVISED = "revised"
    FINISHED = "finished"


def read_status(word: str) -> Status:
    """Return the status that a word names; NONE for any other."""
    return Status(word) if word in list(Status) else Status.NONE


class PartKind(StrEnum):
    """What a part is."""

    CHAPTER = "chapter"
    SCENE = "scene"


class Place(StrEnum):
    """Where a moved part goes, seen from another."""

    BEFORE = "before"
    AFTER = "after"
    INTO = "into"


@dataclass(frozen=True, slots=True)
class Part:
    """A chapter or scene; ``start`` and ``end`` (code points) are without the blank lines around it.

    A chapter's end and words are those of all that lies below its heading, deeper headings included. ``parent`` is the
    ordinal of the chapter that it lies in, -1 without one; ``depth`` is how many those are.
    """

    ordinal: int
    kind: PartKind
    level: int
    depth: int
    parent: int
    title: str
    start: int
    end: int
    words: int


@dataclass(frozen=True, slots=True)
class Outline:
    """The parts of one text in their order, and its words in all."""

    parts: tuple[Part, ...] = ()
    words: int = 0

    def find(self, position: int) -> Part | None:
        """Return the innermost part around a place in the text."""
        found = None
        for part in self.parts:
            if part.start > position:
                break
            if position <= part.end:
                found = part
        return found


@dataclass(frozen=True, slots=True)
class StoryDetails:
    """What the writer says of a story; ``target`` is in words, 0 for none, ``words`` are those of its newest draft."""

    status: Status = Status.NONE
    target: int = 0
    tags: tuple[str, ...] = ()
    note: str = ""
    words: int = 0


@dataclass(frozen=True, slots=True)
class PartDetails:
    """What the writer says of a part; ``target`` is in words, 0 for none."""

    status: Status = Status.NONE
    target: int = 0
    note: str = ""


NO_DETAILS = PartDetails()


@dataclass(frozen=True, slots=True)
class KeptPart:
    """What is kept of a part; one that is not ``present`` waits for its title to come back."""

    title: str
    kind: PartKind
    details: PartDetails = NO_DETAILS
    present: bool = True


@dataclass(frozen=True, slots=True)
class Shift:
    """Take out the text from ``start`` to ``end`` and put it in at ``to``, outside of it, counted before the taking."""

    start: int
    end: int
    to: int


class OutlineReader:
    """Reads outlines and remembers how many words a line has, so that the next one comes quickly. One thread."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._words: dict[str, int] = {}

    def read(self, text: str) -> Outline:
        """Return the outline of a text whose line break is ``\\n``."""
        starts, sums = [0], [0]
        marks: list[_Mark] = []
        place = total = 0
        for line in text.split("\n"):
            if line:
                if line[0] in _PERHAPS_SPECIAL:
                    mark = _read_mark(line)
                    if mark is not None:
                        marks.append((place, place + len(line), *mark))
                words = self._words.get(line)
                total += self._count(line) if words is None else words
                place += len(line)
            place += 1
            starts.append(place)
            sums.append(total)
        if len(self._words) > _REMEMBERED_LINES:
            self._words.clear()

        def count(start: int, end: int) -> int:
            return sums[bisect_left(starts, end)] - sums[bisect_left(starts, start)]

        parts: list[Part] = []
        breaks = [mark for mark in marks if mark[2] == 0]
        for section in _cut_sections(marks, len(text)):
            _add_section(parts, text, section, breaks)
            if len(parts) >= MOST_PARTS:
                break
        return Outline(_finish(text, parts[:MOST_PARTS], count), total)

    def _count(self, line: str) -> int:
        words = self._words[line] = count_words(line)
        return words


def read_outline(text: str) -> Outline:
    """Return the outline of one text; an OutlineReader is quicker with many versions of one."""
    return OutlineReader().read(text)


def find_chapter(text: str, position: int) -> str:
    """Return the title of the nearest heading above a place, empty where there is none."""
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        if text[start : start + 8].lstrip().startswith("#"):
            mark = _read_mark(text[start:end])
            if mark is not None and mark[0]:
                return mark[1]
        end = start - 1
    return ""


# Reading


_Count = Callable[[int, int], int]
_Mark = tuple[int, int, int, str]
"""Start and end of a line, the level of its heading or 0 for a scene break, and the title."""
_Section = tuple[int, int, int, int, str]
"""Where a heading begins, where what lies below begins and ends, the level (0 before the first one), the title."""


def _read_mark(line: str) -> tuple[int, str] | None:
    """Return a heading's level and title, level 0 for a scene break, None for any other line."""
    stripped = line.strip()
    if not stripped or stripped[0] not in _SPECIAL:
        return None
    if is_scene_break(stripped):
        return 0, ""
    if stripped[0] != "#":
        return None
    blocks = parse_blocks(stripped)
    if not blocks or blocks[0].kind is not BlockKind.HEADING:
        return None
    return blocks[0].level, "".join(span.text for span in blocks[0].lines[0])


def _cut_sections(marks: Sequence[_Mark], length: int) -> list[_Section]:
    headings = [mark for mark in marks if mark[2]]
    sections: list[_Section] = [(0, 0, headings[0][0] if headings else length, 0, "")]
    for number, (start, end, level, title) in enumerate(headings):
        stop = headings[number + 1][0] if number + 1 < len(headings) else length
        sections.append((start, end, stop, level, title))
    return sections


def _add_section(parts: list[Part], text: str, section: _Section, breaks: Sequence[_Mark]) -> None:
    """Add a heading's part and those of the scenes below it; ends and words of chapters come later."""
    begin, body, end, level, title = section
    parent = -1
    if level:
        parent = len(parts)
        above = _find_above(parts, level)
        depth = parts[above].depth + 1 if above >= 0 else 0
        parts.append(Part(parent, PartKind.CHAPTER, level, depth, above, title, begin, end, 0))
    depth = parts[parent].depth + 1 if parent >= 0 else 0
    first = bisect_left(breaks, body, key=lambda mark: mark[0])
    last = bisect_left(breaks, end, key=lambda mark: mark[0])
    if first == last:
        return
    edges = [body, *(edge for mark in breaks[first:last] for edge in mark[:2]), end]
    bodies = [_trim(text, edges[number], edges[number + 1]) for number in range(0, len(edges), 2)]
    scenes = [(start, stop) for start, stop in bodies if stop > start]
    if len(scenes) > 1:
        for start, stop in scenes[: MOST_PARTS + 1]:
            name = _name_scene(text, start, stop)
            parts.append(Part(len(parts), PartKind.SCENE, SCENE_LEVEL, depth, parent, name, start, stop, 0))


def _find_above(parts: Sequence[Part], level: int) -> int:
    """Return the ordinal of the chapter that a new heading of this level lies in."""
    above = next((part.ordinal for part in reversed(parts) if part.kind is PartKind.CHAPTER), -1)
    while above >= 0 and parts[above].level >= level:
        above = parts[above].parent
    return above


def _finish(text: str, parts: Sequence[Part], count: _Count) -> tuple[Part, ...]:
    """Return the parts with the ends of chapters where their last section ends, and with their words."""
    finished: list[Part] = []
    for part in parts:
        end = part.end
        if part.kind is PartKind.CHAPTER:
            following = (
                other.start
                for other in parts[part.ordinal + 1 :]
                if other.kind is PartKind.CHAPTER and other.level <= part.level
            )
            end = next(following, len(text))
            end = part.start + len(text[part.start : end].rstrip())
        finished.append(replace(part, end=end, words=count(part.start, end)))
    return tuple(finished)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the range without the blank lines around what stands in it."""
    match = _BLANK_LINES.match(text, start, end)
    begin = match.end() if match is not None else start
    return begin, max(begin, begin + len(text[begin:end].rstrip()))


def _name_scene(text: str, start: int, end: int) -> str:
    """Return the first words of a scene."""
    stop = text.find("\n", start, end)
    line = strip_markup(text[start : end if stop < 0 else stop][: 4 * _TITLE_LENGTH]).strip()
    if len(line) <= _TITLE_LENGTH:
        return line
    cut = line.rfind(" ", 0, _TITLE_LENGTH)
    return line[: cut if cut > _TITLE_LENGTH // 3 else _TITLE_LENGTH].rstrip(" ,;:–—-") + "…"


# Moving


def move_part(text: str, outline: Outline, moved: int, target: int, place: Place) -> tuple[Shift, ...]:
    """Return how to move a part before, after or into another one; nothing where it can't or need not go there.

    No character comes or goes. A chapter takes all below its heading along and stands among chapters only; a scene
    takes one scene break along where it changes its chapter. ``outline`` is that of ``text``.
    """
    part, other = outline.parts[moved], outline.parts[target]
    if moved == target:
        return ()
    if part.kind is PartKind.CHAPTER:
        return _move_chapter(text, part, other, place)
    return _move_scene(text, outline, part, other, place)


def apply_shifts(text: str, shifts: Sequence[Shift]) -> str:
    """Return the text after all the shifts, one after another."""
    for shift in shifts:
        piece = text[shift.start : shift.end]
        rest = text[: shift.start] + text[shift.end :]
        to = shift.to if shift.to <= shift.start else shift.to - len(piece)
        text = rest[:to] + piece + rest[to:]
    return text


def _move_chapter(text: str, part: Part, other: Part, place: Place) -> tuple[Shift, ...]:
    if other.kind is not PartKind.CHAPTER or part.start <= other.start < part.end:
        return ()
    at = other.start if place is Place.BEFORE else other.end + len(_blank_after(text, other.end))
    if at <= part.start:
        before = len(text[at : part.start].rstrip()) + at
        return _reorder((part.start, part.end), (before, part.start), (at, before)) if before > at else ()
    after = part.end + len(_blank_after(text, part.end))
    stop = after + len(text[after:at].rstrip())
    return _reorder((after, stop), (part.end, after), (part.start, part.end)) if stop > after else ()


def _blank_after(text: str, place: int) -> str:
    """Return what stands between the end of a part and the next line that isn't blank."""
    rest = _GAP.match(text, place)
    return rest.group() if rest is not None else ""


def _move_scene(text: str, outline: Outline, part: Part, other: Part, place: Place) -> tuple[Shift, ...]:
    if other.kind is PartKind.CHAPTER:
        if place is Place.BEFORE:
            return ()
        scenes = _list_scenes(outline, other.ordinal)
        if not scenes:
            return _carry_scene(outline, part, _end_of_own(text, outline, other), before=False)
        if scenes[-1] == part:
            return ()
        other, place = scenes[-1], Place.AFTER
    if other.parent != part.parent:
        before = place is Place.BEFORE
        return _carry_scene(outline, part, other.start if before else other.end, before=before)
    scenes = _list_scenes(outline, part.parent)
    here, there = scenes.index(part), scenes.index(other)
    there += place is not Place.BEFORE
    if there in (here, here + 1):
        return ()
    if there < here:
        first, last = scenes[there], scenes[here - 1]
        return _reorder((part.start, part.end), (last.end, part.start), (first.start, last.end))
    first, last = scenes[here + 1], scenes[there - 1]
    return _reorder((first.start, last.end), (part.end, first.start), (part.start, part.end))


def _carry_scene(outline: Outline, part: Part, at: int, *, before: bool) -> tuple[Shift, ...]:
    """Take a scene and one of its breaks to a place in another chapter."""
    scenes = _list_scenes(outline, part.parent)
    here = scenes.index(part)
    scene = (part.start, part.end)
    seam = (scenes[here - 1].end, part.start) if here else (part.end, scenes[1].start)
    moved = (scene, seam) if before else (seam, scene)
    low, high = min(scene[0], seam[0]), max(scene[1], seam[1])
    return _reorder(*moved, (at, low)) if at <= low else _reorder((high, at), *moved)


def _list_scenes(outline: Outline, parent: int) -> list[Part]:
    return [part for part in outline.parts if part.kind is PartKind.SCENE and part.parent == parent]


def _end_of_own(text: str, outline: Outline, chapter: Part) -> int:
    """Return where the text right below a heading ends, before deeper headings."""
    following = (part.start for part in outline.parts[chapter.ordinal + 1 :] if part.kind is PartKind.CHAPTER)
    return chapter.start + len(text[chapter.start : next(following, len(text))].rstrip())


def _reorder(*pieces: tuple[int, int]) -> tuple[Shift, ...]:
    """Return the shifts that bring neighbouring ranges into this order, moving as little text as may be."""
    wanted = [piece for piece in pieces if piece[1] > piece[0]]
    return min(
        _shift_from_front(wanted),
        _shift_from_back(wanted),
        key=lambda shifts: sum(shift.end - shift.start for shift in shifts),
    )


def _shift_from_front(wanted: Sequence[tuple[int, int]]) -> tuple[Shift, ...]:
    standing = sorted(wanted)
    start = standing[0][0]
    shifts = []
    for number, piece in enumerate(wanted):
        here = standing.index(piece)
        at = start + sum(end - begin for begin, end in standing[:here])
        to = start + sum(end - begin for begin, end in standing[:number])
        if here != number:
            shifts.append(Shift(at, at + piece[1] - piece[0], to))
            standing.insert(number, standing.pop(here))
    return tuple(shifts)


def _shift_from_back(wanted: Sequence[tuple[int, int]]) -> tuple[Shift, ...]:
    standing = sorted(wanted)
    start = standing[0][0]
    shifts = []
    for number in reversed(range(len(wanted))):
        piece = wanted[number]
        here = standing.index(piece)
        at = start + sum(end - begin for begin, end in standing[:here])
        to = start + sum(end - begin for begin, end in standing[: number + 1])
        if here != number:
            shifts.append(Shift(at, at + piece[1] - piece[0], to))
            standing.insert(number, standing.pop(here))
    return tuple(shifts)


# What is kept of parts


def follow_parts(kept: Sequence[KeptPart], parts: Sequence[Part]) -> tuple[KeptPart, ...]:
    """Return what is kept of these parts, in their order, then what waits for a part to come back.

    A part is known again by its title; one with a new title, by its place between parts that are known.
    """
    waiting: dict[tuple[PartKind, str], deque[int]] = defaultdict(deque)
    for number in sorted(range(len(kept)), key=lambda number: not kept[number].present):
        waiting[kept[number].kind, kept[number].title].append(number)
    owner: dict[int, int] = {}
    for part in parts:
        same = waiting.get((part.kind, part.title))
        if same:
            owner[part.ordinal] = same.popleft()
    _match_by_place(kept, parts, owner)
    followed = [
        KeptPart(part.title, part.kind, kept[owner[part.ordinal]].details if part.ordinal in owner else NO_DETAILS)
        for part in parts
    ]
    taken = set(owner.values())
    orphans = [
        replace(item, present=False)
        for number, item in enumerate(kept)
        if number not in taken and item.details != NO_DETAILS
    ]
    return (*followed, *orphans[:MOST_ORPHANS])


def _match_by_place(kept: Sequence[KeptPart], parts: Sequence[Part], owner: dict[int, int]) -> None:
    """Give parts without an owner to what stood in their place between others."""
    present = [number for number in range(len(kept)) if kept[number].present]
    place = {number: ordinal for ordinal, number in owner.items()}

    def take(number: int, ordinal: int) -> None:
        fits = 0 <= ordinal < len(parts) and ordinal not in owner and number not in place
        if fits and parts[ordinal].kind is kept[number].kind:
            owner[ordinal] = number
            place[number] = ordinal

    for index, number in enumerate(present):
        if not index:
            take(number, 0)
        elif present[index - 1] in place:
            take(number, place[present[index - 1]] + 1)
    for index in reversed(range(len(present))):
        if index + 1 == len(present):
            take(present[index], len(parts) - 1)
        elif present[index + 1] in place:
            take(present[index], place[present[index + 1]] - 1)
