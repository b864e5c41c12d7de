"""What was typed while the library could not take it: told, kept beside, and back at the next start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.rescue import RescueFolder
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT

Open = Callable[[FakeWorld], MainWindow]


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))


def fail_saving(window: MainWindow, code: FailureCode) -> Callable[[], None]:
    """Let every save fail, until the function that is returned is called."""

    def fail(_draft: int, _page: object) -> None:
        raise StorydeskError(code, path="library", detail="read-only")

    autosave = window.workroom.manuscripts.autosave
    real, autosave._save = autosave._save, fail

    def mend() -> None:
        autosave._save = real

    return mend


@pytest.mark.parametrize("code", [FailureCode.DISK_FULL, FailureCode.NOT_WRITABLE])
def test_a_text_that_cant_be_saved_is_kept_beside_and_given_up_when_it_can(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot, code: FailureCode
) -> None:
    mend = fail_saving(story_window, code)
    QTest.keyClicks(story_window.page, " Rain.")
    qtbot.waitUntil(lambda: story_window.status.saved.text() == "Not saved", timeout=WAIT)
    net = story_window.workroom.manuscripts.net
    qtbot.waitUntil(lambda: any(text.endswith("Rain.") for text in net.kept.values()), timeout=WAIT)
    folder = RescueFolder.beside(world.desk.home)
    assert [rescued.text for rescued in folder.list_rescued()] == ["Mara found it at low tide. Rain."]
    mend()
    qtbot.waitUntil(lambda: story_window.status.saved.text() == "Saved", timeout=WAIT)
    qtbot.waitUntil(lambda: not folder.list_rescued(), timeout=WAIT)


def test_what_was_kept_beside_is_a_draft_at_the_next_start(world: FakeWorld, open_window: Open, qtbot: QtBot) -> None:
    story = world.desk.manuscripts.add_story("The Salt Road", "", "Low tide.")
    draft = world.desk.manuscripts.open_story(story.id)
    folder = RescueFolder.beside(world.desk.home)
    assert folder.keep(draft.id, "Low tide. And rain.")
    window = open_window(world)
    assert window.page.text() == "Low tide. And rain."
    assert [each.text for each in world.desk.manuscripts.list_drafts(story.id)] == ["Low tide. And rain.", "Low tide."]
    qtbot.waitUntil(lambda: "kept beside it" in window.notice_bar.shown_text, timeout=WAIT)
    assert folder.list_rescued() == []


def test_a_rescued_text_whose_story_is_gone_is_a_story(world: FakeWorld, open_window: Open) -> None:
    RescueFolder.beside(world.desk.home).keep(4711, "Adrift.")
    window = open_window(world)
    assert window.page.text() == "Adrift."


def test_a_folder_that_takes_nothing_is_passed_over(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    folder = RescueFolder((blocked / "rescue", tmp_path / "second"))
    assert folder.keep(1, "text \ud800")
    assert [rescued.text for rescued in folder.list_rescued()] == ["text \ufffd"]
    (tmp_path / "second" / "2.rescued.json").write_text("{", encoding="utf-8")
    assert len(folder.list_rescued()) == 1
    folder.forget(1)
    assert folder.list_rescued() == []
    assert not RescueFolder((blocked,)).keep(1, "x")
