"""Where the writer was in each draft: cursor and what stood at the top of the page."""

from __future__ import annotations

import json
from typing import Final

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtGui import QTextCursor

from storydesk.domain.settings import PLACES
from storydesk.services.ports import SettingsStore
from storydesk.ui.editor.page import PageEdit

MOST_DRAFTS: Final = 200
"""As many are remembered; of more, those that were left longest ago are forgotten."""

Place = tuple[int, int]
"""Cursor and first visible character, in UTF-16 units."""


class Places(QObject):
    """Brings the page back to where a draft was left. GUI thread."""

    def __init__(self, page: PageEdit, settings: SettingsStore, *, keeps: bool) -> None:
        """Read what was kept; ``keeps`` is whether this window may write it down again."""
        super().__init__(page)
        self._page = page
        self._settings = settings
        self._keeps = keeps
        self._draft = 0
        self._places = _read(settings.get(PLACES))

    def leave(self) -> None:
        """Remember where the draft on the page is being left."""
        if not self._draft:
            return
        top = self._page.cursorForPosition(QPoint(0, 0)).position()
        place = (self._page.textCursor().position(), top)
        self._places.pop(self._draft, None)  # the last one left goes to the end
        self._places[self._draft] = place
        for draft in list(self._places)[:-MOST_DRAFTS]:
            del self._places[draft]
        if self._keeps:
            self._settings.set(PLACES, json.dumps({str(draft): list(at) for draft, at in self._places.items()}))

    def enter(self, draft_id: int) -> None:
        """Go to where this draft was left, which is on the page by now; 0 for none."""
        self._draft = draft_id
        place = self._places.get(draft_id)
        if place is None:
            return
        cursor, top = (min(at, self._page.document().characterCount() - 1) for at in place)
        self._page.go_to(cursor, cursor)
        QTimer.singleShot(0, self, lambda: self._scroll(draft_id, cursor, top))  # when the page has its size

    def _scroll(self, draft_id: int, cursor: int, top: int) -> None:
        """Put the line that was at the top there again, unless the writer has gone on meanwhile."""
        if self._draft != draft_id or self._page.textCursor().position() != cursor:
            return
        first = QTextCursor(self._page.document())
        first.setPosition(min(top, self._page.document().characterCount() - 1))
        bar = self._page.verticalScrollBar()
        bar.setValue(bar.value() + self._page.cursorRect(first).top() if top else 0)
        if not self._page.viewport().rect().intersects(self._page.cursorRect()):
            self._page.ensureCursorVisible()


def _read(kept: str) -> dict[int, Place]:
    """Return what the settings say; what can't be understood is forgotten."""
    try:
        read = json.loads(kept) if kept else {}
        return {int(draft): (max(0, int(at[0])), max(0, int(at[1]))) for draft, at in read.items()}
    except (ValueError, TypeError, AttributeError, LookupError):
        return {}
