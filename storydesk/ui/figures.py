"""Numbers, times and stages in a writer's words."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QLocale

_STAGES: Final = {
    "": QT_TRANSLATE_NOOP("figures", "Getting ready"),
    "reading": QT_TRANSLATE_NOOP("figures", "Reading your stories"),
    "cleaning": QT_TRANSLATE_NOOP("figures", "Tidying the text"),
    "packing": QT_TRANSLATE_NOOP("figures", "Laying the pages out"),
    "measuring_before": QT_TRANSLATE_NOOP("figures", "Measuring how well it knows you now"),
    "tuning": QT_TRANSLATE_NOOP("figures", "Learning your voice"),
    "measuring_after": QT_TRANSLATE_NOOP("figures", "Measuring what it has learnt"),
    "sampling": QT_TRANSLATE_NOOP("figures", "Writing a few stories to show you"),
    "exporting": QT_TRANSLATE_NOOP("figures", "Making it quick to write with"),
    "comparing": QT_TRANSLATE_NOOP("figures", "Checking that nothing was lost on the way"),
    "bundling": QT_TRANSLATE_NOOP("figures", "Putting it on the shelf"),
}

_FORMATS: Final = {
    "docx": QT_TRANSLATE_NOOP("figures", "Word document"),
    "odt": QT_TRANSLATE_NOOP("figures", "OpenDocument text"),
    "epub": QT_TRANSLATE_NOOP("figures", "E-book"),
    "pdf": QT_TRANSLATE_NOOP("figures", "PDF"),
    "html": QT_TRANSLATE_NOOP("figures", "Web page"),
    "md": QT_TRANSLATE_NOOP("figures", "Markdown"),
    "txt": QT_TRANSLATE_NOOP("figures", "Plain text"),
}

_REASONS: Final = {
    "typography": QT_TRANSLATE_NOOP("figures", "quotes, dashes and spaces"),
    "tags": QT_TRANSLATE_NOOP("figures", "tags before the prompt"),
    "parts": QT_TRANSLATE_NOOP("figures", "long ones cut into parts"),
    "markup": QT_TRANSLATE_NOOP("figures", "markup"),
    "encoding": QT_TRANSLATE_NOOP("figures", "broken letters"),
    "line_marks": QT_TRANSLATE_NOOP("figures", "marks for line breaks"),
    "remarks": QT_TRANSLATE_NOOP("figures", "remarks around the story"),
    "detokenised": QT_TRANSLATE_NOOP("figures", "words and marks torn apart"),
    "unprintable": QT_TRANSLATE_NOOP("figures", "unprintable characters"),
    "duplicate": QT_TRANSLATE_NOOP("figures", "the same again"),
    "empty": QT_TRANSLATE_NOOP("figures", "empty"),
    "too_short": QT_TRANSLATE_NOOP("figures", "too short"),
    "removed_by_author": QT_TRANSLATE_NOOP("figures", "taken back by the author"),
}


def say_number(value: float, decimals: int = 0) -> str:
    """Return a number the way the reader's country writes it."""
    return QLocale().toString(value, "f", decimals) if decimals else QLocale().toString(round(value))


def say_perplexity(value: float) -> str:
    """Return a perplexity with as many digits as mean something."""
    return say_number(value, 1 if value < 1000 else 0)


def say_words(count: int) -> str:
    """Return ``1 word``, ``1,204 words``."""
    return QCoreApplication.translate("figures", "%Ln words", "", count)


def say_stories(count: int) -> str:
    """Return ``1 story``, ``72 stories``."""
    return QCoreApplication.translate("figures", "%Ln stories", "", count)


def say_texts(count: int) -> str:
    """Return ``1 text``, ``12 texts``: for what may be a story or a chapter."""
    return QCoreApplication.translate("figures", "%Ln texts", "", count)


def say_size(count: int) -> str:
    """Return a number of bytes as ``352 MB``."""
    return QLocale().formattedDataSize(
        count, 0 if count < 1_000_000_000 else 1, QLocale.DataSizeFormat.DataSizeSIFormat
    )


def say_duration(seconds: float) -> str:
    """Return a time as one would say it: ``less than a minute``, ``about 12 minutes``, ``about 2 hours``."""
    minutes = math.ceil(seconds / 60)
    if seconds < 50:
        return _translate("less than a minute")
    if minutes == 1:
        return _translate("about a minute")
    if minutes < 100:
        return _translate("about {count} minutes").format(count=say_number(minutes))
    hours, rest = divmod(minutes, 60)
    if rest < 10 or hours >= 10:
        return _translate("about {count} hours").format(count=say_number(round(minutes / 60)))
    return _translate("about {hours} hours and {minutes} minutes").format(
        hours=say_number(hours), minutes=say_number(rest)
    )


def say_stage(stage: str) -> str:
    """Return what a run is doing; a stage of a newer trainer is said as it comes."""
    known = _STAGES.get(stage)
    return _translate(str(known)) if known is not None else stage.replace("_", " ").capitalize()


def say_reason(reason: str) -> str:
    """Return why a text was tidied or left out; a reason of a newer trainer is said as it comes."""
    known = _REASONS.get(reason)
    return _translate(str(known)) if known is not None else reason.replace("_", " ")


def say_format(form: str) -> str:
    """Return a document format's name with its suffix."""
    known = _FORMATS.get(form)
    return f"{_translate(str(known))} (.{form})" if known is not None else f".{form}"


def say_device(device: str) -> str:
    """Return where a run works: ``cpu`` becomes words, a graphics card keeps its name."""
    return _translate("the processor") if device.lower() == "cpu" else device


def say_change(before: float, after: float) -> str:
    """Return in a sentence what two held-out perplexities mean; both above zero."""
    if after >= before:
        return _translate("It foresees your unseen pages no better than before.")
    share = 1 - after / before
    if share < 0.02:
        return _translate("It foresees your unseen pages a very little better.")
    return _translate("Your unseen pages surprise it {percent} percent less.").format(percent=say_number(share * 100))


def _translate(text: str) -> str:
    return QCoreApplication.translate("figures", text)
