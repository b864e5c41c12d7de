"""What stands in front of a Markdown or plain text about itself: ``---`` YAML, ``+++`` TOML, or MultiMarkdown's lines.

Only flat names and values are read, which is what writing programs put there; nothing is executed or expanded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_FENCED = re.compile(r"\A\s*(?P<fence>---|\+\+\+)[ \t]*\n(?P<body>.{0,8000}?)\n(?P=fence)[ \t]*(?:\n|\Z)", re.DOTALL)
_ENTRY = re.compile(r"^(?P<name>[A-Za-z][\w \-]{0,40}?)[ \t]*[:=][ \t]*(?P<value>.*)$")
_FOLDED = frozenset({"|", ">", "|-", ">-", "|+", ">+", ""})

_PROMPT_NAMES = ("prompt", "writing_prompt", "logline", "premise", "summary", "synopsis", "description", "subtitle")


def split_front_matter(text: str) -> tuple[Mapping[str, str], str]:
    """Return the entries by lower-case name and the text behind them; no entries where there is no front matter."""
    match = _FENCED.match(text)
    if match is None:
        return {}, text
    entries = _read_entries(match["body"])
    # A scene break between dashes is no front matter.
    return (entries, text[match.end() :]) if entries else ({}, text)


def find_prompt(entries: Mapping[str, str]) -> str:
    """Return the entry that a story answers, empty where there is none."""
    return next((" ".join(entries[name].split()) for name in _PROMPT_NAMES if entries.get(name, "").strip()), "")


def _read_entries(body: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    name = ""
    for line in body.split("\n"):
        if line[:1] in (" ", "\t") and name:
            entries[name] = f"{entries[name]} {line.strip()}".strip()
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ENTRY.match(line)
        if match is None:
            if line.lstrip().startswith("- ") and name:
                continue  # a list, of tags mostly
            return {}
        name = match["name"].strip().lower().replace("-", "_").replace(" ", "_")
        value = match["value"].strip()
        entries[name] = "" if value in _FOLDED else _unquote(value)
    return entries


def _unquote(value: str) -> str:
    for quote in ('"""', '"', "'"):
        if len(value) >= 2 * len(quote) and value.startswith(quote) and value.endswith(quote):
            return value[len(quote) : -len(quote)].replace(f"\\{quote}", quote).replace("''", "'")
    return value
