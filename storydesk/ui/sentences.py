"""Small phrases that several widgets share."""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication, QLocale

from storydesk.domain.outline import Status


def say_untitled() -> str:
    """Return what a story without a title is called."""
    return QCoreApplication.translate("Library", "Untitled story")


def say_draft(name: str) -> str:
    """Return a draft's name as the writer reads it."""
    return QCoreApplication.translate("Library", "Draft {name}").format(name=name)


def say_short(count: int) -> str:
    """Return a number in little room: 950, 1.2k, 85k."""
    if count < 1000:
        return str(count)
    locale = QLocale()
    short = locale.toString(count / 1000, "f", 1) if count < 9950 else locale.toString(round(count / 1000))
    return QCoreApplication.translate("Library", "{number}k").format(number=short)


def say_status(status: Status) -> str:
    """Return how far a story or a part has come, in the writer's words."""
    words = {
        Status.NONE: QCoreApplication.translate("Library", "No status"),
        Status.IDEA: QCoreApplication.translate("Library", "Idea"),
        Status.DRAFT: QCoreApplication.translate("Library", "First draft"),
        Status.REVISED: QCoreApplication.translate("Library", "Revised"),
        Status.FINISHED: QCoreApplication.translate("Library", "Finished"),
    }
    return words[status]


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
