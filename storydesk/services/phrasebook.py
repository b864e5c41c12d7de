"""Sentences for failures and notices, out of ``resources/i18n/<language>.toml``: the translation boundary's table."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from storydesk.domain.failures import Failure, FailureCode

TABLES = ("failure", "notice")
SETTINGS = "setting"
LONGEST_DETAIL = 200

_LAST_RESORT = ("Something unexpected happened ({detail}).", "Start Storydesk again.")


@dataclass(frozen=True, slots=True)
class SettingWords:
    """What a setting of a tuning run is called, what it does, and what the words that it can be are called."""

    title: str
    sentence: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


class Phrasebook:
    """Turns codes into a sentence and a remedy, and names settings; never raises. Immutable, any thread."""

    def __init__(self, path: Path) -> None:
        """Read one language's table; a table that is missing or damaged leaves a sentence of last resort."""
        self._phrases: dict[str, tuple[str, str]] = {}
        self._settings: dict[str, SettingWords] = {}
        try:
            record = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            return
        for table in reversed(TABLES):
            entries = record.get(table, {})
            for code, entry in entries.items() if isinstance(entries, dict) else ():
                if isinstance(entry, dict) and isinstance(entry.get("sentence"), str):
                    self._phrases[code] = (entry["sentence"], str(entry.get("remedy", "")))
        settings = record.get(SETTINGS, {})
        for name, entry in settings.items() if isinstance(settings, dict) else ():
            if isinstance(entry, dict) and isinstance(entry.get("title"), str):
                choices = entry.get("choices", {})
                named = {str(word): str(said) for word, said in choices.items()} if isinstance(choices, dict) else {}
                self._settings[name] = SettingWords(entry["title"], str(entry.get("sentence", "")), named)

    @property
    def codes(self) -> frozenset[str]:
        """Every code that has a sentence of its own."""
        return frozenset(self._phrases)

    def template(self, code: str) -> tuple[str, str]:
        """Return sentence and remedy with their {names} still open; raise KeyError for an unknown code."""
        return self._phrases[code]

    def name_setting(self, name: str) -> SettingWords:
        """Return the words for a setting of a run; one that has none is called by its name."""
        return self._settings.get(name) or SettingWords(name.replace("_", " ").capitalize())

    def say(self, failure: Failure) -> tuple[str, str]:
        """Return sentence and remedy; an unknown code or a missing parameter gives those of ``unexpected``."""
        values = {name: _flatten(value) for name, value in failure.parameters.items()}
        found = self._phrases.get(str(failure.code))
        if found is not None:
            try:
                return found[0].format_map(values), found[1].format_map(values)
            except (KeyError, IndexError, ValueError, AttributeError):
                pass
        detail = ", ".join([str(failure.code), *(f"{name} {value}" for name, value in values.items())])
        sentence, remedy = self._phrases.get(str(FailureCode.UNEXPECTED), _LAST_RESORT)
        return _fill(sentence, detail), _fill(remedy, detail)


def list_parameters(template: str) -> frozenset[str]:
    """Return the {names} in a phrase."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name)


def say_all(phrasebook: Phrasebook, failure: Failure) -> str:
    """Return sentence and remedy as one line."""
    return " ".join(part for part in phrasebook.say(failure) if part)


def _fill(template: str, detail: str) -> str:
    values: Mapping[str, str] = {"detail": _flatten(detail)}
    try:
        return template.format_map(values)
    except (KeyError, IndexError, ValueError, AttributeError):
        return template


def _flatten(value: str | int | float | bool) -> str:
    """Return a parameter as it may stand inside a sentence: one line, no full stop at its end, not endless."""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = " ".join(str(value).split())
    if len(text) > 1 and text.endswith(".") and not text.endswith(".."):
        text = text[:-1]
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"
