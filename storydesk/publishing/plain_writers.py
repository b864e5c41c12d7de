"""Markdown and plain text."""

from __future__ import annotations

from storydesk.domain.markup import Block, BlockKind, format_spans, parse_blocks

_MARKDOWN_SCENE_BREAK = "* * *"


def compose_markdown(title: str, text: str) -> str:
    """Return a Markdown document: the title as its first heading, a blank line between paragraphs, marks kept.

    Lines of verse end with a backslash, which Markdown shows as a line break. ``text`` is clean.
    """
    parts = [f"# {title}"] if title else []
    parts += [_compose_block(block) for block in parse_blocks(text)]
    return "\n\n".join(parts) + "\n"


def compose_plain(title: str, text: str) -> str:
    """Return plain text: the title underlined, a blank line between paragraphs, marks left out. ``text`` is clean."""
    parts = [f"{title}\n{'=' * max(len(title), 3)}"] if title else []
    parts += [_strip_block(block) for block in parse_blocks(text)]
    return "\n\n".join(parts) + "\n"


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
