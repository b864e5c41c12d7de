"""The window: library, page and partner side by side, a bar above and a line below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.grammar_worker import GrammarFailed, GrammarReport
from storydesk.bridge.manuscript_controller import OpenStory
from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.polish_controller import PolishReady
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.manuscript import Story
from storydesk.domain.polish_plan import PolishPlan
from storydesk.domain.settings import GRAMMAR_LIVE
from storydesk.ui.actions import join_actions, make_actions
from storydesk.ui.assistant.partner import Partner
from storydesk.ui.assistant.partner_panel import PartnerPanel
from storydesk.ui.at_home import AtHome
from storydesk.ui.drafts.draft_room import DraftRoom
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.editor.page_notes import PageNotes
from storydesk.ui.editor.page_tools import PageTools
from storydesk.ui.editor.places import Places
from storydesk.ui.empty_page import EmptyPage
from storydesk.ui.insight.draft_insight import DraftInsight
from storydesk.ui.judging.judging_room import JudgingRoom
from storydesk.ui.library.librarian import Librarian
from storydesk.ui.library.library_panel import LibraryPanel
from storydesk.ui.machine_news import MachineNews
from storydesk.ui.memory.story_memory import StoryMemory
from storydesk.ui.notice_bar import NoticeBar
from storydesk.ui.prompts.prompt_desk import PromptDesk
from storydesk.ui.questions import ask_to_close_unsaved, ask_to_delete
from storydesk.ui.read_only_banner import ReadOnlyBanner
from storydesk.ui.sentences import say_untitled
from storydesk.ui.shortcuts import Shortcuts
from storydesk.ui.side_pages import SidePages
from storydesk.ui.status_bar import StatusBar
from storydesk.ui.top_bar import TopBar
from storydesk.ui.window_panels import WindowPanels

PROGRAM = "Storydesk"


class MainWindow(QMainWindow):
    """Shows the workroom's story and lets it be written. GUI thread."""

    first_painted = Signal()
    reopen_wanted = Signal()
    """This window is closing and another one is to open on the library, which may be written now."""

    def __init__(self, workroom: Workroom, notices: NoticeBus, phrases: Phrases) -> None:
        """Build everything; ``begin`` puts the last story on the page."""
        super().__init__()
        self.workroom = workroom
        self.notices = notices
        self.phrases = phrases
        self._settings = workroom.desk.settings
        self._writes = not workroom.manuscripts.read_only
        self._closed = False
        self._try_prompt = False
        self._painted = False
        self.setWindowTitle(PROGRAM)
        self.setMinimumSize(480, 360)
        self.actions_by_name = make_actions(self, read_only=not self._writes)
        self._build()
        self._join_story()
        self._join_machine()
        self._join_actions()
        self.panels.restore()

    # What is where

    def _build(self) -> None:
        actions = self.actions_by_name
        self.shortcuts = Shortcuts(actions, self._settings, self)
        self.top = TopBar(actions)
        self.library = LibraryPanel(actions)
        self.partner = PartnerPanel(actions, self._settings)
        self.page = PageEdit()
        self.page.setReadOnly(not self._writes)
        self.page.setPlaceholderText(self.tr("Begin here, or give the model a prompt and let it begin."))
        self.places = Places(self.page, self._settings, keeps=self._writes)
        self.empty = EmptyPage(actions)
        self.status = StatusBar()
        self.notice_bar = NoticeBar(self.notices, self.phrases)
        self.centre = QStackedWidget()
        self.centre.addWidget(self.page)
        self.centre.addWidget(self.empty)
        self.tools = PageTools(
            self.workroom, self.page, actions, self.phrases, self, status=self.status, library=self.library
        )
        self.tools.import_wanted.connect(self.workroom.manuscripts.import_document)
        self.insight = DraftInsight(self.workroom, self.page, actions)
        self.partner.add_tab("insight", self.insight.panel, place=1)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        self.banner = ReadOnlyBanner(self.workroom)
        self.banner.write_wanted.connect(self._on_write_wanted)
        middle.addWidget(self.banner)
        middle.addWidget(self.notice_bar)
        middle.addWidget(self.tools.find_bar)
        middle.addWidget(self.centre, 1)
        middle.addWidget(self.insight.bar)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.library)
        row.addLayout(middle, 1)
        row.addWidget(self.partner)
        self.desk_page = QWidget()
        column = QVBoxLayout(self.desk_page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addLayout(row, 1)
        column.addWidget(self.status)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.desk_page)
        self.setCentralWidget(self.pages)
        self.panels = WindowPanels(
            self,
            actions,
            self._settings,
            top=self.top,
            library=self.library,
            page=self.page,
            partner=self.partner,
            status=self.status,
        )
        self.panels.set_panes(self.page, self.partner.write.prompt, self.library.tree, self.top.title)
        self.news = MachineNews(self.workroom, self.notices, self.status, actions, writes=self._writes)
        self.notes = PageNotes(self.workroom, self.page, self.partner.polish, writes=self._writes)
        self.helper = Partner(self.workroom, self.page, self.partner.write)
        self.co_writer = self.helper.co_writer
        self.side = SidePages(self.workroom, self.phrases, self.pages, self.page.text, self, self.shortcuts)
        self.librarian = Librarian(self.workroom, self.page, self.library, self.phrases, self)
        self.at_home = AtHome(self.workroom, actions, self.shortcuts, self)
        self.memory = StoryMemory(
            self.workroom,
            self.page,
            self.partner.write,
            self.pages,
            self.phrases,
            self.side.show_writing,
            self._go_to_prompt,
        )
        self.partner.add_tab("memory", self.memory.panel)
        self.prompts = PromptDesk(
            self.workroom,
            self.pages,
            self.phrases,
            lambda: self.partner.write.controls.sampling(),
            self.side.show_writing,
        )
        self.judging = JudgingRoom(
            self.workroom, self.pages, self.phrases, self.side.show_writing, self.side.find_tuning
        )
        self.judging.settings_wanted.connect(self.partner.write.take_settings)
        self.judging.settings_given_back.connect(self.partner.write.give_settings_back)
        self.drafts = DraftRoom(self.workroom, self.page, self.pages, actions, self.phrases, self.side.show_writing)
        middle.addWidget(self.drafts.view.strip)
        self.drafts.snapshot_said.connect(self.status.say)
        self.co_writer.as_generated = self.helper.reworder.as_generated = self.drafts.as_generated
        self.side.export_opened.connect(self.drafts.offer_disclosure)
        self.side.setting_changed.connect(self._on_setting_changed)
        self.side.returned.connect(self.page.setFocus)

    # What happens

    def _join_story(self) -> None:
        manuscripts = self.workroom.manuscripts
        self.workroom.watch_page(self.page.text)
        manuscripts.story_opened.connect(self._on_story_opened)
        manuscripts.drafts_changed.connect(self._on_drafts_changed)
        manuscripts.shelf_changed.connect(self.library.show_shelf)
        manuscripts.trashed.connect(self.library.offer_undo)
        manuscripts.trashed.connect(lambda _story: self.panels.unfold_library())  # where the undo stands
        manuscripts.failed.connect(self.notices.post)
        manuscripts.something_lost.connect(self.notices.post)
        for each in (self.workroom.memory, self.workroom.shelf, self.workroom.queue):
            each.failed.connect(self.notices.post)
        self.workroom.queue.all_written.connect(self.notices.post)
        manuscripts.autosave.state_changed.connect(self.status.show_saved)
        self.page.edited.connect(self._on_edited)
        self.page.first_painted.connect(self._on_painted)
        self.empty.painted.connect(self._on_painted)
        self.empty.sample_wanted.connect(self._on_sample_wanted)
        self.at_home.sample_wanted.connect(self._on_sample_wanted)
        self.shortcuts.changed.connect(self._on_keys_changed)
        self._on_keys_changed()
        self.top.title_changed.connect(manuscripts.rename)
        self.top.draft_wanted.connect(manuscripts.open_draft)
        self.library.story_wanted.connect(manuscripts.open_story)
        self.library.draft_wanted.connect(manuscripts.open_draft)
        self.library.search_wanted.connect(manuscripts.search)
        self.library.trash_wanted.connect(manuscripts.trash_story)
        self.library.restore_wanted.connect(manuscripts.restore_story)
        self.library.delete_wanted.connect(self._on_delete_wanted)
        self.partner.write.prompt_changed.connect(self._on_prompt_changed)
        self.partner.write.set_editable(self._writes)

    def _join_machine(self) -> None:
        self.co_writer.nothing_to_go_on.connect(self._on_nothing_to_go_on)
        self.workroom.grammar.report_ready.connect(self._on_report_ready)
        self.workroom.polisher.plan_ready.connect(self._on_plan_ready)
        self.workroom.grammar.check_failed.connect(self._on_check_failed)
        self.notes.count_changed.connect(self.status.show_notes)

    def _join_actions(self) -> None:
        manuscripts = self.workroom.manuscripts
        slots: dict[str, Callable[[], object]] = {
            "new_story": lambda: manuscripts.add_story(),
            "import_story": self._choose_import,
            "keep_draft": manuscripts.keep_draft,
            "export": self.side.show_export,
            "trash_story": self._trash_open_story,
            "stop": self.workroom.writing.stop,
            "polish": self._polish,
            "next_note": lambda: self.notes.go(1),
            "previous_note": lambda: self.notes.go(-1),
            "show_fixes": self.notes.show_fixes,
            "accept_note": lambda: self.notes.accept(),
            "ignore_note": lambda: self.notes.ignore(),
            "learn_note": lambda: self.notes.learn(),
            "ignore_rule": lambda: self.notes.ignore_rule(),
            "undo": self.page.undo,
            "redo": self.page.redo,
            "search": self._search,
            "go_to_prompt": self._go_to_prompt,
            "go_to_page": self.page.setFocus,
            "tune": self.side.show_tuning,
            "models": self.side.show_models,
            "preferences": self.side.show_preferences,
            "quit": self.close,
            **self.panels.slots(),
            **self.at_home.slots(),
            **self.tools.slots(),
            **self.librarian.slots(),
            **self.memory.slots(),
            **self.drafts.slots(),
            **self.prompts.slots(),
            **self.insight.slots(),
            **self.judging.slots(),
            "show_keys": self.side.show_keys,
        }
        slots |= self.helper.slots()
        join_actions(self.actions_by_name, slots)

    def _action(self, name: str) -> QAction:
        return self.actions_by_name[name]

    def begin(self) -> None:
        """Put the last story on the page; the window may be shown after this."""
        self.workroom.start_library()
        self.workroom.manuscripts.open_first()
        if not self._writes:
            self.status.show_read_only()
            self.banner.begin()

    @Slot()
    def _on_painted(self) -> None:
        if not self._painted:
            self._painted = True
            self.first_painted.emit()

    @Slot(object)
    def _on_story_opened(self, opened: OpenStory | None) -> None:
        self.workroom.writing.drop()
        self.notes.clear()
        self.places.leave()
        self.tools.leave()
        self.centre.setCurrentWidget(self.page if opened is not None else self.empty)
        self.partner.setEnabled(opened is not None)
        self.page.set_text(opened.draft.text if opened is not None else "")
        self.drafts.begin(opened)
        self.places.enter(opened.draft.id if opened is not None else 0)
        self.partner.write.set_prompt(opened.story.prompt if opened is not None else "")
        self._on_drafts_changed(opened)
        self.tools.begin()
        self.workroom.note_replaced()
        if self.pages.currentWidget() is self.desk_page:
            (self.page if opened is not None else self.empty.new_button).setFocus()
        if self._try_prompt:
            self._try_prompt = False
            self.co_writer.go_on()

    @Slot(object)
    def _on_drafts_changed(self, opened: OpenStory | None) -> None:
        self.top.show_open(opened)
        self.library.show_open(opened)
        title = (opened.story.title or say_untitled()) if opened is not None else ""
        self.setWindowTitle(f"{title} – {PROGRAM}" if title else PROGRAM)

    @Slot(int, int, int)
    def _on_edited(self, _position: int, _removed: int, _added: int) -> None:
        self.workroom.note_change()

    @Slot(str)
    def _on_prompt_changed(self, prompt: str) -> None:
        self.workroom.manuscripts.set_prompt(prompt)
        self.workroom.note_prompt_change()

    @Slot(str)
    def _on_sample_wanted(self, prompt: str) -> None:
        self._try_prompt = True
        self.panels.unfold_partner()
        self.workroom.manuscripts.add_story("", prompt)

    @Slot(object)
    def _on_delete_wanted(self, story: Story) -> None:
        ask_to_delete(story.title or say_untitled(), self, lambda: self.workroom.manuscripts.delete_story(story.id))

    @Slot()
    def _on_nothing_to_go_on(self) -> None:
        self.notices.post(Failure(FailureCode.TEXT_EMPTY))
        self._go_to_prompt()

    def _polish(self) -> None:
        self.partner.show_tab("polish")
        self.notes.polish()

    @Slot(object)
    def _on_plan_ready(self, ready: PolishReady) -> None:
        """Show what could be mended, unless the writer has gone on to something else meanwhile."""
        for failure in ready.check.failures:
            self.notices.post(failure)
        here = self.pages.currentWidget() is self.desk_page and ready.revision == self.workroom.revision
        if ready.plan.edits and here and self._writes:
            self.side.show_polish(ready, self._put_in)

    def _put_in(self, plan: PolishPlan) -> None:
        if not self.notes.apply_plan(plan):
            self.partner.polish.say(self.tr("The text has changed meanwhile; polish it again."))

    @Slot(object)
    def _on_check_failed(self, event: GrammarFailed) -> None:
        self.notices.post(event.failure)
        if event.deep:
            self.notes.give_up()

    @Slot(object)
    def _on_report_ready(self, report: GrammarReport) -> None:
        if not report.deep:  # a polish tells everything at its end
            for failure in report.failures:
                self.notices.post(failure)

    @Slot(str)
    def _on_setting_changed(self, key: str) -> None:
        if key == GRAMMAR_LIVE.key:
            self.notes.live_changed(self._settings.get(GRAMMAR_LIVE))
        self.tools.apply_settings()
        self.workroom.look_again()

    @Slot()
    def _on_keys_changed(self) -> None:
        self.page.ghost_keys.hear(self.shortcuts.keys_on_page())

    def _choose_import(self) -> None:
        patterns = " ".join(f"*.{form}" for form in self.workroom.desk.publishing.readable_formats)
        paths, _chosen = QFileDialog.getOpenFileNames(
            self, self.tr("Import stories"), "", self.tr("Documents ({patterns})").format(patterns=patterns)
        )
        for path in paths:
            self.workroom.manuscripts.import_document(Path(path))

    @Slot()
    def _on_write_wanted(self) -> None:
        self.reopen_wanted.emit()
        self.close()

    def _trash_open_story(self) -> None:
        if self.workroom.manuscripts.opened is not None:
            self.workroom.manuscripts.trash_story(self.workroom.manuscripts.opened.story.id)

    # Panels, focus, size

    def _search(self) -> None:
        self.panels.unfold_library()
        self.library.focus_search()

    def _go_to_prompt(self) -> None:
        self.partner.show_tab("write")
        self.partner.write.prompt.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold the partner away where there is little room, and bring it back where there is enough."""
        super().resizeEvent(event)
        self.panels.fit(self.width())

    def changeEvent(self, event: QEvent) -> None:
        """Save when the writer turns to another window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.workroom.manuscripts.save_all()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save, then end every thread; a text that can't be saved keeps the window open once."""
        if self._closed:
            event.accept()
            return
        if self._writes and not self.workroom.manuscripts.autosave.flush() and not ask_to_close_unsaved(self):
            event.ignore()
            return
        if not self.side.may_close():
            event.ignore()
            return
        self._closed = True
        if self._writes:
            self.panels.keep()
            self.places.leave()
            self.partner.write.keep_settings()
        self.tools.close()
        self.drafts.close()
        self.memory.flush()
        self.prompts.flush()
        self.judging.close()
        self.notices.leave()
        self.hide()
        self.side.close()
        self.banner.close_down()
        self.librarian.close()
        self.workroom.close()
        event.accept()
