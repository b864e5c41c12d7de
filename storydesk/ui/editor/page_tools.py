"""What surrounds the writing itself: how the page is set, finding, counting, copying, and files that are dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QWidget

from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.domain.settings import (
    DIM_OTHERS,
    PAGE_LINE_HEIGHT,
    PAGE_MARGIN,
    PAGE_MEASURE,
    PAGE_SIZE,
    SMART_TYPING,
    TYPEWRITER,
    TYPING_LANGUAGE,
    Setting,
)
from storydesk.domain.smart_typing import find_manners
from storydesk.ui.editor.clipboard import make_markdown, make_rich, read_exactly
from storydesk.ui.editor.find_bar import FindBar
from storydesk.ui.editor.finder import Finder
from storydesk.ui.editor.page import PageEdit, PageLook
from storydesk.ui.editor.word_tally import WordTally
from storydesk.ui.library.library_panel import LibraryPanel
from storydesk.ui.status_bar import StatusBar
from storydesk.ui.theme import page_font

STORY_LANGUAGE = "story"
SWITCHES = (("typewriter", TYPEWRITER), ("dim_others", DIM_OTHERS))


class PageTools(QObject):
    """Joins the page with its settings, its find bar and its actions. GUI thread."""

    import_wanted = Signal(object)
    """A Path that was dropped onto the window."""

    def __init__(
        self,
        workroom: Workroom,
        page: PageEdit,
        actions: Mapping[str, QAction],
        phrases: Phrases,
        window: QWidget,
        *,
        status: StatusBar,
        library: LibraryPanel,
    ) -> None:
        """Set the page as the writer wants it."""
        super().__init__(page)
        self._workroom = workroom
        self._settings = workroom.desk.settings
        self._page = page
        self._actions = actions
        self._window = window
        self._writes = not workroom.manuscripts.read_only
        self.find_bar = FindBar(writes=self._writes)
        self.finder = Finder(page, self.find_bar, phrases)
        self.words = WordTally(workroom.manuscripts, page, status, library)
        workroom.polish_settings_changed.connect(lambda _settings: self._set_manners())
        page.zoom_wanted.connect(self.change_size)
        for name, setting in SWITCHES:
            actions[name].setChecked(self._settings.get(setting))
            actions[name].toggled.connect(lambda on, setting=setting: self._on_toggled(setting, on))
        actions["full_screen"].toggled.connect(self._on_full_screen_toggled)
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        self.apply_settings()

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of the page do."""
        return {
            **self.finder.slots(),
            "paste_exactly": self.paste_exactly,
            "copy_rich": lambda: self._copy(rich=True),
            "copy_markdown": lambda: self._copy(rich=False),
            "larger_text": lambda: self.change_size(1),
            "smaller_text": lambda: self.change_size(-1),
            "usual_text": lambda: self.change_size(0),
        }

    def leave(self) -> None:
        """Another text is about to be put on the page."""
        self.words.count()

    def begin(self) -> None:
        """Another text is on the page."""
        self.finder.forget()
        self.words.begin()
        self._set_manners()

    def apply_settings(self) -> None:
        """Set the page as the settings say."""
        get = self._settings.get
        self._page.set_page_font(page_font(self._settings))
        look = PageLook(get(PAGE_MEASURE), get(PAGE_LINE_HEIGHT), get(PAGE_MARGIN), get(TYPEWRITER), get(DIM_OTHERS))
        if look != self._page.look:
            self._page.set_look(look)
        for name, setting in SWITCHES:
            self._actions[name].setChecked(get(setting))
        self._set_manners()
        self.words.count()

    def change_size(self, step: int) -> None:
        """Make the text larger (1), smaller (-1), or as it usually is (0)."""
        size = PAGE_SIZE.accept(self._settings.get(PAGE_SIZE) + step) if step else PAGE_SIZE.default
        self._settings.set(PAGE_SIZE, size)
        self._page.set_page_font(page_font(self._settings))

    def paste_exactly(self) -> None:
        """Paste letter by letter what was copied."""
        source = QGuiApplication.clipboard().mimeData()
        if self._writes and source is not None and self._page.canInsertFromMimeData(source):
            self._page.put_in(source, read_exactly(source))

    def close(self) -> None:
        """Keep the count and end what is being looked for."""
        self.words.settle()
        self.finder.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take documents that are dropped onto the window; follow a full screen that the desktop ends."""
        if isinstance(event, QDropEvent) and event.type() in (QEvent.Type.DragEnter, QEvent.Type.Drop):
            paths = self._read_paths(event)
            if paths:
                event.acceptProposedAction()
                if not isinstance(event, QDragEnterEvent):
                    for path in paths:
                        self.import_wanted.emit(path)
                return True
        elif event.type() == QEvent.Type.WindowStateChange:
            full = bool(self._window.windowState() & Qt.WindowState.WindowFullScreen)
            self._actions["full_screen"].blockSignals(True)
            self._actions["full_screen"].setChecked(full)
            self._actions["full_screen"].blockSignals(False)
        return super().eventFilter(watched, event)

    def _read_paths(self, event: QDropEvent) -> list[Path]:
        if not self._writes or not event.mimeData().hasUrls():
            return []
        known = {f".{form}" for form in self._workroom.desk.publishing.readable_formats}
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        return [path for path in paths if path.suffix.lower() in known]

    def _copy(self, *, rich: bool) -> None:
        cursor = self._page.textCursor()
        text = self._page.text()
        if cursor.hasSelection():
            text = self._page.text_at(cursor.selectionStart(), cursor.selectionEnd())
        QGuiApplication.clipboard().setMimeData(make_rich(text) if rich else make_markdown(text))

    def _set_manners(self) -> None:
        if not self._settings.get(SMART_TYPING):
            self._page.smart_keys.set_manners(None)
            return
        language = self._settings.get(TYPING_LANGUAGE)
        if language == STORY_LANGUAGE:
            language = self._workroom.polish_settings.language
        self._page.smart_keys.set_manners(find_manners(language))

    def _on_toggled(self, setting: Setting[bool], on: bool) -> None:
        self._settings.set(setting, on)
        self.apply_settings()

    @Slot(bool)
    def _on_full_screen_toggled(self, on: bool) -> None:
        full = Qt.WindowState.WindowFullScreen
        state = self._window.windowState()
        self._window.setWindowState(state | full if on else state & ~full)
