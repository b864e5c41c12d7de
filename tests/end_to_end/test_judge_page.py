"""Judging by machine with nothing replaced: the page, the desk and the real trainer, on a tiny GPT-2."""

from __future__ import annotations

import json
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
from storydesk.bridge.judge_job_controller import JudgeJobController
from storydesk.bridge.phrases import Phrases
from storydesk.services.desk import Desk
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.judging.judge_page import JudgePage
from storydesk.ui.theme import apply_theme
from storydesk.ui.translations import install_translations

pytestmark = pytest.mark.slow

WAIT = 120_000
PROMPTS, STORIES = 2, 6
PARAGRAPHS = "\n\n".join(f"The bell rang {number} times before the fog came in." for number in range(4))


@pytest.fixture
def page(desk: Desk, qtbot: QtBot, qapp: QApplication) -> Iterator[JudgePage]:
    """Return the page of judging by machine."""
    apply_theme(qapp, "light")
    assert install_translations(qapp, find_resources() / "i18n", QLocale("en_GB"))
    made = JudgePage(JudgeJobController(desk), Phrases(Phrasebook(find_resources() / "i18n" / "en.toml")))
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    yield made
    made.close_jobs()


def press(button: QWidget) -> None:
    """Press a button by key, as someone without a mouse does."""
    assert button.isVisible()
    assert button.isEnabled()
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def read_units(folder: Path) -> list[str]:
    lines = (folder / "units.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["unit"] for line in lines[1:]]


def test_a_judging_is_stopped_goes_on_and_shows_its_figures(page: JudgePage, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    pairs = [
        {"prompt": f"A keeper hears bell {number}.", "story": f"{PARAGRAPHS} {number}"} for number in range(PROMPTS)
    ]
    file.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    page.begin()
    qtbot.waitUntil(lambda: page.plan.models.count() > 0, timeout=WAIT)
    page.plan.models.tick(on=False)
    page.plan.models.tick([page.plan.models.values(only_ticked=False).index("tiny")])
    page.plan.take_file(file)
    page.plan.stories.setValue(STORIES)
    press(page.plan.start_button)
    qtbot.waitUntil(lambda: page.run.bar.value() > 0, timeout=WAIT)
    press(page.run.stop_button)
    qtbot.waitUntil(lambda: page.plan.isVisible() and page.plan.jobs.count() == 1, timeout=WAIT)
    state = page.plan.job
    assert state is not None
    done = read_units(state.folder)
    assert state.report is None
    assert 0 < len(done) < PROMPTS + 2 * PROMPTS * STORIES
    assert page.plan.jobs.item(0).text().startswith("tiny · 2 prompts · ")
    press(page.plan.open_button)
    qtbot.waitUntil(page.report.isVisible, timeout=WAIT)
    units = read_units(state.folder)
    assert units[: len(done)] == done
    assert len(units) == len(set(units)) == PROMPTS + 2 * PROMPTS * STORIES
    table = page.report.table.model()
    rows = {str(table.index(row, 0).data()): str(table.index(row, 2).data()) for row in range(table.rowCount())}
    assert 250 < float(rows["Held-out perplexity"].split()[0]) < 600  # random weights find nothing likely
    assert "%" in rows["Different pairs of words"]
    assert (state.folder / "report.html").is_file()
