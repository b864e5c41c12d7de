"""Patterns that a lorebook's key may be, ``/sa(il|lt)\\w*/i``: a small part of regular expressions that always ends.

A lorebook may come from anywhere, and Python's own expressions can be made to run for hours. These are run as a set of
places in the pattern that moves along the text, so the time is never more than the two lengths multiplied. There are
no references back and no looking around; what can't be understood is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

MOST_CHARACTERS = 200
MOST_STEPS = 300
MOST_REPEATS = 50
_MOST_COPIES = 2_000
_MOST_KNOWN = 20_000
_START = frozenset({0})

_FLAGS = frozenset("gimsuvy")
_WHOLE = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_COUNT = re.compile(r"\{(\d{1,3})(,?)(\d{0,3})\}")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}

Test = Callable[[str], bool]


@dataclass(slots=True)
class _Step:
    """One place in the pattern: a test of a character, a fork, an assertion about the place, or the end."""

    test: Test | None = None
    ways: tuple[int, ...] = ()
    assertion: str = ""
    is_end: bool = False


class KeyPattern:
    """A pattern between slashes. Any thread."""

    def __init__(self, key: str) -> None:
        """Read the pattern; raise ValueError for one that is too long, matches nothing, or can't be understood."""
        found = _WHOLE.fullmatch(key)
        if found is None or len(key) > MOST_CHARACTERS or not set(found[2]) <= _FLAGS:
            raise ValueError("not a pattern")
        self._steps = _Reader(found[1], fold="i" in found[2], all_characters="s" in found[2]).read()
        # Steps that were taken before, by where the pattern stood and the characters on both sides.
        self._known: dict[tuple[frozenset[int], str, str], tuple[bool, frozenset[int]]] = {}
        if self.find_last("") >= 0:
            raise ValueError("a pattern that matches nothing would be everywhere")

    def find_last(self, text: str) -> int:
        """Return where the last match ends, -1 where there is none."""
        last, places, before = -1, _START, ""
        for at, after in enumerate((*text, "")):
            step = (places, before, after)
            found = self._known.get(step)
            if found is None:
                found = self._step(*step)
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[step] = found
            ends, places = found
            if ends:
                last = at
            before = after
        return last

    def _step(self, places: frozenset[int], before: str, after: str) -> tuple[bool, frozenset[int]]:
        """Return whether a match ends between two characters, and where the pattern stands behind the second."""
        reached = self._spread(places, before, after)
        further = {0}
        for place in reached if after else ():
            step = self._steps[place]
            if step.test is not None and step.test(after):
                further.update(step.ways)
        return any(self._steps[place].is_end for place in reached), frozenset(further)

    def _spread(self, places: frozenset[int], before: str, after: str) -> set[int]:
        """Return the places that can be reached without reading a character."""
        reached: set[int] = set()
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            if place in reached:
                continue
            reached.add(place)
            step = self._steps[place]
            if step.test is None and (not step.assertion or _holds(step.assertion, before, after)):
                waiting += step.ways
        return reached


@lru_cache(maxsize=2_000)
def read_pattern(key: str) -> KeyPattern | None:
    """Return a key's pattern; None where it is none or can't be used."""
    try:
        return KeyPattern(key)
    except ValueError:
        return None


def is_pattern(key: str) -> bool:
    """Return whether a key is written as a pattern, whether it can be used or not."""
    return _WHOLE.fullmatch(key) is not None


def _holds(assertion: str, before: str, after: str) -> bool:
    if assertion == "^":
        return before in ("", "\n")
    if assertion == "$":
        return after in ("", "\n")
    is_edge = _is_word(before) != _is_word(after)
    return is_edge is (assertion == "b")


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


class _Reader:
    """Turns a pattern into steps, one after another; used once."""

    def __init__(self, pattern: str, *, fold: bool, all_characters: bool) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        self._copies = 0
        self._fold = fold
        self._all_characters = all_characters
        self._steps: list[_Step] = []

    def read(self) -> tuple[_Step, ...]:
        start = self._add(_Step())
        body = self._read_choice()
        if self._at < len(self._pattern):
            raise ValueError("a bracket too many")
        end = self._add(_Step(is_end=True))
        self._steps[start].ways = (self._build(body, end),)
        return tuple(self._steps)

    # A piece of the pattern is built backwards: a function from the step behind it to its first step.

    def _build(self, piece: Callable[[int], int], behind: int) -> int:
        return piece(behind)

    def _add(self, step: _Step) -> int:
        if len(self._steps) >= MOST_STEPS:
            raise ValueError("too long a pattern")
        self._steps.append(step)
        return len(self._steps) - 1

    def _peek(self) -> str:
        return self._pattern[self._at] if self._at < len(self._pattern) else ""

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise ValueError("the pattern breaks off")
        self._at += 1
        return character

    def _read_choice(self) -> Callable[[int], int]:
        branches = [self._read_row()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._read_row())
        if len(branches) == 1:
            return branches[0]
        return lambda behind: self._add(_Step(ways=tuple(branch(behind) for branch in branches)))

    def _read_row(self) -> Callable[[int], int]:
        pieces: list[Callable[[int], int]] = []
        while self._peek() and self._peek() not in "|)":
            pieces.append(self._read_repeats(self._read_one()))

        def build(behind: int) -> int:
            for piece in reversed(pieces):
                behind = piece(behind)
            return behind

        return build

    def _read_one(self) -> Callable[[int], int]:
        character = self._take()
        if character == "(":
            return self._read_group()
        if character in "*+?{":
            raise ValueError("nothing to repeat")
        if character in "^$":
            return self._assert(character)
        if character == "[":
            return self._read(self._read_class())
        if character == ".":
            return self._read(lambda each: self._all_characters or each != "\n")
        if character == "\\":
            kind = self._take()
            return self._assert(kind) if kind in "bB" else self._read(self._read_escape(kind))
        return self._read(self._literal(character))

    def _read_group(self) -> Callable[[int], int]:
        self._depth += 1
        if self._depth > 20:
            raise ValueError("too deep")
        if self._pattern.startswith("?:", self._at):
            self._at += 2
        elif self._peek() == "?":
            raise ValueError("looking around is not known")
        inside = self._read_choice()
        if self._take() != ")":
            raise ValueError("a bracket is open")
        self._depth -= 1
        return inside

    def _read_repeats(self, piece: Callable[[int], int]) -> Callable[[int], int]:
        while self._peek() and self._peek() in "*+?{":
            least, most = self._read_count()
            piece = self._repeat(piece, least, most)
            if self._peek() == "?":  # how greedy it is makes no difference to where it matches
                self._at += 1
        return piece

    def _read_count(self) -> tuple[int, int | None]:
        kind = self._take()
        if kind != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[kind]
        found = _COUNT.match(self._pattern, self._at - 1)
        if found is None:
            raise ValueError("a count that is none")
        self._at = found.end()
        least = int(found[1])
        most = least if not found[2] else int(found[3]) if found[3] else None
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise ValueError("a count that can't be")
        return least, most

    def _repeat(self, piece: Callable[[int], int], least: int, most: int | None) -> Callable[[int], int]:
        def build(behind: int) -> int:
            # An empty bracket that is repeated adds no steps, but 50 times 50 times 50 of it take for ever.
            self._copies += max(least, most or 0)
            if self._copies > _MOST_COPIES:
                raise ValueError("too many repeats")
            if most is None:
                loop = self._add(_Step())
                self._steps[loop].ways = (piece(loop), behind)
                behind = loop
            else:
                for _ in range(most - least):
                    behind = self._add(_Step(ways=(piece(behind), behind)))
            for _ in range(least):
                behind = piece(behind)
            return behind

        return build

    def _assert(self, kind: str) -> Callable[[int], int]:
        return lambda behind: self._add(_Step(assertion=kind, ways=(behind,)))

    def _read(self, test: Test) -> Callable[[int], int]:
        return lambda behind: self._add(_Step(test=test, ways=(behind,)))

    def _literal(self, character: str) -> Test:
        if self._fold:
            folded = character.casefold()
            return lambda each: each.casefold() == folded
        return lambda each: each == character

    def _read_escape(self, kind: str) -> Test:
        tests: dict[str, Test] = {"w": _is_word, "d": str.isdecimal, "s": str.isspace}
        if kind.lower() in tests:
            test = tests[kind.lower()]
            return test if kind.islower() else lambda each: not test(each)
        if kind in _CONTROLS:
            return self._literal(_CONTROLS[kind])
        if kind.isalnum():
            raise ValueError("an escape that is not known")
        return self._literal(kind)

    def _read_class(self) -> Test:
        negated = self._peek() == "^"
        self._at += negated
        tests: list[Test] = []
        while (character := self._take()) != "]" or not tests:
            if character == "\\":
                kind = self._take()
                if not (kind in _CONTROLS or not kind.isalnum()):
                    tests.append(self._read_escape(kind))
                    continue
                character = _CONTROLS.get(kind, kind)
            if self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("", "]"):
                self._at += 1
                tests.append(self._range(character, self._take()))
            else:
                tests.append(self._literal(character))
        return lambda each: any(test(each) for test in tests) is not negated

    def _range(self, low: str, high: str) -> Test:
        if high == "\\" or low > high:
            raise ValueError("a range that is none")
        if self._fold:
            return lambda each: low <= each <= high or low <= each.lower() <= high or low <= each.upper() <= high
        return lambda each: low <= each <= high
