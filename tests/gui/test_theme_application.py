"""Putting themes on: what a writer sees change, and what follows the desktop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from storydesk.domain.settings import PAGE_FONT, PAGE_SIZE
from storydesk.ui.theme import app_icon, apply_theme, current_tokens, icon, page_font, set_role
from storydesk.ui.theme.tokens import CONTRAST, DARK, LIGHT
from tests.fakes.services import FakeSettings


@pytest.fixture(autouse=True)
def _light_again(qapp: QApplication) -> Iterator[None]:
    yield
    apply_theme(qapp, "light")


@pytest.mark.parametrize(("name", "tokens"), [("light", LIGHT), ("dark", DARK), ("contrast", CONTRAST)])
def test_a_theme_by_name_colours_palette_and_page(qapp: QApplication, name: str, tokens: object) -> None:
    assert apply_theme(qapp, name) == tokens
    assert current_tokens() == tokens
    assert qapp.palette().color(QPalette.ColorRole.Base) == QColor(current_tokens().page)


def test_an_unknown_theme_is_the_system_s(qapp: QApplication) -> None:
    assert apply_theme(qapp, "sepia").name in ("light", "dark", "contrast")


def test_system_follows_the_desktop_and_a_choice_does_not(qapp: QApplication) -> None:
    hints = qapp.styleHints()
    apply_theme(qapp, "system")
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert current_tokens() == DARK
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert current_tokens() == LIGHT
    apply_theme(qapp, "contrast")
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert current_tokens() == CONTRAST


def test_icons_change_colour_with_the_theme(qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    pencil = icon("pencil-line", "ink")
    assert _darkest(pencil) < 80
    apply_theme(qapp, "contrast")
    assert _darkest(pencil) > 200


def test_a_disabled_icon_wears_the_disabled_colour(qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    expected = QColor(LIGHT.disabled).lightness()
    assert abs(_darkest(icon("trash", "ink"), QIcon.Mode.Disabled) - expected) < 12


def test_an_unknown_icon_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        icon("no-such-icon")


def test_a_role_can_change_after_showing(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    label = QLabel("12")
    qtbot.addWidget(label)
    set_role(label, "problem")
    label.show()
    assert label.palette().color(QPalette.ColorRole.WindowText) == QColor(LIGHT.problem)
    set_role(label, "muted")
    assert label.palette().color(QPalette.ColorRole.WindowText) == QColor(LIGHT.muted)


def test_texts_grow_with_the_interface_and_buttons_show_them_whole(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    button = QPushButton("Eine recht lange Beschriftung für einen Knopf")
    qtbot.addWidget(button)
    button.show()
    assert button.sizeHint().width() > button.fontMetrics().horizontalAdvance(button.text())


def test_the_page_s_font_is_the_writer_s_choice_or_a_serif_that_is_there(qapp: QApplication) -> None:
    settings = FakeSettings()
    settings.set(PAGE_SIZE, 22)
    assert page_font(settings).pointSize() == 22
    assert page_font(settings).family() in QFontDatabase.families()
    settings.set(PAGE_FONT, "No Such Family")
    assert page_font(settings).family() in QFontDatabase.families()
    present = QFontDatabase.families()[0]
    settings.set(PAGE_FONT, present)
    assert page_font(settings).family() == present


def test_the_program_has_an_icon_of_its_own(resources: Path, qapp: QApplication) -> None:
    assert not app_icon(resources).pixmap(64, 64).isNull()


def _darkest(picture: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> int:
    """Return the lightness of the most opaque point of an icon."""
    image = picture.pixmap(48, 48, mode).toImage()
    points = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return max(points, key=lambda point: point.alpha()).lightness()
