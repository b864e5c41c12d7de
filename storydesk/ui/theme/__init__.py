"""Colours, fonts, icons and the one style sheet."""

from storydesk.ui.theme.application import SYSTEM, apply_theme, current_tokens, is_still, set_comfort, set_role
from storydesk.ui.theme.fields import add_row, indent_number, make_form, set_hint
from storydesk.ui.theme.flow import FlowLayout
from storydesk.ui.theme.fonts import default_page_family, page_font
from storydesk.ui.theme.icons import app_icon, icon
from storydesk.ui.theme.labels import make_label
from storydesk.ui.theme.overlay import Veil, cast_shadow
from storydesk.ui.theme.scaling import ScaledWidth, resize_on_screen, scaled, text_scale
from storydesk.ui.theme.scrolling import VerticalArea
from storydesk.ui.theme.tokens import (
    CARD_RADIUS,
    ICON_SIZE,
    RADIUS,
    SPACE_L,
    SPACE_M,
    SPACE_S,
    SPACE_XL,
    SPACE_XS,
    Tokens,
)
from storydesk.ui.theme.wrap_button import WrapButton

__all__ = [
    "CARD_RADIUS",
    "ICON_SIZE",
    "RADIUS",
    "SPACE_L",
    "SPACE_M",
    "SPACE_S",
    "SPACE_XL",
    "SPACE_XS",
    "SYSTEM",
    "FlowLayout",
    "ScaledWidth",
    "Tokens",
    "Veil",
    "VerticalArea",
    "WrapButton",
    "add_row",
    "app_icon",
    "apply_theme",
    "cast_shadow",
    "current_tokens",
    "default_page_family",
    "icon",
    "indent_number",
    "is_still",
    "make_form",
    "make_label",
    "page_font",
    "resize_on_screen",
    "scaled",
    "set_comfort",
    "set_hint",
    "set_role",
    "text_scale",
]
