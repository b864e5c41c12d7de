"""The tuning studio with nothing replaced: from files to the adopted model, by the real trainer, on a tiny GPT-2."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from storydesk.bootstrap import find_resources
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_controller import TuningController
from storydesk.services.desk import Desk
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.theme import apply_theme
from storydesk.ui.translations import install_translations
from storydesk.ui.tuning import TuningPage
from storydesk.ui.tuning.tuning_page import CHANGE, PLAN, RUN, WORDS
from tests.fakes.tiny_run import write_stories

pytestmark = pytest.mark.slow

WAIT = 120_000


@pytest.fixture
def page(desk: Desk, qtbot: QtBot, qapp: QApplication) -> Iterator[TuningPage]:
    """Return the studio's page."""
    apply_theme(qapp, "light")
    assert install_translations(qapp, find_resources() / "i18n", QLocale("en_GB"))
    controller = TuningController(desk.tuning)
    made = TuningPage(controller, desk, Phrases(Phrasebook(find_resources() / "i18n" / "en.toml")))
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    yield made
    made.close_jobs()
    assert controller.close(60.0)


def press(button: QWidget) -> None:
    """Press a button by key, as someone without a mouse does."""
    assert button.isVisible()
    assert button.isEnabled()
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def test_from_files_to_the_adopted_model(page: TuningPage, desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    assert page.step == WORDS
    page.words.add_paths([write_stories(tmp_path / "mine.jsonl", count=40)])
    qtbot.waitUntil(page.words.next_button.isEnabled, timeout=WAIT)
    assert page.words.total.text().startswith("40 texts")
    press(page.words.next_button)
    assert page.step == PLAN
    # The trainer looks at words and machine before anything is learned, and says in words what it found.
    qtbot.waitUntil(lambda: "processor" in page.plan.words or "GPU" in page.plan.words, timeout=WAIT)
    qtbot.waitUntil(page.plan.start_button.isEnabled, timeout=WAIT)
    assert page.plan.base.name == "tiny"
    page.plan.name_field.setText("My voice")
    press(page.plan.start_button)
    assert page.step == RUN
    qtbot.waitUntil(lambda: page.step == CHANGE, timeout=WAIT)
    assert page.change.heading.text() == "Your voice is ready"
    assert "My voice is in use now" in page.change.in_use.text()
    assert desk.models.active == "My voice"
    made = desk.models.show("My voice")
    assert made.folder.is_dir()
    # And it writes: the engine takes what the trainer made.
    assert desk.scoring.score("The bell rang twice.").model == "My voice"
