"""Slow calls beside the window: answers on the GUI thread, cancelling, no thread left behind."""

from __future__ import annotations

import threading

import pytest
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from storydesk.bridge.jobs import JobRunner
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.services.ports import Progress


def test_an_answer_comes_back_on_the_gui_thread(qtbot: QtBot) -> None:
    runner = JobRunner()
    answers: list[tuple[str, bool]] = []
    worked_on: list[threading.Thread] = []

    def work(_: Progress) -> str:
        worked_on.append(threading.current_thread())
        return "done"

    def hear(answer: str) -> None:
        answers.append((answer, threading.current_thread() is threading.main_thread()))

    runner.start(work, on_success=hear)
    under_way = runner.busy
    qtbot.waitUntil(lambda: bool(answers))
    assert under_way
    assert answers == [("done", True)]
    assert worked_on[0] is not threading.main_thread()
    assert not runner.busy
    assert runner.close()


def test_an_expected_failure_is_handed_over(qtbot: QtBot) -> None:
    runner = JobRunner()
    failures: list[Failure] = []

    def work(_: Progress) -> None:
        raise StorydeskError(FailureCode.FILE_EMPTY, path="tale.txt")

    runner.start(work, on_failure=failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    assert failures == [Failure(FailureCode.FILE_EMPTY, {"path": "tale.txt"})]


def test_the_unexpected_is_told_and_raised_for_the_crash_dialog(qtbot: QtBot) -> None:
    runner = JobRunner()
    failures: list[Failure] = []

    def work(_: Progress) -> None:
        raise ValueError("a bug")

    with capture_exceptions() as raised:
        runner.start(work, on_failure=failures.append)
        qtbot.waitUntil(lambda: bool(failures))
        qtbot.wait(20)
    assert failures[0].code == FailureCode.UNEXPECTED
    assert [str(entry[1]) for entry in raised] == ["a bug"]


def test_a_job_is_cancelled_at_its_next_report(qtbot: QtBot) -> None:
    runner = JobRunner()
    failures: list[Failure] = []
    seen: list[tuple[int, int]] = []
    go_on = threading.Event()

    def work(progress: Progress) -> None:
        progress(5_000_000_000, 6_000_000_000)
        go_on.wait(10)
        progress(6_000_000_000, 6_000_000_000)

    job = runner.start(work, on_failure=failures.append, on_progress=lambda done, total: seen.append((done, total)))
    qtbot.waitUntil(lambda: bool(seen))
    job.cancel()
    go_on.set()
    qtbot.waitUntil(lambda: bool(failures))
    assert failures == [Failure(FailureCode.CANCELLED)]
    assert seen == [(5_000_000_000, 6_000_000_000)]


@pytest.mark.parametrize("is_patient", [True, False])
def test_closing_ends_what_is_under_way_and_drops_its_answer(qtbot: QtBot, is_patient: bool) -> None:
    runner = JobRunner()
    heard: list[object] = []
    go_on = threading.Event()

    def work(progress: Progress) -> str:
        go_on.wait(10)
        return "late"

    runner.start(work, on_success=heard.append, on_failure=heard.append)
    if is_patient:
        go_on.set()
    assert runner.close(10.0 if is_patient else 0.01) is is_patient
    go_on.set()
    qtbot.waitUntil(lambda: not any(thread.name == "job" for thread in threading.enumerate()))
    qtbot.wait(20)
    assert heard == []
