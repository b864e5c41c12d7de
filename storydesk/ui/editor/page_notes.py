"""Grammar notes on the page: underlines, the menu at a word, and the list beside the page, kept in step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPoint, Signal, Slot
from PySide6.QtGui import QColor, QTextCharFormat
from PySide6.QtWidgets import QMenu

from storydesk.bridge.findings import Findings
from storydesk.bridge.grammar_worker import GrammarReport
from storydesk.bridge.offsets import Utf16Map
from storydesk.bridge.polish_controller import READING
from storydesk.bridge.workroom import Workroom
from storydesk.domain.polish_plan import PolishPlan
from storydesk.domain.polishing import Category, Finding, PolishSettings
from storydesk.ui.assistant.polish_panel import PolishPanel
from storydesk.ui.editor.compositor import Mark
from storydesk.ui.editor.finding_menu import fill_finding_menu, pop_up_finding_menu
from storydesk.ui.editor.lazy_marks import LazyMarks
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.theme import current_tokens
from storydesk.ui.window_timers import make_single_shot

LAYER = "grammar"
LIST_MILLISECONDS = 250
_QUIET = (Category.STYLE, Category.TYPOGRAPHY, Category.REPETITION)


class PageNotes(QObject):
    """Joins the grammar thread with the page and its panel. GUI thread."""

    count_changed = Signal(int)

    def __init__(self, workroom: Workroom, page: PageEdit, panel: PolishPanel, *, writes: bool) -> None:
        """Listen to all three."""
        super().__init__(page)
        self._workroom = workroom
        self._page = page
        self._panel = panel
        self._writes = writes
        self.findings = Findings()
        self._reading = False
        self._progress = ""
        self._stale = False
        self._list_due = make_single_shot(self, LIST_MILLISECONDS, self._on_list_due)
        workroom.grammar.report_ready.connect(self._on_report_ready)
        workroom.polisher.report_ready.connect(self._on_report_ready)
        workroom.polisher.progress_changed.connect(self._on_progress)
        workroom.polisher.ended.connect(self.give_up)
        workroom.polish_settings_changed.connect(panel.story_menu.show_settings)
        panel.story_menu.settings_changed.connect(workroom.change_polish_settings)
        panel.story_menu.languages_wanted.connect(workroom.grammar.ask_languages)
        workroom.grammar.languages_ready.connect(panel.story_menu.show_languages)
        panel.story_menu.setEnabled(writes)
        panel.cancel_wanted.connect(workroom.polisher.cancel)
        page.edited.connect(self._on_edited)
        page.place_clicked.connect(self._on_place_clicked)
        page.menu_wanted.connect(self._on_menu_wanted)
        page.installEventFilter(self)
        panel.installEventFilter(self)
        panel.finding_chosen.connect(self._on_finding_chosen)
        panel.mend_all_wanted.connect(self.mend_all)

    def clear(self) -> None:
        """Begin afresh for another draft."""
        self._workroom.polisher.cancel()
        self._reading = False
        self.findings.clear()
        self._show()

    def go(self, step: int) -> None:
        """Go to the next (1) or previous (-1) note from the cursor."""
        shown = self.findings.shown
        if not shown:
            return
        place = self._page.textCursor().selectionStart()
        if step > 0:
            found = next((finding for finding in shown if finding.start > place), shown[0])
        else:
            found = next((finding for finding in reversed(shown) if finding.start < place), shown[-1])
        self._page.go_to(found.start, found.end)
        self._panel.choose(found)

    def show_fixes(self) -> None:
        """Open the menu of the word at the cursor, or of the note chosen in the list."""
        finding = self._current()
        if finding is not None and self._writes:
            place = self._page.viewport().mapToGlobal(self._page.cursorRect().bottomLeft())
            self._pop_up(finding, place)

    def accept(self, finding: Finding | None = None, suggestion: str | None = None) -> None:
        """Put a suggestion in, the first one where none is named; one step that can be undone."""
        finding = finding or self._current()
        if finding is None or not self._writes or (suggestion is None and not finding.suggestions):
            return
        self.findings.drop(finding)
        self._page.replace(finding.start, finding.end, finding.suggestions[0] if suggestion is None else suggestion)

    def ignore(self, finding: Finding | None = None) -> None:
        """Leave a finding as it is, in this sentence for good."""
        finding = finding or self._current()
        if finding is None:
            return
        mark = self.findings.ignore(self._page.text(), finding)
        self._show()
        if self._writes:
            settings = self._workroom.polish_settings
            self._keep(replace(settings, ignored=settings.ignored | {mark}))

    def ignore_rule(self, finding: Finding | None = None) -> None:
        """Never say again about this story what a finding says."""
        finding = finding or self._current()
        if finding is None or not self._writes:
            return
        self.findings.ignore_rule(finding.rule)
        self._show()
        settings = self._workroom.polish_settings
        self._keep(replace(settings, ignored_rules=settings.ignored_rules | {finding.rule}))

    def apply_plan(self, plan: PolishPlan) -> bool:
        """Put what is accepted of a plan on the page, as one undo step; False where the text is another."""
        if not self._writes or self._page.text() != plan.text:
            return False
        units = Utf16Map(plan.text)
        self._page.reworking.emit("polish")
        cursor = self._page.textCursor()
        cursor.beginEditBlock()
        for edit in reversed(plan.edits):
            if edit.accepted:
                cursor.setPosition(units.to_units(edit.finding.start))
                cursor.setPosition(units.to_units(edit.finding.end), cursor.MoveMode.KeepAnchor)
                cursor.insertText(edit.replacement)
        cursor.endEditBlock()
        return True

    def _keep(self, settings: PolishSettings) -> None:
        self._panel.story_menu.show_settings(settings)
        self._workroom.change_polish_settings(settings)

    def learn(self, finding: Finding | None = None) -> None:
        """Put the word into the writer's dictionary."""
        finding = finding or self._current()
        if finding is None or finding.category is not Category.SPELLING or not self._writes:
            return
        word = self._words(finding)
        self.findings.learn(self._page.text(), word)
        self._show()

        def on_learnt(_done: object) -> None:
            self._workroom.look_again()

        self._workroom.manuscripts.learn_word(word, on_learnt)

    @Slot()
    def mend_all(self) -> None:
        """Put in every first suggestion that is no matter of style, as one step that can be undone."""
        clear = [
            finding
            for finding in self.findings.shown
            if finding.suggestions and finding.category is not Category.STYLE and not finding.doubtful
        ]
        if not clear or not self._writes:
            return
        self._page.reworking.emit("polish")
        cursor = self._page.textCursor()
        cursor.beginEditBlock()
        for finding in reversed(clear):
            cursor.setPosition(finding.start)
            cursor.setPosition(finding.end, cursor.MoveMode.KeepAnchor)
            cursor.insertText(finding.suggestions[0])
        cursor.endEditBlock()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Draw the underlines in the colours of another theme; list what is about to be seen."""
        if watched is self._page and event.type() == QEvent.Type.PaletteChange:
            self._mark()
        elif watched is self._panel and event.type() == QEvent.Type.Show and self._stale:
            self._list_due.start(0)
        return super().eventFilter(watched, event)

    def _current(self) -> Finding | None:
        cursor = self._page.textCursor()
        found = self.findings.find_at(cursor.selectionStart())
        if found is None and self._panel.isVisible():
            chosen = self._panel.current
            found = chosen if chosen in self.findings.shown else None
        return found

    def _words(self, finding: Finding) -> str:
        return self._page.text_at(finding.start, finding.end)

    def _choices(self, finding: Finding) -> dict[str, Callable[..., None]]:
        return {
            "accept": lambda suggestion: self.accept(finding, suggestion),
            "ignore": lambda: self.ignore(finding),
            "ignore_rule": lambda: self.ignore_rule(finding),
            "learn": lambda: self.learn(finding),
        }

    def _pop_up(self, finding: Finding, place: QPoint) -> None:
        self._panel.choose(finding)
        pop_up_finding_menu(self._page, finding, place, **self._choices(finding))

    def polish(self) -> None:
        """Let every checker read the whole text; the panel says so until it is done."""
        self._reading = True
        self._workroom.polish()

    def give_up(self) -> None:
        """Say again how many notes there are, after a deep check that came to nothing."""
        self._reading = False
        self._list()

    def live_changed(self, live: bool) -> None:
        """Take the quick pass's marks away where it was turned off."""
        if not live:
            self.findings.set_quick(self._page.text(), ())
            self._show()

    def _show(self) -> None:
        self._mark()
        self._list()

    @Slot()
    def _on_list_due(self) -> None:
        if self._panel.isVisible():
            self._list()
        else:
            self._stale = True  # to look where thousands of notes are now is too much for nobody

    def _list(self) -> None:
        self._list_due.stop()
        self.count_changed.emit(len(self.findings.shown))
        if not self._panel.isVisible() and self._panel.list.count():
            self._stale = True  # nobody sees it; it is listed again when somebody does
            return
        self._stale = False
        self._panel.show_findings(self.findings.shown, self._words)
        if self._reading:
            self._panel.say(self._progress)
        self._panel.show_busy(self._reading)

    def _mark(self) -> None:
        tokens = current_tokens()
        formats = {}
        for quiet in (False, True):
            marked = QTextCharFormat()
            dotted, wave = QTextCharFormat.UnderlineStyle.DotLine, QTextCharFormat.UnderlineStyle.WaveUnderline
            marked.setUnderlineStyle(dotted if quiet else wave)
            marked.setUnderlineColor(QColor(tokens.accent if quiet else tokens.problem))
            formats[quiet] = marked
        self._page.marks.set_layer(
            LAYER,
            LazyMarks(
                tuple(self.findings.shown),
                lambda finding: Mark(finding.start, finding.end, formats[finding.category in _QUIET]),
            ),
        )

    @Slot(str, int, int)
    def _on_progress(self, stage: str, done: int, total: int) -> None:
        words = self.tr("Reading closely …") if stage == READING else self.tr("Asking your model …")
        self._progress = f"{words} {100 * done // total} %" if total else words
        if self._reading:
            self._panel.say(self._progress)
            self._panel.show_busy(True)

    @Slot(object)
    def _on_report_ready(self, report: GrammarReport) -> None:
        if report.deep and report.revision != self._workroom.revision:
            self.findings.set_deep_late(report.text, self._page.text(), report.findings)
        elif report.revision != self._workroom.revision:
            return  # the next quick pass is on its way
        elif report.deep:
            self.findings.set_deep(report.text, report.findings)
        else:
            self.findings.set_quick(report.text, report.findings)
        self._show()

    @Slot(int, int, int)
    def _on_edited(self, position: int, removed: int, added: int) -> None:
        if self.findings.shift(position, removed, added):  # the underlines follow by themselves
            self._list_due.start()  # the list beside the page can wait for the end of the word

    @Slot(int, QPoint)
    def _on_place_clicked(self, place: int, on_screen: QPoint) -> None:
        finding = self.findings.find_at(place)
        if finding is not None and self._writes and place < finding.end:
            self._pop_up(finding, on_screen)

    @Slot(object, int)
    def _on_menu_wanted(self, menu: QMenu, place: int) -> None:
        finding = self.findings.find_at(place)
        if finding is not None and self._writes:
            first = menu.actions()[0] if menu.actions() else None
            fill_finding_menu(menu, finding, before=first, **self._choices(finding))

    @Slot(object)
    def _on_finding_chosen(self, finding: Finding) -> None:
        if finding in self.findings.shown:
            self._page.go_to(finding.start, finding.end)
