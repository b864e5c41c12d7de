"""Fonts inside PDF files: the one that is shipped, and those of the system where it lacks a character.

Every character gets a code of its own, so that what is copied out of the file is what was written, even where two
characters share a picture or one has none.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, TTLibError

if TYPE_CHECKING:
    from collections.abc import Sequence

SHIPPED = "font_source_serif_pro"
"""The package that brings Source Serif Pro (SIL Open Font License), which is never imported, only looked into."""

_STYLES = {
    (False, False): "SourceSerifPro-Regular.ttf",
    (True, False): "SourceSerifPro-It.ttf",
    (False, True): "SourceSerifPro-Bold.ttf",
    (True, True): "SourceSerifPro-BoldIt.ttf",
}
# Fonts of wide coverage that systems have, best first; only TrueType outlines can be embedded here.
_FALLBACKS = (
    "dejavuserif.ttf", "dejavusans.ttf", "freeserif.ttf", "notoserif-regular.ttf", "notosans-regular.ttf",
    "notosanssymbols2-regular.ttf", "notosanssymbols-regular.ttf", "notosansmath-regular.ttf",
    "notoemoji-regular.ttf", "times.ttf", "times new roman.ttf", "seguisym.ttf", "segoeui.ttf", "apple symbols.ttf",
    "symbola.ttf", "arial unicode.ttf", "arialuni.ttf", "droidsansfallbackfull.ttf", "droidsansfallback.ttf",
    "wqy-microhei.ttc", "wqy-zenhei.ttc", "simsun.ttc", "msyh.ttc", "msgothic.ttc", "yugothm.ttc", "malgun.ttf",
    "unifont.ttf",
)  # fmt: skip
_NO_EMBEDDING = 0x0002
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f")
# Scripts whose letters change with their neighbours, which is not done here: Arabic to Myanmar, Khmer, Mongolian.
_SHAPED = ((0x0590, 0x0DFF), (0x0E80, 0x109F), (0x1780, 0x18AF))


class Face:
    """One font file with the characters that a document takes from it; ``skewed`` is upright and drawn slanting."""

    def __init__(self, path: Path) -> None:
        """Open a font; raise ValueError for one that can't be embedded."""
        try:
            self._font = TTFont(path, lazy=True, fontNumber=0)
            if "glyf" not in self._font:
                raise ValueError(f"{path} has no TrueType outlines")
            self._map: dict[int, str] = self._font.getBestCmap() or {}
            self._scale = 1000 / self._font["head"].unitsPerEm
            self._metrics = self._font["hmtx"].metrics
            rights = self._font["OS/2"].fsType & 0xF if "OS/2" in self._font else 0
        except (TTLibError, OSError, KeyError, AttributeError, AssertionError) as error:
            raise ValueError(f"{path} can't be used") from error
        if rights == _NO_EMBEDDING:
            raise ValueError(f"{path} may not be embedded")
        self.codes: dict[str, int] = {}
        self.widths: list[int] = []
        self._glyphs: list[str] = []

    def has(self, character: str) -> bool:
        """Return whether there is a picture of a character."""
        return ord(character) in self._map

    def encode(self, character: str) -> tuple[int, int]:
        """Return a character's code in this document and its width in thousandths of the size."""
        code = self.codes.get(character)
        if code is None:
            glyph = self._map.get(ord(character), ".notdef")
            width = 0 if character in _INVISIBLE else round(self._metrics.get(glyph, (500, 0))[0] * self._scale)
            self._glyphs.append(".notdef" if character in _INVISIBLE else glyph)
            self.widths.append(width)
            code = self.codes[character] = len(self._glyphs)
        return code, self.widths[code - 1]

    @property
    def name(self) -> str:
        """The PostScript name, without what PDF names can't hold."""
        found = str(self._font["name"].getDebugName(6) or "Font")
        return "".join(letter for letter in found if letter.isascii() and (letter.isalnum() or letter in "-+_"))

    def measure(self) -> dict[str, float]:
        """Return ascent, descent, cap height, slant and bounding box in thousandths of the size."""
        head, lines = self._font["head"], self._font["hhea"]
        system = self._font.get("OS/2")
        cap = getattr(system, "sCapHeight", 0) or lines.ascent * 0.7
        box = (head.xMin, head.yMin, head.xMax, head.yMax)
        values = {"ascent": lines.ascent, "descent": lines.descent, "cap": cap}
        values |= dict(zip(("left", "bottom", "right", "top"), box, strict=True))
        scaled = {name: round(value * self._scale) for name, value in values.items()}
        return {**scaled, "slant": float(self._font["post"].italicAngle)}

    def subset(self) -> tuple[bytes, bytes]:
        """Return a font file with the glyphs that are used, and the table from codes to them."""
        options = Options()
        options.hinting = False
        options.notdef_outline = True
        options.layout_features = []
        options.name_IDs = [1, 2, 6]
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "DSIG", "STAT", "HVAR", "MVAR", "kern", "gasp", "FFTM"]
        subsetter = Subsetter(options)
        subsetter.populate(glyphs=set(self._glyphs) | {".notdef"})
        font = TTFont(self._font.reader.file.name, fontNumber=0)
        subsetter.subset(font)
        stream = io.BytesIO()
        font.flavor = None
        font.save(stream, reorderTables=None)
        numbers = [0, *(font.getGlyphID(glyph) for glyph in self._glyphs)]
        return stream.getvalue(), b"".join(number.to_bytes(2, "big") for number in numbers)


class Typeface:
    """The faces of one document: four styles of the shipped font, then whatever the system has. Any one thread."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self.faces: list[Face] = []
        self.missing: set[str] = set()
        self.unshaped: set[str] = set()
        self._shipped: dict[tuple[bool, bool], int] = {}
        self._fallbacks: list[int] | None = None
        self._chosen: dict[tuple[str, bool, bool], tuple[int, bool]] = {}

    def choose(self, character: str, italic: bool, bold: bool) -> tuple[int, bool]:
        """Return which face has a character, and whether it must be slanted by hand."""
        key = (character, italic, bold)
        found = self._chosen.get(key)
        if found is None:
            found = self._chosen[key] = self._choose(character, italic, bold)
            _note(character, self.unshaped)
        return found

    def _choose(self, character: str, italic: bool, bold: bool) -> tuple[int, bool]:
        own = self._open_shipped(italic, bold)
        if self.faces[own].has(character) or character in _INVISIBLE:
            return own, False
        for slanting, weight in ((False, bold), (False, False)):
            number = self._open_shipped(slanting, weight)
            if self.faces[number].has(character):
                return number, italic
        for number in self._find_fallbacks():
            if self.faces[number].has(character):
                return number, italic
        self.missing.add(character)
        return own, False

    def _open_shipped(self, italic: bool, bold: bool) -> int:
        key = (italic, bold)
        if key not in self._shipped:
            self.faces.append(Face(_find_shipped() / _STYLES[key]))
            self._shipped[key] = len(self.faces) - 1
        return self._shipped[key]

    def _find_fallbacks(self) -> Sequence[int]:
        if self._fallbacks is None:
            self._fallbacks = []
            for path in find_system_fonts():
                try:
                    self.faces.append(Face(path))
                except ValueError:
                    continue
                self._fallbacks.append(len(self.faces) - 1)
        return self._fallbacks


def _note(character: str, unshaped: set[str]) -> None:
    code = ord(character)
    if any(low <= code <= high for low, high in _SHAPED) or unicodedata.bidirectional(character) in ("R", "AL"):
        unshaped.add(character)


@functools.cache
def _find_shipped() -> Path:
    found = importlib.util.find_spec(SHIPPED)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{SHIPPED} is not installed")
    return Path(found.submodule_search_locations[0]) / "files"


@functools.cache
def find_system_fonts() -> tuple[Path, ...]:
    """Return the system's fonts that are known to cover much, best first."""
    found: dict[str, Path] = {}
    for folder in _list_folders():
        for root, _, names in os.walk(folder):
            for name in names:
                found.setdefault(name.casefold(), Path(root) / name)
    return tuple(found[name] for name in _FALLBACKS if name in found)


def _list_folders() -> Iterator[Path]:
    if sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", "C:\\Windows")) / "Fonts"
    elif sys.platform == "darwin":
        yield from (Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path.home() / "Library" / "Fonts")
    else:
        home = Path.home()
        yield from (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".local" / "share" / "fonts")
        yield home / ".fonts"
