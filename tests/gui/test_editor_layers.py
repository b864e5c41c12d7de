"""What lies over the text: layers that merge, Markdown that shows, a page that is laid out only where it is seen."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from storydesk.domain.manuscript import count_words
from storydesk.ui.editor.compositor import Mark
from storydesk.ui.editor.page import PageEdit, PageLook

Wave = QTextCharFormat.UnderlineStyle.WaveUnderline


def make_format(
    *, background: str = "", colour: str = "", underline: str = "", overline: bool = False
) -> QTextCharFormat:
    made = QTextCharFormat()
    if background:
        made.setBackground(QColor(background))
    if colour:
        made.setForeground(QColor(colour))
    if underline:
        made.setUnderlineStyle(Wave)
        made.setUnderlineColor(QColor(underline))
    made.setFontOverline(overline)
    return made


def count_pixels(page: PageEdit, colour: str) -> int:
    image, wanted = page.viewport().grab().toImage(), QColor(colour)
    found = (image.pixelColor(x, y) for x in range(image.width()) for y in range(min(image.height(), 120)))
    return sum(
        abs(each.red() - wanted.red()) + abs(each.green() - wanted.green()) + abs(each.blue() - wanted.blue()) < 120
        for each in found
    )


def formats_of(page: PageEdit, block: int) -> list[tuple[int, int]]:
    page.viewport().grab()
    return [(piece.start, piece.length) for piece in page.document().findBlockByNumber(block).layout().formats()]


def test_four_layers_show_at_once(page: PageEdit) -> None:
    page.set_text("MMMMMMMM")
    page.setCursorWidth(0)
    page.marks.set_layer("grammar", [Mark(0, 8, make_format(underline="#ff0000"))])
    page.marks.set_layer("heat", [Mark(0, 4, make_format(background="#00ff00"))])
    page.marks.set_layer("authorship", [Mark(0, 8, make_format(colour="#0000ff"))])
    page.marks.set_layer("search", [Mark(3, 8, make_format(background="#ffff00"))])
    assert count_pixels(page, "#00ff00") > 50  # heat
    assert count_pixels(page, "#ffff00") > 50  # search, above heat where both are
    assert count_pixels(page, "#0000ff") > 20  # authorship
    assert count_pixels(page, "#ff0000") > 5  # grammar
    page.marks.set_layer("heat", [])
    assert count_pixels(page, "#00ff00") == 0
    assert count_pixels(page, "#ffff00") > 50


def test_marks_follow_edits_and_go_where_they_are_touched(page: PageEdit) -> None:
    page.set_text("one two three\nfour five six")
    look = make_format(underline="#ff0000")
    page.marks.set_layer("grammar", [Mark(4, 7, look), Mark(8, 13, look), Mark(19, 23, look)])
    assert formats_of(page, 0) == [(4, 3), (8, 5)]
    cursor = page.textCursor()
    cursor.setPosition(0)
    page.setTextCursor(cursor)
    QTest.keyClicks(page, "ab ")
    assert formats_of(page, 0) == [(7, 3), (11, 5)]
    assert formats_of(page, 1) == [(5, 4)]
    cursor.setPosition(8)
    page.setTextCursor(cursor)
    QTest.keyClicks(page, "x")
    assert formats_of(page, 0) == [(12, 5)]
    page.undo()
    assert formats_of(page, 0)[-1] == (8, 5) or formats_of(page, 0)[-1] == (11, 5)


def test_a_source_is_asked_for_what_is_seen_only(page: PageEdit) -> None:
    asked: list[tuple[int, int]] = []

    class Source:
        def marks_between(self, start: int, end: int) -> list[tuple[int, int, QTextCharFormat]]:
            asked.append((start, end))
            return [(start, start + 1, look)]

    look = make_format(underline="#ff0000")
    page.set_text("a line of text\n" * 2000)
    page.marks.set_source("authorship", Source())
    page.viewport().grab()
    assert 0 < len(asked) < 100


def test_headings_emphasis_and_breaks_show_and_stay_as_they_were_written(page: PageEdit) -> None:
    text = "# The sea\nShe *walked* **on**.\n***\n2 * 3 * 4\n#hashtag"
    page.set_text(text)
    page.set_page_font(QFont("DejaVu Serif", 14))
    page.viewport().grab()
    lines = [page.document().findBlockByNumber(number).layout() for number in range(5)]
    assert lines[0].lineAt(0).height() > lines[1].lineAt(0).height()
    looks = [(piece.start, piece.length, piece.format.fontItalic()) for piece in lines[1].formats()]
    assert (5, 6, True) in looks
    assert lines[2].lineAt(0).naturalTextRect().left() > 200  # in the middle
    assert lines[3].formats() == []
    assert lines[4].formats() == []
    assert page.text() == text
    assert not page.document().isUndoAvailable()
    QTest.keyClicks(page, "x")
    assert page.text() == text + "x"


def test_a_novel_is_laid_out_where_it_is_seen(page: PageEdit) -> None:
    page.set_text("\n".join("a paragraph of some length that goes on and on for a while " * 4 for _ in range(5000)))
    laid = sum(page.document().findBlockByNumber(number).layout().lineCount() > 0 for number in range(5000))
    assert laid < 100
    page.go_to(0, 0)
    assert page.cursorRect().intersects(page.viewport().rect())
    middle = page.document().findBlockByNumber(2500).position()
    page.go_to(middle, middle + 5)
    assert page.cursorRect().intersects(page.viewport().rect())
    assert page.cursorForPosition(page.cursorRect().center()).position() == middle + 5
    page.moveCursor(QTextCursor.MoveOperation.End)
    assert page.cursorRect().intersects(page.viewport().rect())


def test_scrolling_up_into_what_was_only_estimated_keeps_the_page_in_place(page: PageEdit) -> None:
    page.set_text(
        "\n".join("wide words in a line that is long enough to break somewhere " * (n % 7) for n in range(900))
    )
    bar = page.verticalScrollBar()
    before = page.cursorForPosition(QPoint(60, 5)).position()
    for _step in range(40):
        bar.setValue(bar.value() - 60)
        page.viewport().grab()
        now = page.cursorForPosition(QPoint(60, 5)).position()
        assert now <= before
        assert before - now < 1200
        before = now


@pytest.mark.parametrize("width", [420, 900])
def test_up_and_down_go_through_every_line(page: PageEdit, width: int) -> None:
    page.resize(width, 400)
    page.set_text("short\n\n" + "a longer line that breaks a few times in a narrow page, surely " * 6 + "\nend")
    page.moveCursor(QTextCursor.MoveOperation.Start)
    places = []
    for _step in range(60):
        QTest.keyClick(page, Qt.Key.Key_Down)
        places.append(page.textCursor().position())
    assert places[-1] >= page.text().rindex("end")
    assert places == sorted(places)
    page.moveCursor(QTextCursor.MoveOperation.PreviousWord)


def test_typewriter_keeps_the_line_in_the_middle_and_others_step_back(page: PageEdit) -> None:
    page.set_text("\n".join(f"line {number}" for number in range(200)))
    page.set_look(PageLook(typewriter=True, dims=True))
    middle = page.viewport().height() // 2
    for _step in range(3):
        QTest.keyClick(page, Qt.Key.Key_Up)
        assert abs(page.cursorRect().center().y() - middle) <= 2
    QTest.keyClicks(page, " more")
    assert abs(page.cursorRect().center().y() - middle) <= 2
    page.moveCursor(QTextCursor.MoveOperation.Start)
    assert abs(page.cursorRect().center().y() - middle) <= 2
    dimmed = page.viewport().grab().toImage()
    page.set_look(PageLook(typewriter=True, dims=False))
    assert page.viewport().grab().toImage() != dimmed


def test_measure_line_height_and_margin_can_be_set(page: PageEdit) -> None:
    page.resize(1400, 500)
    page.set_text("the quick brown fox jumps over the lazy dog and then sits down to think about it " * 8)
    layout = page.document().firstBlock().layout()
    usual = layout.lineAt(0).textLength()
    height = layout.lineAt(1).y() - layout.lineAt(0).y()
    page.set_look(PageLook(measure=44, line_height=2.0, margin=80))
    QApplication.processEvents()
    page.viewport().grab()
    assert layout.lineAt(0).textLength() < usual - 10
    assert layout.lineAt(1).y() - layout.lineAt(0).y() > height * 1.2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 200),
            st.integers(0, 30),
            st.text(alphabet="ab *#\n日😀\u2028א“-", max_size=12),
            st.sampled_from(["", "undo", "redo"]),
        ),
        max_size=15,
    )
)
def test_the_page_knows_its_text_through_all_edits(page: PageEdit, edits: list[tuple[int, int, str, str]]) -> None:
    page.set_text("one *two*\n# three\n\nfour")
    for position, length, text, then in edits:
        most = page.document().characterCount() - 1
        start = min(position, most)
        page.replace(start, min(start + length, most), text)
        if then:
            getattr(page, then)()
        raw = page.document().toRawText().replace("\u2029", "\n")
        assert page.text() == raw
        assert page.paragraphs.count_words() == sum(map(count_words, raw.split("\n")))
    page.viewport().grab()
    assert len(page.paragraphs) == page.document().blockCount()


def test_undo_has_no_limit(page: PageEdit) -> None:
    page.set_text("")
    for number in range(600):
        page.replace(0, 0, f"{number} ")
    for _number in range(600):
        page.undo()
    assert page.text() == ""
