"""A web page: one file that says what everything is and needs nothing from elsewhere."""

from __future__ import annotations

from html import escape

from storydesk.domain.book import Book, Form, MatterKind, PublishingProfile, Section, arrange, flatten, make_heading
from storydesk.domain.manuscript import count_words
from storydesk.domain.markup import BlockKind
from storydesk.publishing.front_page import SCENE_MARK, list_contact, say_words
from storydesk.publishing.xhtml import STYLE, compose_blocks, compose_line

ROLES = {
    MatterKind.DEDICATION: "doc-dedication",
    MatterKind.EPIGRAPH: "doc-epigraph",
    MatterKind.FOREWORD: "doc-foreword",
    MatterKind.AFTERWORD: "doc-afterword",
    MatterKind.ACKNOWLEDGEMENTS: "doc-acknowledgments",
}
_PREVIEWED_WORDS = 700
_PAGE_STYLE = "body { max-width: 36em; margin: 2em auto; padding: 0 1em; }\n"


def compose_html(book: Book) -> str:
    """Return a book as one HTML file that is well-formed XML too; the book is clean."""
    name = escape(book.title or "Untitled")
    author = escape(book.author.byline)
    lower = 1 if book.title else 0
    head = f"<header>\n<h1>{escape(book.title)}</h1>\n" if book.title else ""
    if head:
        head += (f'<p class="byline">{author}</p>\n' if author else "") + "</header>\n"
    sections = "\n".join(_compose_section(section, lower) for section in arrange(book))
    meta = f'<meta name="author" content="{author}"/>\n' if author else ""
    return (
        f'<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="{book.language}" '
        f'xml:lang="{book.language}">\n<head>\n<meta charset="utf-8"/>\n<title>{name}</title>\n{meta}'
        '<meta name="generator" content="Storydesk"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<style>\n{STYLE}{_PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n<article>\n{head}{sections}\n"
        "</article>\n</main>\n</body>\n</html>\n"
    )


def _compose_section(section: Section, lower: int) -> str:
    title = compose_blocks([make_heading(section.title, 1)], lower=lower) + "\n" if section.title else ""
    inner = title + compose_blocks(section.blocks, lower=lower)
    if section.matter is None:
        return f"<section>\n{inner}\n</section>"
    role = f' role="{ROLES[section.matter]}"' if section.matter in ROLES else ""
    return f'<section class="{section.matter}"{role}>\n{inner}\n</section>'


def compose_preview(book: Book, profile: PublishingProfile) -> str:
    """Return the first pages in the little HTML that a text widget understands; the book is clean."""
    manuscript = profile.form is Form.MANUSCRIPT
    parts: list[str] = []
    if manuscript:
        contact = "<br/>".join(map(escape, list_contact(book)))
        parts.append(
            f'<table width="100%"><tr><td>{contact}</td><td align="right">{say_words(book)}</td></tr></table>'
            + "<p>&nbsp;</p>" * 4
        )
    if book.title:
        title = escape(book.title)
        parts.append(f'<p align="center">{title}</p>' if manuscript else f'<h1 align="center">{title}</h1>')
    if book.author.byline:
        parts.append(f'<p align="center">{"by " if manuscript else ""}{escape(book.author.byline)}</p>')
    height, indent, words = (200, 36, 0) if manuscript else (130, 18, 0)
    for block in flatten(arrange(book)):
        lines = "<br/>".join(map(compose_line, block.lines))
        if block.kind is BlockKind.SCENE_BREAK:
            parts.append(f'<p align="center">{SCENE_MARK if manuscript else "* * *"}</p>')
        elif block.kind is BlockKind.HEADING:
            parts.append(f'<p align="center"><b>{lines}</b></p>')
        else:
            parts.append(f'<p style="line-height: {height}%; text-indent: {indent}px; margin: 0">{lines}</p>')
        words += sum(count_words(span.text) for line in block.lines for span in line)
        if words > _PREVIEWED_WORDS:
            parts.append('<p align="center">…</p>')
            break
    return "\n".join(parts)
