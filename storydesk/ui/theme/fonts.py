"""The fonts: the system's own for the interface, a serif for the page; GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QGuiApplication

from storydesk.domain.settings import PAGE_FONT, PAGE_SIZE
from storydesk.services.ports import SettingsStore

SMALLEST_TEXT: Final = 13
"""Pixels of the interface's middle size; a system that asks for larger text gets larger text."""

PAGE_FAMILIES: Final = (
    "EB Garamond",
    "Iowan Old Style",
    "Charter",
    "Constantia",
    "Georgia",
    "Source Serif 4",
    "Noto Serif",
    "Liberation Serif",
    "DejaVu Serif",
    "Times New Roman",
)
"""Serifs that read well for hours, the first one that is there wins."""


def text_pixels(percent: int = 100) -> int:
    """Return the interface's middle text size: the system's own, never below the least, times what is wanted."""
    system = QFontInfo(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)).pixelSize()
    return round(max(SMALLEST_TEXT, system) * percent / 100)


def interface_font(percent: int = 100) -> QFont:
    """Return the font of everything but the page."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(text_pixels(percent))
    return font


def default_page_family() -> str:
    """Return the serif that the page gets while the writer has not chosen one."""
    present = set(QFontDatabase.families())
    for family in PAGE_FAMILIES:
        if family in present:
            return family
    fallback = QFont(QGuiApplication.font())
    fallback.setStyleHint(QFont.StyleHint.Serif)
    return fallback.defaultFamily() if fallback.defaultFamily() in present else fallback.family()


def page_font(settings: SettingsStore) -> QFont:
    """Return the font of the page: the writer's choice where it is installed, else the first good serif."""
    chosen = settings.get(PAGE_FONT)
    family = chosen if chosen and QFontDatabase.hasFamily(chosen) else default_page_family()
    font = QFont(family, settings.get(PAGE_SIZE))
    font.setStyleHint(QFont.StyleHint.Serif)
    return font
