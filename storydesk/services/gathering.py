"""What is in the files that a writer names: rich documents are read here, by the app; the rest is the trainer's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from storydesk.domain.dataset import GatheredPair, PromptOrigin
from storydesk.domain.markup import strip_markup
from storydesk.services.ports import DocumentReader

HUB_PREFIX = "hub:"
RICH_FORMATS = ("docx", "odt", "epub", "html", "htm", "pdf")
"""Documents that only the app can read, by suffix; the trainer reads text and tables itself."""


def list_files(path: Path) -> list[Path]:
    """Return a file, or the files below a folder that are meant for reading (no hidden ones, no locks of Word's)."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if _is_meant(file.relative_to(path)) and file.is_file())


def is_rich(path: Path) -> bool:
    """Say whether only the app can read a file."""
    return path.suffix.lower().removeprefix(".") in RICH_FORMATS


def read_document(path: Path, reader: DocumentReader) -> GatheredPair:
    """Return a rich document as a pair under its title, without the marks of emphasis; raise StorydeskError(FILE_...).

    A model would learn to write the marks.
    """
    title, text = reader.read(path)
    origin = PromptOrigin.TITLE if title else PromptOrigin.NONE
    return GatheredPair(title, title, strip_markup(text), str(path), origin)


def split_path(
    path: Path, read: Callable[[Path, int, int], GatheredPair | None]
) -> tuple[list[GatheredPair], list[Path], bool]:
    """Return the pairs of a path's rich documents, those documents, and whether there is more for the trainer to read.

    ``read`` gets a document, its number and how many there are; it returns None for one that can't be read.
    """
    files = list_files(path)
    rich = [file for file in files if is_rich(file)]
    found = (read(file, number, len(rich)) for number, file in enumerate(rich))
    return [pair for pair in found if pair is not None], rich, len(rich) < len(files) or not files


def _is_meant(path: Path) -> bool:
    return not any(part.startswith((".", "~$")) for part in path.parts)
