"""Long translations and large text find room: nothing is wider than a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_controller import TuningController
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.manuscript import Story
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.crash_dialog import CrashDialog
from storydesk.ui.export_dialog import ExportDialog
from storydesk.ui.models_dialog import ModelsDialog
from storydesk.ui.notice_bar import NoticeBar
from storydesk.ui.preferences import PreferencesDialog
from storydesk.ui.theme import apply_theme
from storydesk.ui.tuning import TuningPage
from tests.fakes.services import make_world

SMALL_SCREEN = 1024


class LongWinded(QTranslator):
    """Makes every text half as long again, as German and Finnish do."""

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        return text + " ~~~~" * (len(text) // 10 + 1) if "{" not in text else text

    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        return False


@pytest.fixture(autouse=True)
def _long_winded(qapp: QApplication) -> Iterator[None]:
    apply_theme(qapp, "light")
    translator = LongWinded(qapp)
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def test_nothing_needs_more_than_a_small_screen(qtbot: QtBot, tmp_path: Path, resources: Path) -> None:
    world = make_world(tmp_path)
    phrases = Phrases(Phrasebook(resources / "i18n" / "en.toml"))
    controller = TuningController(world.desk.tuning)
    page = TuningPage(controller, world.desk, phrases)
    export = ExportDialog(Story(1, "Tale", "", 0.0, 0.0), "text", world.desk.publishing, phrases)
    models = ModelsDialog(world.desk.models, phrases)
    bus = NoticeBus()
    bar = NoticeBar(bus, phrases)
    bus.post(Failure(FailureCode.GRAMMAR_UNAVAILABLE, {"engine": "LanguageTool", "detail": "x" * 80}))
    widgets: list[QWidget] = [page, export, models, bar, PreferencesDialog(world.settings), CrashDialog("Traceback")]
    for widget in widgets:
        qtbot.addWidget(widget)
        widget.show()
        qtbot.wait(5)
        assert "~" in "".join(child.text() for child in widget.findChildren(QWidget) if hasattr(child, "text"))
        assert widget.minimumSizeHint().width() <= SMALL_SCREEN, type(widget).__name__
    for widget in widgets:
        widget.close()
    page.close_jobs()
    assert controller.close(5.0)
