"""What was written: today, since the program was opened, and how far the day's goal is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Words written today and in this session (never below nothing), and today's goal (0 for none)."""

    today: int
    session: int
    goal: int

    @property
    def reached(self) -> bool:
        """Whether the day's goal is reached."""
        return 0 < self.goal <= self.today


class WordGoal:
    """Adds up what is written on one page after another, day by day. Any one thread."""

    def __init__(self, kept: str, day: str) -> None:
        """Go on from what was kept (``2026-01-31 250``), if that was today."""
        kept_day, _, words = kept.partition(" ")
        self._day = day
        self._before = int(words) if kept_day == day and words.isdecimal() else 0
        self._session = 0
        self._start = 0
        self._now = 0

    def begin(self, words: int) -> None:
        """Turn to another page that has so many words already; what was written on the last one counts."""
        self._before = max(0, self._before + self._now - self._start)
        self._session += self._now - self._start
        self._start = self._now = words

    def note(self, words: int, day: str, goal: int) -> Tally:
        """Hear how many words the page has now; another day begins at nothing."""
        if day != self._day:
            self._day, self._before = day, 0
            self._session += self._now - self._start
            self._start = self._now
        self._now = words
        today = max(0, self._before + words - self._start)
        return Tally(today, max(0, self._session + words - self._start), goal)

    def keep(self) -> str:
        """Return the day's sum as it is kept."""
        return f"{self._day} {max(0, self._before + self._now - self._start)}"
