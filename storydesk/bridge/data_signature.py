"""Whether what was read of the writer's sources is still what they hold. No Qt; it asks the disk, so on a thread."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from storydesk.domain.dataset import DataSource, SourceKind
from storydesk.services.manuscripts import ManuscriptService


def same_sources(some: Sequence[DataSource], others: Sequence[DataSource]) -> bool:
    """Say whether two lists mean the same text; their names may be in different languages."""
    return [_key(source) for source in some] == [_key(source) for source in others]


def sign_sources(sources: Sequence[DataSource], manuscripts: ManuscriptService) -> str:
    """Return what changes when a file or a story is saved; empty where a source is not there now.

    A data set of the Hub counts as unchanged: it is fetched once.
    """
    digest = hashlib.sha256()
    changed: dict[int, float] | None = None
    for source in sources:
        digest.update(repr(_key(source)).encode("utf-8", "surrogatepass"))
        if source.kind is SourceKind.LIBRARY:
            if changed is None:
                changed = {story.id: story.changed for story in manuscripts.list_stories()}
            digest.update(repr([changed.get(story) for story in source.stories]).encode())
        elif source.kind is not SourceKind.HUB:
            path = Path(source.place)
            try:
                files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
                if not path.exists():
                    return ""
                for file in files:
                    found = file.stat()
                    line = f"{file}\0{found.st_size}\0{found.st_mtime_ns}\n"
                    digest.update(line.encode("utf-8", "surrogatepass"))
            except OSError:
                return ""
    return digest.hexdigest()


def _key(source: DataSource) -> tuple[str, str, tuple[int, ...]]:
    return str(source.kind), source.place, source.stories
