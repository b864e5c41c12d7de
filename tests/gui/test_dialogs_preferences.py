"""Preferences take effect at once; the crash dialog keeps its promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from storydesk.domain.settings import DAILY_GOAL, GRAMMAR_LIVE, PAGE_FONT, PAGE_SIZE, THEME
from storydesk.ui.crash_dialog import CrashDialog
from storydesk.ui.preferences import PreferencesDialog
from storydesk.ui.theme import apply_theme, current_tokens
from tests.fakes.services import FakeSettings


@pytest.fixture(autouse=True)
def _light(qapp: QApplication) -> Iterator[None]:
    apply_theme(qapp, "light")
    yield
    apply_theme(qapp, "light")


def test_each_change_is_saved_shown_and_told(qtbot: QtBot) -> None:
    settings = FakeSettings()
    dialog = PreferencesDialog(settings)
    qtbot.addWidget(dialog)
    dialog.show()
    changed: list[str] = []
    dialog.setting_changed.connect(changed.append)
    dialog.theme_box.setCurrentIndex(dialog.theme_box.findData("dark"))
    dialog.theme_box.activated.emit(dialog.theme_box.currentIndex())
    assert current_tokens().name == "dark"
    dialog.size_box.setValue(24)
    assert dialog.sample.font().pointSize() == 24
    dialog.goal_box.setValue(0)
    assert dialog.goal_box.text() == "No goal"
    dialog.grammar_box.click()
    dialog.font_box.setCurrentIndex(dialog.font_box.count() - 1)
    dialog.font_box.activated.emit(dialog.font_box.currentIndex())
    assert (settings.get(THEME), settings.get(PAGE_SIZE), settings.get(DAILY_GOAL)) == ("dark", 24, 0)
    assert settings.get(GRAMMAR_LIVE) is False
    assert settings.get(PAGE_FONT) == dialog.font_box.currentText()
    assert changed == [THEME.key, PAGE_SIZE.key, DAILY_GOAL.key, GRAMMAR_LIVE.key, PAGE_FONT.key]


def test_it_opens_with_what_was_chosen(qtbot: QtBot) -> None:
    settings = FakeSettings()
    settings.set(THEME, "contrast")
    settings.set(DAILY_GOAL, 750)
    settings.set(GRAMMAR_LIVE, False)
    dialog = PreferencesDialog(settings)
    qtbot.addWidget(dialog)
    assert dialog.theme_box.currentData() == "contrast"
    assert dialog.goal_box.value() == 750
    assert not dialog.grammar_box.isChecked()


def test_a_crash_says_that_the_text_is_saved_and_gives_the_report(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = CrashDialog("Traceback\nValueError: what?")
    qtbot.addWidget(dialog)
    dialog.show()
    assert "Your text is saved." in dialog.said.text()
    assert not dialog.details.isVisible()
    dialog.details_button.click()
    assert dialog.details.isVisible()
    dialog.copy_button.click()
    assert "ValueError: what?" in QGuiApplication.clipboard().text()
    assert dialog.save_report(tmp_path / "report.txt")
    assert "ValueError: what?" in (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert not dialog.save_report(tmp_path / "no" / "report.txt")
    assert "could not be saved" in dialog.said.text()


def test_a_crash_does_not_promise_what_is_not_so(qtbot: QtBot) -> None:
    dialog = CrashDialog("Traceback", text_saved=False)
    qtbot.addWidget(dialog)
    assert "could not be saved" in dialog.said.text()
