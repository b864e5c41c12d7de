"""Code points, as Python counts, and UTF-16 units, as Qt counts. No Qt in here."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import replace

from storydesk.domain.polishing import Finding


class Utf16Map:
    """Turns code point offsets of one text into UTF-16 offsets."""

    def __init__(self, text: str) -> None:
        """Find the characters that take two units; usually there are none."""
        wide = len(text.encode("utf-16-le", "surrogatepass")) // 2 != len(text)
        self._wide = [index for index, character in enumerate(text) if ord(character) > 0xFFFF] if wide else []

    def to_units(self, offset: int) -> int:
        """Return the UTF-16 offset of a code point offset."""
        return offset + bisect_right(self._wide, offset - 1) if self._wide else offset

    def to_points(self, units: int) -> int:
        """Return the code point offset of a UTF-16 offset."""
        if not self._wide:
            return units
        return units - bisect_left(range(len(self._wide)), units, key=lambda number: self._wide[number] + number)


def place_findings(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of a text with their places in UTF-16 units."""
    units = Utf16Map(text)
    return [
        replace(finding, start=units.to_units(finding.start), end=units.to_units(finding.end)) for finding in findings
    ]


def find_code_points(text: str, finding: Finding) -> Finding:
    """Return a finding that is placed in UTF-16 units with its places in code points."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    start = len(encoded[: finding.start * 2].decode("utf-16-le", "surrogatepass"))
    length = len(encoded[finding.start * 2 : finding.end * 2].decode("utf-16-le", "surrogatepass"))
    return replace(finding, start=start, end=start + length)
