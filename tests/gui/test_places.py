"""Every page and dialog at several sizes and in longer words: nothing is cut, all has a name and can be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from storydesk.ui.main_window import MainWindow
from storydesk.ui.theme import apply_theme, set_comfort
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT, make_library_world
from tests.gui.looking import LongWinded, find_cut, find_faint, find_nameless, focusable
from tests.gui.places import PLACES, Place, leave_places

# Of the offscreen platform, about the list of other words.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

OpenWindow = Callable[[FakeWorld], MainWindow]
Visit = Callable[[QSize, Callable[[Place, QWidget], None]], None]


@pytest.fixture(autouse=True)
def _as_usual(qapp: QApplication) -> Iterator[None]:
    yield
    set_comfort(qapp)
    apply_theme(qapp, "light")


@pytest.fixture
def visit(
    open_window: OpenWindow, tmp_path: Path, qtbot: QtBot
) -> Callable[[QSize, Callable[[Place, QWidget], None]], None]:
    """Return a function that opens every place in a window of a size and shows each to a visitor."""

    def walk(size: QSize, look: Callable[[Place, QWidget], None]) -> None:
        for empty in (True, False):
            world = make_library_world(tmp_path / str(empty))
            if not empty:
                world.desk.manuscripts.add_story("The Salt Road", "A door on the beach", "Mara found it at low tide.")
            window = open_window(world)
            window.resize(size)
            qtbot.waitUntil(lambda: world.desk.engines.loaded is not None, timeout=WAIT)  # noqa: B023 - called at once
            for place in PLACES:
                if place.empty == empty:
                    shown = place.open(window, partial(_wait, qtbot, place.name))
                    for _round in range(4):  # a layout may ask for another one
                        QApplication.sendPostedEvents()
                        QApplication.processEvents()
                    look(place, shown)
                    leave_places(window)

    return walk


LOOKS = {
    "text at 200 percent": (QSize(1280, 800), 200, False),
    "a full-HD screen at 200 percent": (QSize(960, 540), 100, False),
    "longer words": (QSize(1280, 800), 100, True),
}


@pytest.mark.parametrize("look", LOOKS)
def test_no_text_is_cut_anywhere(visit: Visit, qapp: QApplication, look: str) -> None:
    size, percent, long_winded = LOOKS[look]
    set_comfort(qapp, percent=percent)
    translator = LongWinded(qapp)
    if long_winded:
        qapp.installTranslator(translator)
    cut: list[str] = []
    try:
        visit(size, lambda place, shown: cut.extend(f"{place.name}: {each}" for each in find_cut(shown, size)))
    finally:
        qapp.removeTranslator(translator)
    assert not cut, "\n" + "\n".join(cut)


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_all_can_be_read_named_and_reached_in_every_theme(visit: Visit, qapp: QApplication, theme: str) -> None:
    wrong: list[str] = []

    def look(place: Place, shown: QWidget) -> None:
        apply_theme(qapp, theme)
        wrong.extend(f"{place.name}: {each}" for each in find_faint(shown))
        if theme == "light":
            wrong.extend(f"{place.name}: no name: {each}" for each in find_nameless(shown))
            reached = _tab_round(shown)
            missed = [each for each in focusable(shown) if each not in reached]
            wrong.extend(f"{place.name}: no Tab to {type(each).__name__} {each.accessibleName()!r}" for each in missed)

    visit(QSize(1280, 800), look)
    assert not wrong, "\n" + "\n".join(sorted(set(wrong)))


def _tab_round(shown: QWidget) -> list[QWidget]:
    """Return what the Tab key leads to, one after the other, until it comes round."""
    seen: list[QWidget] = []
    window = shown.window()
    window.activateWindow()
    while len(seen) < 300:
        window.focusNextPrevChild(True)
        at = window.focusWidget()
        if at is None or at in seen:
            break
        seen.append(at)
    return seen


def _wait(qtbot: QtBot, name: str, is_done: Callable[[], bool]) -> None:
    def check() -> None:
        assert is_done(), f"{name} never opened"

    qtbot.waitUntil(check, timeout=WAIT)
