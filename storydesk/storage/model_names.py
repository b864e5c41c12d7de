"""Names of models: what a writer may call one, so that it is a folder on every system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

LONGEST = 60
_FIT = re.compile(r"[^\W_](?:[\w .\-]*[\w\-])?")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_FALLBACK = "model"


def is_fit(name: str) -> bool:
    """Return whether a name may be a model's: 60 letters, digits, spaces, dots, dashes and underscores at most."""
    return (
        0 < len(name) <= LONGEST
        and len(name.encode("utf-8", "replace")) <= 4 * LONGEST
        and unicodedata.normalize("NFC", name) == name
        and _FIT.fullmatch(name) is not None
        and _RESERVED.fullmatch(name) is None
    )


def make_fit(wanted: str) -> str:
    """Return the nearest name that is fit."""
    name = re.sub(r"[^\w .\-]+", " ", unicodedata.normalize("NFC", wanted))
    name = " ".join(name.split())[:LONGEST].strip(" .").lstrip(" ._-")
    if _RESERVED.fullmatch(name):
        name = f"{_FALLBACK} {name}"
    name = unicodedata.normalize("NFC", name)
    return name if is_fit(name) else _FALLBACK


def find_free(wanted: str, taken: Collection[str]) -> str:
    """Return ``wanted`` made fit, with a number behind it where a name of ``taken`` is the same to a file system."""
    name = make_fit(wanted)
    keys = {make_key(other) for other in taken}
    number, candidate = 1, name
    while make_key(candidate) in keys:
        number += 1
        suffix = f" {number}"
        candidate = name[: LONGEST - len(suffix)].rstrip(" .") + suffix
    return candidate


def make_key(name: str) -> str:
    """Return what two names share that are one folder on some system."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
