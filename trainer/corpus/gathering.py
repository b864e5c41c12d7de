"""Every source of a dataset to documents, one by one; what can't be read is noted, and the rest is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from trainer.corpus.document import Document
from trainer.corpus.readers import (
    HUB_PREFIX,
    KNOWN_SUFFIXES,
    PROMPTS_SUFFIX,
    STORIES_SUFFIX,
    is_about_folder,
    iterate_file,
)
from trainer.corpus.versions import read_record, read_version
from trainer.corpus.watching import Watch
from trainer.protocol.datasets import Trouble
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.text.parts import find_opening


@dataclass(slots=True)
class Gatherer:
    """Reads sources one after the other; ``unread`` fills as it goes. One thread."""

    watch: Watch
    taken: frozenset[str] = frozenset()
    unread: list[Trouble] = field(default_factory=list)

    def gather(self, data: Sequence[str]) -> Iterator[Document]:
        """Yield all documents of files, folders, versions and ``hub:`` names, each with a prompt where there is any.

        Raise TrainerError for the Hub and for a source that is not there; a file that can't be read is noted.
        """
        files: list[Path] = []
        for source in data:
            if source.startswith(HUB_PREFIX):
                continue
            path = Path(source)
            if read_record(path) is not None or path.is_file():
                files.append(path)
            elif path.is_dir():
                files.extend(self._list_files(path))
            else:
                raise TrainerError(TrainerFailure.DATA_NOT_FOUND, path=source)
        for done, path in enumerate(files):
            self.watch.progress(done, len(files), path.name)
            for document in self._read(path):
                self.watch.progress(done, len(files), path.name)
                yield make_prompt(document)
        for source in data:
            if source.startswith(HUB_PREFIX):
                from trainer.corpus.hub import read_dataset  # takes seconds to import

                for document in read_dataset(source.removeprefix(HUB_PREFIX), self.watch):
                    yield make_prompt(document)

    def _read(self, path: Path) -> Iterator[Document]:
        try:
            yield from read_version(path)[1] if path.is_dir() else iterate_file(path)
        except TrainerError as error:
            self.unread.append(Trouble(error.code.value, dict(error.parameters)))

    def _list_files(self, folder: Path) -> Iterator[Path]:
        """Yield the files of a folder that hold stories, and note those that nobody can read."""
        files = sorted(
            path
            for path in folder.rglob("*")
            if not any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts) and path.is_file()
        )
        names = set(files)
        for path in files:
            if str(path) in self.taken or is_about_folder(path):
                continue
            suffix = path.suffix.lower()
            if suffix not in KNOWN_SUFFIXES:
                self.unread.append(Trouble(TrainerFailure.DATA_FORMAT_UNKNOWN.value, {"path": str(path)}))
            elif suffix != STORIES_SUFFIX or path.with_suffix(PROMPTS_SUFFIX) not in names:
                yield path  # WritingPrompts' stories are read together with their prompts


def make_prompt(document: Document) -> Document:
    """Return the document with a prompt: its own, else its title, else the story's first sentence."""
    if document.prompt.strip():
        return document
    if document.title.strip():
        return replace(document, prompt=" ".join(document.title.split()), prompt_from="title")
    opening = find_opening(document.story)
    return replace(document, prompt=opening, prompt_from="opening") if opening else document
