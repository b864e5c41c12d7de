"""Drafts, authorship and generations in the window: what a writer keeps, compares, takes over and tells an editor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from storydesk.domain.authorship import Kind, Tally
from storydesk.domain.draft_history import Outcome, SnapshotRule
from storydesk.services.drafts import Version
from storydesk.ui.drafts.drafts_page import DraftsPage
from storydesk.ui.drafts.generations_page import GenerationsPage
from storydesk.ui.editor.authorship_statement import StatementDialog
from storydesk.ui.export_dialog import ExportDialog
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT

Open = Callable[[FakeWorld], MainWindow]
TEXT = "Mara found it at low tide."


def _kinds(window: MainWindow) -> list[Kind]:
    return [origin.kind for _, origin in window.page.authorship.runs()]


def _take_ghost(window: MainWindow, qtbot: QtBot, words: int = 6) -> str:
    window.partner.write.words_box.setValue(words)
    window.actions_by_name["go_on"].trigger()
    writing = window.workroom.writing
    qtbot.waitUntil(lambda: bool(window.page.ghost) and not writing.is_writing, timeout=WAIT)
    # What is taken before it was measured is never measured.
    qtbot.waitUntil(lambda: writing.candidates[0].perplexity > 0, timeout=WAIT)
    ghost = window.page.ghost
    QTest.keyClick(window.page, Qt.Key.Key_Tab)
    return ghost


def _settle(window: MainWindow, qtbot: QtBot) -> None:
    window.workroom.manuscripts.save_all()
    qtbot.waitUntil(lambda: window.status.saved.text() == "Saved", timeout=WAIT)
    assert window.workroom.library.drain(5)


def _open_drafts(window: MainWindow, qtbot: QtBot) -> DraftsPage:
    window.actions_by_name["show_drafts"].trigger()
    page = window.drafts.drafts_page
    assert page is not None
    qtbot.waitUntil(lambda: page.versions.count() > 0, timeout=WAIT)
    return page


def _open_generations(window: MainWindow, qtbot: QtBot, count: int) -> GenerationsPage:
    window.actions_by_name["show_generations"].trigger()
    page = window.drafts.generations_page
    assert page is not None
    qtbot.waitUntil(lambda: page.list.count() == count, timeout=WAIT)
    return page


def test_who_wrote_what_is_saved_with_the_text_and_there_again(
    story_window: MainWindow, world: FakeWorld, open_window: Open, qtbot: QtBot
) -> None:
    assert _kinds(story_window) == [Kind.UNKNOWN]
    QTest.keyClicks(story_window.page, " And warm.")
    _take_ghost(story_window, qtbot)
    assert _kinds(story_window) == [Kind.UNKNOWN, Kind.WRITTEN, Kind.GENERATED]
    _settle(story_window, qtbot)
    draft = story_window.workroom.manuscripts.opened
    assert draft is not None
    held = world.desk.drafts.load(Version(draft.draft.id))
    assert [origin.kind for _, origin in held.runs] == [Kind.UNKNOWN, Kind.WRITTEN, Kind.GENERATED]
    source = held.runs[-1][1].source
    assert source is not None
    kept = world.desk.drafts.find_generation(source.key)
    assert kept is not None
    assert (kept.model, kept.seed, kept.outcome) == (source.model, source.seed, Outcome.ACCEPTED)
    story_window.page.undo()
    assert _kinds(story_window) == [Kind.UNKNOWN, Kind.WRITTEN]


def test_authorship_is_counted_and_seen_by_more_than_colour(story_window: MainWindow, qtbot: QtBot) -> None:
    _take_ghost(story_window, qtbot)
    assert not story_window.drafts.view.strip.isVisible()
    with qtbot.waitSignal(story_window.drafts.view.counted, timeout=WAIT) as told:
        story_window.actions_by_name["show_authorship"].trigger()
    tally = told.args[0]
    assert isinstance(tally, Tally)
    assert (tally.words[Kind.UNKNOWN], tally.words[Kind.GENERATED]) == (6, 6)
    strip = story_window.drafts.view.strip
    assert strip.isVisible()
    qtbot.waitUntil(lambda: "6 (50 %)" in strip.labels[Kind.GENERATED].text(), timeout=WAIT)
    block = story_window.page.document().firstBlock()
    looks = {(piece.start, piece.format.underlineStyle()) for piece in story_window.page.marks.compose(block) or ()}
    assert len({look for _, look in looks}) >= 2
    with qtbot.waitSignal(story_window.drafts.view.counted, timeout=WAIT):
        QTest.keyClicks(story_window.page, "x y")
    strip.close_button.click()
    assert not strip.isVisible()
    assert not story_window.actions_by_name["show_authorship"].isChecked()


def test_the_statement_says_how_much_and_by_which_model(story_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    _take_ghost(story_window, qtbot)
    story_window.actions_by_name["authorship_statement"].trigger()
    qtbot.waitUntil(lambda: bool(story_window.findChildren(StatementDialog)), timeout=WAIT)
    [dialog] = story_window.findChildren(StatementDialog)
    statement = dialog.field.toPlainText()
    assert "“The Salt Road”" in statement
    assert "6 as a language model wrote them (50 %)" in statement
    assert "Model “starter”" in statement
    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text() == statement
    dialog.save(tmp_path / "statement.txt")
    assert (tmp_path / "statement.txt").read_text(encoding="utf-8").strip() == statement
    dialog.save(tmp_path)
    assert "could not" in dialog.said.text()
    dialog.close()


def test_export_offers_the_statement_and_forgets_it_for_the_next_text(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    _take_ghost(story_window, qtbot)
    story_window.actions_by_name["export"].trigger()
    [dialog] = story_window.findChildren(ExportDialog)
    qtbot.waitUntil(lambda: "starter" in dialog.pages.disclosure_field.text(), timeout=WAIT)
    shown, kept = dialog.pages.profile, dialog.pages.kept_profile
    assert (bool(shown.disclosure), bool(kept.disclosure)) == (True, False)
    dialog.pages.disclosure_field.setText("All mine.")
    kept = dialog.pages.kept_profile
    assert kept.disclosure == "All mine."
    dialog.pages.offer_disclosure("something else")
    assert dialog.pages.disclosure_field.text() == "All mine."
    dialog.close()


def test_a_snapshot_is_compared_and_a_change_taken_over_as_one_step(story_window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(story_window.workroom.drafts.snapshot_taken, timeout=WAIT):
        story_window.actions_by_name["take_snapshot"].trigger()
    story_window.page.replace(0, 4, "Nell")
    story_window.page.insert(" The wind rose and then fell over the dark sea. She slept.")
    changed = story_window.page.text()
    page = _open_drafts(story_window, qtbot)
    qtbot.waitUntil(lambda: page.model.rowCount() == 2, timeout=WAIT)
    assert "2 changes" in page.summary.text()
    assert "Nell became Mara" in page.model.index(0).data()
    assert not page.apply_button.isEnabled()
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Space)
    assert page.apply_button.text() == "Put what is ticked into the text"
    page.apply_button.click()
    assert story_window.pages.currentWidget() is story_window.desk_page
    assert story_window.page.text() == changed.replace("Nell", "Mara")
    assert _kinds(story_window) == [Kind.UNKNOWN, Kind.WRITTEN]
    story_window.page.undo()
    assert story_window.page.text() == changed
    assert _kinds(story_window) == [Kind.WRITTEN, Kind.UNKNOWN, Kind.WRITTEN]


def test_restoring_keeps_what_was_there_as_a_snapshot(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    with qtbot.waitSignal(story_window.workroom.drafts.snapshot_taken, timeout=WAIT):
        story_window.actions_by_name["take_snapshot"].trigger()
    story_window.page.selectAll()
    QTest.keyClicks(story_window.page, "G")
    story_window.page.insert("one 😀.")
    page = _open_drafts(story_window, qtbot)
    qtbot.waitUntil(lambda: page.model.rowCount() > 0, timeout=WAIT)
    page.all_button.click()
    assert page.apply_button.text() == "Restore all of it"
    with qtbot.waitSignal(story_window.workroom.drafts.snapshot_taken, timeout=WAIT):
        page.apply_button.click()
    assert story_window.page.text() == TEXT
    assert _kinds(story_window) == [Kind.UNKNOWN]
    opened = story_window.workroom.manuscripts.opened
    assert opened is not None
    newest, *_ = world.desk.drafts.list_versions(opened.story.id).snapshots
    assert newest.rule is SnapshotRule.RESTORE
    assert world.desk.drafts.load(Version(newest.id, is_snapshot=True)).text == "Gone 😀."


def test_a_version_becomes_a_draft_of_its_own(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    with qtbot.waitSignal(story_window.workroom.drafts.snapshot_taken, timeout=WAIT):
        story_window.actions_by_name["take_snapshot"].trigger()
    story_window.page.insert(" More.")
    page = _open_drafts(story_window, qtbot)
    qtbot.waitUntil(lambda: page.model.rowCount() == 1, timeout=WAIT)
    with qtbot.waitSignal(story_window.workroom.manuscripts.story_opened, timeout=WAIT):
        page.branch_button.click()
    opened = story_window.workroom.manuscripts.opened
    assert opened is not None
    assert (story_window.page.text(), opened.draft.name, len(opened.drafts)) == (TEXT, "2", 2)
    first = opened.drafts[-1][0]
    assert world.desk.drafts.load(Version(first)).text == f"{TEXT} More."
    page = _open_drafts(story_window, qtbot)
    qtbot.waitUntil(lambda: page.versions.count() == 3, timeout=WAIT)
    page.versions.setCurrentRow(1)  # the draft that was left
    qtbot.waitUntil(lambda: page.model.rowCount() == 1, timeout=WAIT)
    page.all_button.click()
    with qtbot.waitSignal(story_window.workroom.manuscripts.story_opened, timeout=WAIT):
        page.merge_button.click()
    assert story_window.page.text() == f"{TEXT} More."
    assert story_window.workroom.manuscripts.opened is not None
    assert story_window.workroom.manuscripts.opened.draft.parent_id == opened.draft.id


def test_a_snapshot_is_named_and_deleted_in_the_list(story_window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(story_window.workroom.drafts.snapshot_taken, timeout=WAIT):
        story_window.actions_by_name["take_snapshot"].trigger()
    page = _open_drafts(story_window, qtbot)
    qtbot.waitUntil(lambda: page.versions.count() == 2, timeout=WAIT)
    page.versions.setCurrentRow(1)
    item = page.versions.currentItem()
    assert item is not None
    item.setText("The good one\nwhatever")
    qtbot.waitUntil(lambda: page.versions.item(1).text().startswith("The good one\n"), timeout=WAIT)
    assert story_window.workroom.library.drain(5)
    page.versions.setCurrentRow(1)
    page.drop_button.click()
    qtbot.waitUntil(lambda: page.versions.count() == 1, timeout=WAIT)
    QTest.keyClick(page.versions, Qt.Key.Key_Escape)
    assert story_window.pages.currentWidget() is story_window.desk_page


def test_a_snapshot_by_rule_waits_for_enough_words(story_window: MainWindow, qtbot: QtBot) -> None:
    drafts = story_window.workroom.drafts
    taken: list[object] = []
    drafts.snapshot_taken.connect(taken.append)
    drafts.take(SnapshotRule.TIME, least_words=100)
    assert story_window.workroom.library.drain(5)
    assert not taken
    story_window.page.insert(" again and again" * 40)
    assert drafts._due.isActive()
    drafts._on_due()
    qtbot.waitUntil(lambda: len(taken) == 1, timeout=WAIT)
    drafts.take(SnapshotRule.TIME, least_words=1)
    assert story_window.workroom.library.drain(5)
    assert len(taken) == 1


def test_everything_that_was_written_is_kept_with_what_became_of_it(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    taken = _take_ghost(story_window, qtbot)
    story_window.actions_by_name["go_on"].trigger()
    qtbot.waitUntil(
        lambda: bool(story_window.page.ghost) and not story_window.workroom.writing.is_writing, timeout=WAIT
    )
    QTest.keyClick(story_window.page, Qt.Key.Key_Escape)
    page = _open_generations(story_window, qtbot, 2)
    assert story_window.workroom.library.drain(5)
    qtbot.waitUntil(lambda: "passed over" in page.list.item(0).text(), timeout=WAIT)
    assert "taken" in page.list.item(1).text()
    page.list.setCurrentRow(1)
    assert page.text.toPlainText() == taken.strip()
    assert "Prompt: A door on the beach" in page.facts.text()
    assert "perplexity" in page.facts.text()


def test_a_generation_changed_in_the_text_is_said_to_be(story_window: MainWindow, qtbot: QtBot) -> None:
    _take_ghost(story_window, qtbot)
    cursor = story_window.page.textCursor()
    cursor.setPosition(len(TEXT) + 3)
    story_window.page.setTextCursor(cursor)
    QTest.keyClicks(story_window.page, "x")
    assert Kind.EDITED in _kinds(story_window)
    page = _open_generations(story_window, qtbot, 1)
    qtbot.waitUntil(lambda: "taken and changed" in page.list.item(0).text(), timeout=WAIT)


def test_a_generation_is_searched_and_put_in_again(story_window: MainWindow, qtbot: QtBot) -> None:
    ghost = _take_ghost(story_window, qtbot)
    story_window.page.undo()
    assert story_window.page.text() == TEXT
    page = _open_generations(story_window, qtbot, 1)
    page.field.setText("no such word")
    qtbot.waitUntil(lambda: page.list.count() == 0, timeout=WAIT)
    assert "Nothing holds" in page.facts.text()
    page.field.setText("bell starter")
    qtbot.waitUntil(lambda: page.list.count() == 1, timeout=WAIT)
    page.insert_button.click()
    assert story_window.page.text() == TEXT + ghost
    assert _kinds(story_window) == [Kind.UNKNOWN, Kind.GENERATED]
    story_window.page.undo()
    assert story_window.page.text() == TEXT


def test_a_generation_made_again_says_whether_it_is_the_same(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    _take_ghost(story_window, qtbot)
    page = _open_generations(story_window, qtbot, 1)
    page.repeat_button.click()
    qtbot.waitUntil(lambda: "the same, word for word" in page.said.text(), timeout=WAIT)
    world.loader.engines[-1]._script = ["other", "words", "now."]
    page.repeat_button.click()
    qtbot.waitUntil(lambda: "otherwise" in page.said.text(), timeout=WAIT)


def test_an_empty_history_says_what_will_be_there(story_window: MainWindow, qtbot: QtBot) -> None:
    story_window.actions_by_name["show_generations"].trigger()
    page = story_window.drafts.generations_page
    assert page is not None
    qtbot.waitUntil(lambda: "kept here" in page.facts.text(), timeout=WAIT)
    assert not page.insert_button.isEnabled()
    QTest.keyClick(page.list, Qt.Key.Key_Escape)
    assert story_window.pages.currentWidget() is story_window.desk_page


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_the_kinds_look_different_in_every_theme(theme: str, story_window: MainWindow) -> None:
    from PySide6.QtWidgets import QApplication

    from storydesk.ui.editor.authorship_view import make_format
    from storydesk.ui.theme import apply_theme

    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_theme(application, theme)
    looks = {make_format(kind).underlineStyle() for kind in Kind}
    assert len(looks) == len(Kind)
    assert all(isinstance(make_format(kind).underlineColor(), QColor) for kind in Kind)
