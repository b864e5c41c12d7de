"""PDF: standard manuscript format or a page for readers, set line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from storydesk.domain.book import Book, Form, PublishingProfile, Section, arrange, make_heading
from storydesk.domain.markup import Block, BlockKind, Span
from storydesk.publishing.front_page import (
    SCENE_MARK,
    THE_END,
    is_short,
    list_contact,
    make_running_head,
    say_words,
)
from storydesk.publishing.pdf_fonts import Typeface
from storydesk.publishing.pdf_lines import LineBreaker, Word
from storydesk.publishing.pdf_pages import Sheets

_MARGIN = 72.0
_WIDEST_BLANK = 12.0
"""Points by which a blank may grow before a line is left ragged."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Measures of a form, in points."""

    size: float
    leading: float
    indent: float
    justified: bool
    indents_first: bool


_SETTINGS = {
    Form.MANUSCRIPT: Setting(12.0, 24.0, 36.0, False, True),
    Form.PLAIN: Setting(11.0, 16.0, 18.0, True, False),
}


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A finished file; ``missing`` are characters that no font has, ``unshaped`` those that would need joining."""

    content: bytes
    pages: int
    missing: str
    unshaped: str


def compose_pdf(book: Book, profile: PublishingProfile) -> PdfFile:
    """Return a book as a PDF file with all its fonts inside; the book is clean."""
    typeface = Typeface()
    composer = _Composer(book, profile, typeface)
    composer.write()
    content = composer.sheets.finish(book)
    missing, unshaped = ("".join(sorted(found)) for found in (typeface.missing, typeface.unshaped))
    return PdfFile(content, composer.sheets.count, missing, unshaped)


class _Composer:
    """Goes down one page after the other; ``_y`` is the next line's base."""

    def __init__(self, book: Book, profile: PublishingProfile, typeface: Typeface) -> None:
        self._book = book
        self._manuscript = profile.form is Form.MANUSCRIPT
        self._setting = _SETTINGS[profile.form]
        self._width, self._height = profile.page.points
        self._measure = self._width - 2 * _MARGIN
        self._breaker = LineBreaker(typeface)
        self._head = make_running_head(book) if self._manuscript else book.title
        self.sheets = Sheets(typeface, profile.page.points)
        self._y = 0.0

    def write(self) -> None:
        self._begin_page()
        self._write_first_page()
        sections = arrange(self._book)
        for number, section in enumerate(sections):
            self._write_section(section, opens_page=number > 0 or not is_short(self._book))
        if self._manuscript:
            self._y -= self._setting.leading
            self._write_centred([Span(THE_END)])

    def _begin_page(self) -> None:
        self.sheets.begin_page()
        number = self.sheets.count
        self._y = self._height - _MARGIN - self._setting.size
        if self._manuscript:
            if number > 1:
                words = self._breaker.measure([Span(f"{self._head}{number}")])
                x = self._width - _MARGIN - _sum(words) * 12 / 1000
                self.sheets.draw_artifact(words, x, self._height - 40, 12)
            return
        if number > 1:
            words = self._breaker.measure([Span(self._shorten(self._head), emphasis=True)])
            self.sheets.draw_artifact(words, (self._width - _sum(words) * 9 / 1000) / 2, self._height - 44, 9)
        words = self._breaker.measure([Span(str(number))])
        self.sheets.draw_artifact(words, (self._width - _sum(words) * 9 / 1000) / 2, 40, 9)

    def _shorten(self, title: str) -> str:
        return title if len(title) <= 70 else title[:69].rstrip() + "…"

    def _write_first_page(self) -> None:
        book = self._book
        if self._manuscript:
            self._write_contact()
            self._y = self._height / 2 if book.title else self._y - 48
        elif not is_short(book):
            self._y = self._height * 0.62
        if book.title:
            self.sheets.add_bookmark(book.title, 1, self._height)
            self._write_centred([Span(book.title)], "H1", self._setting.size * (1 if self._manuscript else 1.8))
        if book.author.byline:
            name = f"by {book.author.byline}" if self._manuscript else book.author.byline
            self._write_centred([Span(name)])
        if book.title or book.author.byline:
            self._y -= self._setting.leading

    def _write_contact(self) -> None:
        lines = list_contact(self._book)
        words = self._breaker.measure([Span(say_words(self._book))])
        x = self._width - _MARGIN - _sum(words) * 12 / 1000
        top = self._y
        room = int((self._measure * 0.6) * 1000 / 12)
        for line in lines[:12]:
            self.sheets.begin_element("P")
            for broken in self._breaker.break_lines([Span(line)], (room, room)):
                self.sheets.draw_line(broken, _MARGIN, self._y, 12)
                self._y -= 14
        self.sheets.begin_element("P")
        self.sheets.draw_line(words, x, top, 12)
        self._y = min(self._y, top - 14)

    def _write_section(self, section: Section, *, opens_page: bool) -> None:
        blocks: list[Block] = [make_heading(section.title, 1)] if section.title else []
        blocks += section.blocks
        if opens_page and blocks:
            self._begin_page()
            self._y = self._height * (2 / 3 if section.title else 0.75)
        follows_text = False
        for block in blocks:
            if block.kind is BlockKind.SCENE_BREAK:
                self._write_centred([Span(SCENE_MARK if self._manuscript else "* * *")])
            elif block.kind is BlockKind.HEADING:
                self._write_heading(block)
            else:
                self._write_paragraph(block, indented=follows_text or self._setting.indents_first)
            follows_text = block.kind is BlockKind.PARAGRAPH

    def _write_heading(self, block: Block) -> None:
        leading = self._setting.leading
        title = "".join(span.text for span in block.lines[0])
        if self._y - 3 * leading < _MARGIN:
            self._begin_page()
        elif self._y < self._height - _MARGIN - leading:
            self._y -= leading / 2
        self.sheets.add_bookmark(title, block.level + (1 if self._book.title else 0), self._y + leading)
        size = self._setting.size * (1 if self._manuscript else max(1.4 - 0.1 * block.level, 1))
        level = min(block.level + (1 if self._book.title else 0), 6)
        self._write_centred([replace(span, strong=True) for span in block.lines[0]], f"H{level}", size)
        self._y -= leading / 2

    def _write_centred(self, spans: Iterable[Span], role: str = "P", size: float = 0.0) -> None:
        size = size or self._setting.size
        leading = max(self._setting.leading, size * 1.3)
        room = int(self._measure * 1000 / size)
        self.sheets.begin_element(role)
        for line in self._breaker.break_lines(spans, (room, room)):
            self._turn_if_full()
            self.sheets.draw_line(line, (self._width - _sum(line) * size / 1000) / 2, self._y, size)
            self._y -= leading

    def _write_paragraph(self, block: Block, *, indented: bool) -> None:
        setting = self._setting
        verse = len(block.lines) > 1
        self.sheets.begin_element("P")
        for spans in block.lines:
            indent = setting.indent if indented or verse else 0.0
            first, room = (int(width * 1000 / setting.size) for width in (self._measure - indent, self._measure))
            before: list[Word] | None = None
            for line in self._breaker.break_lines(spans, (first, room)):
                if before is not None:
                    indent = self._write_line(before, indent, last=False)
                before = line
            if before is not None:
                self._write_line(before, indent, last=True)

    def _write_line(self, line: Sequence[Word], indent: float, *, last: bool) -> float:
        """Write a line and return the next one's indent."""
        setting = self._setting
        self._turn_if_full()
        spread = 0.0
        blanks = sum(word.blank for word in line)
        if setting.justified and not last and blanks:
            spread = (self._measure - indent - _sum(line) * setting.size / 1000) / blanks
            spread = spread if 0 <= spread <= _WIDEST_BLANK else 0.0
        self.sheets.draw_line(line, _MARGIN + indent, self._y, setting.size, spread)
        self._y -= setting.leading
        return 0.0

    def _turn_if_full(self) -> None:
        if self._y < _MARGIN:
            self._begin_page()


def _sum(words: Iterable[Word]) -> int:
    return sum(word.width for word in words)
