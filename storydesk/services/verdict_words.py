"""What a report of automatic judging comes to, in the reader's language: codes and parameters become sentences."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from storydesk.domain.judgement import JudgedVerdict, JudgeReport

TABLE, MORE = "verdict", "more"
MOST_NAMED = 8
_SIGNED = frozenset({"predicts_level"})

WriteNumber = Callable[[float, int], str]
"""Writes a number with so many decimals."""


def _write_plainly(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}"


class VerdictWords:
    """The sentences of one language. Immutable, any thread."""

    def __init__(self, path: Path, write: WriteNumber = _write_plainly) -> None:
        """Read ``[verdict]`` of a language's table; what is missing there keeps the report's English sentence."""
        try:
            record = tomllib.loads(path.read_text(encoding="utf-8")).get(TABLE, {})
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            record = {}
        self._sentences = {name: str(said) for name, said in record.items()} if isinstance(record, dict) else {}
        self._write = write

    def translate(self, report: JudgeReport) -> tuple[str, ...]:
        """Return the report's sentences in this language; its metrics should be in it already."""
        if len(report.verdict_codes) != len(report.verdicts):
            return report.verdicts
        return tuple(
            self._say(verdict, report) or sentence
            for verdict, sentence in zip(report.verdict_codes, report.verdicts, strict=True)
        )

    def _say(self, verdict: JudgedVerdict, report: JudgeReport) -> str:
        """Return a sentence, "" where it is not known or does not fit the parameters."""
        template = self._sentences.get(verdict.code, "")
        titles = {metric.name: metric.title for metric in report.metrics}
        try:
            return template.format(**self._name(verdict, titles, report.settings))
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            return ""

    def _name(self, verdict: JudgedVerdict, titles: Mapping[str, str], labels: Sequence[str]) -> Mapping[str, str]:
        words = {}
        for name, value in verdict.parameters.items():
            if isinstance(value, tuple):
                named = [titles[each] if isinstance(each, str) else labels[each] for each in value]
                words[name] = self._join(named, ", " if name == "metrics" else "; ")
            elif isinstance(value, float):
                words[name] = self._show(value, signed=verdict.code in _SIGNED)
            elif isinstance(value, int):
                words[name] = labels[value] if name == "settings" else self._write(value, 0)
            else:
                words[name] = value
        return words

    def _show(self, value: float, *, signed: bool) -> str:
        size = abs(value)
        decimals = 0 if size >= 100 else 1 if size >= 20 else 2 if size >= 1 or size == 0 else 3
        return ("+" if signed and value > 0 else "") + self._write(value, decimals).replace("-", "−")

    def _join(self, parts: Sequence[str], mark: str) -> str:
        if len(parts) <= MOST_NAMED:
            return mark.join(parts)
        count = self._write(len(parts) - MOST_NAMED, 0)
        return self._sentences[MORE].format(list=mark.join(parts[:MOST_NAMED]), count=count)
