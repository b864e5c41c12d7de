"""The criteria of a rating sheet in words, out of ``resources/i18n/<language>.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from storydesk.domain.judging import LEAST, MOST, Criterion, CriterionGuide

TABLE = "criterion"


def read_guides(path: Path) -> tuple[CriterionGuide, ...]:
    """Return every criterion's words; one that has none is called by its name, with bare numbers as anchors."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(TABLE, {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        table = {}
    return tuple(_read_guide(criterion, table.get(criterion, {})) for criterion in Criterion)


def _read_guide(criterion: Criterion, entry: object) -> CriterionGuide:
    words = entry if isinstance(entry, dict) else {}
    anchors = words.get("anchors")
    if not isinstance(anchors, list) or len(anchors) != MOST - LEAST + 1:
        anchors = range(LEAST, MOST + 1)
    name = str(words.get("name", criterion.capitalize()))
    return CriterionGuide(criterion, name, str(words.get("question", name)), tuple(str(each) for each in anchors))
