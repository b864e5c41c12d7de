"""The terminal of one command: results on stdout in UTF-8, notes and progress on stderr."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from storydesk.domain.failures import Failure
from storydesk.services.phrasebook import Phrasebook, SettingWords, say_all

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Report = Callable[[str, float, float], None]
"""Called with words for what goes on, what is done and what there is in all (0 where nobody knows)."""


class Console:
    """Prints for one command; belongs to the main thread.

    ``as_json`` keeps stdout for the one JSON object of ``give``.
    """

    def __init__(self, phrases: Phrasebook, *, as_json: bool) -> None:
        """Take over the process's streams."""
        self.as_json = as_json
        self._phrases = phrases
        for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
            if isinstance(stream, io.TextIOWrapper):
                # Lone surrogates can't be UTF-8; a story must never die of one.
                stream.reconfigure(encoding="utf-8", errors=errors, newline="\n")

    @property
    def lively(self) -> bool:
        """Whether somebody watches stderr, so that moving bars make sense."""
        return not self.as_json and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def say(self, text: str = "") -> None:
        """Print a line for people; nothing with JSON."""
        if not self.as_json:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def stream(self, text: str) -> None:
        """Print a piece of a story at once; nothing with JSON."""
        if not self.as_json:
            sys.stdout.write(text)
            sys.stdout.flush()

    def give(self, record: Mapping[str, Any]) -> None:
        """Print the command's result with JSON; nothing without."""
        if self.as_json:
            sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=2) + "\n")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a line beside the result, on stderr."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def note_failure(self, failure: Failure) -> None:
        """Say what went wrong without ending the command."""
        self.note(say_all(self._phrases, failure))

    def describe(self, failure: Failure) -> dict[str, str]:
        """Return a failure as JSON has it."""
        sentence, remedy = self._phrases.say(failure)
        return {"code": str(failure.code), "sentence": sentence, "remedy": remedy}

    def name_setting(self, name: str) -> SettingWords:
        """Return what a setting of a tuning run is called and what it does."""
        return self._phrases.name_setting(name)

    def fail(self, failure: Failure) -> None:
        """Say why the command ends, on stderr and with JSON on stdout too."""
        self.give({"error": self.describe(failure)})
        self.note_failure(failure)

    @contextlib.contextmanager
    def progress(self, words: str) -> Iterator[Report]:
        """Show a bar while the block runs; yield a function that moves it. Without a terminal nothing is shown."""
        if not self.lively:
            yield lambda _words, _done, _total: None
            return
        bar = _make_bar()
        task = bar.add_task(words, total=None)

        def report(text: str, done: float, total: float) -> None:
            bar.update(task, description=text, completed=done, total=total or None)

        with bar:
            yield report


def _make_bar() -> RichProgress:
    # Imported here: rich takes a tenth of a second that `--help` and pipes need not wait for.
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=RichConsole(stderr=True), transient=True)
