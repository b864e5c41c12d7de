"""The three sets of colours, and the spaces and sizes between things; no Qt, so that contrast can be computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Space between things, in device-independent pixels; Qt scales them with the screen.
SPACE_XS: Final = 4
SPACE_S: Final = 8
SPACE_M: Final = 12
SPACE_L: Final = 16
SPACE_XL: Final = 24
RADIUS: Final = 8
CARD_RADIUS: Final = 10
ICON_SIZE: Final = 18


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme: colours as ``#RRGGBB``.

    ``surprise_opacity`` is the largest alpha (0..1) that the heat map paints its two colours with, so that the text
    above stays legible.
    """

    name: str
    window: str
    panel: str
    page: str
    ink: str
    muted: str
    disabled: str
    line: str
    accent: str
    accent_soft: str
    on_accent: str
    surprise_low: str
    surprise_high: str
    surprise_opacity: float
    problem: str
    dark: bool = False


LIGHT: Final = Tokens(
    name="light",
    window="#F4F1EA",
    panel="#FAF8F3",
    page="#FFFEFB",
    ink="#22211E",
    muted="#666158",
    disabled="#807A6F",
    line="#E2DCCF",
    accent="#1B6770",
    accent_soft="#DFECEC",
    on_accent="#FFFFFF",
    surprise_low="#F6C667",
    surprise_high="#E4572E",
    surprise_opacity=0.45,
    problem="#B3261E",
)

DARK: Final = Tokens(
    name="dark",
    window="#1B1C1E",
    panel="#1F2022",
    page="#222326",
    ink="#E8E4DA",
    muted="#A8A296",
    disabled="#7E7A72",
    line="#34353A",
    accent="#63BAC4",
    accent_soft="#2A3B3E",
    on_accent="#0E1415",
    surprise_low="#F6C667",
    surprise_high="#E4572E",
    surprise_opacity=0.38,
    problem="#F2B8B5",
    dark=True,
)

CONTRAST: Final = Tokens(
    name="contrast",
    window="#000000",
    panel="#000000",
    page="#000000",
    ink="#FFFFFF",
    muted="#E6E6E6",
    disabled="#A6A6A6",
    line="#FFFFFF",
    accent="#FFD84D",
    accent_soft="#1F3A5F",
    on_accent="#000000",
    surprise_low="#F6C667",
    surprise_high="#E4572E",
    surprise_opacity=0.45,
    problem="#FFB3AD",
    dark=True,
)

BY_NAME: Final = {tokens.name: tokens for tokens in (LIGHT, DARK, CONTRAST)}

TEXT_PAIRS: Final = (
    ("ink", "window"),
    ("ink", "panel"),
    ("ink", "page"),
    ("ink", "accent_soft"),
    ("muted", "window"),
    ("muted", "panel"),
    ("muted", "page"),
    ("muted", "accent_soft"),
    ("accent", "window"),
    ("accent", "panel"),
    ("accent", "page"),
    ("accent", "accent_soft"),
    ("on_accent", "accent"),
    ("problem", "window"),
    ("problem", "panel"),
    ("problem", "page"),
)
"""Every colour that text is written in, on every colour it is written on: 4.5:1 at least."""

DISABLED_PAIRS: Final = (("disabled", "window"), ("disabled", "panel"), ("disabled", "page"))
"""What can't be used now is still read: 3:1 at least."""

FOCUS_PAIRS: Final = (("accent", "window"), ("accent", "panel"), ("accent", "page"))
"""The focus ring, on what it surrounds: 3:1 at least."""


def mix(first: str, second: str, share: float) -> str:
    """Return ``first`` with ``share`` (0..1) of ``second`` in it."""
    pairs = zip(_channels(first), _channels(second), strict=True)
    return "#" + "".join(f"{round(one * (1 - share) + other * share):02X}" for one, other in pairs)


def contrast_ratio(first: str, second: str) -> float:
    """Return WCAG 2's contrast ratio of two colours, 1..21."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
