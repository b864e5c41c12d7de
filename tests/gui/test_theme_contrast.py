"""Every text of every theme can be read: WCAG ratios of the pairs that the style sheet uses."""

from __future__ import annotations

import re

import pytest

from storydesk.ui.theme.style_sheet import MARKS, build_style_sheet
from storydesk.ui.theme.tokens import (
    BY_NAME,
    DISABLED_PAIRS,
    FOCUS_PAIRS,
    TEXT_PAIRS,
    Tokens,
    contrast_ratio,
    mix,
)


def test_the_ratio_is_that_of_the_standard() -> None:
    assert contrast_ratio("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast_ratio("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast_ratio("#123456", "#123456") == 1.0


@pytest.mark.parametrize("tokens", BY_NAME.values(), ids=BY_NAME.keys())
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_is_legible(tokens: Tokens, text: str, ground: str) -> None:
    assert contrast_ratio(getattr(tokens, text), getattr(tokens, ground)) >= 4.5


@pytest.mark.parametrize("tokens", BY_NAME.values(), ids=BY_NAME.keys())
@pytest.mark.parametrize(("text", "ground"), [*DISABLED_PAIRS, *FOCUS_PAIRS])
def test_disabled_text_and_focus_rings_are_seen(tokens: Tokens, text: str, ground: str) -> None:
    assert contrast_ratio(getattr(tokens, text), getattr(tokens, ground)) >= 3.0


@pytest.mark.parametrize("tokens", BY_NAME.values(), ids=BY_NAME.keys())
@pytest.mark.parametrize("surprise", ["surprise_low", "surprise_high"])
def test_text_stays_legible_under_the_heat_map(tokens: Tokens, surprise: str) -> None:
    ground = mix(tokens.page, getattr(tokens, surprise), tokens.surprise_opacity)
    assert contrast_ratio(tokens.ink, ground) >= 4.5


@pytest.mark.parametrize("tokens", BY_NAME.values(), ids=BY_NAME.keys())
def test_button_texts_stay_legible_while_hovered_and_pressed(tokens: Tokens) -> None:
    sheet = build_style_sheet(tokens, 13)
    hover = re.search(r"QPushButton:hover, QToolButton:hover \{ background: (#\w+)", sheet)
    main = re.search(r'QPushButton\[role="primary"\]:hover,[^{]*\{ background: (#\w+)', sheet)
    pressed = re.search(r"QPushButton:pressed[^{]*\{ background: (#\w+); color: (#\w+)", sheet)
    chip = re.search(r'QLabel\[role="chip"\] \{ background: (#\w+)', sheet)
    assert hover is not None
    assert main is not None
    assert pressed is not None
    assert chip is not None
    assert contrast_ratio(tokens.ink, hover.group(1)) >= 4.5
    assert contrast_ratio(tokens.on_accent, main.group(1)) >= 4.5
    assert contrast_ratio(pressed.group(2), pressed.group(1)) >= 4.5
    assert contrast_ratio(tokens.ink, chip.group(1)) >= 4.5


@pytest.mark.parametrize("tokens", BY_NAME.values(), ids=BY_NAME.keys())
def test_marks_wear_the_theme_s_colours(tokens: Tokens) -> None:
    for mark, colour in (("caret-down", tokens.muted), ("caret-up", tokens.muted), ("check", tokens.on_accent)):
        assert f'stroke="{colour}"' in (MARKS / f"{mark}-{tokens.name}.svg").read_text(encoding="utf-8")
