"""The partner in the window: ways as one batch, part by part, other words, other ways, controls, the way back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QDoubleSpinBox
from pytestqt.qtbot import QtBot

from storydesk.bridge.answer_stream import Chunk
from storydesk.domain.settings import POLISH_ARRIVING, WRITING_CONTROLS
from storydesk.domain.writing_controls import ControlDesk
from storydesk.ui.assistant.ways_dialog import WaysDialog
from storydesk.ui.assistant.word_popover import WordPopover
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeWorld
from tests.fakes.tiny_style_model import make_tiny_style_model
from tests.gui.conftest import WAIT

Open = Callable[[FakeWorld], MainWindow]
BEFORE = "Mara found it at low tide."

# Of the offscreen platform, about dialogs and the popover.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def _wait_for_ways(window: MainWindow, qtbot: QtBot, count: int) -> None:
    writing = window.workroom.writing
    qtbot.waitUntil(lambda: len(writing.candidates) == count, timeout=WAIT)
    qtbot.waitUntil(lambda: all(way.perplexity for way in writing.candidates), timeout=WAIT)


def _go_on(window: MainWindow, qtbot: QtBot, words: int = 6) -> None:
    window.partner.write.words_box.setValue(words)
    window.actions_by_name["go_on"].trigger()
    _wait_for_ways(window, qtbot, 1)


def _change(window: MainWindow, **changed: object) -> None:
    panel = window.partner.write
    panel.controls_page.take(dataclasses.replace(panel.controls, **changed))  # type: ignore[arg-type]  # names and kinds are the caller's


def test_five_ways_are_one_request_with_a_card_each(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    _change(story_window, ways=5, seed=7)
    assert story_window.partner.write.ways_button.text() == "5 ways"
    story_window.actions_by_name["three_ways"].trigger()
    _wait_for_ways(story_window, qtbot, 5)
    [request] = world.loader.engines[0].requests
    assert (request.count, request.seed) == (5, 7)
    cards = list(story_window.partner.write._cards.values())
    assert [card.number for card in cards] == [1, 2, 3, 4, 5]
    places = [story_window.partner.write._card_column.indexOf(card) for card in cards]
    assert places == sorted(places)
    assert {card.chip.text() for card in cards} == {"perplexity 7"}
    QTest.keyClick(story_window.page, Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    assert story_window.page.text().startswith(BEFORE + " ")
    assert story_window.page.ghost == ""


def test_a_suggestion_is_taken_word_by_word_with_an_undo_step_each(story_window: MainWindow, qtbot: QtBot) -> None:
    _go_on(story_window, qtbot)
    page, ghost = story_window.page, story_window.page.ghost
    words = ghost.split()
    QTest.keyClick(page, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(page, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert page.text() == f"{BEFORE} {words[0]} {words[1]}"
    assert page.text() + page.ghost == BEFORE + ghost
    QTest.keyClick(page, Qt.Key.Key_Tab)
    assert page.text() == BEFORE + ghost
    for text in (f"{BEFORE} {words[0]} {words[1]}", f"{BEFORE} {words[0]}", BEFORE):
        page.undo()
        assert page.text() == text


@pytest.fixture
def sentence_window(world: FakeWorld, open_window: Open) -> MainWindow:
    """Return a window whose model writes short sentences, always the same."""
    world.loader.script = ["The", "bell", "rang."]
    world.desk.manuscripts.add_story("The Salt Road", "A door on the beach", BEFORE)
    window = open_window(world)
    _change(window, seed=0)
    return window


def test_a_sentence_is_taken_and_the_rest_goes_with_the_next_key(
    sentence_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    story_window = sentence_window
    _go_on(story_window, qtbot)
    page = story_window.page
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(page, Qt.Key.Key_Right, modifiers)
    assert page.text() == f"{BEFORE} The bell rang."
    assert page.ghost == " The bell rang."
    QTest.keyClicks(page, "!")
    assert (page.text(), page.ghost) == (f"{BEFORE} The bell rang.!", "")
    opened = story_window.workroom.manuscripts.opened
    assert opened is not None
    draft = opened.draft.id
    qtbot.waitUntil(lambda: len(world.desk.library.list_generations(draft)) == 1, timeout=WAIT)


def test_a_card_gives_its_first_sentence_and_offers_the_rest(sentence_window: MainWindow, qtbot: QtBot) -> None:
    story_window = sentence_window
    story_window.partner.write.words_box.setValue(6)
    story_window.actions_by_name["three_ways"].trigger()
    _wait_for_ways(story_window, qtbot, 3)
    card = story_window.partner.write.card(2)
    assert card is not None
    card.sentence_button.click()
    assert story_window.page.text() == f"{BEFORE} bell rang."
    assert story_window.page.ghost == " The bell rang."  # what broke off after it was left off
    assert [way.number for way in story_window.workroom.writing.candidates] == [2]


def test_another_try_has_another_seed_and_the_first_can_be_come_back_to(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    _go_on(story_window, qtbot)
    first = story_window.page.ghost
    story_window.actions_by_name["try_again"].trigger()
    _wait_for_ways(story_window, qtbot, 1)
    seeds = [request.seed for request in world.loader.engines[0].requests]
    assert len(set(seeds)) == 2
    second = story_window.page.ghost
    assert story_window.partner.write.position_label.text() == "2 of 2"
    story_window.actions_by_name["earlier_ways"].trigger()
    assert story_window.page.ghost == first
    assert story_window.partner.write.position_label.text() == "1 of 2"
    story_window.actions_by_name["later_ways"].trigger()
    assert story_window.page.ghost == second
    QTest.keyClick(story_window.page, Qt.Key.Key_Tab)
    story_window.page.undo()
    story_window.actions_by_name["earlier_ways"].trigger()  # at this place again
    assert story_window.page.ghost == second
    QTest.keyClicks(story_window.page, "x")
    story_window.actions_by_name["earlier_ways"].trigger()  # another place
    assert story_window.page.ghost == ""
    assert story_window.partner.write.note.isVisible()


def _popover(window: MainWindow, qtbot: QtBot) -> WordPopover:
    qtbot.waitUntil(lambda: window.helper.word_picker.popover is not None, timeout=WAIT)
    popover = window.helper.word_picker.popover
    assert popover is not None
    return popover


def test_another_word_is_gone_on_from_by_key(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    _change(story_window, seed=0)
    _go_on(story_window, qtbot)
    story_window.actions_by_name["other_words"].trigger()
    popover = _popover(story_window, qtbot)
    assert popover.place.shown == " the"
    QTest.keyClick(popover.list, Qt.Key.Key_Right)
    assert popover.place.shown == " bell"
    shown = [popover.list.item(row).text() for row in range(popover.list.count())]
    assert shown == ["the\t50 %", "bell\t25 % · now", "rang.\t17 %"]
    popover.list.setCurrentRow(2)
    QTest.keyClick(popover.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: story_window.page.ghost.startswith(" the rang. "), timeout=WAIT)
    _wait_for_ways(story_window, qtbot, 1)
    assert world.loader.engines[0].requests[-1].context.endswith("low tide. the rang.")
    assert story_window.page.text() == BEFORE
    story_window.actions_by_name["earlier_ways"].trigger()
    assert story_window.page.ghost.startswith(" the bell")


def test_a_click_into_the_ghost_or_a_card_opens_the_words(story_window: MainWindow, qtbot: QtBot) -> None:
    _change(story_window, seed=0)
    _go_on(story_window, qtbot)
    page = story_window.page
    spot = page.cursorRect().center() + QPoint(page.fontMetrics().horizontalAdvance(" the b"), 0)
    QTest.mouseClick(page.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    popover = _popover(story_window, qtbot)
    assert popover.place.shown == " bell"
    popover.close()
    qtbot.waitUntil(lambda: story_window.helper.word_picker.popover is None, timeout=WAIT)
    assert page.ghost  # nothing was taken, nothing went
    card = story_window.partner.write.card(1)
    assert card is not None
    QTest.mouseClick(card.passage, Qt.MouseButton.LeftButton, pos=QPoint(3, 6))
    popover = _popover(story_window, qtbot)
    assert popover.place.shown == " the"
    popover.close()


def test_a_card_that_has_the_focus_is_whole_and_gives_its_words(story_window: MainWindow, qtbot: QtBot) -> None:
    story_window.partner.write.words_box.setValue(60)
    story_window.actions_by_name["three_ways"].trigger()
    _wait_for_ways(story_window, qtbot, 3)
    card = story_window.partner.write.card(2)
    assert card is not None
    assert card.passage.shown_text.endswith("…")
    card.setFocus(Qt.FocusReason.TabFocusReason)
    assert card.passage.shown_text == card.passage.text.strip()
    QTest.keyClick(card, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    popover = _popover(story_window, qtbot)
    assert popover.place.text == card.passage.text
    popover.close()


def test_accepted_words_can_be_changed_until_they_are_touched(story_window: MainWindow, qtbot: QtBot) -> None:
    _change(story_window, seed=0)
    _go_on(story_window, qtbot)
    page = story_window.page
    QTest.keyClick(page, Qt.Key.Key_Tab)
    assert page.text() == f"{BEFORE} the bell rang. the bell rang."
    cursor = page.textCursor()
    cursor.setPosition(len(BEFORE) + 6)  # in "bell"
    page.setTextCursor(cursor)
    story_window.actions_by_name["other_words"].trigger()
    popover = _popover(story_window, qtbot)
    assert popover.place.shown == " bell"
    popover.list.setCurrentRow(0)
    QTest.keyClick(popover.list, Qt.Key.Key_Return)
    assert page.text() == f"{BEFORE} the the"
    qtbot.waitUntil(lambda: bool(page.ghost), timeout=WAIT)
    QTest.keyClick(page, Qt.Key.Key_Escape)
    page.undo()
    assert page.text() == f"{BEFORE} the bell rang. the bell rang."
    story_window.actions_by_name["other_words"].trigger()
    assert "No other words" in story_window.partner.write.note.text()


def test_ways_stand_side_by_side_and_one_is_used(story_window: MainWindow, qtbot: QtBot) -> None:
    story_window.actions_by_name["three_ways"].trigger()
    _wait_for_ways(story_window, qtbot, 3)
    third = story_window.workroom.writing.candidates[2].text
    story_window.actions_by_name["compare_ways"].trigger()
    [dialog] = [each for each in story_window.findChildren(QDialog) if each.isVisible()]
    assert isinstance(dialog, WaysDialog)
    assert dialog.passages[3].text == third
    dialog.use_buttons[3].click()
    assert story_window.page.text() == BEFORE + third


def test_other_ways_to_say_it_are_ordered_applied_and_undone(story_window: MainWindow, qtbot: QtBot) -> None:
    page = story_window.page
    page.set_text("It was 😀 late. The sea came in. Mara ran.")
    story_window.workroom.note_replaced()
    start = page.text().index("The sea") + 1  # in UTF-16 units
    page.go_to(start, start + len("The sea came in. "))
    story_window.actions_by_name["reword"].trigger()
    view = story_window.helper.reworder.view
    qtbot.waitUntil(lambda: bool(view.cards), timeout=WAIT)
    assert view.isVisible()
    view.slider.setValue(100)
    ranked = [card.way.closeness for card in view.cards]
    assert ranked == sorted(ranked, reverse=True)
    card = view.cards[0]
    assert "→" in card.chip.text()
    QTest.keyClick(card, Qt.Key.Key_Return)
    assert page.text() == f"It was 😀 late. {card.way.text} Mara ran."
    assert not view.isVisible()
    page.undo()
    assert page.text() == "It was 😀 late. The sea came in. Mara ran."


def test_without_a_selection_it_says_what_to_do(story_window: MainWindow) -> None:
    story_window.actions_by_name["reword"].trigger()
    assert "Select" in story_window.partner.write.note.text()
    assert not story_window.helper.reworder.view.isVisible()


def test_an_edit_gives_the_search_up(story_window: MainWindow, qtbot: QtBot) -> None:
    page = story_window.page
    page.go_to(0, 4)
    story_window.actions_by_name["reword"].trigger()
    reworder = story_window.helper.reworder
    assert reworder.controller.busy
    QTest.keyClicks(page, "x")
    assert not story_window.helper.reworder.controller.busy
    assert not reworder.view.isVisible()
    _go_on(story_window, qtbot)  # the engine is free again


def test_every_control_is_kept_and_reaches_the_engine(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    panel = story_window.partner.write
    panel.controls_button.click()
    page = panel.controls_page
    assert page.isVisible()
    page._numbers["top_k"].setValue(40)
    page._numbers["seed"].setValue(11)
    page._lists["banned"].setPlainText("very\nquite")
    page._lists["phrase_bias"].setPlainText("lantern = 3")
    page._lists["stops"].setPlainText("\\n\\n")
    page._switches["until_sentence_end"].setChecked(False)
    assert page.reset_button.isEnabled()
    assert panel.preset_box.currentText() == "Balanced, changed"
    page.back_button.click()
    assert not page.isVisible()
    _go_on(story_window, qtbot)
    request = world.loader.engines[0].requests[-1]
    settings = request.settings
    assert (settings.top_k, settings.banned, settings.stops) == (40, ("very", "quite"), ("\n\n",))
    assert (settings.phrase_bias, request.seed, request.until_sentence_end) == ((("lantern", 3.0),), 11, False)
    page.name_field.setText("Plain")
    page.keep_button.click()
    assert panel.preset_box.currentText() == "Plain"
    panel.keep_settings()
    kept = ControlDesk.from_text(world.desk.settings.get(WRITING_CONTROLS))
    assert (kept.preset, kept.controls.top_k) == ("Plain", 40)
    panel.preset_box.setCurrentIndex(0)
    panel.preset_box.activated.emit(0)
    assert (panel.slider.value(), panel.controls.top_k, panel.controls.banned) == (0, 0, ())


def test_back_to_the_preset_and_the_slider_are_one_thing(story_window: MainWindow) -> None:
    panel = story_window.partner.write
    panel.slider.setValue(100)
    assert panel.controls_page._numbers["temperature"].value() == pytest.approx(1.2)
    box = panel.controls_page._numbers["temperature"]
    assert isinstance(box, QDoubleSpinBox)
    box.setValue(0.4)
    assert panel.slider.value() == 0
    panel.controls_page.reset_button.click()
    assert (panel.slider.value(), panel.controls.temperature) == (50, 0.8)


def test_what_the_model_does_not_see_of_the_prompt_is_said(story_window: MainWindow, qtbot: QtBot) -> None:
    note = story_window.partner.write.note
    _go_on(story_window, qtbot)
    assert not note.isVisible()
    story_window.partner.write.prompt.setPlainText("A door on the beach. " * 40)
    _go_on(story_window, qtbot)
    assert note.isVisible()
    assert "the end of your prompt" in note.text()


def test_what_arrives_is_mended_before_it_is_offered(world: FakeWorld, open_window: Open, qtbot: QtBot) -> None:
    world.loader.script = ["teh", "bell", "rang."]
    world.desk.settings.set(POLISH_ARRIVING, True)
    world.desk.manuscripts.add_story("The Salt Road", "A door on the beach", BEFORE)
    window = open_window(world)
    seen: list[str] = []
    window.workroom.engine.chunk_ready.connect(lambda chunk: seen.append(chunk.text))
    _change(window, seed=0)
    _go_on(window, qtbot)
    assert window.page.ghost == " the bell rang. the bell rang."
    assert "teh" not in "".join(seen)
    window.actions_by_name["other_words"].trigger()
    popover = _popover(window, qtbot)
    assert popover.place.shown == " bell"  # the mended word is no longer the model's
    popover.close()


def test_a_replaced_text_takes_its_choices_along(story_window: MainWindow, qtbot: QtBot) -> None:
    _go_on(story_window, qtbot)
    writing = story_window.workroom.writing
    candidate = writing.candidates[0]
    candidate.ended = False
    story_window.workroom.engine.chunk_ready.emit(Chunk(candidate.request.id, " other", 0, (), anew=True))
    assert story_window.page.ghost == " other"
    assert candidate.choices == []


def test_what_is_in_the_text_stays_though_the_rest_is_thrown_away(story_window: MainWindow, qtbot: QtBot) -> None:
    _go_on(story_window, qtbot)
    writing = story_window.workroom.writing
    candidate = writing.candidates[0]
    candidate.ended = False
    story_window.actions_by_name["accept_word"].trigger()
    taken = story_window.page.text()
    story_window.workroom.engine.chunk_ready.emit(Chunk(candidate.request.id, " other words", 0, (), anew=True))
    assert (story_window.page.text(), story_window.page.ghost) == (taken, "")
    assert candidate.ended


def test_the_real_engine_gives_ways_words_and_other_ways(
    world: FakeWorld, open_window: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    from storydesk.inference.engine import OnnxEngineLoader

    tiny = make_tiny_style_model(tmp_path / "tiny")
    world.models.shelf["starter"] = dataclasses.replace(tiny, name="starter")
    world.desk.engines._loader = OnnxEngineLoader()  # the world's own writes from a script
    world.desk.manuscripts.add_story("The Salt Road", "A door", "Mara ran. The sea came in. It was late.")
    window = open_window(world)
    _change(window, seed=3, until_sentence_end=False)
    window.partner.write.words_box.setValue(8)
    window.actions_by_name["three_ways"].trigger()
    _wait_for_ways(window, qtbot, 3)
    ways = window.workroom.writing.candidates
    for way in ways:
        assert way.choices
        assert all(0 <= choice.start <= choice.end <= len(way.text) for choice in way.choices)
        assert "".join(way.text[choice.start : choice.end] for choice in way.choices) == way.text
        assert all(len(choice.alternatives) >= 2 for choice in way.choices)
    assert len({way.text for way in ways}) == 3
    first, choice = ways[0], ways[0].choices[2]
    other = next(each for each in choice.alternatives if each.text != first.text[choice.start : choice.end])
    window.co_writer.go_on_from(first, choice, other)
    kept = first.text[: choice.start] + other.text
    _wait_for_ways(window, qtbot, 1)
    assert window.page.ghost.startswith(kept)
    assert len(window.page.ghost) > len(kept)
    QTest.keyClick(window.page, Qt.Key.Key_Escape)
    window.page.go_to(10, 26)
    window.actions_by_name["reword"].trigger()
    view = window.helper.reworder.view
    qtbot.waitUntil(lambda: not window.helper.reworder.controller.busy, timeout=WAIT)
    assert view.cards
    assert all(card.way.follow is not None and card.way.follow < 0 for card in view.cards)
