"""Judging as people go through it: sheets are made, rated and chosen from by keys, sent, taken in, and added up."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from storydesk.domain.judging import SHORT, Criterion, Entry, Side
from storydesk.domain.pairwise import FEWEST
from storydesk.services.judging import JudgingService
from storydesk.storage.judging import SqliteJudging
from storydesk.storage.library import SqliteLibrary
from storydesk.ui.judging.figure_table import FigureTable
from storydesk.ui.judging.judging_page import JudgingPage
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT
from tests.gui.judging_places import make_entries

OpenWindow = Callable[[FakeWorld], MainWindow]
THREE = (Criterion.COHERENCE, Criterion.CREATIVITY, Criterion.OVERALL)


def press(*keys: Qt.Key) -> None:
    """Press keys wherever the focus is."""
    for key in keys:
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClick(focused, key)


def type_text(text: str) -> None:
    """Type letters wherever the focus is."""
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClicks(focused, text)


@pytest.fixture
def judging(story_window: MainWindow, qtbot: QtBot) -> JudgingPage:
    """Return the page of judging, opened by its action, before there is a sheet."""
    story_window.activateWindow()
    qtbot.waitUntil(story_window.isActiveWindow, timeout=WAIT)
    story_window.actions_by_name["judge"].trigger()
    page = story_window.judging.page
    assert story_window.pages.currentWidget() is page
    qtbot.waitUntil(lambda: page.sheets.empty.isVisible(), timeout=WAIT)
    return page


def read_cell(table: FigureTable, row: int, column: int, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> str:
    """Return what a table says to the eye, or to a screen reader."""
    return str(table.model().index(row, column).data(role))


def show_sheets(page: JudgingPage, count: int, qtbot: QtBot) -> None:
    page.show_sheets()
    qtbot.waitUntil(lambda: len(page.sheets.cards) == count, timeout=WAIT)


def sit_down(page: JudgingPage, name: str, qtbot: QtBot) -> None:
    page.sheets.rater.setCurrentText(name)
    page.sheets.rate_button.click()
    seats = (page.rating, page.choosing)
    qtbot.waitUntil(lambda: page.pages.currentWidget() in seats, timeout=WAIT)
    if page.rating.isVisible() and page.rating.current is not None:  # what is put into a layout is shown a moment later
        qtbot.waitUntil(lambda: all(row.isVisible() for row in page.rating.rows), timeout=WAIT)


def test_a_sheet_is_rated_by_keys_left_and_gone_on_with(
    story_window: MainWindow, judging: JudgingPage, qtbot: QtBot
) -> None:
    desk = story_window.workroom.desk
    entries = [each for each in make_entries(2) if each.contender != "Letters"]
    sheet = desk.judging.add_sheet("Two voices", entries, THREE, seed=3)
    show_sheets(judging, 1, qtbot)

    judging.sheets.rate_button.click()  # nobody is named: it says so instead of rating as nobody
    assert "name" in judging.sheets.said.text()
    assert judging.pages.currentWidget() is judging.sheets

    sit_down(judging, "Mara", qtbot)
    page = judging.rating
    shown = " ".join(label.text() for label in page.findChildren(type(page.title)))
    assert "starter" not in shown
    assert "Sea tales" not in shown.replace("Two voices", "")
    assert page.text.toPlainText() in {entry.text for entry in entries}
    assert [row.guide.criterion for row in page.rows] == list(THREE)
    assert page.rows[0].inside.isVisible()
    assert not page.rows[1].inside.isVisible()
    assert page.rows[0].points[4].text().endswith(page.rows[0].guide.anchors[4])

    press(Qt.Key.Key_4, Qt.Key.Key_2)
    assert [row.value for row in page.rows] == [4, 2, None]
    press(Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_5)  # back to the first, which gets another point
    assert [row.value for row in page.rows] == [5, 2, None]
    press(Qt.Key.Key_3)
    assert page.bar.value() == 1
    first = (page.prompt.toPlainText(), page.text.toPlainText())
    press(Qt.Key.Key_Return)
    assert page.said.text().startswith("2 of 4")
    press(Qt.Key.Key_1, Qt.Key.Key_0)  # a point, and it is taken back: the criterion is asked again
    press(Qt.Key.Key_Return, Qt.Key.Key_4)  # the second one is passed over
    with qtbot.waitSignal(judging._controller.listed, timeout=WAIT):
        press(Qt.Key.Key_Escape)
    assert judging.sheets.rate_button.text() == "Go on"
    assert "Mara 1 of 4" in judging.sheets.list.item(0).text()

    seat = desk.judging.sit_down(sheet.id, desk.judging.add_rater("mara").id)
    said = {place: dict(item.ratings) for place, item in enumerate(seat.items) if item.ratings}
    assert said[0] == dict(zip(THREE, (5, 2, 3), strict=True))
    assert 2 in said

    sit_down(judging, "Mara", qtbot)
    assert page.place == 1, "it goes on with what was passed over"
    press(Qt.Key.Key_Backspace)
    assert (page.prompt.toPlainText(), page.text.toPlainText()) == first
    assert [row.value for row in page.rows] == [5, 2, 3]
    press(*[Qt.Key.Key_Return] + [Qt.Key.Key_4] * 3 + [Qt.Key.Key_Return])
    assert [row.value for row in page.rows].count(4) == 1, "the key pressed before is still there"
    press(Qt.Key.Key_4, Qt.Key.Key_4, Qt.Key.Key_Return, *[Qt.Key.Key_4] * 3)
    with qtbot.waitSignal(judging._controller.summarised, timeout=WAIT):
        press(Qt.Key.Key_Return)
    assert "last one" in page.end_words.text()
    assert page.end.isVisible()
    assert "Not enough texts yet" in page.verdict.text()
    assert desk.judging.sit_down(sheet.id, seat.rater.id).next_open is None

    show_sheets(judging, 1, qtbot)
    qtbot.waitUntil(lambda: "Mara finished" in judging.sheets.list.item(0).text(), timeout=WAIT)
    sit_down(judging, "Mara", qtbot)
    qtbot.waitUntil(page.end.isVisible, timeout=WAIT)
    press(Qt.Key.Key_Backspace, Qt.Key.Key_1)
    assert [row.value for row in page.rows] == [1, 4, 4], "who comes back may think again"


def test_a_click_on_a_point_rates_too(story_window: MainWindow, judging: JudgingPage, qtbot: QtBot) -> None:
    story_window.workroom.desk.judging.add_sheet("One", make_entries(1), THREE, seed=3)
    show_sheets(judging, 1, qtbot)
    sit_down(judging, "Jo", qtbot)
    rows = judging.rating.rows
    rows[2].head.click()
    assert rows[2].inside.isVisible()
    assert not rows[0].inside.isVisible()
    with qtbot.waitSignal(judging._controller.kept, timeout=WAIT):
        rows[2].points[1].click()
    assert rows[2].value == 2
    assert "2 of 5" in rows[2].head.accessibleName()


def test_two_are_chosen_between_by_keys_until_there_is_a_result(
    story_window: MainWindow, judging: JudgingPage, qtbot: QtBot
) -> None:
    desk = story_window.workroom.desk
    entries = [each for each in make_entries(FEWEST + 4) if each.contender != "Letters"]
    writers = {(entry.prompt, entry.text): entry.contender for entry in entries}
    sheet = desk.judging.add_pairs("Duel", entries, seed=5)
    show_sheets(judging, 1, qtbot)
    sit_down(judging, "Mara", qtbot)
    page = judging.choosing

    def find_side() -> Side:
        left = writers[page.prompt.toPlainText(), page.texts[0].toPlainText()]
        return Side.LEFT if left == "Sea tales" else Side.RIGHT

    def prefer() -> None:
        press(Qt.Key.Key_Left if find_side() is Side.LEFT else Qt.Key.Key_Right)

    prefer()
    liked = page.buttons[find_side()]
    assert liked.isChecked()
    press(Qt.Key.Key_W)
    type_text("it moves 12")
    assert liked.isChecked(), "letters of a reason choose nothing"
    press(Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert page.bar.value() == 2
    press(Qt.Key.Key_Backspace, Qt.Key.Key_Backspace)
    assert page.why.text() == "it moves 12"
    assert liked.isChecked()
    press(Qt.Key.Key_Escape)

    judging.sheets.results_button.click()
    qtbot.waitUntil(lambda: judging.results.results is not None, timeout=WAIT)
    assert "Not enough choices yet" in judging.results.verdict.text()
    assert "more" in judging.results.verdict.text()
    judging.results.back_button.click()

    sit_down(judging, "Mara", qtbot)
    assert page.place == 2
    while page.current is not None:
        prefer()
        press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "is chosen more often" in page.verdict.text(), timeout=WAIT)
    assert "Sea tales" not in page.verdict.text(), "still blind"
    page.results_button.click()
    results = judging.results
    qtbot.waitUntil(lambda: results.results is not None and results.results.summary.choices == len(entries) // 2)
    table = results.duels
    headings = [str(table.model().headerData(at, Qt.Orientation.Horizontal)) for at in range(table.columnCount())]
    share = headings.index("The first wins")
    assert " to " in read_cell(table, 0, share)
    assert "The first wins" in read_cell(table, 0, share, Qt.ItemDataRole.AccessibleTextRole)
    assert read_cell(results.ranking, 0, 0) == "1"
    assert "Only one person" in read_cell(results.agreement, 0, results.agreement.columnCount() - 1)

    results.reveal_button.click()
    assert "nobody here can rate" in results.ask_words.text()
    results.keep_blind_button.click()
    assert not desk.judging.load_sheet(sheet.id).sheet.revealed
    results.reveal_button.click()
    results.sure_button.click()
    qtbot.waitUntil(lambda: read_cell(results.ranking, 0, 1) == "Sea tales", timeout=WAIT)
    assert not results.reveal_button.isVisible()
    show_sheets(judging, 1, qtbot)
    qtbot.waitUntil(lambda: not judging.sheets.rate_button.isEnabled(), timeout=WAIT)


def test_a_friends_ratings_come_in_and_a_tampered_file_says_its_sentence(
    story_window: MainWindow, judging: JudgingPage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = story_window.workroom.desk
    desk.judging.add_sheet("For Ines", make_entries(1), THREE, seed=4)
    show_sheets(judging, 1, qtbot)
    sheet_file, ratings_file = tmp_path / "sheet.json", tmp_path / "ratings.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(sheet_file.with_suffix("")), ""))
    judging.sheets.export_button.click()
    qtbot.waitUntil(sheet_file.exists, timeout=WAIT)
    qtbot.waitUntil(lambda: str(sheet_file) in judging.sheets.said.text(), timeout=WAIT)
    assert "Sea tales" not in sheet_file.read_text(encoding="utf-8")

    library = SqliteLibrary(tmp_path / "ines.sqlite")
    friend = JudgingService(SqliteJudging(library), lambda: desk.judging.guides)
    theirs = friend.import_file(sheet_file).sheet
    ines = friend.add_rater("Ines")
    item = friend.sit_down(theirs.id, ines.id).items[0]
    friend.rate(theirs.id, ines.id, item.item_id, THREE[0], 4)
    friend.export_ratings(theirs.id, ines.id, ratings_file)
    library.close()

    record = json.loads(ratings_file.read_text(encoding="utf-8"))
    record["ratings"][0]["value"] = 5
    tampered = tmp_path / "tampered.json"
    tampered.write_text(json.dumps(record), encoding="utf-8")
    foreign = tmp_path / "foreign.json"
    foreign.write_text("[1, 2]", encoding="utf-8")

    def says(path: Path) -> bool:
        return str(path) in judging.sheets.said.text()

    for path, said in ((tampered, "changed"), (foreign, "no rating sheet and no ratings")):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, path=path: (str(path), ""))
        judging.sheets.import_button.click()
        qtbot.waitUntil(partial(says, path), timeout=WAIT)
        assert said in judging.sheets.said.text()
    assert not desk.judging.list_raters(guests=True)

    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(ratings_file), ""))
    judging.sheets.import_button.click()
    qtbot.waitUntil(lambda: "1 new from Ines" in judging.sheets.said.text(), timeout=WAIT)
    judging.sheets.import_button.click()
    qtbot.waitUntil(lambda: "here already" in judging.sheets.said.text(), timeout=WAIT)


def test_a_sheet_that_was_deleted_comes_back(story_window: MainWindow, judging: JudgingPage, qtbot: QtBot) -> None:
    story_window.workroom.desk.judging.add_sheet("Gone", make_entries(1), THREE)
    show_sheets(judging, 1, qtbot)
    judging.sheets.list.setFocus()
    press(Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not judging.sheets.cards, timeout=WAIT)
    assert judging.sheets.empty.isVisible()
    assert "Gone" in judging.sheets.undo_bar.label.text()
    judging.sheets.undo_bar.button.click()
    qtbot.waitUntil(lambda: len(judging.sheets.cards) == 1, timeout=WAIT)


def test_a_sheet_is_made_of_what_models_wrote_and_of_drafts(
    story_window: MainWindow, judging: JudgingPage, qtbot: QtBot
) -> None:
    desk = story_window.workroom.desk
    opened = story_window.workroom.manuscripts.opened
    assert opened is not None
    for model, text in (("starter", "The door was warm."), ("Sea tales", "The sea knocked.")):
        request = desk.writing.request("A door on the beach", words=20, seed=1, model=model)
        desk.drafts.keep_generation(f"key of {model}", opened.draft.id, request, model, text)
    judging.sheets.new_button.click()
    qtbot.waitUntil(lambda: judging.pages.currentWidget() is judging.new, timeout=WAIT)
    page = judging.new
    qtbot.waitUntil(lambda: page.picker.texts.count() == 2, timeout=WAIT)
    assert not page.make_button.isEnabled()
    assert page.chosen_criteria == SHORT
    page.picker.all_button.click()
    page.pair_choice.setChecked(True)
    assert "Pairs to choose from: 1" in page.count.text()
    page.picker.source.setCurrentIndex(1)
    qtbot.waitUntil(lambda: page.picker.texts.count() == 1, timeout=WAIT)
    page.picker.texts.setFocus()
    page.picker.texts.setCurrentRow(0)
    press(Qt.Key.Key_Space)
    assert "Texts: 3. Pairs to choose from: 3." in page.count.text()
    page.name.setText("  Which   door ")
    page.make_button.click()
    qtbot.waitUntil(lambda: len(judging.sheets.cards) == 1, timeout=WAIT)
    assert judging.pages.currentWidget() is judging.sheets
    assert judging.sheets.cards[0].sheet.name == "Which door"
    entries = [
        each for item in desk.judging.load_sheet(judging.sheets.cards[0].sheet.id).items for each in item.entries
    ]
    assert {entry.contender for entry in entries} == {"starter", "Sea tales", "The Salt Road, Draft 1"}


def test_models_write_a_sheet_and_can_be_stopped(
    story_window: MainWindow, judging: JudgingPage, world: FakeWorld, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: world.desk.engines.loaded is not None, timeout=WAIT)
    judging.sheets.new_button.click()
    qtbot.waitUntil(lambda: judging.pages.currentWidget() is judging.new, timeout=WAIT)
    page = judging.new
    page.picker.source.setCurrentIndex(2)
    assert not page.make_button.isEnabled()
    page.picker.presets.tick((0, 2))
    page.picker.prompts.tick()
    page.pair_choice.setChecked(True)
    assert "Pairs to choose from: 3" in page.count.text()
    page.make_button.click()
    assert page.stop_button.isVisible()
    assert not page.inside.isEnabled()
    page.stop_button.click()
    assert page.make_button.isVisible()
    assert page.inside.isEnabled()
    page.make_button.click()
    qtbot.waitUntil(lambda: len(judging.sheets.cards) == 1, timeout=WAIT)
    content = world.desk.judging.load_sheet(judging.sheets.cards[0].sheet.id)
    assert len(content.items) == 3
    entries = [entry for item in content.items for entry in item.entries]
    assert {entry.contender for entry in entries} == {"starter, Careful", "starter, Balanced", "starter, Wild"}
    assert all(json.loads(entry.made_by)["settings"] for entry in entries)


def test_a_choice_that_can_not_be_kept_is_said(story_window: MainWindow, judging: JudgingPage, qtbot: QtBot) -> None:
    desk = story_window.workroom.desk
    sheet = desk.judging.add_pairs("Duel", make_entries(1))
    show_sheets(judging, 1, qtbot)
    sit_down(judging, "Jo", qtbot)
    desk.judging.reveal(sheet.id)
    with qtbot.waitSignal(judging._controller.not_kept, timeout=WAIT):
        press(Qt.Key.Key_Left)
    assert "no more ratings" in judging.choosing.problem.text()


def test_narrow_windows_stack_the_two_texts(story_window: MainWindow, judging: JudgingPage, qtbot: QtBot) -> None:
    story_window.workroom.desk.judging.add_pairs("Duel", make_entries(1))
    show_sheets(judging, 1, qtbot)
    sit_down(judging, "Jo", qtbot)
    story_window.resize(1200, 800)
    qtbot.waitUntil(lambda: judging.choosing.texts[0].y() == judging.choosing.texts[1].y(), timeout=WAIT)
    story_window.resize(520, 800)
    qtbot.waitUntil(lambda: judging.choosing.texts[0].y() < judging.choosing.texts[1].y(), timeout=WAIT)
    assert judging.choosing.buttons[Side.LEFT].text() == "The upper one is better"
    name = QAccessible.queryAccessibleInterface(judging.choosing.texts[0]).text(QAccessible.Text.Name)
    assert name == "The first text"


def test_a_text_without_a_prompt_shows_none(story_window: MainWindow, judging: JudgingPage, qtbot: QtBot) -> None:
    story_window.workroom.desk.judging.add_sheet("Bare", [Entry("", "Nobody knew.", "starter")], THREE)
    show_sheets(judging, 1, qtbot)
    sit_down(judging, "Jo", qtbot)
    assert not judging.rating.prompt.isVisible()
    assert judging.rating.text.toPlainText() == "Nobody knew."
