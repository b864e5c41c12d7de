"""Export, as a writer meets it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from storydesk.bridge.phrases import Phrases
from storydesk.domain.book import Author
from storydesk.domain.manuscript import Draft, Story
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.export_dialog import ExportDialog
from storydesk.ui.file_names import propose_file_name
from tests.fakes.services import make_world

STORY = Story(1, 'The Salt Road: part 1/2 "end"', "", 0.0, 0.0)


@pytest.fixture
def dialog(tmp_path: Path, resources: Path, qtbot: QtBot) -> Iterator[ExportDialog]:
    phrases = Phrases(Phrasebook(resources / "i18n" / "en.toml"))
    made = ExportDialog(STORY, "It was warm.", make_world(tmp_path).desk.publishing, phrases, folder=tmp_path)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The Salt Road", "The Salt Road"),
        ('A/B: "C" <d>?*|\\', "A B C d"),
        ("  ..hidden.. ", "hidden"),
        ("CON", "CON_"),
        ("com1.txt", "com1.txt_"),
        ("tab\tand\nline", "tab and line"),
        ("right\u202eleft", "rightleft"),
        ("Café ☕", "Café ☕"),
        ("", "Untitled"),
        ("???", "Untitled"),
        ("Das Märchen vom Tod", "Das Märchen vom Tod"),
    ],
)
def test_titles_become_names_that_every_system_takes(title: str, name: str) -> None:
    assert propose_file_name(title, "Untitled") == name


def test_a_long_title_is_cut_to_what_a_disk_holds() -> None:
    assert len(propose_file_name("ж" * 500, "Untitled").encode()) <= 180


def test_the_name_is_proposed_from_the_title(dialog: ExportDialog, tmp_path: Path) -> None:
    assert dialog.path == tmp_path / "The Salt Road part 1 2 end.docx"
    dialog.format_box.setCurrentIndex(dialog.format_box.findData("md"))
    assert dialog.path.suffix == ".md"
    dialog.name_field.setText("chapter.md")
    assert dialog.path.name == "chapter.md"


def test_a_story_is_written_and_its_place_shown(
    dialog: ExportDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.exported is not None)
    assert dialog.exported is not None
    assert "It was warm." in dialog.exported.read_text(encoding="utf-8")
    assert str(dialog.exported) in dialog.said.text()
    dialog.open_button.click()
    assert opened == [QUrl.fromLocalFile(str(dialog.exported.parent))]


def test_what_is_there_is_replaced_only_on_request(dialog: ExportDialog, qtbot: QtBot) -> None:
    dialog.path.write_text("older", encoding="utf-8")
    dialog.export_button.click()
    qtbot.waitUntil(dialog.replace_button.isVisible)
    assert dialog.path.read_text(encoding="utf-8") == "older"
    assert "replaced?" in dialog.said.text()
    dialog.name_field.setText("another")
    assert not dialog.replace_button.isVisible()
    dialog.name_field.setText(STORY.title)
    dialog.export_button.click()
    qtbot.waitUntil(dialog.replace_button.isVisible)
    dialog.replace_button.click()
    qtbot.waitUntil(lambda: dialog.exported is not None)
    assert "It was warm." in dialog.path.read_text(encoding="utf-8")


def test_an_empty_story_is_refused_in_words(tmp_path: Path, resources: Path, qtbot: QtBot) -> None:
    phrases = Phrases(Phrasebook(resources / "i18n" / "en.toml"))
    dialog = ExportDialog(STORY, "  ", make_world(tmp_path).desk.publishing, phrases, folder=tmp_path)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.export_button.click()
    qtbot.waitUntil(lambda: "no text" in dialog.said.text())
    assert dialog.export_button.isEnabled()
    dialog.close()


def test_several_stories_become_one_document(tmp_path: Path, resources: Path, qtbot: QtBot) -> None:
    world = make_world(tmp_path)
    desk = world.desk
    first = desk.manuscripts.add_story("First", text="One.")
    desk.manuscripts.add_story("Second", text="Two.")
    phrases = Phrases(Phrasebook(resources / "i18n" / "en.toml"))
    dialog = ExportDialog(
        first, "One, as it stands.", desk.publishing, phrases, folder=tmp_path, manuscripts=desk.manuscripts
    )
    qtbot.addWidget(dialog)
    dialog.show()
    assert [story.title for story in dialog.pages.chosen_stories()] == ["First"]
    dialog.pages.story_list.item(1).setCheckState(Qt.CheckState.Checked)
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.exported is not None)
    assert dialog.exported is not None
    written = dialog.exported.read_text(encoding="utf-8")
    assert "One, as it stands." in written
    assert "Two." in written
    dialog.close()


def test_who_writes_is_remembered_and_paper_asked_where_there_is_some(
    tmp_path: Path, resources: Path, qtbot: QtBot
) -> None:
    desk = make_world(tmp_path).desk
    phrases = Phrases(Phrasebook(resources / "i18n" / "en.toml"))
    dialog = ExportDialog(STORY, "It was warm.", desk.publishing, phrases, folder=tmp_path)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.pages.author_field.setText("Ann Example")
    dialog.pages.contact_field.setPlainText("12 Harbour Road\n\nPort Ellis")
    dialog.pages.page_box.setCurrentIndex(1)
    assert dialog.pages.form_box.isEnabled()
    dialog.format_box.setCurrentIndex(dialog.format_box.findData("txt"))
    assert not dialog.pages.form_box.isEnabled()
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.exported is not None)
    dialog.close()
    again = ExportDialog(STORY, "It was warm.", desk.publishing, phrases, folder=tmp_path)
    qtbot.addWidget(again)
    assert again.pages.profile.author == Author("Ann Example", "", ("12 Harbour Road", "Port Ellis"))
    assert again.pages.page_box.currentData() == "a4"
    again.close()


def test_a_book_that_is_being_gathered_can_be_left(
    qtbot: QtBot, tmp_path: Path, resources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(tmp_path)
    for number in range(3):
        world.desk.manuscripts.add_story(f"Story {number}", "", "Words.")
    stories = list(world.desk.manuscripts.list_stories())
    dialog = ExportDialog(
        stories[0],
        "Words.",
        world.desk.publishing,
        Phrases(Phrasebook(resources / "i18n" / "en.toml")),
        folder=tmp_path,
        manuscripts=world.desk.manuscripts,
    )
    qtbot.addWidget(dialog)
    dialog.show()
    for row in range(dialog.pages.story_list.count()):
        dialog.pages.story_list.item(row).setCheckState(Qt.CheckState.Checked)
    asked, go_on = threading.Event(), threading.Event()
    read = world.desk.manuscripts.open_story

    def read_slowly(story_id: int) -> Draft:
        asked.set()
        go_on.wait(5)
        return read(story_id)

    monkeypatch.setattr(world.desk.manuscripts, "open_story", read_slowly)
    dialog.export_button.click()
    assert dialog.progress.isVisible()
    assert asked.wait(5)
    dialog.close_button.click()
    go_on.set()
    qtbot.waitUntil(lambda: not dialog.progress.isVisible(), timeout=5000)
    assert dialog.isVisible()
    assert dialog.exported is None
    assert not list(tmp_path.glob("*.docx"))
