"""Manners of the whole window: names for screen readers, keys that do not collide, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPlainTextEdit, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from storydesk.ui.actions import MENU, TABLE
from storydesk.ui.main_window import MainWindow
from storydesk.ui.theme import apply_theme
from tests.gui.conftest import WAIT


@pytest.fixture(autouse=True)
def _light_again(qapp: QApplication) -> Iterator[None]:
    yield
    apply_theme(qapp, "light")


def test_no_two_actions_share_a_key() -> None:
    keys = [QKeySequence(spec.shortcut).toString() for spec in TABLE if spec.shortcut]
    assert len(keys) == len(set(keys))
    assert all(keys)


def test_the_menu_has_every_action_of_the_table_once() -> None:
    listed = [name for _heading, groups in MENU for group in groups for name in group]
    assert sorted(listed) == sorted(spec.id for spec in TABLE)


def test_everything_that_can_be_used_has_a_name(story_window: MainWindow) -> None:
    nameless = [
        widget
        for kind in (QAbstractButton, QLineEdit, QPlainTextEdit, QTextEdit)
        for widget in story_window.findChildren(kind)
        if widget.isVisible() and not _name(widget)
    ]
    assert not nameless


def _name(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    parent = widget.parentWidget()
    return widget.accessibleName() or text or (parent.accessibleName() if parent is not None else "")


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
@pytest.mark.parametrize("size", [(1280, 800), (1024, 768), (640, 400)])
def test_no_label_is_cut_off(
    story_window: MainWindow, qapp: QApplication, qtbot: QtBot, theme: str, size: tuple[int, int]
) -> None:
    apply_theme(qapp, theme)
    qtbot.waitUntil(story_window.status.perplexity.isVisible, timeout=WAIT)
    story_window.resize(*size)
    qtbot.wait(50)
    for label in story_window.findChildren(QLabel):
        if not label.isVisible() or not label.text():
            continue
        flags = int(label.alignment()) | (0x1000 if label.wordWrap() else 0)
        room = label.contentsRect()
        needed = label.fontMetrics().boundingRect(QRect(0, 0, room.width(), 10_000), flags, label.text())
        assert needed.width() <= room.width() + 1, label.text()
        assert needed.height() <= room.height() + 1, label.text()
    for button in story_window.findChildren(QAbstractButton):
        if button.isVisible():
            assert button.width() >= button.minimumSizeHint().width(), button.text() or button.accessibleName()


def test_a_change_of_theme_reaches_the_page(story_window: MainWindow, qapp: QApplication, qtbot: QtBot) -> None:
    light = story_window.page.viewport().grab().toImage().pixelColor(2, 2)
    font = story_window.page.font().toString()
    apply_theme(qapp, "dark")
    qapp.processEvents()
    assert story_window.page.viewport().grab().toImage().pixelColor(2, 2).lightness() < light.lightness()
    assert story_window.page.font().toString() == font
