"""Blocks as XHTML, for web pages and e-books alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from storydesk.domain.markup import Block, BlockKind, Span

_BLANKS = re.compile(" {2,}|\t+ *")
STYLE = """\
body { font-family: "Iowan Old Style", "Palatino Linotype", Georgia, serif; line-height: 1.5; }
h1, h2, h3, h4, h5, h6 { font-weight: normal; text-align: center; line-height: 1.2; margin: 2em 0 1em; }
p { margin: 0; text-indent: 1.5em; }
h1 + p, h2 + p, h3 + p, h4 + p, h5 + p, h6 + p, hr + p, header + p { text-indent: 0; }
p.verse { margin: 1em 2em; text-indent: 0; }
hr { border: 0; margin: 1.5em 0; text-align: center; }
hr::after { content: "* * *"; }
.byline { text-align: center; text-indent: 0; margin: 1em 0 3em; }
.dedication, .epigraph { margin: 25% 15% 0; font-style: italic; }
.copyright { margin-top: 40%; font-size: 0.85em; }
"""


def compose_blocks(blocks: Iterable[Block], *, lower: int = 0) -> str:
    """Return blocks as XHTML; headings go ``lower`` levels down, beyond the sixth by ``aria-level``."""
    return "\n".join(_compose_block(block, lower) for block in blocks)


def compose_line(line: Iterable[Span]) -> str:
    """Return one line's spans."""
    return "".join(map(_compose_span, line))


def _compose_block(block: Block, lower: int) -> str:
    if block.kind is BlockKind.SCENE_BREAK:
        return "<hr/>"
    lines = "<br/>\n".join(map(compose_line, block.lines))
    if block.kind is BlockKind.PARAGRAPH:
        return f'<p class="verse">{lines}</p>' if len(block.lines) > 1 else f"<p>{lines}</p>"
    level = block.level + lower
    if level > 6:
        return f'<h6 role="heading" aria-level="{level}">{lines}</h6>'
    return f"<h{level}>{lines}</h{level}>"


def _compose_span(span: Span) -> str:
    text = _BLANKS.sub(r'<span style="white-space: pre-wrap">\g<0></span>', escape(span.text))
    if span.emphasis:
        text = f"<em>{text}</em>"
    return f"<strong>{text}</strong>" if span.strong else text
