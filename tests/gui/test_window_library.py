"""The library in the window: parts, moving, details, search, trash, backups, a second window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from storydesk.bridge.library_item_model import CHAPTER, DRAFTS, PASSAGE, SCENE, STORY, Role
from storydesk.bridge.phrases import Phrases
from storydesk.domain.authorship import Kind, Source
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.library import BackupFile, BackupReason
from storydesk.domain.outline import Place, Status, StoryDetails
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.library.backups_dialog import BackupsDialog
from storydesk.ui.main_window import MainWindow
from storydesk.ui.program import offer_backup
from tests.fakes.services import FakeWorld
from tests.gui.conftest import ROOT, WAIT, make_library_world

NOVEL = """# One

Mara came first. 😀

***

Then the rain came.

# Two

The lamp was out.

# Three

It was over."""


@pytest.fixture
def novel(world: FakeWorld, open_window: Callable[[FakeWorld], MainWindow], qtbot: QtBot) -> MainWindow:
    """Return a window with a novel on the page and its parts in the library."""
    world.desk.manuscripts.add_story("Rain", text="A lamp in the rain.")
    world.desk.manuscripts.add_story("The Salt Road", text=NOVEL)
    window = open_window(world)
    qtbot.waitUntil(lambda: part_titles(window) != [], timeout=WAIT)
    return window


def part_titles(window: MainWindow) -> list[str]:
    found: list[str] = []

    def look(parent: QModelIndex) -> None:
        for row in range(window.library.model.rowCount(parent)):
            index = window.library.model.index(row, 0, parent)
            if index.data(Role.KIND) in (CHAPTER, SCENE):
                found.append(str(index.data()))
            look(index)

    look(QModelIndex())
    return found


def stories(window: MainWindow) -> list[str]:
    model = window.library.model
    rows = [model.index(row, 0) for row in range(model.rowCount())]
    return [str(index.data()) for index in rows if index.data(Role.KIND) == STORY]


def click(window: MainWindow, index: QModelIndex, qtbot: QtBot) -> None:
    tree = window.library.tree
    tree.scrollTo(index)
    place = tree.visualRect(index).center()
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


def drop(window: MainWindow, index: QModelIndex, row: int, parent: QModelIndex) -> None:
    model = window.library.model
    data = model.mimeData([index])
    assert model.canDropMimeData(data, Qt.DropAction.MoveAction, row, 0, parent)
    model.dropMimeData(data, Qt.DropAction.MoveAction, row, 0, parent)


def settle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(
        lambda: (
            window.librarian.outline.current is not None
            and window.librarian.outline.current.revision == window.workroom.revision
        ),
        timeout=WAIT,
    )


def test_chapters_and_scenes_stand_below_their_story_and_follow_the_typing(novel: MainWindow, qtbot: QtBot) -> None:
    assert part_titles(novel) == ["One", "Mara came first. 😀", "Then the rain came.", "Two", "Three"]
    novel.page.insert("\n\n# Four\n\nAnd on.")
    qtbot.waitUntil(lambda: part_titles(novel)[-1] == "Four", timeout=WAIT)
    four = novel.library.model.part_index(5)
    assert four.data(Role.WORDS) == 3
    assert "3 words" in str(four.data(Qt.ItemDataRole.AccessibleTextRole))


def test_a_click_goes_to_the_part(novel: MainWindow, qtbot: QtBot) -> None:
    click(novel, novel.library.model.part_index(3), qtbot)
    qtbot.waitUntil(lambda: novel.page.textCursor().block().text() == "# Two", timeout=WAIT)
    assert novel.page.textCursor().atBlockStart()


def test_dragging_a_chapter_moves_its_text_as_one_step(novel: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    model = novel.library.model
    story = model.find(STORY, novel.workroom.manuscripts.opened.story.id)  # type: ignore[union-attr]
    drop(novel, model.part_index(4), 0, story)
    qtbot.waitUntil(lambda: part_titles(novel)[0] == "Three", timeout=WAIT)
    assert novel.page.text().startswith("# Three\n\nIt was over.\n\n# One\n\nMara came first. 😀")
    novel.page.undo()
    assert novel.page.text() == NOVEL
    novel.page.redo()
    qtbot.waitUntil(lambda: part_titles(novel)[0] == "Three", timeout=WAIT)


def test_dragging_a_scene_into_a_chapter(novel: MainWindow, qtbot: QtBot) -> None:
    model = novel.library.model
    drop(novel, model.part_index(1), -1, model.part_index(3))
    wanted = "# One\n\nThen the rain came.\n\n# Two\n\nThe lamp was out.\n\n***\n\nMara came first. 😀\n\n# Three"
    qtbot.waitUntil(lambda: novel.page.text().startswith(wanted), timeout=WAIT)
    novel.page.undo()
    assert novel.page.text() == NOVEL


def test_who_wrote_a_part_moves_with_it(novel: MainWindow, qtbot: QtBot) -> None:
    authorship = novel.page.authorship
    authorship.begin()
    start = len("# One\n\nMara came first. 😀\n\n***\n\nThen the rain came.\n\n") + 1
    with authorship.generating(Source("key", "starter", 7, 5.0)):
        novel.page.replace(start + 7, start + 7, "Slowly. ")
    settle(novel, qtbot)
    kinds = authorship.slice(start + 7, start + 15)
    assert [origin.kind for _length, origin in kinds] == [Kind.GENERATED]
    before = authorship.runs()
    novel.librarian.outline.move(3, 0, Place.BEFORE)
    qtbot.waitUntil(lambda: novel.page.text().startswith("# Two\n\nSlowly. The lamp"), timeout=WAIT)
    assert authorship.slice(7, 15) == kinds
    novel.page.undo()
    assert authorship.runs() == before


def test_alt_and_an_arrow_move_parts_and_stories(novel: MainWindow, qtbot: QtBot) -> None:
    tree = novel.library.tree
    tree.setFocus()
    tree.setCurrentIndex(novel.library.model.part_index(3))
    QTest.keyClick(tree, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: novel.page.text().startswith("# Two\n\nThe lamp was out.\n\n# One"), timeout=WAIT)
    assert stories(novel) == ["The Salt Road", "Rain"]
    tree.setCurrentIndex(novel.library.model.find(STORY, 1))
    QTest.keyClick(tree, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: stories(novel) == ["Rain", "The Salt Road"], timeout=WAIT)


def test_dragging_stories_orders_the_shelf(novel: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    model = novel.library.model
    drop(novel, model.find(STORY, 2), model.rowCount(), QModelIndex())
    qtbot.waitUntil(lambda: stories(novel) == ["Rain", "The Salt Road"], timeout=WAIT)
    assert [story.title for story in world.desk.manuscripts.list_stories()] == ["Rain", "The Salt Road"]


def test_status_target_tags_and_note_of_a_story(novel: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    novel.actions_by_name["story_details"].trigger()
    editor = novel.library.details
    assert editor.isVisible()
    editor.status.setCurrentIndex(editor.status.findData(str(Status.REVISED)))
    editor.target.setValue(40)
    editor.tags.setFocus()
    QTest.keyClicks(editor.tags, "sea, novel")
    editor.note.setPlainText("Less rain.")
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert not editor.isVisible()
    wanted = StoryDetails(Status.REVISED, 40, ("novel", "sea"), "Less rain.")
    qtbot.waitUntil(
        lambda: (
            (known := world.desk.outlines.read_details()[2]).tags == wanted.tags
            and (known.status, known.target, known.note) == (wanted.status, wanted.target, wanted.note)
        ),
        timeout=WAIT,
    )
    item = novel.library.model.find(STORY, 2)
    qtbot.waitUntil(lambda: item.data(Role.STATUS) == "revised", timeout=WAIT)
    assert "Revised, 17 of 40 words" in str(item.data(Qt.ItemDataRole.AccessibleTextRole))
    assert novel.library.top.filter_button.isVisible()
    novel.library.top.choose(("tag", "sea"))
    assert stories(novel) == ["The Salt Road"]
    novel.library.top.choose(("", ""))
    assert stories(novel) == ["The Salt Road", "Rain"]


def test_details_of_a_part_stay_with_it(novel: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    novel.page.go_to(NOVEL.index("lamp"), NOVEL.index("lamp"))
    novel.actions_by_name["part_details"].trigger()
    editor = novel.library.details
    qtbot.waitUntil(editor.isVisible, timeout=WAIT)
    assert editor.subject is not None
    assert editor.subject.title == "Two"
    assert not editor.tags.isVisible()
    editor.target.setValue(900)
    editor.note.setPlainText("Longer.")
    novel.librarian.outline.move(3, 0, Place.BEFORE)
    qtbot.waitUntil(lambda: part_titles(novel)[0] == "Two", timeout=WAIT)
    editor.leave()
    assert novel.library.model.part_index(0).data(Role.TARGET) == 900
    novel.page.undo()
    qtbot.waitUntil(lambda: part_titles(novel)[0] == "One", timeout=WAIT)
    place = novel.page.text().index("# Two")
    novel.page.replace(place + 3, place + 6, "The Lamp")  # one unit more: the page counts the emoji as two
    qtbot.waitUntil(lambda: "The Lamp" in part_titles(novel), timeout=WAIT)
    assert novel.library.model.part_index(3).data(Role.TARGET) == 900
    novel.workroom.library.drain(5)
    kept = world.desk.outlines.read_parts(2)
    assert [(part.title, part.details.note) for part in kept if part.details.note] == [("The Lamp", "Longer.")]


def test_search_shows_passages_and_goes_to_them(novel: MainWindow, qtbot: QtBot) -> None:
    novel.library.search.setText("lamp")
    model = novel.library.model

    def found() -> list[QModelIndex]:
        return [model.index(0, 0, model.index(row, 0)) for row in range(model.rowCount())]

    qtbot.waitUntil(lambda: [index.data(Role.KIND) for index in found()] == [PASSAGE, PASSAGE], timeout=WAIT)
    click(novel, found()[0], qtbot)
    qtbot.waitUntil(lambda: novel.page.textCursor().selectedText() == "lamp", timeout=WAIT)
    assert novel.page.textCursor().block().text() == "The lamp was out."
    click(novel, found()[1], qtbot)
    qtbot.waitUntil(lambda: novel.page.text() == "A lamp in the rain.", timeout=WAIT)
    qtbot.waitUntil(lambda: novel.page.textCursor().selectedText() == "lamp", timeout=WAIT)
    novel.library.search.clear()
    qtbot.waitUntil(lambda: stories(novel) == ["The Salt Road", "Rain"], timeout=WAIT)


def test_drafts_are_folded_below_the_parts(novel: MainWindow, qtbot: QtBot) -> None:
    novel.actions_by_name["keep_draft"].trigger()
    qtbot.waitUntil(lambda: novel.library.model.find(DRAFTS, 0).isValid(), timeout=WAIT)
    group = novel.library.model.find(DRAFTS, 0)
    assert not novel.library.tree.isExpanded(group)
    click(novel, group, qtbot)
    assert novel.library.tree.isExpanded(novel.library.model.find(DRAFTS, 0))
    assert part_titles(novel)[0] == "One"


def test_everything_comes_back_from_a_backup(novel: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    dialog = novel.librarian.show_backups()
    assert isinstance(dialog, BackupsDialog)
    dialog.back_up_button.click()
    qtbot.waitUntil(lambda: dialog.backups.count() > 0 and dialog.stories.count() == 2, timeout=WAIT)
    novel.page.insert(" Written after the backup.")
    dialog.restore_library_button.click()
    qtbot.waitUntil(lambda: "as it was then" in dialog.said.text(), timeout=WAIT)
    qtbot.waitUntil(lambda: novel.page.text() == NOVEL, timeout=WAIT)
    qtbot.waitUntil(lambda: dialog.backups.count() == 2 and dialog.stories.count() == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: "Written after" in dialog.beginning.text(), timeout=WAIT)
    dialog.backups.setCurrentRow(1)
    qtbot.waitUntil(lambda: "It was over." in dialog.beginning.text(), timeout=WAIT)
    assert "Written after" not in dialog.beginning.text()
    dialog.restore_story_button.click()
    qtbot.waitUntil(lambda: len(world.desk.manuscripts.list_stories()) == 3, timeout=WAIT)
    novel.page.insert(" Saved again.")
    novel.workroom.manuscripts.save_all()
    novel.workroom.library.drain(5)
    opened = novel.workroom.manuscripts.opened
    assert opened is not None
    assert world.desk.manuscripts.load_draft(opened.draft.id).text.endswith("Saved again.")
    dialog.close()


def test_the_library_leaves_and_comes_in_as_one_file(novel: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    dialog = novel.librarian.show_backups()
    controller = novel.librarian.backups
    controller.export_library(tmp_path / "all.zip")
    qtbot.waitUntil(lambda: "2 stories written" in dialog.said.text(), timeout=WAIT)
    controller.import_library(tmp_path / "all.zip")
    qtbot.waitUntil(lambda: "2 stories added" in dialog.said.text(), timeout=WAIT)
    qtbot.waitUntil(lambda: len(stories(novel)) == 4, timeout=WAIT)
    controller.import_library(tmp_path / "nowhere.zip")
    qtbot.waitUntil(lambda: "nowhere.zip" in dialog.said.text(), timeout=WAIT)
    dialog.check_button.click()
    qtbot.waitUntil(lambda: "whole" in dialog.said.text(), timeout=WAIT)
    dialog.close()


def test_a_second_window_offers_to_write_when_the_first_is_gone(
    novel: MainWindow, tmp_path: Path, open_window: Callable[[FakeWorld], MainWindow], qtbot: QtBot
) -> None:
    second = open_window(make_library_world(tmp_path))
    assert second.banner.isVisible()
    assert not second.banner.button.isVisible()
    qtbot.waitUntil(lambda: part_titles(second) != [], timeout=WAIT)
    assert not second.library.model.flags(second.library.model.part_index(0)) & Qt.ItemFlag.ItemIsDragEnabled
    novel.close()
    second.banner.look()
    qtbot.waitUntil(second.banner.button.isVisible, timeout=WAIT)
    assert "You can write here now" in second.banner.label.text()
    with qtbot.waitSignal(second.reopen_wanted, timeout=WAIT):
        second.banner.button.click()
    assert not second.isVisible()
    third = open_window(make_library_world(tmp_path))
    assert not third.banner.isVisible()
    assert not third.page.isReadOnly()


def test_nothing_of_the_shelf_is_cut_off_at_its_width(novel: MainWindow, qapp: QApplication) -> None:
    tree = novel.library.tree
    assert tree.viewport().width() <= novel.library.width()
    for ordinal in range(5):
        index = novel.library.model.part_index(ordinal)
        assert tree.visualRect(index).height() >= tree.fontMetrics().height()
        assert tree.indexAt(tree.visualRect(index).center() + QPoint(0, 0)) == index


@pytest.mark.parametrize(
    ("wanted", "is_back"), [("Open the backup instead", True), ("Leave everything as it is", False)]
)
def test_a_damaged_library_is_not_the_end(tmp_path: Path, wanted: str, is_back: bool, qtbot: QtBot) -> None:
    used: list[BackupFile] = []

    class Recovery:
        def find(self) -> BackupFile | None:
            return BackupFile(tmp_path / "backup.sqlite3", 1e9, 10, BackupReason.DAY)

        def put_back(self, backup: BackupFile) -> Path:
            used.append(backup)
            return tmp_path

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        assert "damaged" in box.text()
        next(button for button in box.buttons() if button.text() == wanted).click()

    phrases = Phrases(Phrasebook(ROOT / "resources" / "i18n" / "en.toml"))
    failure = Failure(FailureCode.LIBRARY_DAMAGED, {"path": "library.sqlite3"})
    QTimer.singleShot(50, answer)
    assert offer_backup(phrases, failure, Recovery()) is is_back
    assert bool(used) is is_back
    assert offer_backup(phrases, Failure(FailureCode.DISK_FULL, {"path": "x"}), Recovery()) is None
