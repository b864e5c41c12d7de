"""The page: what goes in comes out, pasting, undo, and ghost text that is no part of the text."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QColor, QInputMethodEvent, QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from storydesk.domain.manuscript import count_words
from storydesk.ui.editor.compositor import Mark
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.theme import current_tokens


@pytest.mark.parametrize(
    "text",
    [
        "",
        "One.\n\nTwo.\n",
        "a\u00a0no-break\u202fspace\ttab",
        "emoji 😀 and 👩‍👩‍👧 and combining é",
        "日本語の文章。\nעברית",
        "line\u2028separator and “quotes” — … ‘x’",
        "\n\n\n  spaces  \n",
    ],
)
def test_what_goes_in_comes_out(page: PageEdit, text: str) -> None:
    page.set_text(text)
    assert page.text() == text


def test_no_break_spaces_survive_copy_and_paste(page: PageEdit) -> None:
    page.set_text("10\u00a0km\n\nend")
    page.selectAll()
    page.copy()
    page.set_text("")
    page.paste()
    assert page.text() == "10\u00a0km\n\nend"


def test_pasting_keeps_paragraphs_headings_and_emphasis_and_drops_the_look(page: PageEdit) -> None:
    data = QMimeData()
    data.setHtml("<h1>Big</h1><p><b>bold</b> text</p>")
    data.setText("Big\r\nbold text\r\n")
    page.insertFromMimeData(data)
    assert page.text() == "# Big\n\n**bold** text"
    page.selectAll()
    assert not page.textCursor().charFormat().font().bold()


def test_pasting_html_without_text_gives_its_words(page: PageEdit) -> None:
    data = QMimeData()
    data.setHtml("<p>one</p><p>two</p>")
    page.insertFromMimeData(data)
    assert page.text() == "one\n\ntwo"


def test_words_are_counted_as_the_domain_counts_them(page: PageEdit, qtbot: QtBot) -> None:
    page.set_text("One two.\n\nThree — four's five-six.")
    assert page.paragraphs.count_words() == count_words(page.text())
    QTest.keyClicks(page, " and more words")
    QTest.keyClick(page, Qt.Key.Key_Return)
    QTest.keyClicks(page, "here")
    assert page.paragraphs.count_words() == count_words(page.text())
    page.undo()
    assert page.paragraphs.count_words() == count_words(page.text())


def test_ghost_text_is_neither_text_nor_counted_nor_undone(page: PageEdit) -> None:
    page.set_text("It was warm.")
    page.show_ghost(" And it turned.")
    assert page.ghost == " And it turned."
    assert page.text() == "It was warm."
    assert page.paragraphs.count_words() == 3
    assert not page.document().isUndoAvailable()


def test_ghost_text_is_painted_in_the_accent(page: PageEdit, qtbot: QtBot) -> None:
    page.set_text("It was warm.")
    page.setCursorWidth(0)

    def count_accent() -> int:
        image = page.viewport().grab().toImage()
        accent = QColor(current_tokens().accent)
        return sum(
            1
            for x in range(image.width())
            for y in range(min(image.height(), 160))
            if abs(image.pixelColor(x, y).red() - accent.red()) < 12
            and abs(image.pixelColor(x, y).blue() - accent.blue()) < 12
        )

    before = count_accent()
    page.show_ghost(" And it turned, and turned, and turned.")
    assert count_accent() > before + 20
    page.drop_ghost()
    assert count_accent() == before


def test_tab_accepts_as_one_step_that_undo_takes_back(page: PageEdit) -> None:
    page.set_text("It was warm.")
    page.show_ghost(" And it turned.\n\nThen quiet.")
    QTest.keyClick(page, Qt.Key.Key_Tab)
    assert page.text() == "It was warm. And it turned.\n\nThen quiet."
    assert page.ghost == ""
    page.undo()
    assert page.text() == "It was warm."


def test_escape_dismisses(page: PageEdit, qtbot: QtBot) -> None:
    page.set_text("It was warm.")
    page.show_ghost(" And it turned.")
    with qtbot.waitSignal(page.ghost_dropped):
        QTest.keyClick(page, Qt.Key.Key_Escape)
    assert (page.ghost, page.text()) == ("", "It was warm.")


def test_tab_without_ghost_is_a_tab(page: PageEdit) -> None:
    QTest.keyClick(page, Qt.Key.Key_Tab)
    assert page.text() == "\t"


def test_typing_and_moving_dismiss(page: PageEdit, qtbot: QtBot) -> None:
    page.set_text("It was warm.")
    page.show_ghost(" And")
    QTest.keyClicks(page, "x")
    assert page.ghost == ""
    page.show_ghost(" And")
    QTest.keyClick(page, Qt.Key.Key_Left)
    assert page.ghost == ""


def test_a_ghost_in_the_middle_moves_what_follows_down_and_back(page: PageEdit) -> None:
    page.set_text("One two three.\n\nFour five six.")
    cursor = page.textCursor()
    cursor.setPosition(3)
    page.setTextCursor(cursor)
    before = page.viewport().grab().toImage()
    page.show_ghost(" a ghost")
    assert page.viewport().grab().toImage() != before
    page.drop_ghost()
    assert page.text() == "One two three.\n\nFour five six."


def test_ghost_leaves_a_japanese_preedit_alone(page: PageEdit) -> None:
    page.set_text("彼は")
    page.show_ghost(" ghost")
    QApplication.sendEvent(page, QInputMethodEvent("うみ", []))
    block = page.textCursor().block()
    assert block.layout().preeditAreaText() == "うみ"
    page.show_ghost(" ghost grows")  # text that streams in while somebody composes
    page.marks.set_layer("grammar", [Mark(0, 2, QTextCharFormat())])
    QApplication.processEvents()
    page.viewport().grab()
    assert block.layout().preeditAreaText() == "うみ"
    assert page.text() == "彼は"
    commit = QInputMethodEvent()
    commit.setCommitString("海")
    QApplication.sendEvent(page, commit)
    assert page.text() == "彼は海"
    assert page.ghost == ""


def test_a_preedit_given_up_brings_the_ghost_back(page: PageEdit) -> None:
    page.set_text("彼は")
    page.show_ghost(" ghost")
    QApplication.sendEvent(page, QInputMethodEvent("う", []))
    QApplication.sendEvent(page, QInputMethodEvent("", []))
    assert (page.ghost, page.text(), page.is_composing) == (" ghost", "彼は", False)


def test_marks_follow_layers_and_leave_the_document_unchanged(page: PageEdit, qtbot: QtBot) -> None:
    page.set_text("teh bell\nteh sea")
    underline = QTextCharFormat()
    underline.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
    page.marks.set_layer("grammar", [Mark(0, 3, underline), Mark(9, 12, underline)])
    first, second = page.document().findBlockByNumber(0), page.document().findBlockByNumber(1)
    qtbot.waitUntil(lambda: len(second.layout().formats()) == 1)
    assert [(piece.start, piece.length) for piece in first.layout().formats()] == [(0, 3)]
    assert [(piece.start, piece.length) for piece in second.layout().formats()] == [(0, 3)]
    assert not page.document().isUndoAvailable()
    page.marks.set_layer("grammar", [])
    qtbot.waitUntil(lambda: not first.layout().formats())


def test_lines_have_a_readable_measure(page: PageEdit, qtbot: QtBot) -> None:
    page.resize(1600, 500)
    page.set_text("the quick brown fox jumps over the lazy dog and then sits down to think about it " * 4)
    QApplication.processEvents()
    line = page.document().firstBlock().layout().lineAt(0)
    assert 55 <= line.textLength() <= 78
