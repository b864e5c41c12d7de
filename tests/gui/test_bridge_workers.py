"""The threads behind the window: order, newest first, cancel, quick ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from storydesk.bridge.answer_stream import WritingEnded
from storydesk.bridge.autosave import Autosave, SaveState
from storydesk.bridge.engine_worker import EngineWorker
from storydesk.bridge.grammar_worker import GrammarWorker
from storydesk.bridge.serial_worker import SerialWorker
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import Finished, FinishReason, GenerationEvent, GenerationRequest, TextChunk
from storydesk.domain.polishing import Finding
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.style_model import StyleModel
from storydesk.services.desk import Desk
from storydesk.ui.editor.page import PageEdit
from tests.fakes.services import FakeEngine, FakeWorld, make_world


class SlowEngine(FakeEngine):
    """Prefills until it is cancelled or ``gate`` opens, then writes."""

    def __init__(self, model: StyleModel, script: Sequence[str], gate: threading.Event) -> None:
        super().__init__(model, script)
        self._gate = gate
        self._ask = threading.Event()

    def generate(self, request: GenerationRequest) -> Iterator[GenerationEvent]:
        self._ask.clear()
        self.requests.append(request)
        while not self._gate.is_set() and not self._ask.wait(0.005):
            pass
        if self._ask.is_set():
            yield Finished(FinishReason.CANCELLED, 0, 0.0)
            return
        for word in self._script:
            yield TextChunk(f" {word}")
        yield Finished(FinishReason.LENGTH, len(self._script), 50.0)

    def cancel(self) -> None:
        self._ask.set()


class SlowLoader:
    """Loads SlowEngines."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def load(self, model: StyleModel) -> SlowEngine:
        return SlowEngine(model, ("slowly", "written."), self.gate)


@pytest.fixture
def library(qtbot: QtBot) -> Iterator[SerialWorker]:
    worker = SerialWorker("library")
    worker.start()
    yield worker
    assert worker.close()


@pytest.fixture
def start_engine(qtbot: QtBot) -> Iterator[Callable[[Desk], EngineWorker]]:
    started: list[EngineWorker] = []

    def start(desk: Desk) -> EngineWorker:
        worker = EngineWorker(desk)
        started.append(worker)
        worker.start()
        return worker

    yield start
    for worker in started:
        assert worker.close()


def _slow_world(tmp_path: Path) -> tuple[FakeWorld, SlowLoader]:
    world, loader = make_world(tmp_path), SlowLoader()
    world.desk.engines._loader = loader  # the world's own loader can't wait
    return world, loader


def test_jobs_are_done_in_order_and_answers_come_to_the_gui_thread(library: SerialWorker, qtbot: QtBot) -> None:
    done: list[tuple[int, bool]] = []
    main = threading.get_ident()
    for number in range(20):
        library.submit(lambda number=number: number, lambda value: done.append((value, threading.get_ident() == main)))  # type: ignore[misc]  # mypy can't infer a default in a lambda
    qtbot.waitUntil(lambda: len(done) == 20)
    assert done == [(number, True) for number in range(20)]


def test_a_failed_job_is_told_and_the_thread_lives_on(library: SerialWorker, qtbot: QtBot) -> None:
    failures: list[Failure] = []

    def fail() -> None:
        raise StorydeskError(FailureCode.DISK_FULL, path="x")

    def fall() -> None:
        raise ZeroDivisionError("never thought of")

    done: list[int] = []
    library.submit(fail, None, failures.append)
    library.submit(fall, None, failures.append)
    library.submit(lambda: 1, done.append)
    qtbot.waitUntil(lambda: done == [1])
    assert [failure.code for failure in failures] == ["disk_full", "unexpected"]


def test_autosave_saves_soon_and_tells_the_truth(library: SerialWorker, qtbot: QtBot) -> None:
    saved: list[tuple[int, str]] = []
    text = "a"
    autosave = Autosave(library, lambda draft, words: saved.append((draft, words)), lambda: text)
    autosave.begin(7)
    autosave.note_change()
    assert autosave.state is SaveState.CHANGED
    qtbot.waitUntil(lambda: saved == [(7, "a")])
    qtbot.waitUntil(lambda: autosave.state is SaveState.SAVED)


def test_autosave_saves_while_somebody_types_on_and_on(library: SerialWorker, qtbot: QtBot) -> None:
    saved: list[str] = []
    typed: list[str] = []
    autosave = Autosave(library, lambda _draft, words: saved.append(words), lambda: "".join(typed))
    autosave.begin(1)
    for _number in range(30):
        typed.append("x")
        autosave.note_change()
        qtbot.wait(50)  # never a pause long enough
    assert saved
    assert autosave.flush()
    assert saved[-1] == "".join(typed)
    assert saved == sorted(saved, key=len)


def test_a_failed_save_is_told_once_and_tried_again(library: SerialWorker, qtbot: QtBot) -> None:
    full = True
    saved: list[str] = []

    def save(_draft: int, words: str) -> None:
        if full:
            raise StorydeskError(FailureCode.DISK_FULL, path="library")
        saved.append(words)

    failures: list[Failure] = []
    autosave = Autosave(library, save, lambda: "kept")
    autosave.failed.connect(failures.append)
    autosave.begin(1)
    autosave.note_change()
    assert not autosave.flush()
    assert autosave.state is SaveState.FAILED
    assert not autosave.flush()
    assert len(failures) == 1
    assert autosave.unsaved_texts() == ["kept"]
    full = False
    qtbot.waitUntil(lambda: autosave.state is SaveState.SAVED, timeout=10_000)
    assert saved == ["kept"]


def test_another_draft_does_not_swallow_what_was_not_saved_yet(library: SerialWorker, qtbot: QtBot) -> None:
    saved: list[tuple[int, str]] = []
    page = "first"
    autosave = Autosave(library, lambda draft, words: saved.append((draft, words)), lambda: page)
    autosave.begin(1)
    autosave.note_change()
    autosave.save_now()
    page = "second"
    autosave.begin(2)
    autosave.note_change()
    assert autosave.flush()
    assert saved == [(1, "first"), (2, "second")]


def test_the_engine_writes_all_its_words_in_few_signals(
    start_engine: Callable[[Desk], EngineWorker], tmp_path: Path, qtbot: QtBot
) -> None:
    world = make_world(tmp_path)
    worker = start_engine(world.desk)
    chunks: list[str] = []
    ended: list[WritingEnded] = []
    worker.chunk_ready.connect(lambda chunk: chunks.append(chunk.text))
    worker.writing_ended.connect(ended.append)
    request = world.desk.writing.request("A bell.", words=300)
    worker.write([request])
    qtbot.waitUntil(lambda: len(ended) == 1)
    assert ended[0].request is request
    assert "".join(chunks) == ended[0].text
    assert len(ended[0].text.split()) == 300
    assert len(chunks) < 150


def test_a_new_wish_breaks_off_the_old_one(
    start_engine: Callable[[Desk], EngineWorker], tmp_path: Path, qtbot: QtBot
) -> None:
    world, loader = _slow_world(tmp_path)
    worker = start_engine(world.desk)
    ended: list[WritingEnded] = []
    worker.writing_ended.connect(ended.append)
    first, second = (world.desk.writing.request("A bell.", words=9) for _number in range(2))
    qtbot.waitUntil(lambda: world.desk.engines.loaded is not None)
    with qtbot.waitSignal(worker.writing_started):
        worker.write([first])
    worker.write([second])
    qtbot.waitUntil(lambda: len(ended) == 1)
    loader.gate.set()
    qtbot.waitUntil(lambda: len(ended) == 2)
    assert [(end.request.id, end.reason) for end in ended] == [
        (first.id, FinishReason.CANCELLED),
        (second.id, FinishReason.LENGTH),
    ]


def test_a_scoring_job_waits_for_the_writing_and_only_the_newest_counts(
    start_engine: Callable[[Desk], EngineWorker], tmp_path: Path, qtbot: QtBot
) -> None:
    world, loader = _slow_world(tmp_path)
    worker = start_engine(world.desk)
    order: list[object] = []
    worker.writing_ended.connect(lambda _ended: order.append("written"))
    worker.score_ready.connect(lambda ready: order.append(ready.revision))
    with qtbot.waitSignal(worker.writing_started):
        worker.write([world.desk.writing.request("A bell.", words=9)])
    for revision in range(5):
        worker.score(revision, f"Some text {revision}.", "")
    loader.gate.set()
    qtbot.waitUntil(lambda: order == ["written", 4])


def test_closing_in_a_long_prefill_is_quick(tmp_path: Path, qtbot: QtBot) -> None:
    world, _loader = _slow_world(tmp_path)
    worker = EngineWorker(world.desk)
    worker.start()
    with qtbot.waitSignal(worker.writing_started):
        worker.write([world.desk.writing.request("A bell.", words=9)])
    began = time.monotonic()
    assert worker.close(timeout_seconds=5)
    assert time.monotonic() - began < 5  # it hangs for ever where the prefill is not broken off
    assert world.desk.engines.loaded is None


def test_a_model_that_can_t_be_loaded_is_told_and_the_old_one_serves_on(
    start_engine: Callable[[Desk], EngineWorker], tmp_path: Path, qtbot: QtBot
) -> None:
    world = make_world(tmp_path)
    worker = start_engine(world.desk)
    qtbot.waitUntil(lambda: world.desk.engines.loaded is not None)
    with qtbot.waitSignal(worker.engine_failed) as failed:
        worker.use_model("nowhere")
    assert failed.args is not None
    assert failed.args[0].code == FailureCode.MODEL_NOT_FOUND
    assert world.settings.get(ACTIVE_MODEL) == "starter"
    with qtbot.waitSignal(worker.writing_ended):
        worker.write([world.desk.writing.request("A bell.", words=5)])


def test_quick_checks_read_only_what_changed(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(tmp_path)
    read: list[str] = []
    checker = world.checkers["harper"]
    check = checker.check

    def listen(text: str, *language: str) -> Sequence[Finding]:
        read.append(text)
        return check(text, *language)

    monkeypatch.setattr(checker, "check", listen)
    worker = GrammarWorker(world.desk)
    worker.start()
    with qtbot.waitSignal(worker.report_ready) as first:
        worker.check(1, "All well.\n\nteh bell")
    with qtbot.waitSignal(worker.report_ready) as second:
        worker.check(2, "All well here.\n\nteh bell")
    assert worker.close()
    assert sum("teh bell" in text for text in read) == 1
    assert any("All well here." in text for text in read)
    assert first.args is not None
    assert second.args is not None
    assert [(found.start, found.end) for found in first.args[0].findings] == [(11, 14)]
    assert [(found.start, found.end) for found in second.args[0].findings] == [(16, 19)]
    assert world.checkers["harper"].closed


def test_pyside_keeps_its_references_to_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 on CPython 3.11 lost one at every call that returns nothing, and the process died of it."""
    page = PageEdit()
    qtbot.addWidget(page)
    page.show()
    before = sys.getrefcount(None)
    for _number in range(500):
        page.viewport().repaint()
        page.setReadOnly(False)
        QCoreApplication.processEvents()
        QApplication.sendPostedEvents()
    assert sys.getrefcount(None) > before - 400
