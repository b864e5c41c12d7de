"""Memory, lorebook, what the model will see, prompts and the queue, as a writer uses them in the window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.lorebook_formats import LoreFormat
from storydesk.domain.memory import StoryMemory
from storydesk.domain.prompt_shelf import ShelfPrompt
from storydesk.domain.settings import QUEUE_PAUSED
from storydesk.domain.whole_story import StoryState, StoryWish
from storydesk.ui.main_window import MainWindow
from storydesk.ui.memory.lorebook_page import LorebookPage
from storydesk.ui.prompts.queue_list import QueueList
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT

Open = Callable[[FakeWorld], MainWindow]


@pytest.fixture
def memory_window(world: FakeWorld, open_window: Open, qtbot: QtBot) -> MainWindow:
    """Return a window on a story with memory, note and two entries, its Memory tab in front."""
    story = world.desk.manuscripts.add_story("The Salt Road", "A door on the beach", "Mara found it.\n\nTom saw.")
    world.desk.memory.keep_memory(story.id, StoryMemory("An island.", "Cold.", 1))
    world.desk.memory.keep_entries(
        story.id,
        [LoreEntry(title="Mara", text="She keeps the light.", keys=("Mara",)), LoreEntry(title="Ferry", text="Six.")],
    )
    window = open_window(world)
    window.actions_by_name["show_memory"].trigger()
    qtbot.waitUntil(lambda: "She keeps" in _seen(window), timeout=WAIT)
    return window


def _seen(window: MainWindow) -> str:
    return window.memory.panel.context.text.toPlainText()


def _lorebook(window: MainWindow) -> LorebookPage:
    window.actions_by_name["lorebook"].trigger()
    return window.memory.lorebook


def _item(queue: QueueList, row: int) -> QTreeWidgetItem:
    item = queue.list.topLevelItem(row)
    assert item is not None
    return item


def _story_id(window: MainWindow) -> int:
    opened = window.workroom.manuscripts.opened
    assert opened is not None
    return opened.story.id


def test_every_word_that_the_model_will_see_is_shown_by_parts(memory_window: MainWindow) -> None:
    shown = _seen(memory_window)
    parts = ["Memory", "An island.", "Mara · by “Mara”", "She keeps", "Prompt", "A door", "Your text", "Mara found it."]
    parts += ["Author’s note", "Cold.", "Tom saw."]
    places = [shown.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert "Six." not in shown
    context = memory_window.memory.panel.context
    assert "of" in context.figures.text()
    assert "Lorebook" in context.bar.accessibleName()


def test_what_is_written_and_changed_is_seen_soon(memory_window: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClicks(memory_window.page, " The ferry came.")
    qtbot.waitUntil(lambda: "Six." in _seen(memory_window), timeout=WAIT)
    memory_window.memory.panel.note.setPlainText("Warm now.")
    qtbot.waitUntil(lambda: "Warm now." in _seen(memory_window), timeout=WAIT)
    entry = next(each for each in memory_window.workroom.memory.page.entries if each.title == "Mara")
    memory_window.memory.panel.context.text.anchorClicked.emit(QUrl(f"off:{entry.id}"))
    qtbot.waitUntil(lambda: "She keeps" not in _seen(memory_window), timeout=WAIT)
    assert "2 entries, 1 on" in memory_window.memory.panel.entries.text()
    memory_window.memory.panel.context.text.anchorClicked.emit(QUrl("edit:note"))
    assert memory_window.memory.panel.note.hasFocus()
    memory_window.memory.panel.context.text.anchorClicked.emit(QUrl("edit:prompt"))
    assert memory_window.partner.write.prompt.hasFocus()


def test_memory_is_on_disk_after_closing(memory_window: MainWindow, world: FakeWorld) -> None:
    story_id = _story_id(memory_window)
    memory_window.memory.panel.memory.setPlainText("A large island.")
    memory_window.memory.panel.depth_box.setValue(2)
    memory_window.workroom.memory.save_now()
    memory_window.workroom.library.drain(5)
    kept = world.desk.memory.load(story_id).memory
    assert (kept.memory, kept.author_note, kept.note_depth) == ("A large island.", "Cold.", 2)


def test_going_on_is_reminded_of_everything(memory_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    memory_window.actions_by_name["go_on"].trigger()
    qtbot.waitUntil(lambda: bool(memory_window.page.ghost), timeout=WAIT)
    context = world.loader.engines[0].requests[-1].context
    assert context.startswith("An island.\n\nShe keeps the light.\n\nPrompt: A door on the beach")
    assert "[Author's note: Cold.]\n\nTom saw." in context


def test_names_in_the_lorebook_are_no_slips(world: FakeWorld, story_window: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClicks(story_window.page, " teh end")
    qtbot.waitUntil(lambda: "1" in story_window.status.notes.text(), timeout=WAIT)
    story_window.workroom.memory.keep_entries([LoreEntry(title="The Teh", text="A people.")])
    qtbot.waitUntil(lambda: "1" not in story_window.status.notes.text(), timeout=WAIT)


def test_entries_are_added_changed_found_and_brought_back(
    memory_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    page, memory = _lorebook(memory_window), memory_window.workroom.memory
    page.add_button.click()
    qtbot.waitUntil(lambda: page.form.title.text() == "New entry", timeout=WAIT)
    page.form.title.setText("Tom")
    page.form.keys.setText("Tom, /[/")
    page.form.text.setPlainText("Her brother.")
    assert "/[/" in page.form.unusable.text()
    page.form.flush()
    assert {entry.title for entry in memory.page.entries} == {"Ferry", "Mara", "Tom"}
    page.search.setText("brother")
    assert page.list.count() == 1
    page.duplicate_button.click()
    qtbot.waitUntil(lambda: len(memory.page.entries) == 4, timeout=WAIT)
    assert page.form.title.text() == "Tom (copy)"
    page.list.selectAll()
    page.delete_button.click()
    assert memory.page.entries == ()
    page.undo_bar.button.click()
    qtbot.waitUntil(lambda: len(memory.page.entries) == 4, timeout=WAIT)
    memory_window.workroom.library.drain(5)
    assert len(world.desk.memory.load(_story_id(memory_window)).entries) == 4
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert memory_window.pages.currentWidget() is memory_window.desk_page


def test_an_entry_is_switched_off_in_the_list(memory_window: MainWindow, qtbot: QtBot) -> None:
    page = _lorebook(memory_window)
    page.choose(next(entry.id for entry in memory_window.workroom.memory.page.entries if entry.title == "Mara"))
    page.list.currentItem().setCheckState(Qt.CheckState.Unchecked)
    qtbot.waitUntil(lambda: not page.form.enabled.isChecked(), timeout=WAIT)
    assert [entry.enabled for entry in memory_window.workroom.memory.page.entries] == [True, False]


def test_lorebooks_come_in_and_go_out(memory_window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    page = _lorebook(memory_window)
    path = tmp_path / "world.json"
    world_info = {"entries": {"0": {"key": ["whaler"], "content": "She has no name.", "comment": "The whaler"}}}
    path.write_text(json.dumps(world_info), encoding="utf-8")
    memory_window.workroom.memory.import_lorebook(path)
    qtbot.waitUntil(lambda: "1 entry came in" in page.said.text(), timeout=WAIT)
    page.export(tmp_path / "out", LoreFormat.NOVELAI)
    qtbot.waitUntil(lambda: "out.lorebook" in page.said.text(), timeout=WAIT)
    written = json.loads((tmp_path / "out.lorebook").read_text(encoding="utf-8"))
    assert {entry["displayName"] for entry in written["entries"]} == {"Ferry", "Mara", "The whaler"}
    (tmp_path / "bad.json").write_text("[", encoding="utf-8")
    memory_window.workroom.memory.import_lorebook(tmp_path / "bad.json")
    qtbot.waitUntil(lambda: "lorebook" in memory_window.notice_bar.shown_text, timeout=WAIT)


def test_another_story_has_another_memory(memory_window: MainWindow, qtbot: QtBot) -> None:
    memory_window.workroom.manuscripts.add_story("Another")
    qtbot.waitUntil(lambda: memory_window.memory.panel.memory.toPlainText() == "", timeout=WAIT)
    qtbot.waitUntil(lambda: memory_window.workroom.memory.can_change, timeout=WAIT)
    assert memory_window.memory.panel.depth_box.value() == StoryMemory().note_depth


def test_prompts_are_kept_tagged_found_and_trashed(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    story_window.actions_by_name["keep_prompt"].trigger()
    page, shelf = story_window.prompts.page, story_window.workroom.shelf
    qtbot.waitUntil(lambda: [prompt.text for prompt in shelf.prompts] == ["A door on the beach"], timeout=WAIT)
    page.add_button.click()
    qtbot.waitUntil(lambda: page.list.count() == 2 and page.prompt.toPlainText() == "", timeout=WAIT)
    page.prompt.setPlainText("A bell under the sea")
    page.tags.setText("Sea, night")
    page.flush()
    assert [page.tag_box.itemText(row) for row in range(page.tag_box.count())] == ["All tags", "night", "sea"]
    page.search.setText("bell")
    assert page.list.count() == 1
    page.remove_button.click()
    assert page.list.count() == 0
    page.undo_bar.button.click()
    assert page.list.count() == 1
    story_window.workroom.library.drain(5)
    assert {prompt.tags for prompt in world.desk.prompts.list_prompts()} == {(), ("sea", "night")}


def test_prompts_become_stories_while_the_writer_writes(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    story_window.actions_by_name["prompts"].trigger()
    page, queue = story_window.prompts.page, story_window.workroom.queue
    story_window.workroom.shelf.keep([ShelfPrompt(0, "A bell under the sea"), ShelfPrompt(0, "A lamp")])
    qtbot.waitUntil(lambda: page.list.count() == 2, timeout=WAIT)
    page.words_box.setValue(40)
    page.list.selectAll()
    assert page.write_button.text() == "Write 2 stories"
    page.write_button.click()
    qtbot.waitUntil(lambda: [each.state for each in queue.stories] == [StoryState.DONE] * 2, timeout=WAIT)
    qtbot.waitUntil(lambda: "Stories written from prompts" in story_window.notice_bar.shown_text, timeout=WAIT)
    titles = {story.title for story in world.desk.manuscripts.list_stories()}
    assert {"A bell under the sea", "A lamp"} <= titles
    assert _item(page.queue, 0).text(2) == "7.4"
    _item(page.queue, 0).setSelected(True)
    assert page.queue.explanation.text()
    page.queue.open_button.click()
    qtbot.waitUntil(lambda: "rang" in story_window.page.text(), timeout=WAIT)
    assert story_window.pages.currentWidget() is story_window.desk_page


def test_a_paused_queue_waits_for_the_writer_after_a_restart_too(
    world: FakeWorld, open_window: Open, qtbot: QtBot
) -> None:
    world.desk.settings.set(QUEUE_PAUSED, True)
    world.desk.prompts.add_to_queue([StoryWish("A bell", 40, 3), StoryWish("A lamp", 40, 3)])
    window = open_window(world)
    queue = window.workroom.queue
    window.actions_by_name["prompts"].trigger()
    page = window.prompts.page.queue
    qtbot.waitUntil(lambda: page.list.topLevelItemCount() == 2, timeout=WAIT)
    assert _item(page, 0).text(3) == "paused"
    _item(page, 0).setSelected(True)
    page.cancel_button.click()
    assert _item(page, 0).text(3) == "given up"
    page.pause_button.click()
    qtbot.waitUntil(lambda: queue.stories[1].state is StoryState.DONE, timeout=WAIT)
    assert queue.stories[0].state is StoryState.CANCELLED
    page.retry_button.click()
    qtbot.waitUntil(lambda: queue.stories[0].state is StoryState.DONE, timeout=WAIT)


def test_a_story_that_fails_says_why_and_the_next_one_goes_on(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    queue = story_window.workroom.queue
    queue.add([StoryWish("A bell", 40, 3, model="gone"), StoryWish("A lamp", 40, 3)])
    qtbot.waitUntil(
        lambda: [each.state for each in queue.stories] == [StoryState.FAILED, StoryState.DONE], timeout=WAIT
    )
    story_window.actions_by_name["prompts"].trigger()
    page = story_window.prompts.page.queue
    _item(page, 0).setSelected(True)
    assert "gone" in page.explanation.text()
    page.remove_button.click()
    story_window.workroom.library.drain(5)
    assert len(world.desk.prompts.list_queue()) == 1


def test_a_queued_story_makes_way_for_the_writer(world: FakeWorld, open_window: Open, qtbot: QtBot) -> None:
    world.loader.script = tuple(f"word{number}{'.' if number % 7 == 0 else ''}" for number in range(9_000))
    world.desk.manuscripts.add_story("The Salt Road", "A door on the beach", "Mara found it at low tide.")
    window = open_window(world)
    queue = window.workroom.queue
    queue.add([StoryWish("A bell", 20_000, 3)])
    qtbot.waitUntil(lambda: bool(queue.stories) and queue.stories[0].words > 0, timeout=WAIT)
    window.actions_by_name["go_on"].trigger()
    qtbot.waitUntil(lambda: bool(window.page.ghost), timeout=WAIT)
    assert queue.stories[0].is_open
    words = queue.stories[0].words
    qtbot.waitUntil(lambda: queue.stories[0].words > words, timeout=WAIT)
    queue.pause()
    kept = queue.stories[0]
    window.workroom.library.drain(5)
    assert world.desk.prompts.list_queue()[0].text == kept.text
