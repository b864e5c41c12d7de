"""Judging: a page of the window with the sheets, and from there rating, choosing and results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from storydesk.bridge.judging_controller import JudgingController, SheetList, SheetResults, SheetWish
from storydesk.bridge.judging_texts import TextSources, WritingPlan
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.report_sheets import ReportSheets
from storydesk.domain.failures import Failure
from storydesk.domain.judging import Criterion, Seat, Sheet, Side
from storydesk.services.judging import Imported
from storydesk.ui.assistant.controls_page import say_preset
from storydesk.ui.figures import say_number
from storydesk.ui.file_names import propose_file_name
from storydesk.ui.judging.choice_page import ChoicePage
from storydesk.ui.judging.improve_page import ImprovePage
from storydesk.ui.judging.judge_page import JudgePage
from storydesk.ui.judging.new_sheet_page import NewSheetPage
from storydesk.ui.judging.rating_page import RatingPage
from storydesk.ui.judging.results_page import ResultsPage
from storydesk.ui.judging.results_words import say_verdict
from storydesk.ui.judging.seat_page import SeatPage
from storydesk.ui.judging.sheets_page import SheetsPage

SUFFIX = ".json"


class JudgingPage(QWidget):
    """Turns between the pages of judging and joins them with their controller. GUI thread."""

    leave_wanted = Signal()

    def __init__(
        self,
        controller: JudgingController,
        phrases: Phrases,
        read_font: Callable[[], QFont],
        read_story: Callable[[], int],
        improve: ImprovePage,
        judge: JudgePage,
        report_sheets: ReportSheets,
        parent: QWidget | None = None,
    ) -> None:
        """``read_font`` gives the letters of the page, ``read_story`` the id of the open story, 0 for none.

        ``improve`` lets a model learn from what was said, ``judge`` lets models be judged by machine,
        ``report_sheets`` makes sheets of what they wrote for that.
        """
        super().__init__(parent)
        self._controller = controller
        self._phrases = phrases
        self._read_font = read_font
        self._read_story = read_story
        self._new_sheet = 0
        self._sits_down = False
        self.report_sheets = report_sheets
        self.sheets = SheetsPage()
        self.new = NewSheetPage(lambda: controller.guides)
        self.rating = RatingPage(lambda: controller.guides)
        self.choosing = ChoicePage()
        self.results = ResultsPage(lambda: controller.guides)
        self.improve = improve
        self.judge = judge
        self.pages = QStackedWidget()
        for page in (self.sheets, self.new, self.rating, self.choosing, self.results, improve, judge):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)
        self._join_pages()
        self._join_controller()

    def begin(self) -> None:
        """Show the sheets, or whatever was left half done."""
        self._controller.list_sheets()
        page = self.pages.currentWidget()
        if isinstance(page, SeatPage):
            page.take_focus()
        elif page is self.improve:
            self.improve.begin()
        elif page is self.judge:
            self.judge.begin()
        elif page is self.sheets:
            self._focus_sheets()

    def show_sheets(self) -> None:
        """Turn to the list of sheets; what was being rated goes on from there later."""
        self.pages.setCurrentWidget(self.sheets)
        self._controller.list_sheets()
        self._focus_sheets()

    def show_improving(self) -> None:
        """Turn to what a model can learn from."""
        self.pages.setCurrentWidget(self.improve)
        self.improve.begin()

    def show_judge(self) -> None:
        """Turn to what lets models be judged by machine."""
        self.pages.setCurrentWidget(self.judge)
        self.judge.begin()

    def flush(self) -> None:
        """Keep what stands in a field; call it before the window closes or turns away."""
        page = self.pages.currentWidget()
        if isinstance(page, SeatPage):
            page.leave_item()

    # Joining

    def _join_pages(self) -> None:
        sheets, judge, controller = self.sheets, self.judge, self._controller
        sheets.leave_wanted.connect(self.leave_wanted)
        sheets.new_wanted.connect(controller.find_sources)
        sheets.import_wanted.connect(self._choose_import)
        sheets.improve_wanted.connect(self.show_improving)
        sheets.judge_wanted.connect(self.show_judge)
        self.improve.leave_wanted.connect(self.show_sheets)
        self.improve.gather.sheet_wanted.connect(controller.find_sources)
        self.judge.leave_wanted.connect(self.show_sheets)
        judge.report.ratings.read_guides = lambda: controller.guides
        judge.report.duel_wanted.connect(self.report_sheets.ask_for_choices)
        judge.report.rating_wanted.connect(self.report_sheets.ask_for_ratings)
        self.report_sheets.wished.connect(self._on_sheet_wished)
        self.report_sheets.failed.connect(self._on_failed)
        sheets.rate_wanted.connect(controller.sit_down)
        sheets.results_wanted.connect(self._show_results)
        sheets.export_wanted.connect(self._choose_export)
        sheets.ratings_wanted.connect(self._choose_ratings)
        sheets.trash_wanted.connect(controller.trash)
        sheets.restore_wanted.connect(lambda sheet_id: controller.trash(sheet_id, restore=True))
        self.new.leave_wanted.connect(self._leave_new)
        self.new.story_wanted.connect(controller.read_story)
        self.new.make_wanted.connect(self._on_make_wanted)
        self.new.stop_wanted.connect(controller.stop_writing)
        self.rating.rated.connect(self._on_rated)
        self.choosing.chosen.connect(self._on_chosen)
        for page in (self.rating, self.choosing):
            page.leave_wanted.connect(self.show_sheets)
            page.results_wanted.connect(self._show_results)
            page.ended.connect(self._on_seat_ended)
        self.results.leave_wanted.connect(self.show_sheets)
        self.results.reveal_wanted.connect(controller.reveal)

    def _join_controller(self) -> None:
        controller = self._controller
        controller.listed.connect(self._on_listed)
        controller.sources_found.connect(self._on_sources_found)
        controller.story_read.connect(self.new.show_story)
        controller.added.connect(self._on_added)
        controller.writing_changed.connect(self.new.show_writing)
        controller.writing_ended.connect(self.new.end_writing)
        controller.seated.connect(self._on_seated)
        controller.not_kept.connect(self._on_not_kept)
        controller.summarised.connect(self._on_summarised)
        controller.imported.connect(self._on_imported)
        controller.exported.connect(self._on_exported)
        controller.failed.connect(self._on_failed)

    # What happens

    def _on_listed(self, found: SheetList) -> None:
        chosen, self._new_sheet = self._new_sheet, 0
        self.sheets.show_sheets(found, chosen)

    def _on_sources_found(self, sources: TextSources) -> None:
        if not self._controller.busy:
            self.new.begin(sources, self._read_story())
        self.pages.setCurrentWidget(self.new)
        self.new.name.setFocus()

    def _on_make_wanted(self, wish: SheetWish, plan: WritingPlan | None) -> None:
        if plan is None:
            self._controller.add_sheet(wish)
        else:
            self._controller.write_sheet(wish, plan, say_preset)

    def _on_added(self, sheet: Sheet) -> None:
        self._new_sheet = sheet.id
        self.sheets.say(self.tr("“{name}” is ready. Who rates it first?").format(name=sheet.name))
        sits_down, self._sits_down = self._sits_down, False
        if sits_down and self.pages.currentWidget() is self.judge:
            self._sit_down(sheet)
        if self.pages.currentWidget() is self.new:
            self.pages.setCurrentWidget(self.sheets)
            self.sheets.rate_button.setFocus()

    def _on_sheet_wished(self, wish: SheetWish) -> None:
        self._sits_down = True
        self._controller.add_sheet(wish)

    def _sit_down(self, sheet: Sheet) -> None:
        """Let whoever rated here last go on with a new sheet; somebody without a name is asked for it first."""
        name = self.sheets.rater_name
        if name:
            self._controller.sit_down(sheet.id, name)
        else:
            self.pages.setCurrentWidget(self.sheets)
            self.sheets.rater.setFocus()

    def _leave_new(self) -> None:
        self._controller.stop_writing()
        self.show_sheets()

    def _on_seated(self, seat: Seat) -> None:
        page: SeatPage = self.rating if seat.sheet.criteria else self.choosing
        self.pages.setCurrentWidget(page)
        page.begin(seat, self._read_font())

    def _on_rated(self, item_id: int, criterion: Criterion, value: int | None) -> None:
        if self.rating.seat is not None:
            self._controller.rate(self.rating.seat, item_id, criterion, value)

    def _on_chosen(self, item_id: int, side: Side | None, why: str) -> None:
        if self.choosing.seat is not None:
            self._controller.choose(self.choosing.seat, item_id, side, why)

    def _on_not_kept(self, failure: Failure) -> None:
        page = self.pages.currentWidget()
        if isinstance(page, SeatPage):
            page.show_problem(self._say(failure))
        else:
            self._on_failed(failure)

    def _on_seat_ended(self, sheet_id: int) -> None:
        self._controller.summarise(sheet_id)

    def _show_results(self, sheet_id: int) -> None:
        self.pages.setCurrentWidget(self.results)
        self.results.back_button.setFocus()
        self._controller.summarise(sheet_id)

    def _on_summarised(self, results: SheetResults) -> None:
        page = self.pages.currentWidget()
        if page is self.results:
            self.results.show_results(results)
        elif isinstance(page, SeatPage) and page.seat is not None and page.seat.sheet.id == results.card.sheet.id:
            page.show_verdict(say_verdict(results.summary))

    def _on_imported(self, imported: Imported) -> None:
        self._new_sheet = imported.sheet.id
        if imported.rater is None:
            self.sheets.say(
                self.tr("“{name}” came in: {count} to judge.").format(
                    name=imported.sheet.name, count=say_number(imported.count)
                )
                if imported.count
                else self.tr("“{name}” is here already.").format(name=imported.sheet.name)
            )
            return
        self.sheets.say(
            self.tr("{count} new from {rater} on “{name}”.").format(
                count=say_number(imported.count), rater=imported.rater.name, name=imported.sheet.name
            )
            if imported.count
            else self.tr("All that {rater} said on “{name}” is here already.").format(
                rater=imported.rater.name, name=imported.sheet.name
            )
        )

    def _on_exported(self, path: Path) -> None:
        self.sheets.say(self.tr("Saved as {path}.").format(path=str(path)))

    def _on_failed(self, failure: Failure) -> None:
        self._sits_down = False
        words = self._say(failure)
        if self.pages.currentWidget() is self.new:
            self.new.show_problem(words)
        elif self.pages.currentWidget() is self.judge:
            self.judge.report.say_problem(words)
        else:
            self.sheets.say(words, problem=True)

    # Files

    def _choose_import(self) -> None:
        path, _kind = QFileDialog.getOpenFileName(self, self.tr("Take in a file"), "", self._kinds())
        if path:
            self._controller.import_file(Path(path))

    def _choose_export(self, sheet: Sheet) -> None:
        path = self._choose_file(self.tr("Save the sheet for a friend"), sheet.name)
        if path is not None:
            self._controller.export_sheet(sheet.id, path)

    def _choose_ratings(self, sheet: Sheet, rater: str) -> None:
        path = self._choose_file(self.tr("Save what was said"), f"{sheet.name} - {rater}")
        if path is not None:
            self._controller.export_ratings(sheet.id, rater, path)

    def _choose_file(self, title: str, name: str) -> Path | None:
        proposed = f"{propose_file_name(name, 'sheet')}{SUFFIX}"
        chosen, _kind = QFileDialog.getSaveFileName(self, title, proposed, self._kinds())
        if not chosen:
            return None
        path = Path(chosen)
        return path if path.suffix else path.with_suffix(SUFFIX)

    def _kinds(self) -> str:
        return QCoreApplication.translate("Judging", "Sheets and ratings (*.json)")

    def _say(self, failure: Failure) -> str:
        return "\n".join(part for part in self._phrases.say(failure) if part)

    def _focus_sheets(self) -> None:
        (self.sheets.list if self.sheets.cards else self.sheets.new_button).setFocus()
