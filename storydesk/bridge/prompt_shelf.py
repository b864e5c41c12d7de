"""The prompt shelf between the window and the library's thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from storydesk.bridge.serial_worker import SerialWorker
from storydesk.domain.prompt_shelf import ShelfPrompt
from storydesk.services.desk import Desk


class PromptShelf(QObject):
    """Holds the prompts and keeps what is changed. GUI thread; changes hold at once."""

    prompts_changed = Signal(object)
    """All ShelfPrompt, those in the trash too, the newest first."""
    imported = Signal(int, int)
    """How many prompts came in, and how many were there already."""
    failed = Signal(object)

    def __init__(self, desk: Desk, library: SerialWorker, parent: QObject | None = None) -> None:
        """Begin with an empty shelf; ``load`` reads it."""
        super().__init__(parent)
        self._desk = desk
        self._library = library
        self._prompts: tuple[ShelfPrompt, ...] = ()
        self.read_only = desk.manuscripts.read_only

    @property
    def prompts(self) -> tuple[ShelfPrompt, ...]:
        """All prompts, those in the trash too, the newest first."""
        return self._prompts

    def load(self) -> None:
        """Read the shelf."""
        self._library.submit(self._desk.prompts.list_prompts, self._show, self.failed.emit)

    def keep(self, prompts: Sequence[ShelfPrompt]) -> None:
        """Add prompts, or change those that have an id."""
        if self.read_only or not prompts:
            return
        changed = {prompt.id: prompt for prompt in prompts if prompt.id}
        self._show([changed.get(prompt.id, prompt) for prompt in self._prompts])
        is_new = len(changed) < len(prompts)
        self._library.submit(
            lambda: self._desk.prompts.keep_prompts(prompts),
            self._put_in if is_new else None,
            self.failed.emit,
        )

    def trash(self, ids: Iterable[int], *, restore: bool = False) -> None:
        """Put prompts into the trash, or take them out."""
        wanted = set(ids)
        self.keep([replace(prompt, in_trash=not restore) for prompt in self._prompts if prompt.id in wanted])

    def delete(self, ids: Iterable[int]) -> None:
        """Delete prompts of the trash for good."""
        gone = {prompt.id for prompt in self._prompts if prompt.id in set(ids) and prompt.in_trash}
        if self.read_only or not gone:
            return
        self._show([prompt for prompt in self._prompts if prompt.id not in gone])
        self._library.submit(lambda: self._desk.prompts.delete_prompts(gone), None, self.failed.emit)

    def import_prompts(self, path: Path) -> None:
        """Put a file's prompts on the shelf."""
        if self.read_only:
            return

        def on_read(answer: tuple[Sequence[ShelfPrompt], int]) -> None:
            fresh, known = answer
            self._put_in(fresh)
            self.imported.emit(len(fresh), known)

        self._library.submit(lambda: self._desk.prompts.import_prompts(path), on_read, self.failed.emit)

    def _put_in(self, fresh: Sequence[ShelfPrompt]) -> None:
        known = {prompt.id for prompt in self._prompts}
        self._show([*(prompt for prompt in fresh if prompt.id not in known), *self._prompts])

    def _show(self, prompts: Sequence[ShelfPrompt]) -> None:
        self._prompts = tuple(prompts)
        self.prompts_changed.emit(self._prompts)
