"""Drafts, authorship and generations as the window knows them: builds the parts, joins them, opens their pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedWidget

from storydesk.bridge.authorship_form import count_units, to_units
from storydesk.bridge.draft_controller import Compared, read_open_runs
from storydesk.bridge.manuscript_controller import OpenStory
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.bridge.writing_controller import Candidate
from storydesk.domain.authorship import Source, Tally
from storydesk.domain.comparison import find_edits
from storydesk.domain.draft_history import KeptGeneration, SnapshotRule
from storydesk.domain.failures import Failure
from storydesk.services.drafts import Comparison, DraftShelf, Version
from storydesk.services.repeating import Repeated
from storydesk.ui.drafts.drafts_page import DraftsPage
from storydesk.ui.drafts.generations_page import GenerationsPage
from storydesk.ui.editor.authorship_statement import StatementDialog
from storydesk.ui.editor.authorship_view import AuthorshipView
from storydesk.ui.editor.authorship_words import say_short_statement
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.export_fields import ExportFields
from storydesk.ui.sentences import say_untitled


class DraftRoom(QObject):
    """Owns what the window shows of a draft's past and of who wrote it. GUI thread."""

    snapshot_said = Signal(str)
    """That a snapshot was kept, in words."""
    disclosure_drawn = Signal(str)
    """A statement of one line on how the text on the page was made; empty where no model had a hand in it."""

    def __init__(
        self,
        workroom: Workroom,
        page: PageEdit,
        pages: QStackedWidget,
        actions: Mapping[str, QAction],
        phrases: Phrases,
        leave: Callable[[], object],
    ) -> None:
        """Work on one page; ``leave`` turns back to it from the pages that are opened in ``pages``."""
        super().__init__(page)
        self._workroom = workroom
        self._page = page
        self._pages = pages
        self._phrases = phrases
        self._leave = leave
        self._writes = not workroom.manuscripts.read_only
        self.view = AuthorshipView(page, actions["show_authorship"])
        self.view.strip.statement_wanted.connect(self.show_statement)
        self.drafts_page: DraftsPage | None = None
        self.generations_page: GenerationsPage | None = None
        workroom.manuscripts.watch_runs(page.authorship.runs)
        page.authorship.watch_ghost(workroom.keeper.find_source)
        page.authorship.generation_edited.connect(workroom.keeper.note_edited)
        self._revision = page.document().revision()
        page.ghost_dropped.connect(self._on_ghost_dropped)
        page.edited.connect(self._on_edited)
        page.reworking.connect(lambda rule: workroom.drafts.take(SnapshotRule(rule)))
        drafts = workroom.drafts
        drafts.snapshot_taken.connect(self._on_snapshot_taken)
        drafts.versions_changed.connect(self._on_versions_changed)
        drafts.compared.connect(self._on_compared)
        drafts.comparing_ended.connect(self._on_comparing_ended)
        drafts.generations_found.connect(self._on_generations_found)
        drafts.repeated.connect(self._on_repeated)
        workroom.keeper.history_changed.connect(self._on_history_changed)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of this feature do; showing authorship is the action's own state."""
        return {
            "take_snapshot": lambda: self._workroom.drafts.take(SnapshotRule.HAND),
            "show_drafts": self.show_drafts,
            "show_generations": self.show_generations,
            "authorship_statement": self.show_statement,
        }

    def begin(self, opened: OpenStory | None) -> None:
        """Hear that the text of a draft was put on the page."""
        self._page.authorship.begin(read_open_runs(opened))
        self._on_edited()

    def as_generated(self, candidate: Candidate) -> AbstractContextManager[None]:
        """Return a context in which whatever is put into the text is this candidate's."""
        return self._page.authorship.generating(self._workroom.keeper.source_of(candidate))

    def close(self) -> None:
        """Give up what is under way."""
        self.view.close()

    # Authorship

    @Slot()
    def show_statement(self) -> None:
        """Open the statement on how this text was made."""
        opened = self._workroom.manuscripts.opened
        if opened is None:
            return
        title = opened.story.title or say_untitled()

        def show(tally: Tally) -> None:
            dialog = StatementDialog(title, tally, self._page.window())
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

        self.view.count_for(show)

    @Slot(object)
    def offer_disclosure(self, fields: ExportFields) -> None:
        """Draw a statement up for the last page of the document that is being exported."""
        self.disclosure_drawn.connect(fields.offer_disclosure)
        self.view.count_for(lambda tally: self.disclosure_drawn.emit(say_short_statement(tally)))

    @Slot()
    def _on_ghost_dropped(self) -> None:
        """Note a suggestion that was waved away; one that typing swept away was only not used."""
        if self._page.document().revision() == self._revision:
            self._workroom.keeper.dismiss()

    @Slot()
    def _on_edited(self) -> None:
        self._revision = self._page.document().revision()

    # Versions

    def show_drafts(self) -> None:
        """Turn to the drafts and snapshots of the open story."""
        if self._workroom.manuscripts.opened is None:
            return
        if self.drafts_page is None:
            self.drafts_page = self._make_drafts_page()
        self.drafts_page.clear()
        self._turn_to(self.drafts_page)
        self._workroom.drafts.list_versions()

    def _make_drafts_page(self) -> DraftsPage:
        page, drafts = DraftsPage(writes=self._writes), self._workroom.drafts
        page.leave_wanted.connect(self._on_left)
        page.snapshot_wanted.connect(lambda: drafts.take(SnapshotRule.HAND))
        page.compare_wanted.connect(drafts.compare)
        page.cancel_wanted.connect(drafts.cancel_comparison)
        page.branch_wanted.connect(self._on_branch_wanted)
        page.drop_wanted.connect(drafts.drop_snapshot)
        page.rename_wanted.connect(drafts.name_snapshot)
        page.apply_wanted.connect(self.put_in)
        page.merge_wanted.connect(self._on_merge_wanted)
        page.place_wanted.connect(self._on_place_wanted)
        self._pages.addWidget(page)
        return page

    @Slot(object, object)
    def put_in(self, comparison: Comparison, taken: Collection[int]) -> bool:
        """Put differences into the text on the page, as one undo step; False where the text is another by now."""
        if not self._writes or self._page.text() != comparison.old:
            self._workroom.drafts.list_versions()  # shows what differs now
            return False
        everything = len(taken) == len(comparison.differences)
        self._workroom.drafts.take(SnapshotRule.RESTORE if everything else SnapshotRule.MERGE)
        text, runs = comparison.merge(taken)
        self._become(comparison.old, text, lambda: self._page.authorship.becoming(to_units(text, runs)))
        self._on_left()
        return True

    def _become(self, old: str, text: str, context: Callable[[], AbstractContextManager[None]]) -> None:
        """Turn the page's text into another one by as little as is needed, in one step."""
        edits = find_edits(old, text)
        places, unit, point = [], 0, 0
        for each in edits:
            unit += count_units(old[point : each.old_start])
            length = count_units(old[each.old_start : each.old_end])
            places.append((unit, unit + length, text[each.new_start : each.new_end]))
            unit, point = unit + length, each.old_end
        with context():
            self._page.replace_many(places)

    @Slot(object)
    def _on_branch_wanted(self, version: Version | None) -> None:
        self._workroom.drafts.branch(version)
        self._on_left()

    @Slot(object, object, object)
    def _on_merge_wanted(self, base: Version | None, comparison: Comparison, taken: Collection[int]) -> None:
        self._workroom.drafts.keep_merged(base, *comparison.merge(taken))
        self._on_left()

    @Slot(int)
    def _on_place_wanted(self, place: int) -> None:
        start = count_units(self._page.text()[:place])
        self._on_left()
        self._page.go_to(start, start)

    @Slot(object)
    def _on_versions_changed(self, shelf: DraftShelf) -> None:
        opened = self._workroom.manuscripts.opened
        if self.drafts_page is not None and opened is not None:
            self.drafts_page.show_versions(shelf, opened.draft.id)

    @Slot(object)
    def _on_compared(self, compared: Compared) -> None:
        if self.drafts_page is not None:
            self.drafts_page.show_compared(compared)

    @Slot()
    def _on_comparing_ended(self) -> None:
        if self.drafts_page is not None:
            self.drafts_page.end_waiting()

    @Slot(object)
    def _on_snapshot_taken(self, _snapshot: object) -> None:
        self.snapshot_said.emit(self.tr("Snapshot kept"))
        if self.drafts_page is not None and self._pages.currentWidget() is self.drafts_page:
            self._workroom.drafts.list_versions()

    # Generations

    def show_generations(self) -> None:
        """Turn to everything that the model wrote for the open story."""
        if self._workroom.manuscripts.opened is None:
            return
        if self.generations_page is None:
            page, drafts = GenerationsPage(writes=self._writes), self._workroom.drafts
            page.leave_wanted.connect(self._on_left)
            page.search_wanted.connect(drafts.find_generations)
            page.insert_wanted.connect(self.put_in_again)
            page.repeat_wanted.connect(self._on_repeat_wanted)
            page.cancel_wanted.connect(drafts.cancel_repeat)
            self._pages.addWidget(page)
            self.generations_page = page
        self._turn_to(self.generations_page)
        self.generations_page.search()

    @Slot(object)
    def put_in_again(self, kept: KeptGeneration) -> None:
        """Put an earlier generation into the text at the cursor, as one undo step."""
        if not self._writes:
            return
        before = self._page.text_before_cursor()
        text = kept.text if before and not before[-1].isspace() else kept.text.lstrip()
        with self._page.authorship.generating(Source(kept.key, kept.model, kept.seed, round(kept.created))):
            self._page.insert(text)
        self._workroom.keeper.take_again(kept.key)
        self._on_left()

    @Slot(object)
    def _on_repeat_wanted(self, kept: KeptGeneration) -> None:
        if self.generations_page is not None:
            self.generations_page.show_repeating(kept)
        self._workroom.drafts.repeat(kept)

    @Slot(object, object)
    def _on_repeated(self, kept: KeptGeneration, answer: Repeated | Failure) -> None:
        if self.generations_page is None:
            return
        if isinstance(answer, Failure):
            said = " ".join(part for part in self._phrases.say(answer) if part)
        elif answer.same:
            said = self.tr("It came out the same, word for word.")
        else:
            others = len(find_edits(kept.text, answer.text))
            places = self.tr("%Ln places", "", others)
            said = self.tr(
                "It came out otherwise in {places}: the model, its precision or this machine is not what it was."
            ).format(places=places)
        self.generations_page.show_repeated(kept, said)

    @Slot(str, object)
    def _on_generations_found(self, words: str, found: tuple[KeptGeneration, ...]) -> None:
        if self.generations_page is not None:
            self.generations_page.show_found(words, found)

    @Slot()
    def _on_history_changed(self) -> None:
        page = self.generations_page
        if page is not None and self._pages.currentWidget() is page:
            page.search()

    def _turn_to(self, page: DraftsPage | GenerationsPage) -> None:
        self._pages.setCurrentWidget(page)
        page.first.setFocus()

    def _on_left(self) -> None:
        self._workroom.drafts.cancel_comparison()
        self._leave()
