"""Being at home: the palette, keys of one's own, the tour, and finding things as they were left."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from storydesk.domain.settings import INTERFACE_PERCENT, KEYS, LESS_MOTION, PALETTE_RECENT, PLACES, TOUR_SEEN
from storydesk.ui.actions import TABLE, make_actions
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.editor.places import Places
from storydesk.ui.main_window import MainWindow
from storydesk.ui.palette import CommandPalette
from storydesk.ui.palette.matching import score
from storydesk.ui.preferences import PreferencesDialog
from storydesk.ui.preferences.keys_page import KeysPage
from storydesk.ui.shortcuts import Shortcuts
from storydesk.ui.theme import apply_theme, is_still, set_comfort
from tests.fakes.services import FakeSettings, FakeWorld
from tests.gui.conftest import WAIT, make_library_world
from tests.gui.places import find_place

OpenWindow = Callable[[FakeWorld], MainWindow]


@pytest.fixture(autouse=True)
def _as_usual(qapp: QApplication) -> Iterator[None]:
    yield
    set_comfort(qapp)
    apply_theme(qapp, "light")


@dataclass
class Room:
    """The actions of a window with nothing behind them: enough for palette and keys."""

    place: QWidget
    page: QLineEdit
    actions: dict[str, QAction]
    settings: FakeSettings
    shortcuts: Shortcuts
    palette: CommandPalette
    done: list[str]


@pytest.fixture
def room(qtbot: QtBot, qapp: QApplication) -> Room:
    apply_theme(qapp, "light")
    place = QWidget()
    qtbot.addWidget(place)
    place.resize(900, 600)
    page = QLineEdit(place)
    actions, settings, done = make_actions(place, read_only=False), FakeSettings(), list[str]()
    for name, action in actions.items():
        action.triggered.connect(lambda _checked=False, name=name: done.append(name))
    shortcuts = Shortcuts(actions, settings, place)
    palette = CommandPalette(actions, shortcuts, settings, place)
    actions["palette"].triggered.connect(palette.open)
    place.show()
    qtbot.waitExposed(place)
    place.activateWindow()
    page.setFocus()
    return Room(place, page, actions, settings, shortcuts, palette, done)


def start_anew(world: FakeWorld) -> FakeWorld:
    """Return what the next start of the program finds: the same files and settings."""
    new = make_library_world(world.home)
    return dataclasses.replace(new, desk=dataclasses.replace(new.desk, settings=world.settings))


def type_into(palette: CommandPalette, words: str) -> list[str]:
    """Open the palette, type, and return what it lists."""
    palette.open()
    QTest.keyClicks(palette.field, words)
    return [entry.text for entry in palette.entries]


# The palette


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("keep draft", "Keep this draft and go on in a new one"),
        ("GRAM next", "Next grammar note"),
        ("kd", "Keep draft"),
    ],
)
def test_words_in_any_order_and_first_letters_find_an_action(query: str, text: str) -> None:
    assert score(query, text) > 0


def test_what_does_not_fit_is_not_found_and_better_fits_come_first() -> None:
    assert score("zebra", "Next grammar note") == 0
    assert score("export", "Export") > score("export", "Export everything") > score("port", "Export")
    assert score("", "anything") > 0
    assert score("naive", "Naïve reader") > 0


def test_an_action_is_found_and_done_by_keys_alone(room: Room) -> None:
    assert type_into(room.palette, "larger")[0] == "Larger text"
    QTest.keyClick(room.palette.field, Qt.Key.Key_Return)
    assert room.done == ["larger_text"]
    assert not room.palette.isVisible()
    assert room.page.hasFocus()


def test_the_last_used_action_comes_first_also_the_next_time(room: Room) -> None:
    type_into(room.palette, "smaller")
    QTest.keyClick(room.palette.field, Qt.Key.Key_Return)
    again = CommandPalette(room.actions, room.shortcuts, room.settings, room.place)
    again.open()
    assert again.entries[0].text == "Smaller text"
    assert room.settings.get(PALETTE_RECENT) == "smaller_text"


def test_a_story_is_opened_by_its_title(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    world.desk.manuscripts.add_story("Bell under the sea")
    palette = story_window.at_home.palette
    type_into(palette, "bell und")
    qtbot.waitUntil(lambda: any(entry.text == "Bell under the sea" for entry in palette.entries), timeout=WAIT)
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: story_window.top.title.text() == "Bell under the sea", timeout=WAIT)


def test_the_arrows_go_round_and_escape_changes_nothing(room: Room) -> None:
    palette = room.palette
    assert len(type_into(palette, "note")) > 2
    QTest.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() == len(palette.entries) - 1
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == 0
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert room.page.hasFocus()
    assert room.done == []


def test_nothing_found_is_said(room: Room) -> None:
    assert type_into(room.palette, "qqqq") == []
    assert room.palette.nothing.isVisible()
    QTest.keyClick(room.palette.field, Qt.Key.Key_Return)
    assert room.palette.isVisible()


def test_every_action_is_in_the_palette_while_it_can_be_done(room: Room) -> None:
    room.actions["export"].setEnabled(False)
    room.palette.open()
    listed = {entry.name for entry in room.palette.entries}
    assert listed == {spec.id for spec in TABLE} - {"palette", "export"}


# Keys


@pytest.fixture
def keys(room: Room, qtbot: QtBot) -> KeysPage:
    page = KeysPage(room.shortcuts)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitExposed(page)
    page.activateWindow()
    return page


def press(page: KeysPage, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Record a key as a writer does."""
    page.recorder.setFocus()
    QTest.keyClick(page.recorder, Qt.Key.Key_Space)
    assert page.recorder.is_listening
    QTest.keyClick(page.recorder, key, modifiers)


def test_a_key_is_recorded_and_kept_for_the_next_start(room: Room, keys: KeysPage) -> None:
    keys.choose("larger_text")
    press(keys, Qt.Key.Key_F12, Qt.KeyboardModifier.ControlModifier)
    assert room.actions["larger_text"].shortcut() == QKeySequence("Ctrl+F12")
    assert "Ctrl+F12" in room.actions["larger_text"].toolTip()
    assert json.loads(room.settings.get(KEYS)) == {"larger_text": "Ctrl+F12"}
    actions = make_actions(room.place, read_only=False)
    assert Shortcuts(actions, room.settings, room.place).key("larger_text") == "Ctrl+F12"
    assert actions["larger_text"].shortcut() == QKeySequence("Ctrl+F12")


def test_another_key_works_at_once(story_window: MainWindow) -> None:
    story_window.shortcuts.set_key("larger_text", "Ctrl+F12")
    before = story_window.page.font().pointSize()
    story_window.activateWindow()
    story_window.page.setFocus()
    QTest.keyClick(story_window.page, Qt.Key.Key_F12, Qt.KeyboardModifier.ControlModifier)
    assert story_window.page.font().pointSize() == before + 1
    story_window.shortcuts.set_key("accept_ghost", "Ctrl+Right")
    story_window.page.set_text("One")
    story_window.page.show_ghost(" two")
    QTest.keyClick(story_window.page, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert story_window.page.text() == "One two"


def test_a_key_that_is_taken_is_said_and_can_be_taken_over(room: Room, keys: KeysPage) -> None:
    keys.choose("larger_text")
    press(keys, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert "“Export”" in keys.said.text()
    assert room.shortcuts.key("export") == "Ctrl+E"
    QTest.keyClick(keys.take_button, Qt.Key.Key_Space)
    assert room.shortcuts.key("larger_text") == "Ctrl+E"
    assert room.shortcuts.key("export") == ""
    QTest.keyClick(keys.all_usual_button, Qt.Key.Key_Space)
    assert room.shortcuts.key("export") == "Ctrl+E"
    assert not room.shortcuts.is_changed("larger_text")


@pytest.mark.parametrize(
    ("key", "modifiers"),
    [(Qt.Key.Key_G, Qt.KeyboardModifier.NoModifier), (Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)],
)
def test_a_key_that_writes_or_edits_is_refused_in_words(
    room: Room, keys: KeysPage, key: Qt.Key, modifiers: Qt.KeyboardModifier
) -> None:
    keys.choose("larger_text")
    press(keys, key, modifiers)
    assert "for writing itself" in keys.said.text()
    assert not room.shortcuts.is_changed("larger_text")


def test_escape_leaves_a_key_as_it_is_and_none_takes_it_away(room: Room, keys: KeysPage) -> None:
    keys.choose("export")
    press(keys, Qt.Key.Key_Escape)
    assert room.shortcuts.key("export") == "Ctrl+E"
    QTest.keyClick(keys.none_button, Qt.Key.Key_Space)
    assert room.actions["export"].shortcut().isEmpty()
    QTest.keyClick(keys.usual_button, Qt.Key.Key_Space)
    assert room.shortcuts.key("export") == "Ctrl+E"


def test_f1_shows_all_keys_and_finds_one_by_its_words(story_window: MainWindow, qtbot: QtBot) -> None:
    story_window.actions_by_name["show_keys"].trigger()
    dialog = story_window.findChild(PreferencesDialog)
    assert dialog is not None
    page = dialog.keys_page
    assert page is not None
    assert page.table.rowCount() == len(TABLE)
    page.filter.setText("next gram")
    assert [page.table.item(row, 0).text() for row in range(page.table.rowCount())] == ["Next grammar note"]  # type: ignore[union-attr]


@pytest.mark.parametrize("kept", ["nonsense", "[]", '{"export": 7, "nothing": "Ctrl+F12"}'])
def test_damaged_keys_are_passed_over(room: Room, kept: str) -> None:
    room.settings.set(KEYS, kept)
    assert Shortcuts(room.actions, room.settings, room.place).key("export") == "Ctrl+E"


# The tour


def test_the_tour_greets_once_and_comes_back_on_request(
    window: MainWindow, world: FakeWorld, open_window: OpenWindow
) -> None:
    tour = window.at_home.tour
    window.at_home.greet()
    assert tour.isVisible()
    for _pane in range(2):
        QTest.keyClick(tour.next_button, Qt.Key.Key_Space)
    QTest.keyClick(tour.next_button, Qt.Key.Key_Space)
    assert not tour.isVisible()
    assert world.settings.get(TOUR_SEEN)
    window.at_home.greet()
    assert not tour.isVisible()
    window.actions_by_name["show_tour"].trigger()
    assert tour.isVisible()
    QTest.keyClick(tour, Qt.Key.Key_Escape)
    assert not tour.isVisible()


def test_the_tour_s_sample_is_answered_by_the_model(window: MainWindow, qtbot: QtBot) -> None:
    window.at_home.greet()
    QTest.keyClick(window.at_home.tour.offer_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(window.page.ghost), timeout=WAIT)
    assert not window.at_home.tour.isVisible()


def test_somebody_with_stories_is_not_greeted(story_window: MainWindow) -> None:
    story_window.at_home.greet()
    assert not story_window.at_home.tour.isVisible()


# As it was left


def test_a_draft_is_found_where_it_was_left(world: FakeWorld, open_window: OpenWindow, qtbot: QtBot) -> None:
    text = "\n\n".join(f"Paragraph {number} of a long walk along the shore." for number in range(200))
    first = world.desk.manuscripts.add_story("Long", "", text)
    window = open_window(world)
    qtbot.waitUntil(lambda: window.page.text() == text, timeout=WAIT)
    place = text.index("Paragraph 90 ")
    window.page.go_to(place, place)
    qtbot.waitUntil(lambda: window.page.viewport().rect().intersects(window.page.cursorRect()), timeout=WAIT)
    top = window.page.cursorRect().top()
    window.workroom.manuscripts.add_story("Another")
    qtbot.waitUntil(lambda: window.page.text() == "", timeout=WAIT)
    window.workroom.manuscripts.open_story(first.id)
    qtbot.waitUntil(lambda: window.page.text() == text, timeout=WAIT)
    assert window.page.textCursor().position() == place
    qtbot.waitUntil(lambda: abs(window.page.cursorRect().top() - top) < 60, timeout=WAIT)
    window.page.moveCursor(QTextCursor.MoveOperation.Start)
    window.close()
    again = open_window(start_anew(world))
    assert again.page.text() == text
    assert again.page.textCursor().position() == 0
    qtbot.waitUntil(lambda: again.page.verticalScrollBar().value() == 0, timeout=WAIT)


@pytest.mark.parametrize("kept", ["nonsense", "[]", '{"1": [9]}', '{"1": [99999, 99999]}', '{"1": [-4, -4]}'])
def test_a_place_that_is_gone_does_no_harm(qtbot: QtBot, kept: str) -> None:
    settings, page = FakeSettings(), PageEdit()
    qtbot.addWidget(page)
    settings.set(PLACES, kept)
    page.set_text("Three words here.")
    places = Places(page, settings, keeps=True)
    places.enter(1)
    QApplication.processEvents()
    assert 0 <= page.textCursor().position() <= len("Three words here.")
    places.leave()
    assert "1" in json.loads(settings.get(PLACES))


def test_the_tab_in_front_is_in_front_again(
    story_window: MainWindow, world: FakeWorld, open_window: OpenWindow
) -> None:
    story_window.actions_by_name["show_polish"].trigger()
    story_window.close()
    again = open_window(start_anew(world))
    assert again.partner.tab == "polish"
    assert again.actions_by_name["show_polish"].isChecked()


# Comfort


def test_the_interface_grows_and_rests_at_once(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot, qapp: QApplication
) -> None:
    dialog = find_place("preferences-look").open(story_window, lambda done: qtbot.waitUntil(done, timeout=WAIT))
    assert isinstance(dialog, PreferencesDialog)
    height, width = story_window.status.words.fontMetrics().height(), story_window.partner.width()
    page = story_window.page.font().pointSize()
    dialog.percent_box.setValue(200)
    qtbot.waitUntil(lambda: story_window.status.words.fontMetrics().height() > 1.7 * height, timeout=WAIT)
    assert story_window.partner.minimumWidth() > 1.7 * width
    assert story_window.page.font().pointSize() == page
    dialog.motion_box.click()
    assert is_still()
    assert qapp.cursorFlashTime() == 0
    assert (world.settings.get(INTERFACE_PERCENT), world.settings.get(LESS_MOTION)) == (200, True)


def test_where_there_is_little_room_one_panel_makes_way_for_the_other(story_window: MainWindow) -> None:
    story_window.resize(760, 600)
    story_window.actions_by_name["toggle_library"].setChecked(True)
    story_window.actions_by_name["toggle_partner"].setChecked(True)
    assert story_window.partner.isVisible()
    assert not story_window.library.isVisible()


def test_the_focus_can_be_seen_on_every_widget_of_the_desk(story_window: MainWindow) -> None:
    unseen = []
    widgets: list[QWidget] = [story_window.top.menu_button, story_window.top.export_button, story_window.top.title]
    widgets += [story_window.partner.write.go_button, story_window.partner.write.prompt, story_window.top.tune_button]
    for widget in widgets:
        story_window.page.setFocus()
        QApplication.processEvents()
        before = widget.grab().toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        if widget.grab().toImage() == before:
            unseen.append(widget.accessibleName() or type(widget).__name__)
    assert not unseen
