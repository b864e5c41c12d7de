"""Phosphor icons from QtAwesome's font, drawn in the colour of the theme of the moment; GUI thread.

Only the one font file is read: importing QtAwesome itself loads twelve fonts and costs a quarter of a second at start.
"""

from __future__ import annotations

import importlib.util
import json
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from storydesk.ui.theme.application import current_tokens


class PhosphorIconEngine(QIconEngine):
    """Paints one glyph; the colour is looked up at each painting, so a change of theme recolours every icon."""

    def __init__(self, glyph: str, role: str) -> None:
        """Paint ``glyph`` in the token named ``role``."""
        super().__init__()
        self._glyph = glyph
        self._role = role

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the glyph into ``rect``."""
        tokens = current_tokens()
        role = "disabled" if mode == QIcon.Mode.Disabled else self._role
        font = QFont(_load_font()[0])
        font.setPixelSize(max(1, min(rect.width(), rect.height())))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setPen(QColor(getattr(tokens, role)))
        painter.setFont(font)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._glyph)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the glyph on nothing."""
        image = QPixmap(size)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return image

    def clone(self) -> QIconEngine:
        """Return another engine for the same icon."""
        return PhosphorIconEngine(self._glyph, self._role)


def icon(name: str, role: str = "muted") -> QIcon:
    """Return Phosphor's icon ``name`` (``pencil-line``) in the token ``role``; KeyError for a name it does not have."""
    glyphs = _load_font()[1]
    return QIcon(PhosphorIconEngine(glyphs[name], role))


def app_icon(resources: Path) -> QIcon:
    """Return the program's own icon, sharp at any size."""
    return QIcon(str(resources / "icons" / "storydesk.svg"))


@lru_cache(maxsize=1)
def _load_font() -> tuple[str, dict[str, str]]:
    """Return the font's family and its glyphs by name."""
    spec = importlib.util.find_spec("qtawesome")  # finds the folder, runs nothing
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("qtawesome")
    fonts = Path(spec.submodule_search_locations[0]) / "fonts"
    font_file = sorted(fonts.glob("phosphor-[0-9]*.ttf"))[-1]
    codes = json.loads(sorted(fonts.glob("phosphor-charmap-*.json"))[-1].read_text(encoding="utf-8"))
    families = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(font_file)))
    return (families[0] if families else "Phosphor"), {name: chr(int(code, 16)) for name, code in codes.items()}
