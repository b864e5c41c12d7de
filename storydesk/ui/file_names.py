"""File names out of story titles that every system accepts."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST_BYTES: Final = 180
"""File systems stop at 255 bytes; the rest is for the suffix and for atomic writing's temporary name."""

_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{digit}" for digit in range(10)), *(f"lpt{digit}" for digit in range(10))}
)


def propose_file_name(title: str, fallback: str) -> str:
    """Return a title as a file name without suffix; ``fallback`` where nothing of it can stand in one."""
    name = unicodedata.normalize("NFC", title)
    name = "".join(" " if unicodedata.category(letter) in ("Zl", "Zp", "Zs") else letter for letter in name)
    name = "".join(letter for letter in name if unicodedata.category(letter) not in ("Cf", "Cs", "Co", "Cn"))
    name = " ".join(_FORBIDDEN.sub(" ", name).split()).strip(" .")
    while len(name.encode("utf-8")) > LONGEST_BYTES:
        name = name[:-1].rstrip(" .")
    if not name:
        return fallback
    return f"{name}_" if name.split(".")[0].casefold() in _RESERVED else name
