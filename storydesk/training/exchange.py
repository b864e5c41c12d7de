"""What the app has read crosses to the trainer as one file: a JSON object with prompt and story a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from storydesk.domain.characters import mend_text
from storydesk.domain.feedback import GoodExample
from storydesk.domain.markup import strip_markup
from storydesk.services.atomic_file import make_folder, write_atomically


def write_dataset(stories: Iterable[Sequence[str]], path: Path) -> None:
    """Write ``(title, prompt, story)`` or ``(prompt, story)`` as a dataset that the trainer reads.

    Marks of emphasis and headings are left out, since a model would learn to write them; stories without text are
    passed over. Raises StorydeskError(DISK_FULL, NOT_WRITABLE).
    """
    make_folder(path.parent)

    def write(stream: BinaryIO) -> None:
        for title, prompt, story in map(_complete, stories):
            text = strip_markup(story)
            if text.strip():
                record = {"title": title, "prompt": prompt or title, "story": text}
                stream.write(mend_text(json.dumps(record, ensure_ascii=False)).encode("utf-8") + b"\n")

    write_atomically(path, write)


def write_examples(examples: Iterable[GoodExample], path: Path) -> None:
    """Write good texts as a dataset; what went on from other text does so there, too.

    Raises StorydeskError(DISK_FULL, NOT_WRITABLE).
    """
    make_folder(path.parent)

    def write(stream: BinaryIO) -> None:
        for each in examples:
            record = {"prompt": each.prompt, "story": strip_markup(each.text)}
            if each.is_passage:
                record["goes_on_from"] = strip_markup(each.before)
            stream.write(mend_text(json.dumps(record, ensure_ascii=False)).encode("utf-8") + b"\n")

    write_atomically(path, write)


def _complete(story: Sequence[str]) -> tuple[str, str, str]:
    if len(story) == 2:
        return "", story[0], story[1]
    title, prompt, text = story
    return title, prompt, text
