"""What leaves the page by copying and what comes in by pasting."""

from __future__ import annotations

from PySide6.QtCore import QMimeData

from storydesk.domain.rich_text import clean_pasted, exact_pasted, html_to_markup, markup_to_html

OWN_TEXT = "application/x-storydesk-text"
"""Marks what was copied here, so that it comes back unchanged."""
MARKDOWN = "text/markdown"
_HTML_MOST = 4 << 20


def read_pasted(source: QMimeData) -> str:
    """Return what a paste puts into the draft: cleaned, with headings and emphasis where the source has them."""
    if source.hasFormat(OWN_TEXT):
        return exact_pasted(source.text())
    if source.hasHtml() and len(source.html()) <= _HTML_MOST:
        marked = html_to_markup(source.html())
        if marked.strip() and (not source.hasText() or _says_more(marked, source.text())):
            return marked
    return clean_pasted(source.text())


def read_exactly(source: QMimeData) -> str:
    """Return what a paste holds, letter by letter."""
    return exact_pasted(source.text() if source.hasText() else html_to_markup(source.html()))


def make_copied(text: str) -> QMimeData:
    """Return a copy as plain text, no-break spaces included."""
    data = QMimeData()
    data.setText(text)
    data.setData(OWN_TEXT, b"1")
    return data


def make_markdown(text: str) -> QMimeData:
    """Return a copy as Markdown, with the marks in it."""
    data = QMimeData()
    data.setText(text)
    data.setData(MARKDOWN, text.encode("utf-8", "replace"))
    return data


def make_rich(text: str) -> QMimeData:
    """Return a copy with its look: headings, emphasis and scene breaks."""
    data = QMimeData()
    data.setHtml(markup_to_html(text))
    data.setText(text)
    return data


def _says_more(marked: str, plain: str) -> bool:
    """Return whether HTML brought anything that the plain text lacks; plain text knows its line breaks better."""
    return any(line.startswith("#") for line in marked.split("\n")) or marked.count("*") > plain.count("*")
