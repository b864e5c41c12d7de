"""Where the prompts of automatic judging come from: a file is read here, or handed to the trainer if it has stories."""

from __future__ import annotations

import re
from pathlib import Path

from storydesk.services.prompts import read_prompt_file

_PLAIN = (".txt", ".md")
_TABLES = (".csv", ".tsv", ".jsonl", ".json")
# The columns and fields in which the trainer looks for stories; their names stand at a table's beginning.
_STORIES = re.compile(
    r"\b(?:story|wp_target|target|text|body|content|completion|response|output|chapter)\"?\s*(?:[,;:\t|\r\n]|$)",
    re.IGNORECASE,
)
_HEAD = 20_000
_BLOCK = re.compile(r"^\W*Prompt\s*:.*^\W*Story\s*:", re.IGNORECASE | re.MULTILINE | re.DOTALL)


def find_prompts(path: Path) -> tuple[tuple[tuple[str, str], ...], tuple[Path, ...]]:
    """Return a file's prompts as pairs without stories, or the file itself where it has stories on them.

    Raise what ``read_prompt_file`` raises.
    """
    if path.is_file() and path.suffix.lower() in (*_PLAIN, *_TABLES):
        prompts = read_prompt_file(path)
        text = path.read_text(encoding="utf-8", errors="replace")
        stories = _BLOCK.search(text) if path.suffix.lower() in _PLAIN else _STORIES.search(text[:_HEAD])
        if not stories:
            return tuple((prompt, "") for prompt in prompts), ()
    return (), (path,)
