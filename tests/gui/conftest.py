"""What the tests of the window share: a desk with a real library file, and a window that is closed at the end."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QLocale
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_controller import TuningController
from storydesk.bridge.workroom import Workroom
from storydesk.services.drafts import DraftService
from storydesk.services.feedback import FeedbackService
from storydesk.services.improving import ImprovingService
from storydesk.services.insight import InsightService
from storydesk.services.judging import JudgingService
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.memory import MemoryService
from storydesk.services.outline import OutlineService
from storydesk.services.phrasebook import Phrasebook
from storydesk.services.polishing import PolishingService
from storydesk.services.prompts import PromptService, StoryWriter
from storydesk.storage.backup_shelf import SqliteBackups
from storydesk.storage.draft_history import SqliteDraftHistory
from storydesk.storage.judging import SqliteJudging
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.memory import LorebookStore
from storydesk.storage.outline import SqliteOutline
from storydesk.storage.prompts import PromptShelfStore
from storydesk.storage.search import SqliteSearch
from storydesk.training.exchange import write_examples
from storydesk.training.feedback import write_feedback
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.main_window import MainWindow
from storydesk.ui.theme import apply_theme
from storydesk.ui.translations import install_translations
from storydesk.ui.tuning import TuningPage
from tests.fakes.services import FakeWorld, make_world

ROOT = Path(__file__).resolve().parents[2]
WAIT = 10_000


@pytest.fixture
def page(qtbot: QtBot, qapp: QApplication) -> Iterator[PageEdit]:
    """Return a page that is shown and has the focus, with nothing around it."""
    apply_theme(qapp, "light")
    editor = PageEdit()
    editor.resize(700, 500)
    editor.show()
    qtbot.addWidget(editor)
    qtbot.waitExposed(editor)
    editor.setFocus()
    yield editor
    editor.close()


@pytest.fixture(scope="session", autouse=True)
def _english(qapp: QApplication) -> None:
    """Speak as the program does: plural forms come from a translation, English ones too."""
    assert install_translations(qapp, ROOT / "resources" / "i18n", QLocale("en_GB"))


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    """Return fakes around a real library file."""
    return make_library_world(tmp_path)


def make_library_world(home: Path) -> FakeWorld:
    """Return a world whose stories are in a real file below ``home``."""
    fakes = make_world(home)
    library = SqliteLibrary(home / "library.sqlite")
    manuscripts, memory = ManuscriptService(library, fakes.documents), MemoryService(LorebookStore(library))
    judging, history = SqliteJudging(library), SqliteDraftHistory(library)
    feedback = FeedbackService(judging, history, library, write_feedback)
    improving = ImprovingService(
        feedback,
        fakes.desk.tuning,
        fakes.desk.models,
        fakes.launcher.find_data,
        write_examples,
        home / "samples",
        home / "tuning",
    )
    desk = dataclasses.replace(
        fakes.desk,
        library=library,
        manuscripts=manuscripts,
        drafts=DraftService(history, library),
        prompts=PromptService(PromptShelfStore(library), manuscripts, memory),
        story_writer=StoryWriter(fakes.desk.writing, fakes.desk.scoring, memory),
        insight=InsightService(library, home / "samples", history),
        memory=memory,
        outlines=OutlineService(SqliteOutline(library)),
        search=SqliteSearch(library),
        judging=JudgingService(judging, lambda: fakes.desk.judging.guides),
        feedback=feedback,
        improving=improving,
        backups=SqliteBackups(library),
        new_polishing=lambda: PolishingService(
            {name: (lambda checker=checker: checker) for name, checker in fakes.checkers.items()},  # type: ignore[misc]  # mypy can't infer a default in a lambda
            library.list_dictionary,
        ),
    )
    return dataclasses.replace(fakes, desk=desk)


@pytest.fixture
def phrases(resources: Path) -> Phrases:
    """Return the sentences of failures in English."""
    return Phrases(Phrasebook(resources / "i18n" / "en.toml"))


@pytest.fixture
def studio_world(tmp_path: Path) -> FakeWorld:
    """Return fakes with a tale to tune on."""
    (tmp_path / "tale.txt").write_text("word " * 300, encoding="utf-8")
    return make_world(tmp_path)


@pytest.fixture
def studio(studio_world: FakeWorld, phrases: Phrases, qtbot: QtBot) -> Iterator[TuningPage]:
    """Return the page of tuning with no window around it."""
    controller = TuningController(studio_world.desk.tuning)
    made = TuningPage(controller, studio_world.desk, phrases)
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    yield made
    made.close_jobs()
    assert controller.close(5.0)


@pytest.fixture
def open_window(qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[[FakeWorld], MainWindow]]:
    """Return a function that opens a window on a world; all of them are closed, and no thread may be left."""
    opened: list[MainWindow] = []
    before = set(threading.enumerate())
    apply_theme(qapp, "light")

    def open_one(world: FakeWorld) -> MainWindow:
        notices = NoticeBus()
        window = MainWindow(Workroom(world.desk), notices, Phrases(Phrasebook(ROOT / "resources" / "i18n" / "en.toml")))
        notices.setParent(window)
        window.workroom.setParent(window)
        opened.append(window)
        window.begin()
        window.show()
        qtbot.waitExposed(window)
        window.workroom.start_engines()
        return window

    yield open_one
    for window in opened:
        window.close()
        for thread in (window.workroom.engine, window.workroom.grammar, window.workroom.library):
            assert not thread.isRunning()
        window.deleteLater()
    qapp.sendPostedEvents()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # else every later change of theme dresses this one too
    left = {thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("Dummy")}
    assert not {thread for thread in left if thread.is_alive() and thread.name != "library-backup"}


@pytest.fixture
def window(world: FakeWorld, open_window: Callable[[FakeWorld], MainWindow]) -> MainWindow:
    """Return a window on an empty library."""
    return open_window(world)


@pytest.fixture
def story_window(world: FakeWorld, open_window: Callable[[FakeWorld], MainWindow]) -> MainWindow:
    """Return a window with one story on the page."""
    world.desk.manuscripts.add_story("The Salt Road", "A door on the beach", "Mara found it at low tide.")
    return open_window(world)
