"""Counting words without reading the whole draft again: each block remembers its own number."""

from __future__ import annotations

from PySide6.QtGui import QTextDocument

from storydesk.domain.manuscript import count_words


def count_document(document: QTextDocument) -> int:
    """Return the words of a document; blocks without a number are counted now."""
    total = 0
    block = document.firstBlock()
    while block.isValid():
        words = block.userState()
        if words < 0:
            words = count_words(block.text())
            block.setUserState(words)
        total += words
        block = block.next()
    return total


def forget_counts(document: QTextDocument, position: int, added: int) -> None:
    """Let the blocks of an edit be counted again."""
    block = document.findBlock(position)
    end = position + added
    while block.isValid() and block.position() <= end:
        block.setUserState(-1)
        block = block.next()
