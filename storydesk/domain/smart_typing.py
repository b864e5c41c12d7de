"""Typographic signs as one types: quotes, dashes, ellipses and the spaces that go with them, language by language.

A pure function of what stands before the cursor and the sign that was typed. Models and files know the plain forms
(see ``typography``); here a person types, one key at a time, and may take each change back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

THIN = "\u202f"
"""The narrow no-break space."""
FIXED = "\u00a0"
"""The no-break space."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a language writes: its quotes, the dash that ``--`` becomes, and what stands inside its quotes."""

    open_double: str = "“"
    close_double: str = "”"
    open_single: str = "‘"
    close_single: str = "’"
    dash: str = "—"
    inside: str = ""
    """The space within double quotes."""
    high_signs: bool = False
    """Whether a space goes before ; : ! and ?"""


_GERMAN = Manners("„", "“", "‚", "‘", dash="–")
_FRENCH = Manners("«", "»", "‹", "›", inside=THIN, high_signs=True)
_GUILLEMETS = Manners("«", "»", "“", "”")
_LOW_HIGH = Manners("„", "”", "‚", "’", dash="–")
_SWEDISH = Manners("”", "”", "’", "’", dash="–")

MANNERS: Mapping[str, Manners] = {
    "en-US": Manners(),
    "en-GB": Manners("‘", "’", "“", "”", dash="–"),
    "de": _GERMAN,
    "de-CH": Manners("«", "»", "‹", "›", dash="–"),
    "fr": _FRENCH,
    "es": _GUILLEMETS,
    "it": _GUILLEMETS,
    "pt": Manners(),
    "nl": Manners(dash="–"),
    "pl": _LOW_HIGH,
    "cs": _GERMAN,
    "sv": _SWEDISH,
    "ru": Manners("«", "»", "„", "“"),
}
"""British English swaps single and double: the key for a double quote gives ‘ ’."""

SIGNS = "\"'-.;:!?"
"""The only signs that may change anything."""

_OPENERS = "([{—–‒-\u00a0\u202f“‘«‹„‚”/"


@dataclass(frozen=True, slots=True)
class Change:
    """What to do instead of only typing the sign: take ``removed`` characters before the cursor away, type ``text``."""

    removed: int
    text: str


def find_manners(language: str) -> Manners:
    """Return how a language writes, American English where it is not known; ``de-AT`` is as ``de``."""
    name = language.replace("_", "-")
    found = MANNERS.get(name) or MANNERS.get(name.split("-")[0])
    return found or MANNERS["en-US"]


def make_smart(before: str, sign: str, manners: Manners) -> Change | None:
    """Return what the sign becomes after ``before`` (the paragraph up to the cursor); None where it stays plain."""
    if sign == '"':
        return _make_double(before, manners)
    if sign == "'":
        return _make_single(before, manners)
    if sign == "-":
        return _make_dash(before, manners)
    if sign == ".":
        return Change(2, "…") if before.endswith("..") and not before.endswith("...") else None
    if sign in (";", ":", "!", "?") and manners.high_signs:
        return _make_high(before, sign)
    return None


def _make_double(before: str, manners: Manners) -> Change | None:
    if _opens(before, manners):
        return Change(0, manners.open_double + manners.inside)
    if manners.inside:
        blank = len(before) - len(before.rstrip(" "))
        return Change(blank, manners.inside + manners.close_double)
    return Change(0, manners.close_double)


def _make_single(before: str, manners: Manners) -> Change | None:
    if _opens(before, manners):
        return Change(0, manners.open_single)
    # After a word an apostrophe and a closing quote are one sign in many languages; elsewhere an open quote decides.
    is_open = before.rfind(manners.open_single) > before.rfind(manners.close_single)
    return Change(0, manners.close_single if is_open else "’")


def _make_dash(before: str, manners: Manners) -> Change | None:
    if not before.endswith("-") or before.endswith("--") or not before[:-1].strip(" -"):
        return None  # a single hyphen, a row of them, or the beginning of a line (a list, a scene break)
    return Change(1, "–" if before[-2:-1] == " " and manners.dash != "—" else manners.dash)


def _make_high(before: str, sign: str) -> Change | None:
    last = before[-1:]
    space = FIXED if sign == ":" else THIN
    if last == " ":
        return Change(1, space + sign) if before[-2:-1].strip() else None
    if sign == ":" or not last or last in (THIN, FIXED) or last in ";:!?.…(":
        return None
    return Change(0, space + sign)


def _opens(before: str, manners: Manners) -> bool:
    last = before[-1:]
    if not last or last in "\n\t\u2028":
        return True
    if manners.inside and last in (THIN, FIXED, " "):
        opened, closed = before.rfind(manners.open_double), before.rfind(manners.close_double)
        return opened <= closed
    if manners.open_double == manners.close_double and last == manners.open_double:
        return False
    if last in (manners.close_double, manners.close_single) and manners.close_double != manners.open_double:
        return False
    return last.isspace() or last in _OPENERS or last in (manners.open_double, manners.open_single)
