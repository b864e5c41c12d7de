"""Authorship on a real page: spans beside an oracle that knows every letter, through whatever an editor can do."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QInputMethodEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from storydesk.bridge.authorship_form import as_units, count_units, to_points, to_units
from storydesk.domain.authorship import PASTED, UNKNOWN, WRITTEN, Kind, Origin, Source, find_touched, join_runs
from storydesk.ui.editor.authorship_tracker import AuthorshipTracker
from storydesk.ui.editor.page import PageEdit
from tests.unit.test_domain_authorship import edit_letters, spread

SOURCE = Source("a1", "starter", 7, 1_000_000.0)
MADE = Origin(Kind.GENERATED, SOURCE)
EDITED = Origin(Kind.EDITED, SOURCE)
STEPS = 500


@pytest.fixture
def tracker(page: PageEdit) -> AuthorshipTracker:
    tracker = page.authorship
    tracker.watch_ghost(lambda _words: SOURCE)
    return tracker


def _begin(page: PageEdit, *parts: tuple[str, Origin]) -> AuthorshipTracker:
    page.set_text("".join(text for text, _ in parts))
    page.authorship.begin(join_runs([(count_units(text), origin) for text, origin in parts]))
    QApplication.processEvents()
    return page.authorship


def _parts(page: PageEdit) -> list[tuple[str, Origin]]:
    text, place, found = as_units(page.text()), 0, []
    for length, origin in page.authorship.runs():
        found.append((text[place : place + length], origin))
        place += length
    assert place == len(text)
    return found


def _select(page: PageEdit, words: str) -> None:
    start = as_units(page.text()).index(as_units(words))
    cursor = page.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(start + count_units(words), QTextCursor.MoveMode.KeepAnchor)
    page.setTextCursor(cursor)


def _go_to(page: PageEdit, place: int) -> None:
    cursor = page.textCursor()
    cursor.setPosition(place)
    page.setTextCursor(cursor)


class Oracle:
    """The origin of every unit of the text, and of every height of the undo stack."""

    def __init__(self, page: PageEdit) -> None:
        self.page = page
        self.letters = spread(page.authorship.runs())
        self.heights = {page.document().availableUndoSteps(): self.letters}
        self.words = 0

    def edit(self, start: int, end: int, text: str, origins: list[Origin] | None = None, *, own: bool = True) -> None:
        """Note an edit that is about to be made; ``own`` ones touch the sentences around them."""
        before = as_units(self.page.text())
        after = before[:start] + text + before[end:]
        stop = start + len(text)
        low = after.rfind("\n", 0, start) + 1
        first_end = after.find("\n", start)
        first_end = len(after) if first_end < 0 else first_end
        last = after.rfind("\n", 0, stop) + 1
        last_end = after.find("\n", stop)
        last_end = len(after) if last_end < 0 else last_end
        if low == last:
            begin, close = find_touched(after[low:last_end], start - low, stop - low)
            touched = (low + begin, low + close)
        else:
            touched = (
                low + find_touched(after[low:first_end], start - low, first_end - low)[0],
                last + find_touched(after[last:last_end], 0, stop - last)[1],
            )
        added = [WRITTEN] * len(text) if origins is None else origins
        self.letters = edit_letters(self.letters, start, end, added, touched if own else None)

    def keep(self) -> None:
        """Note that the edit is done."""
        height = self.page.document().availableUndoSteps()
        self.heights = {known: letters for known, letters in self.heights.items() if known < height}
        self.heights[height] = self.letters

    def go(self) -> None:
        """Note that the writer has undone or redone something."""
        self.letters = self.heights[self.page.document().availableUndoSteps()]

    def check(self) -> None:
        assert spread(self.page.authorship.runs()) == self.letters

    def fresh_words(self, dice: random.Random, count: int) -> str:
        """Return words that stand nowhere else, so that a change has only one reading."""
        words = []
        for _ in range(count):
            self.words += 1
            words.append(f"q{self.words}{dice.choice(('', '😀', 'é', '.', '.'))}")
        return dice.choice((" ", "", "\n")) + dice.choice((" ", "\n")).join(words) + dice.choice((" ", ". ", ""))


def _random_step(page: PageEdit, oracle: Oracle, dice: random.Random) -> None:
    text = as_units(page.text())
    place = dice.randint(0, len(text))
    while 0 < place < len(text) and "\udc00" <= text[place] <= "\udfff":
        place -= 1
    end = min(place + dice.choice((0, 1, 3, 20, 60)), len(text))
    while 0 < end < len(text) and "\udc00" <= text[end] <= "\udfff":
        end += 1
    document, cursor = page.document(), page.textCursor()
    kind = dice.choice(("type", "type", "delete", "insert", "over", "ghost", "paste", "move", "undo", "undo", "redo"))
    if kind == "undo" and document.isUndoAvailable():
        page.undo()
        oracle.go()
    elif kind == "redo" and document.isRedoAvailable():
        page.redo()
        oracle.go()
    elif kind == "type":
        _go_to(page, place)
        for letter in dice.choice(("x", "ab c", ". The", "\n", "é")):
            oracle.edit(page.textCursor().position(), page.textCursor().position(), letter)
            if letter == "\n":
                QTest.keyClick(page, Qt.Key.Key_Return)
            else:
                page.textCursor().insertText(letter)
            oracle.keep()
            oracle.check()
    elif kind == "delete" and end > place:
        oracle.edit(place, end, "")
        cursor.setPosition(place)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        oracle.keep()
    elif kind == "insert":
        fresh = oracle.fresh_words(dice, 3)
        oracle.edit(place, place, as_units(fresh))
        cursor.setPosition(place)
        cursor.insertText(fresh)
        oracle.keep()
    elif kind == "over" and end > place:
        letter = dice.choice("xyz")
        if letter not in text[place:end]:
            oracle.edit(place, end, letter)
            cursor.setPosition(place)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            page.setTextCursor(cursor)
            QTest.keyClicks(page, letter)
            oracle.keep()
    elif kind == "ghost":
        fresh = oracle.fresh_words(dice, 4)
        _go_to(page, place)
        oracle.edit(place, place, as_units(fresh), [MADE] * count_units(fresh), own=False)
        page.show_ghost(fresh)
        page.accept_ghost()
        oracle.keep()
    elif kind == "paste" and text:
        fresh = oracle.fresh_words(dice, 2).strip()
        _go_to(page, place)
        oracle.edit(place, place, as_units(fresh), [PASTED] * count_units(fresh))
        data = QMimeData()
        data.setText(fresh)
        page.insertFromMimeData(data)
        oracle.keep()
    elif kind == "move" and end > place:
        _go_to(page, place)
        cursor = page.textCursor()
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        page.setTextCursor(cursor)
        data = page.createMimeDataFromSelection()
        origins = oracle.letters[place:end]
        oracle.edit(place, end, "")
        page.textCursor().removeSelectedText()
        oracle.keep()
        oracle.check()
        target = dice.randint(0, len(as_units(page.text())))
        now = as_units(page.text())
        while 0 < target < len(now) and "\udc00" <= now[target] <= "\udfff":
            target -= 1
        _go_to(page, target)
        oracle.edit(target, target, text[place:end], [PASTED if one == UNKNOWN else one for one in origins])
        page.insertFromMimeData(data)
        oracle.keep()


@pytest.mark.parametrize("seed", [1, 2])
def test_spans_stay_exact_through_hundreds_of_real_operations(page: PageEdit, seed: int) -> None:
    _begin(
        page,
        ("It began here. Nobody knew. ", UNKNOWN),
        ("The bell rang. The sea slept.\nMara woke up. ", MADE),
        ("I wrote this 😀 myself.\n\nAnd this.", WRITTEN),
    )
    page.authorship.watch_ghost(lambda _words: SOURCE)
    oracle, dice = Oracle(page), random.Random(seed)
    for _ in range(STEPS // 2):
        _random_step(page, oracle, dice)
        oracle.check()
    while page.document().isUndoAvailable():
        page.undo()
        oracle.go()
        oracle.check()
    while page.document().isRedoAvailable():
        page.redo()
        oracle.go()
        oracle.check()


def test_several_changes_in_one_step_leave_what_is_between_alone(page: PageEdit) -> None:
    _begin(page, ("One red two. ", WRITTEN), ("Three red four.", PASTED), (" Five red six.", UNKNOWN))
    cursor = QTextCursor(page.document())
    cursor.beginEditBlock()
    while not (found := page.document().find("red")).isNull():
        cursor.setPosition(found.selectionStart())
        cursor.setPosition(found.selectionEnd(), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText("blue")
    cursor.endEditBlock()
    assert _parts(page) == [
        ("One blue two. ", WRITTEN),
        ("Three ", PASTED),
        ("blue", WRITTEN),
        (" four.", PASTED),
        (" Five ", UNKNOWN),
        ("blue", WRITTEN),
        (" six.", UNKNOWN),
    ]
    page.undo()
    assert _parts(page) == [("One red two. ", WRITTEN), ("Three red four.", PASTED), (" Five red six.", UNKNOWN)]


def test_replacing_many_places_knows_each_of_them(page: PageEdit) -> None:
    _begin(page, ("red red red. ", WRITTEN), ("😀 red. The red sea.", MADE))
    page.replace_many([(4, 7, "red red"), (16, 19, "😀"), (25, 28, "")])
    assert [(words, origin.kind) for words, origin in _parts(page)] == [
        ("red red red red. ", Kind.WRITTEN),
        (as_units("😀 😀."), Kind.EDITED),
        (" ", Kind.GENERATED),
        ("The  sea.", Kind.EDITED),
    ]
    page.undo()
    assert _parts(page) == [("red red red. ", WRITTEN), (as_units("😀 red. The red sea."), MADE)]


def test_an_accepted_ghost_is_generated_and_a_word_changed_in_it_makes_its_sentence_edited(
    page: PageEdit, tracker: AuthorshipTracker, qtbot: QtBot
) -> None:
    _begin(page, ("It was warm.", WRITTEN))
    page.show_ghost(" The bell rang. Then quiet.")
    QTest.keyClick(page, Qt.Key.Key_Tab)
    assert _parts(page) == [("It was warm.", WRITTEN), (" The bell rang. Then quiet.", MADE)]
    _select(page, "bell")
    with qtbot.waitSignal(tracker.generation_edited) as told:
        QTest.keyClicks(page, "x")
    assert told.args == ["a1"]
    assert _parts(page) == [("It was warm. ", WRITTEN), ("The x rang.", EDITED), (" Then quiet.", MADE)] or _parts(
        page
    ) == [("It was warm.", WRITTEN), (" ", MADE), ("The x rang.", EDITED), (" Then quiet.", MADE)]
    page.undo()
    assert _parts(page) == [("It was warm.", WRITTEN), (" The bell rang. Then quiet.", MADE)]
    page.undo()
    assert _parts(page) == [("It was warm.", WRITTEN)]
    page.redo()
    assert _parts(page)[1] == (" The bell rang. Then quiet.", MADE)


def test_what_comes_from_elsewhere_is_pasted_and_what_was_cut_here_keeps_its_spans(page: PageEdit) -> None:
    _begin(page, ("Mine. ", WRITTEN), ("Made by it. ", MADE), ("End.", WRITTEN))
    data = QMimeData()
    data.setText("Foreign words. ")
    _go_to(page, 0)
    page.insertFromMimeData(data)
    assert _parts(page)[0] == ("Foreign words. ", PASTED)
    page.undo()
    _select(page, "ine. Made by")
    page.cut()
    assert _parts(page) == [("M", WRITTEN), (" it. ", EDITED), ("End.", WRITTEN)] or _parts(page)[0][1] == WRITTEN
    _go_to(page, page.document().characterCount() - 1)
    page.paste()
    assert _parts(page)[-2:] == [("End.ine. ", WRITTEN), ("Made by", MADE)]


def test_a_drop_within_the_page_moves_the_spans(page: PageEdit) -> None:
    _begin(page, ("Made one. ", MADE), ("Mine two. ", WRITTEN), ("Three.", PASTED))
    _select(page, "Made one. ")
    data = page.createMimeDataFromSelection()
    source, target = page.textCursor(), QTextCursor(page.document())
    target.setPosition(page.document().characterCount() - 1)
    target.beginEditBlock()  # as Qt's own dropEvent does
    source.removeSelectedText()
    page.setTextCursor(target)
    page.insertFromMimeData(data)
    target.endEditBlock()
    assert _parts(page) == [("Mine two. ", WRITTEN), ("Three.", PASTED), ("Made one. ", MADE)]
    page.undo()
    assert _parts(page) == [("Made one. ", MADE), ("Mine two. ", WRITTEN), ("Three.", PASTED)]


def test_only_what_is_put_in_inside_the_context_is_generated(page: PageEdit, tracker: AuthorshipTracker) -> None:
    _begin(page, ("One two three.", WRITTEN))
    with tracker.generating(SOURCE):
        page.replace(4, 7, "2")
    page.insert("!")
    assert _parts(page) == [("One ", WRITTEN), ("2", MADE), (" three.!", WRITTEN)]


def test_everything_replaced_and_nothing_left(page: PageEdit) -> None:
    _begin(page, ("One.\n\nTwo.", MADE))
    page.selectAll()
    QTest.keyClicks(page, "x")
    assert _parts(page) == [("x", WRITTEN)]
    page.undo()
    assert _parts(page) == [("One.\n\nTwo.", MADE)]
    page.selectAll()
    QTest.keyClick(page, Qt.Key.Key_Delete)
    assert _parts(page) == []
    page.undo()
    assert _parts(page) == [("One.\n\nTwo.", MADE)]


def test_an_input_method_that_composes_changes_nothing_before_it_commits(page: PageEdit) -> None:
    _begin(page, ("彼は", UNKNOWN))
    QApplication.sendEvent(page, QInputMethodEvent("うみ", []))
    assert _parts(page) == [("彼は", UNKNOWN)]
    commit = QInputMethodEvent()
    commit.setCommitString("海")
    QApplication.sendEvent(page, commit)
    assert _parts(page) == [("彼は", UNKNOWN), ("海", WRITTEN)]


def test_a_text_that_nobody_spoke_for_is_unknown(page: PageEdit) -> None:
    page.set_text("From somewhere.")
    QTest.keyClicks(page, "x")
    assert _parts(page) == [("From somewhere.x", UNKNOWN)] or _parts(page)[0] == ("From somewhere.", UNKNOWN)
    page.authorship.begin([(3, WRITTEN)])
    assert {origin for _, origin in _parts(page)} == {UNKNOWN}


@pytest.mark.parametrize("text", ["", "plain", "a😀b", "😀😀", "é日本"])
def test_units_and_code_points_go_back_and_forth(text: str) -> None:
    runs = join_runs([(1, (WRITTEN, PASTED)[place % 2]) for place in range(len(text))])
    units = to_units(text, runs)
    assert sum(length for length, _ in units) == count_units(text) == len(as_units(text))
    assert to_points(text, units) == runs


def test_a_step_that_was_joined_to_the_one_before_is_undone_with_it(page: PageEdit) -> None:
    _begin(page, ("One. ", MADE))
    page.insert("Two--")
    cursor = QTextCursor(page.document())
    cursor.joinPreviousEditBlock()
    cursor.setPosition(8)
    cursor.setPosition(10, QTextCursor.MoveMode.KeepAnchor)
    cursor.insertText("—")
    cursor.endEditBlock()
    page.insert("x")
    assert _parts(page) == [("One. ", MADE), ("Two—x", WRITTEN)]
    while page.document().isUndoAvailable():
        page.undo()
    assert _parts(page) == [("One. ", MADE)]
    while page.document().isRedoAvailable():
        page.redo()
    assert _parts(page) == [("One. ", MADE), ("Two—x", WRITTEN)]


def test_a_new_edit_after_undo_forgets_what_could_be_redone(page: PageEdit) -> None:
    _begin(page, ("It was warm.", WRITTEN))
    page.authorship.watch_ghost(lambda _words: SOURCE)
    page.show_ghost("a")
    page.accept_ghost()
    page.undo()
    page.insert("a")  # the very text that redo would have brought
    assert _parts(page) == [("It was warm.a", WRITTEN)]
    page.undo()
    page.redo()
    assert _parts(page) == [("It was warm.a", WRITTEN)]
