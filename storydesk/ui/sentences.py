"""Small phrases that several widgets share."""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication, QLocale


def say_count(count: int, one: str, many: str) -> str:
    """Return ``one`` or ``many`` with the number in its place (``{n}``), grouped as the reader's country does."""
    return (one if count == 1 else many).format(n=QLocale().toString(count))


def say_untitled() -> str:
    """Return what a story without a title is called."""
    return QCoreApplication.translate("Library", "Untitled story")


def say_draft(name: str) -> str:
    """Return a draft's name as the writer reads it."""
    return QCoreApplication.translate("Library", "Draft {name}").format(name=name)


def say_category(category: str) -> str:
    """Return a kind of finding in the writer's words."""
    words = {
        "spelling": QCoreApplication.translate("Polish", "Spelling"),
        "grammar": QCoreApplication.translate("Polish", "Grammar"),
        "punctuation": QCoreApplication.translate("Polish", "Punctuation"),
        "repetition": QCoreApplication.translate("Polish", "Repetition"),
        "style": QCoreApplication.translate("Polish", "Style"),
        "typography": QCoreApplication.translate("Polish", "Typography"),
    }
    return words.get(category, QCoreApplication.translate("Polish", "Note"))


DOUBTFUL = "doubtful"


def say_group(group: str) -> str:
    """Return the heading over a group of notes: a kind of finding, or what is held back."""
    if group == DOUBTFUL:
        return QCoreApplication.translate("Polish", "Perhaps right as it is")
    return say_category(group)


def say_message(message: str) -> str:
    """Return a checker's message with quotes where it marks words as code."""
    return re.sub(r"`([^`]*)`", "“\\1”", message)
