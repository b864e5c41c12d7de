"""Putting a theme on: Fusion, a palette and one style sheet; "system" follows the desktop live; GUI thread.

Widgets that paint themselves read ``current_tokens()`` in their paint event and repaint on
``QEvent.Type.PaletteChange``, which every change of theme sends.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from storydesk.ui.theme.fonts import interface_font, text_pixels
from storydesk.ui.theme.style_sheet import build_style_sheet
from storydesk.ui.theme.tokens import BY_NAME, CONTRAST, DARK, LIGHT, Tokens, mix

SYSTEM: Final = "system"
_TOKENS: Final = "storydesk_tokens"  # the theme belongs to the QApplication and lives there, as a property
_LOOK: Final = "storydesk_look"
_PERCENT: Final = "storydesk_percent"
_STILL: Final = "storydesk_still"
USUAL_BLINK: Final = 1060
"""Milliseconds from one blink of the text cursor to the next where the desktop doesn't say."""


class ThemeFollower(QObject):
    """Puts the desktop's light or dark theme on while the writer's choice is "system". GUI thread."""

    def __init__(self, app: QApplication) -> None:
        """Listen to the desktop's changes."""
        super().__init__(app)
        self._app = app
        self.choice = SYSTEM
        app.styleHints().colorSchemeChanged.connect(self._on_color_scheme_changed)

    @Slot(Qt.ColorScheme)
    def _on_color_scheme_changed(self, scheme: Qt.ColorScheme) -> None:
        if self.choice == SYSTEM:
            _put_on(self._app, DARK if scheme == Qt.ColorScheme.Dark else LIGHT)


def apply_theme(app: QApplication, name: str) -> Tokens:
    """Put on ``system``, ``light``, ``dark`` or ``contrast`` and return its tokens; anything else counts as system."""
    follower = app.findChild(ThemeFollower) or ThemeFollower(app)
    chosen = BY_NAME.get(name)
    follower.choice = name if chosen else SYSTEM
    # The desktop's frame around the window goes along; Unknown hands it back to the desktop.
    scheme = Qt.ColorScheme.Unknown if chosen is None else Qt.ColorScheme.Dark if chosen.dark else Qt.ColorScheme.Light
    app.styleHints().setColorScheme(scheme)
    tokens = chosen or _system_tokens(app)
    _put_on(app, tokens)
    return tokens


def set_comfort(app: QApplication, *, percent: int = 100, still: bool = False) -> None:
    """Make the interface's text larger or smaller, and let nothing move or blink where ``still``."""
    app.setProperty(_PERCENT, percent)
    app.setProperty(_STILL, still)
    app.setCursorFlashTime(0 if still else USUAL_BLINK)
    for effect in (Qt.UIEffect.UI_AnimateMenu, Qt.UIEffect.UI_AnimateCombo, Qt.UIEffect.UI_AnimateTooltip):
        app.setEffectEnabled(effect, not still)
    if app.styleSheet():
        _put_on(app, current_tokens())


def is_still() -> bool:
    """Return whether nothing may move."""
    app = QApplication.instance()
    return app is not None and bool(app.property(_STILL))


def current_tokens() -> Tokens:
    """Return the tokens that are on, the light ones before any theme was put on."""
    app = QApplication.instance()
    tokens = app.property(_TOKENS) if app is not None else None
    return tokens if isinstance(tokens, Tokens) else LIGHT


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget one of the roles that the style sheet knows (see ``style_sheet``), also after it was shown."""
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def build_palette(tokens: Tokens) -> QPalette:
    """Return the palette for what the style sheet leaves to Fusion."""
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: tokens.window,
        QPalette.ColorRole.WindowText: tokens.ink,
        QPalette.ColorRole.Base: tokens.page,
        QPalette.ColorRole.AlternateBase: tokens.panel,
        QPalette.ColorRole.Text: tokens.ink,
        QPalette.ColorRole.PlaceholderText: tokens.muted,
        QPalette.ColorRole.Button: tokens.page,
        QPalette.ColorRole.ButtonText: tokens.ink,
        QPalette.ColorRole.BrightText: tokens.problem,
        QPalette.ColorRole.ToolTipBase: tokens.page,
        QPalette.ColorRole.ToolTipText: tokens.ink,
        QPalette.ColorRole.Highlight: tokens.accent,
        QPalette.ColorRole.HighlightedText: tokens.on_accent,
        QPalette.ColorRole.Accent: tokens.accent,
        QPalette.ColorRole.Link: tokens.accent,
        QPalette.ColorRole.LinkVisited: tokens.accent,
        QPalette.ColorRole.Light: tokens.page,
        QPalette.ColorRole.Midlight: tokens.panel,
        QPalette.ColorRole.Mid: tokens.line,
        QPalette.ColorRole.Dark: mix(tokens.line, tokens.ink, 0.3),
        QPalette.ColorRole.Shadow: mix(tokens.line, tokens.ink, 0.6),
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.PlaceholderText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.disabled))
    return palette


def _system_tokens(app: QApplication) -> Tokens:
    hints = app.styleHints()
    accessibility = hints.accessibility()
    if accessibility is not None and accessibility.contrastPreference() == Qt.ContrastPreference.HighContrast:
        return CONTRAST
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def _put_on(app: QApplication, tokens: Tokens) -> None:
    app.setProperty(_TOKENS, tokens)
    if app.style().name() != "fusion" and not app.styleSheet():
        app.setStyle("Fusion")
    percent = int(app.property(_PERCENT) or 100)
    look = f"{tokens.name} {text_pixels(percent)} {is_still()}"
    if app.styleSheet() and app.property(_LOOK) == look:
        return  # a style sheet that is put on again costs every widget a new look
    app.setProperty(_LOOK, look)
    app.setFont(interface_font(percent))
    app.setPalette(build_palette(tokens))
    app.setStyleSheet(build_style_sheet(tokens, text_pixels(percent), still=is_still()))
