"""What the corpus is made of: one story with its prompt, and a count of what happened to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

EXAMPLE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Document:
    """One story. ``prompt`` may be empty; ``source`` names the file or data set; parts of one story share ``whole``.

    ``prompt_from`` says how the prompt was found: ``column``, ``front_matter``, ``heading``, ``label`` (a line that
    begins with "Prompt:"), ``title`` (a title column or a file's name), ``opening``, ``library``, ``writer``.
    ``before`` makes it a passage of something longer: the text (perhaps none) that it goes on from, which is read and
    not learned; a passage doesn't end where its text does.
    """

    story: str
    prompt: str = ""
    source: str = ""
    whole: str = ""
    title: str = ""
    prompt_from: str = ""
    before: str | None = None


@dataclass(slots=True)
class CleaningReport:
    """How many documents were changed or dropped for which reason, with one short example per reason."""

    changed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def note_change(self, reason: str, example: str) -> None:
        """Count a document that was changed."""
        self.changed[reason] += 1
        self._keep_example(reason, example)

    def note_drop(self, reason: str, example: str) -> None:
        """Count a document that was left out."""
        self.dropped[reason] += 1
        self._keep_example(reason, example)

    def _keep_example(self, reason: str, example: str) -> None:
        short = " ".join(example.split())
        if short and reason not in self.examples:
            self.examples[reason] = short if len(short) <= EXAMPLE_LENGTH else short[: EXAMPLE_LENGTH - 1] + "…"
