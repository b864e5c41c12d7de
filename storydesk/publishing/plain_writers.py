"""Markdown and plain text."""

from __future__ import annotations

import json

from storydesk.domain.book import Book, arrange, flatten
from storydesk.domain.markup import Block, BlockKind, format_spans

_MARKDOWN_SCENE_BREAK = "* * *"


def compose_markdown(book: Book) -> str:
    """Return a Markdown document: the title as its first heading, a blank line between paragraphs, marks kept.

    Lines of verse end with a backslash, which Markdown shows as a line break. The book is clean.
    """
    parts = [_compose_front_matter(book)] if book.author.byline else []
    parts += [f"# {book.title}"] if book.title else []
    parts += [_compose_block(block) for block in flatten(arrange(book))]
    return "\n\n".join(parts) + "\n"


def compose_plain(book: Book) -> str:
    """Return plain text: the title underlined, a blank line between paragraphs, marks left out. The book is clean."""
    parts = [f"{book.title}\n{'=' * max(len(book.title), 3)}"] if book.title else []
    parts += [f"by {book.author.byline}"] if book.author.byline else []
    parts += [_strip_block(block) for block in flatten(arrange(book))]
    return "\n\n".join(parts) + "\n"


def _compose_front_matter(book: Book) -> str:
    fields = {"title": book.title, "author": book.author.byline, "lang": book.language}
    return "\n".join(
        ["---", *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()), "---"]
    )


def _compose_block(block: Block) -> str:
    lines = [format_spans(line) for line in block.lines]
    if block.kind is BlockKind.SCENE_BREAK:
        return _MARKDOWN_SCENE_BREAK
    if block.kind is BlockKind.HEADING:
        return "#" * block.level + " " + lines[0]
    return "\\\n".join(lines)


def _strip_block(block: Block) -> str:
    if block.kind is BlockKind.SCENE_BREAK:
        return _MARKDOWN_SCENE_BREAK
    lines = ["".join(span.text for span in line) for line in block.lines]
    return "\n".join(lines)
