"""Codes as sentences in the window, notices that wait for a window, and the bar that shows them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases, as_failure, is_expected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.notice_bar import NoticeBar


@pytest.mark.parametrize("code", list(FailureCode))
def test_every_code_has_a_sentence_and_a_remedy(resources: Path, code: FailureCode) -> None:
    sentence, remedy = Phrasebook(resources / "i18n" / "en.toml").template(code)
    assert sentence
    assert remedy


def test_parameters_stand_in_the_sentence(phrases: Phrases) -> None:
    sentence, remedy = phrases.say(Failure(FailureCode.FILE_EMPTY, {"path": "tale.txt"}))
    assert sentence == "tale.txt has no text in it."
    assert remedy
    assert phrases.say_line(Failure(FailureCode.FILE_EMPTY, {"path": "tale.txt"})).startswith(sentence)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorydeskError(FailureCode.JAVA_MISSING), FailureCode.JAVA_MISSING),
        (MemoryError(), FailureCode.MEMORY_FULL),
        (OSError(28, "No space left on device", "draft.docx"), FailureCode.DISK_FULL),
        (PermissionError(13, "Permission denied", "draft.docx"), FailureCode.NOT_WRITABLE),
        (ValueError("what?"), FailureCode.UNEXPECTED),
    ],
)
def test_exceptions_become_failures(error: Exception, code: FailureCode) -> None:
    assert as_failure(error).code == code
    assert is_expected(error) is (code is not FailureCode.UNEXPECTED)


def test_notices_wait_for_a_window_and_come_from_any_thread(qtbot: QtBot) -> None:
    bus = NoticeBus()
    heard: list[tuple[Failure, threading.Thread]] = []
    bus.post(Failure(FailureCode.JAVA_MISSING))
    bus.listen(lambda failure: heard.append((failure, threading.current_thread())))
    thread = threading.Thread(target=lambda: bus.post(Failure(FailureCode.MEMORY_FULL)))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert [failure.code for failure, _ in heard] == [FailureCode.JAVA_MISSING, FailureCode.MEMORY_FULL]
    assert all(heard_on is threading.main_thread() for _, heard_on in heard)
    bus.leave()
    bus.post(Failure(FailureCode.CANCELLED))
    qtbot.wait(20)
    assert len(heard) == 2


def test_the_bar_shows_one_notice_at_a_time(qtbot: QtBot, phrases: Phrases) -> None:
    bus = NoticeBus()
    bar = NoticeBar(bus, phrases)
    qtbot.addWidget(bar)
    assert not bar.isVisible()
    for code in (FailureCode.JAVA_MISSING, FailureCode.MEMORY_FULL, FailureCode.JAVA_MISSING):
        bus.post(Failure(code))
    qtbot.waitUntil(bar.isVisible)
    qtbot.waitUntil(lambda: "Java" in bar.shown_text)
    assert "set-up" in bar.shown_text
    bar.dismiss_button.setFocus()
    QTest.keyClick(bar.dismiss_button, Qt.Key.Key_Space)
    assert "memory" in bar.shown_text
    QTest.mouseClick(bar.dismiss_button, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()
    assert bar.shown_text == ""
