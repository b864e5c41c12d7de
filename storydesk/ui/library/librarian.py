"""Joins the library panel to the page: the outline follows the text, parts move, passages are gone to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QWidget

from storydesk.bridge.library_item_model import CHAPTER, NO_DETAILS, PARTS, SCENE, STORY, Role
from storydesk.bridge.manuscript_controller import OpenStory, Shelf
from storydesk.bridge.offsets import Utf16Map
from storydesk.bridge.outline_controller import DraftOutline, OutlineController, PartMove
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.search_controller import SearchController
from storydesk.bridge.workroom import Workroom
from storydesk.domain.authorship import Runs, Spans
from storydesk.domain.library import Passage
from storydesk.domain.outline import PartDetails, Shift, StoryDetails
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.library.details_editor import Subject
from storydesk.ui.library.library_panel import LibraryPanel
from storydesk.ui.sentences import say_untitled

if TYPE_CHECKING:
    from storydesk.bridge.backup_controller import BackupController
    from storydesk.ui.library.backups_dialog import BackupsDialog


class Librarian(QObject):
    """Owns what the library panel is for. GUI thread."""

    def __init__(
        self, workroom: Workroom, page: PageEdit, panel: LibraryPanel, phrases: Phrases, window: QWidget
    ) -> None:
        """Join the panel's wishes to the workroom's facts."""
        super().__init__(window)
        self._workroom = workroom
        self._page = page
        self._panel = panel
        self._phrases = phrases
        self._window = window
        self._backups: BackupController | None = None
        self._wanted: tuple[int, Passage] | None = None
        self._order: tuple[int, ...] = ()
        self._parts_before = 0
        self.outline = OutlineController(workroom, self)
        self.search = SearchController(workroom.desk, self)
        self._join(workroom, panel)

    def _join(self, workroom: Workroom, panel: LibraryPanel) -> None:
        manuscripts = workroom.manuscripts
        manuscripts.story_opened.connect(self._on_story_opened)
        manuscripts.shelf_changed.connect(self._on_shelf_changed)
        self._page.edited.connect(self._on_edited)
        self.outline.outline_changed.connect(self._on_outline_changed)
        self.outline.details_changed.connect(panel.show_details)
        self.outline.move_ready.connect(self._on_move_ready)
        self.outline.failed.connect(manuscripts.failed)
        self.search.found.connect(panel.show_found)
        self.search.failed.connect(manuscripts.failed)
        panel.search_wanted.connect(self.search.search)
        panel.part_wanted.connect(self._on_part_wanted)
        panel.passage_wanted.connect(self._on_passage_wanted)
        panel.details_wanted.connect(self._on_details_wanted)
        panel.story_moved.connect(self._on_story_moved)
        panel.part_moved.connect(self.outline.move)
        panel.details.story_changed.connect(self._on_story_described)
        panel.details.part_changed.connect(self.outline.keep_part)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of the library do."""
        return {
            "story_details": self.describe_story,
            "part_details": self.describe_part,
            "backups": self.show_backups,
            "export_library": lambda: self.show_backups().choose_export(),
            "import_library": lambda: self.show_backups().choose_import(),
        }

    def close(self) -> None:
        """Keep what is being described and end the search; the window calls it before it lets the threads go."""
        self._panel.details.keep()
        self.search.close()
        if self._backups is not None:
            self._backups.close()

    @property
    def backups(self) -> BackupController:
        """What backs the library up and restores it."""
        if self._backups is None:
            from storydesk.bridge.backup_controller import BackupController

            self._backups = BackupController(self._workroom, self)
        return self._backups

    def show_backups(self) -> BackupsDialog:
        """Open the backups."""
        from storydesk.ui.library.backups_dialog import BackupsDialog

        dialog = BackupsDialog(self.backups, self._phrases, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.show()
        return dialog

    def describe_story(self) -> None:
        """Open the details of the story on the page, or of the one that is chosen in the library."""
        index = self._panel.tree.currentIndex()
        opened = self._workroom.manuscripts.opened
        if self._panel.tree.hasFocus() and index.data(Role.KIND) == STORY:
            self._on_details_wanted(STORY, index.data(Role.ID))
        elif self._panel.tree.hasFocus() and index.data(Role.KIND) in PARTS:
            self._on_details_wanted(index.data(Role.KIND), index.data(Role.ID))
        elif opened is not None:
            self._on_details_wanted(STORY, opened.story.id)

    def describe_part(self) -> None:
        """Open the details of the chapter or scene that the cursor is in."""
        place = self._page.textCursor().position()

        def describe(shown: DraftOutline) -> None:
            parts = [part for part in shown.outline.parts if shown.units.to_units(part.start) <= place]
            around = [part for part in parts if place <= shown.units.to_units(part.end)]
            if around:
                self._describe_part(shown, around[-1].ordinal)

        self.outline.with_outline(describe)

    # What has happened

    @Slot(object)
    def _on_story_opened(self, opened: OpenStory | None) -> None:
        self._panel.details.leave()
        self.outline.begin(opened)
        wanted = self._wanted
        if wanted is not None and opened is not None and opened.draft.id == wanted[1].draft_id:
            self._wanted = None
            QTimer.singleShot(0, self, lambda: self._show_passage(wanted[1]))  # when its text is on the page

    @Slot(object)
    def _on_shelf_changed(self, shelf: Shelf) -> None:
        if not shelf.searched:
            self._order = tuple(story.id for story in shelf.stories)
        self.outline.refresh()

    @Slot(int, int, int)
    def _on_edited(self, _position: int, _removed: int, _added: int) -> None:
        self.outline.note_change()

    @Slot(object)
    def _on_outline_changed(self, shown: DraftOutline | None) -> None:
        self._panel.show_outline(shown)
        titles = [part.title for part in shown.outline.parts] if shown is not None else []
        self._follow_subject(titles)
        self._parts_before = len(titles)

    def _follow_subject(self, titles: Sequence[str]) -> None:
        """Let the part that is being described be the same one in a changed text."""
        subject = self._panel.details.subject
        if subject is None or subject.ordinal < 0 or titles[subject.ordinal : subject.ordinal + 1] == [subject.title]:
            return
        if titles.count(subject.title) == 1:
            self._panel.details.follow(titles.index(subject.title), subject.title)
        elif len(titles) == self._parts_before and subject.ordinal < len(titles):
            self._panel.details.follow(subject.ordinal, titles[subject.ordinal])  # it was given another title
        else:
            self._panel.details.leave()

    @Slot(object)
    def _on_move_ready(self, move: PartMove) -> None:
        if move.revision != self._workroom.revision or self._page.isReadOnly():
            return
        shift_text(self._page, move.shifts)

    # What the writer wants

    @Slot(int)
    def _on_part_wanted(self, ordinal: int) -> None:
        shown = self.outline.current
        if shown is None or ordinal >= len(shown.outline.parts):
            return
        title = shown.outline.parts[ordinal].title

        def go(fresh: DraftOutline) -> None:
            parts = fresh.outline.parts
            if ordinal < len(parts) and parts[ordinal].title == title:
                start = fresh.units.to_units(parts[ordinal].start)
                self._page.go_to(start, start)
                self._page.setFocus(Qt.FocusReason.OtherFocusReason)

        self.outline.with_outline(go)

    @Slot(int, object)
    def _on_passage_wanted(self, story_id: int, passage: Passage) -> None:
        opened = self._workroom.manuscripts.opened
        if opened is not None and opened.draft.id == passage.draft_id:
            self._show_passage(passage)
            return
        self._wanted = (story_id, passage)
        self._workroom.manuscripts.open_story(story_id, passage.draft_id)

    @Slot(str, int)
    def _on_details_wanted(self, kind: str, number: int) -> None:
        if kind == STORY:
            index = self._panel.model.find(STORY, number)
            title = str(index.data()) if index.isValid() else say_untitled()
            details = self.outline.details.get(number, NO_DETAILS)
            self._panel.details.describe(Subject(title, number), details, writes=not self._page.isReadOnly())
            self._panel.details.status.setFocus(Qt.FocusReason.OtherFocusReason)
        elif kind in (CHAPTER, SCENE) and self.outline.current is not None:
            self._describe_part(self.outline.current, number)

    @Slot(int, int)
    def _on_story_moved(self, moved: int, before: int) -> None:
        self.outline.place_story(self._order, moved, before)

    @Slot(int, object)
    def _on_story_described(self, story_id: int, details: StoryDetails) -> None:
        words = self.outline.details.get(story_id, NO_DETAILS).words
        self.outline.keep_story(story_id, replace(details, words=words))

    def _describe_part(self, shown: DraftOutline, ordinal: int) -> None:
        if ordinal >= len(shown.outline.parts):
            return
        part = shown.outline.parts[ordinal]
        subject = Subject(part.title, shown.story_id, ordinal)
        details: PartDetails = shown.details(ordinal)
        self._panel.details.describe(subject, details, writes=not self._page.isReadOnly())
        self._panel.details.status.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_passage(self, passage: Passage) -> None:
        """Select the words that were found; where the text has changed since, the nearest ones like them."""
        text = self._page.text()
        word = passage.preview[passage.marks[0][0] : passage.marks[0][1]] if passage.marks else ""
        start, end = passage.start, passage.end
        if text[start:end] != word and word:
            places = [place for place in (text.rfind(word, 0, start), text.find(word, start)) if place >= 0]
            if not places:
                return
            start = min(places, key=lambda place: abs(place - passage.start))
            end = start + len(word)
        units = Utf16Map(text)
        self._page.go_to(units.to_units(start), units.to_units(end))
        self._page.setFocus(Qt.FocusReason.OtherFocusReason)


def shift_text(page: PageEdit, shifts: Sequence[Shift]) -> None:
    """Move stretches of the page's text, one after another, as one step that can be undone; who wrote them stays."""
    spans = Spans(page.authorship.runs())
    cursor = QTextCursor(page.document())
    place = 0
    with page.authorship.becoming(_shift_runs(spans, shifts)):
        cursor.beginEditBlock()
        for shift in shifts:
            piece = page.text_at(shift.start, shift.end)
            cursor.setPosition(shift.start)
            cursor.setPosition(shift.end, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            place = shift.to if shift.to <= shift.start else shift.to - (shift.end - shift.start)
            cursor.setPosition(place)
            cursor.insertText(piece)
        cursor.endEditBlock()
    page.go_to(place, place)


def _shift_runs(spans: Spans, shifts: Sequence[Shift]) -> Runs:
    """Return the spans as they are after the same moves."""
    for shift in shifts:
        if shift.end > spans.length:
            break  # the page lost account of who wrote what, and says so itself
        piece = spans.replace(shift.start, shift.end, ())
        place = shift.to if shift.to <= shift.start else shift.to - (shift.end - shift.start)
        spans.replace(place, place, piece)
    return spans.runs()
