"""The colours of what the model sees, by part, out of the theme of the moment."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from storydesk.domain.prompting import Part
from storydesk.ui.theme import Tokens
from storydesk.ui.theme.tokens import mix

ORDER = (Part.MEMORY, Part.LORE, Part.PROMPT, Part.NOTE, Part.TEXT)
TINT = 0.22


def colour_part(part: Part, tokens: Tokens) -> str:
    """Return a part's full colour, for the bar."""
    return {
        Part.MEMORY: tokens.accent,
        Part.LORE: tokens.surprise_low if tokens.dark else mix(tokens.surprise_low, tokens.ink, 0.36),
        Part.PROMPT: mix(tokens.accent, tokens.surprise_low, 0.5),
        Part.NOTE: tokens.surprise_high,
        Part.TEXT: mix(tokens.muted, tokens.page, 0.3),
    }[part]


def tint_part(part: Part, tokens: Tokens) -> str:
    """Return what stands behind a part's words: light enough that they are read as on the page."""
    if part is Part.TEXT:
        return tokens.page
    return mix(tokens.page, colour_part(part, tokens), TINT)


def say_part(part: Part) -> str:
    """Return a part's name."""
    return {
        Part.MEMORY: QCoreApplication.translate("MemoryPanel", "Memory"),
        Part.LORE: QCoreApplication.translate("MemoryPanel", "Lorebook"),
        Part.PROMPT: QCoreApplication.translate("MemoryPanel", "Prompt"),
        Part.NOTE: QCoreApplication.translate("MemoryPanel", "Author’s note"),
        Part.TEXT: QCoreApplication.translate("MemoryPanel", "Your text"),
    }[part]
