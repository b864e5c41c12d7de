"""The lorebook: what the model is told about somebody or something when their name comes up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from storydesk.domain.key_pattern import is_pattern, read_pattern

MOST_KEYS = 200
MOST_PATTERNS = 50
"""Patterns that are looked for in one text: they take much longer than words, and a file may hold any number."""
LOWEST_PRIORITY, HIGHEST_PRIORITY = -1_000_000, 1_000_000
MOST_KEY_CHARACTERS = 200

_WORD = re.compile(r"\w+")
_BOTH = re.compile(r"\s&\s")
_SPACES = re.compile(r"\s+")
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")
# Scripts that put no space between words: a name may stand between any two letters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class LoreEntry:
    """One entry. ``keys`` and ``aliases`` (other names) bring it up alike; ``always`` needs neither.

    ``everywhere`` is for all stories. Higher ``priority`` comes first. ``extra`` is what an imported entry holds
    beside this, as its format has it (JSON); empty where there is nothing. An ``id`` of 0 is not stored yet.
    """

    id: int = 0
    title: str = ""
    text: str = ""
    keys: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    priority: int = 0
    enabled: bool = True
    always: bool = False
    everywhere: bool = False
    extra: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The title, the other names and the keys that are words: what a spelling checker has to know."""
        words = [part for key in self.keys if not is_pattern(key) for part in _BOTH.split(key)]
        return tuple(dict.fromkeys(name for name in (self.title, *self.aliases, *words) if name.strip()))

    @property
    def triggers(self) -> tuple[str, ...]:
        """What brings the entry up; the title, where it has no key and no other name."""
        given = tuple(key for key in (*self.keys, *self.aliases) if key.strip())
        return given or ((self.title,) if self.title.strip() else ())


@dataclass(frozen=True, slots=True)
class LoreHit:
    """An entry that came up, by which key (empty for one that always does), and where it ended in the text looked at.

    ``place`` is -1 for an entry that always comes up without having been named.
    """

    entry: LoreEntry
    key: str
    place: int


def find_hits(entries: Iterable[LoreEntry], text: str) -> tuple[LoreHit, ...]:
    """Return the entries that ``text`` brings up, the most important first, of equals the one named last.

    Entries that are switched off, or have no text, never come up.
    """
    prepared = _prepare(text)
    words = frozenset(_WORD.findall(prepared.casefold()))
    hits = []
    patterns = MOST_PATTERNS
    for entry in entries:
        if not entry.enabled or not entry.text.strip():
            continue
        triggers = entry.triggers
        if any(key[0] == "/" for key in triggers):
            kept = [key for key in triggers if not is_pattern(key)]
            mine = [key for key in triggers if is_pattern(key)][:patterns]
            triggers, patterns = (*kept, *mine), patterns - len(mine)
        key, place = _find_last(triggers, prepared, words)
        if place >= 0 or entry.always:
            hits.append(LoreHit(entry, key, place))
    return tuple(sorted(hits, key=lambda hit: (-hit.entry.priority, -hit.place, hit.entry.title, hit.entry.id)))


def find_key(key: str, text: str) -> int:
    """Return where the last match of one key ends in ``text``, -1 where there is none.

    A key is looked for as whole words, without regard to case unless it has a capital inside a word (``McKay``,
    ``AI``); any white space and any apostrophe will do. ``Mara & Tom`` needs both. A key between slashes is a pattern
    (see key_pattern), and one that can't be used never matches.
    """
    prepared = _prepare(text)
    return _find(key, prepared, frozenset(_WORD.findall(prepared.casefold())))


def can_use(key: str) -> bool:
    """Return whether a key can ever match."""
    if is_pattern(key):
        return read_pattern(key) is not None
    return bool(key.strip()) and len(key) <= MOST_KEY_CHARACTERS


def tidy_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """Return keys without spaces around them, empty ones and repeats."""
    return tuple(dict.fromkeys(key for key in (each.strip() for each in keys) if key))[:MOST_KEYS]


def split_keys(line: str) -> tuple[str, ...]:
    """Return the keys of a line in which commas or line breaks stand between them, but not inside a pattern."""
    keys, begin, inside = [], 0, False
    for at, character in enumerate(line):
        if character == "/" and line[at - 1 : at] != "\\":
            starts = not line[begin:at].strip()
            closes = inside and _ends_pattern(line, at)
            inside = (starts and _closes_later(line, at)) if not inside else not closes
        elif character in ",\n" and not inside:
            keys.append(line[begin:at])
            begin = at + 1
    return tidy_keys([*keys, line[begin:]])


def join_keys(keys: Sequence[str]) -> str:
    """Return keys as one line that ``split_keys`` understands."""
    return ", ".join(key.replace(",", " ") if "," in key and not is_pattern(key) else key for key in keys)


def matches_search(entry: LoreEntry, words: str) -> bool:
    """Return whether an entry holds all words, anywhere."""
    hay = " ".join((entry.title, entry.text, *entry.keys, *entry.aliases)).casefold()
    return all(word in hay for word in words.casefold().split())


def _ends_pattern(line: str, at: int) -> bool:
    return re.match(r"/[a-z]*\s*(?:[,\n]|$)", line[at:]) is not None


def _closes_later(line: str, at: int) -> bool:
    return re.search(r"(?<!\\)/[a-z]*\s*(?:[,\n]|$)", line[at + 1 :]) is not None


def _prepare(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_APOSTROPHES)


def _find_last(triggers: Iterable[str], text: str, words: frozenset[str]) -> tuple[str, int]:
    best, place = "", -1
    for key in triggers:
        found = _find(key, text, words)
        if found > place:
            best, place = key, found
    return best, place


def _find(key: str, text: str, words: frozenset[str]) -> int:
    if is_pattern(key):
        pattern = read_pattern(key)
        return pattern.find_last(text) if pattern is not None else -1
    last = -1
    for part, needed in _split_key(key):
        # A book of thousands of entries is looked through at every request, and most names aren't there.
        if not needed <= words:
            return -1
        place = -1
        for match in _compile(part).finditer(text):
            place = match.end()
        if place < 0:
            return -1
        last = max(last, place)
    return last


@lru_cache(maxsize=40_000)
def _split_key(key: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return the parts that all have to be there, each with the words that a text without them can't hold."""
    parts = [_prepare(part.strip()) for part in _BOTH.split(key)]
    if any(not part or len(part) > MOST_KEY_CHARACTERS for part in parts):
        return ()
    return tuple(
        (part, frozenset() if _UNSPACED.search(part) else frozenset(_WORD.findall(part.casefold()))) for part in parts
    )


@lru_cache(maxsize=8_000)
def _compile(key: str) -> re.Pattern[str]:
    before = "" if not _is_letter(key[0]) else r"(?<!\w)"
    after = "" if not _is_letter(key[-1]) else r"(?!\w)"
    body = r"\s+".join(re.escape(part) for part in _SPACES.split(key))
    has_inner_capital = any(character.isupper() for word in _WORD.findall(key) for character in word[1:])
    return re.compile(before + body + after, 0 if has_inner_capital else re.IGNORECASE)


def _is_letter(character: str) -> bool:
    return (character.isalnum() or character == "_") and not _UNSPACED.match(character)
