"""Insight in the window: colours that follow typing, courses and lists that lead to the place, what is untold."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from PySide6.QtCore import QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from storydesk.bridge.engine_worker import EngineWorker
from storydesk.bridge.insight_item_model import PAYLOAD
from storydesk.domain.insight import HeatKind
from storydesk.domain.repetition import Repetition, RepetitionKind
from storydesk.domain.settings import HEAT_KIND, HEAT_SHOWN
from storydesk.ui.editor.heat_map import HeatWord, choose_line_colour, list_looks
from storydesk.ui.insight.entry_list import EntryList
from storydesk.ui.main_window import MainWindow
from storydesk.ui.theme import Tokens, apply_theme
from storydesk.ui.theme.tokens import BY_NAME, contrast_ratio, mix
from tests.fakes.services import FakeWorld, make_model
from tests.gui.conftest import WAIT

Open = Callable[[FakeWorld], MainWindow]

TEXT = "\n".join(
    [
        "# One",
        "Mara found the door at low tide, and the door was warm.",
        "She knocked. She waited. She heard teh sea.",
        "# Two",
        "Nobody came to open it, whatever she said to recieve them.",
    ]
)


@pytest.fixture
def draft(world: FakeWorld, open_window: Open, qtbot: QtBot) -> MainWindow:
    """Return a window with a scored draft of two chapters; ``teh`` and ``recieve`` are what surprises."""
    world.desk.manuscripts.add_story("The Salt Road", "", TEXT)
    window = open_window(world)
    _wait_for_scores(window, qtbot)
    return window


def _wait_for_scores(window: MainWindow, qtbot: QtBot) -> None:
    heat = window.insight.heat
    qtbot.waitUntil(lambda: all(line is not None for line in heat._lines) and bool(heat._lines), timeout=WAIT)


def _looks(window: MainWindow, word: str) -> set[tuple[int, QTextCharFormat.UnderlineStyle]]:
    """Return alpha and underline of the heat over each place of a word."""
    document = window.page.document()
    found = set()
    block = document.firstBlock()
    while block.isValid():
        for start, end, look in window.insight.heat._find_pieces(block):
            if block.text()[start:end].strip(".,") == word:
                found.add((look.background().color().alpha(), look.underlineStyle()))
        block = block.next()
    return found


def test_the_heat_map_colours_what_surprises_and_nothing_else(draft: MainWindow) -> None:
    assert not _looks(draft, "teh")
    draft.actions_by_name["heat_map"].trigger()
    ((alpha, line),) = _looks(draft, "teh")
    assert alpha > 0
    assert line is QTextCharFormat.UnderlineStyle.SingleUnderline
    assert not _looks(draft, "door")
    assert draft.insight.bar.isVisible()
    draft.actions_by_name["heat_map"].trigger()
    assert not _looks(draft, "teh")
    assert not draft.insight.bar.isVisible()


def test_colours_follow_typing_and_come_back_with_the_score(draft: MainWindow, qtbot: QtBot) -> None:
    draft.actions_by_name["heat_map"].trigger()
    page = draft.page
    place = page.text().index("teh")
    cursor = page.textCursor()
    cursor.setPosition(place - 4)
    page.setTextCursor(cursor)
    QTest.keyClicks(page, "x ")
    assert _looks(draft, "teh")  # moved along
    cursor.setPosition(page.text().index("teh") + 1)
    page.setTextCursor(cursor)
    QTest.keyClicks(page, "y")
    assert not _looks(draft, "tyeh")  # what an edit touched is plain at once
    assert _looks(draft, "recieve")
    QTest.keyClick(page, Qt.Key.Key_Backspace)
    QTest.keyClick(page, Qt.Key.Key_Return)
    assert _looks(draft, "recieve")
    page.undo()
    qtbot.waitUntil(lambda: bool(_looks(draft, "teh")), timeout=WAIT)
    assert [page.text()[word.start : word.end].strip(".,") for word in _surprises(draft)] == ["teh", "recieve"]


def _surprises(window: MainWindow) -> list[HeatWord]:
    words: list[HeatWord] = []
    place = 0
    while (word := window.insight.heat.find_next(place, 1)) is not None:
        words.append(word)
        place = word.end
    return words


def test_keys_go_from_one_surprise_to_the_next(draft: MainWindow) -> None:
    draft.page.go_to(0, 0)
    draft.actions_by_name["next_surprise"].trigger()
    assert draft.page.textCursor().selectedText() == "teh"
    draft.actions_by_name["next_surprise"].trigger()
    assert draft.page.textCursor().selectedText() == "recieve"
    draft.actions_by_name["previous_surprise"].trigger()
    assert draft.page.textCursor().selectedText() == "teh"


def test_the_strip_tells_of_the_word_at_the_cursor(draft: MainWindow, qtbot: QtBot) -> None:
    draft.actions_by_name["heat_map"].trigger()
    place = draft.page.text().index("teh")
    draft.page.go_to(place, place)
    qtbot.waitUntil(lambda: "very surprising, 1 in 16" in draft.insight.bar.word.accessibleName(), timeout=WAIT)
    qtbot.waitUntil(lambda: "the, a" in draft.insight.bar.word.accessibleName(), timeout=WAIT)


def test_the_kind_of_map_is_kept(draft: MainWindow, world: FakeWorld) -> None:
    draft.actions_by_name["heat_rank"].trigger()
    kinds = [draft.insight.heat.kind]
    assert draft.actions_by_name["heat_map"].isChecked()
    for name in ("heat_rank", "heat_map"):
        draft.actions_by_name[name].trigger()
        kinds.append(draft.insight.heat.kind)
    assert kinds == [HeatKind.RANK, None, HeatKind.RANK]
    assert world.desk.settings.get(HEAT_KIND) == "rank"
    assert not draft.actions_by_name["heat_surprise"].isChecked()


def test_the_map_that_was_on_is_on_again(world: FakeWorld, open_window: Open, qtbot: QtBot) -> None:
    world.desk.settings.set(HEAT_KIND, "rank")
    world.desk.settings.set(HEAT_SHOWN, True)
    world.desk.manuscripts.add_story("The Salt Road", "", TEXT)
    window = open_window(world)
    assert window.insight.bar.isVisible()
    assert window.insight.bar.window() is window
    assert window.actions_by_name["heat_rank"].isChecked()
    _wait_for_scores(window, qtbot)
    assert _looks(window, "teh")


def test_without_a_model_of_ones_own_the_strip_says_so(draft: MainWindow, qtbot: QtBot) -> None:
    draft.actions_by_name["heat_voice"].trigger()
    qtbot.waitUntil(lambda: "Tune a model first" in draft.insight.bar.word.accessibleName(), timeout=WAIT)


def test_words_that_sound_like_the_writer(world: FakeWorld, open_window: Open, qtbot: QtBot) -> None:
    world.models.shelf["base"] = make_model("base", built_in=False)
    world.models.shelf["starter"] = dataclasses.replace(make_model(), lineage=("gone", "base"))
    world.desk.manuscripts.add_story("The Salt Road", "", TEXT)
    window = open_window(world)
    window.actions_by_name["heat_voice"].trigger()
    heat = window.insight.heat
    qtbot.waitUntil(lambda: any(line is not None for line in heat._bases), timeout=WAIT)
    word = heat.find_word(window.page.text().index("tide"))
    assert word is not None
    assert word.gain == 0.0
    assert [engine.model.name for engine in world.loader.engines] == ["starter", "base"]


def test_the_course_leads_to_the_paragraph(draft: MainWindow, qtbot: QtBot) -> None:
    draft.actions_by_name["show_insight"].trigger()
    surprise = draft.insight.panel.surprise
    qtbot.waitUntil(lambda: len(surprise.plot.points) == 5, timeout=WAIT)
    plot = surprise.plot
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_End)
    assert "Nobody came to open it" in surprise.told.text()
    QTest.keyClick(plot, Qt.Key.Key_Return)
    assert draft.page.textCursor().position() == TEXT.index("Nobody")
    spot = plot._spots()[1]
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPointF(spot.x(), 20).toPoint())
    assert draft.page.textCursor().position() == TEXT.index("Mara")
    surprise.scope.buttons["chapters"].click()
    qtbot.waitUntil(lambda: [point.title for point in plot.points] == ["One", "Two"], timeout=WAIT)


def test_the_most_surprising_sentence_is_first_in_the_list(draft: MainWindow, qtbot: QtBot) -> None:
    draft.actions_by_name["show_insight"].trigger()
    listed = draft.insight.panel.surprise.list
    qtbot.waitUntil(lambda: listed.items.rowCount() > 0, timeout=WAIT)
    index = listed.items.index(0)
    assert "teh" in index.data()
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=listed.visualRect(index).center())
    assert draft.page.textCursor().selectedText() == "She heard teh sea."


def test_drafts_are_read_once_and_remembered(draft: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    draft.actions_by_name["keep_draft"].trigger()
    opened = draft.workroom.manuscripts
    qtbot.waitUntil(lambda: opened.opened is not None and len(opened.opened.drafts) == 2, timeout=WAIT)
    QTest.keyClicks(draft.page, " teh")
    draft.actions_by_name["show_insight"].trigger()
    surprise = draft.insight.panel.surprise
    surprise.scope.buttons["drafts"].click()
    qtbot.waitUntil(lambda: len(surprise.plot.points) == 2, timeout=WAIT)
    first, second = surprise.plot.points
    assert first.perplexity < second.perplexity
    kept = world.desk.library.get_story_setting(1, "insight.values")
    assert kept.count("[") == 2
    surprise.plot.point_chosen.emit(first)
    qtbot.waitUntil(lambda: opened.opened is not None and opened.opened.draft.name == "1", timeout=WAIT)


def test_a_repetition_leads_to_its_places_and_marks_them(draft: MainWindow, qtbot: QtBot) -> None:
    draft.actions_by_name["show_insight"].trigger()
    draft.insight.panel.show_page("repetition")
    page = draft.insight.panel.repetition
    qtbot.waitUntil(lambda: page.list.items.rowCount() > 0, timeout=WAIT)
    index = _find(page.list, "door")
    draft.page.go_to(0, 0)
    QTest.mouseClick(page.list.viewport(), Qt.MouseButton.LeftButton, pos=page.list.visualRect(index).center())
    assert draft.page.textCursor().selectedText() == "door"
    first = draft.page.textCursor().selectionStart()
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    assert draft.page.textCursor().selectionStart() == first + len("door at low tide, and the ")
    marked = draft.page.marks._layers["repetition"].marks_between(0, len(TEXT))
    assert [TEXT[start:end] for start, end, _look in marked] == ["door", "door"]
    page.clear_button.click()
    assert "repetition" not in draft.page.marks._layers


def _find(listed: EntryList, word: str, kind: RepetitionKind = RepetitionKind.ECHO) -> QModelIndex:
    items = listed.items
    for row in range(items.rowCount()):
        found = items.index(row).data(PAYLOAD)
        if isinstance(found, Repetition) and found.kind is kind and found.text == word:
            return items.index(row)
    raise AssertionError(word)


def test_what_cannot_be_told_of_another_language_is_said(draft: MainWindow, qtbot: QtBot) -> None:
    settings = dataclasses.replace(draft.workroom.polish_settings, language="fr")
    draft.workroom.change_polish_settings(settings)
    draft.actions_by_name["show_insight"].trigger()
    draft.insight.panel.show_page("reading")
    reading = draft.insight.panel.reading
    qtbot.waitUntil(lambda: "English" in reading.note.text(), timeout=WAIT)
    assert not reading.figures["ease"].isVisible()
    assert reading.figures["mean"].isVisible()


def test_the_figures_say_when_they_are_old(draft: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: draft.status.perplexity.property("role") == "chip-accent", timeout=WAIT)
    QTest.keyClicks(draft.page, " teh")
    assert draft.status.perplexity.isVisible()
    assert draft.status.perplexity.text().endswith("…")
    qtbot.waitUntil(lambda: draft.status.perplexity.property("role") == "chip-accent", timeout=WAIT)
    assert not draft.status.perplexity.text().endswith("…")


def test_another_story_has_none_of_the_old_colours(draft: MainWindow, qtbot: QtBot) -> None:
    draft.actions_by_name["heat_map"].trigger()
    draft.workroom.manuscripts.add_story("Empty")
    qtbot.waitUntil(lambda: draft.page.text() == "", timeout=WAIT)
    assert draft.insight.heat.find_next(0, 1) is None
    assert not list(draft.insight.heat._find_pieces(draft.page.document().firstBlock()))
    assert draft.insight.panel.surprise.list.items.rowCount() == 0


def test_a_word_s_tip_is_under_the_mouse(draft: MainWindow, qapp: QApplication) -> None:
    draft.actions_by_name["heat_map"].trigger()
    place = TEXT.index("recieve")
    draft.page.go_to(place, place)
    where: QPoint = draft.page.cursorRect().center() + QPoint(4, 0)
    word = draft.insight.heat.find_word(draft.page.cursorForPosition(where).position())
    assert word is not None
    assert word.text == "recieve"


@pytest.mark.parametrize("tokens", list(BY_NAME.values()), ids=list(BY_NAME))
@pytest.mark.parametrize("kind", list(HeatKind))
def test_words_are_read_through_every_colour_and_told_apart_without(tokens: Tokens, kind: HeatKind) -> None:
    looks = list_looks(kind, tokens)
    assert len({look.line for look in looks.values()}) == len(looks)
    for look in looks.values():
        if look.colour is not None:
            colour = look.colour.name().upper()
            ground = mix(tokens.page, colour, look.colour.alphaF())
            assert contrast_ratio(tokens.ink, ground) >= 4.5
            assert contrast_ratio(choose_line_colour(tokens), ground) >= 3.0


def test_colours_change_with_the_theme(draft: MainWindow, qapp: QApplication) -> None:
    draft.actions_by_name["heat_map"].trigger()
    light = _looks(draft, "teh")
    apply_theme(qapp, "dark")
    changed = _looks(draft, "teh")
    apply_theme(qapp, "light")
    assert {alpha for alpha, _line in changed} != {alpha for alpha, _line in light}
    assert {line for _alpha, line in changed} == {line for _alpha, line in light}


def test_a_quick_question_comes_before_the_score_and_the_score_before_the_rest(world: FakeWorld, qtbot: QtBot) -> None:
    engine = EngineWorker(world.desk)
    done: list[str] = []
    engine.score_ready.connect(lambda _event: done.append("score"))
    engine.run_errand(lambda _is_cancelled: done.append("later"), "later")
    engine.score(1, "A door.", "")
    engine.run_errand(lambda _is_cancelled: done.append("quick"), "quick", quick=True)
    engine.start()
    qtbot.waitUntil(lambda: len(done) == 3, timeout=WAIT)
    assert engine.close()
    assert done.index("quick") == 0
    assert set(done) == {"quick", "score", "later"}
    world.desk.close()
