"""Measure a keystroke to painted text in a draft of 200,000 words, with everything on, beside a bare QTextEdit.

    python -m tests.bench.bench_editor [--words 200000] [--keys 300] [--pause 90]

Opens the real window on a library with one draft of our own making and types at its beginning, middle and end, a key
each ``pause`` milliseconds (some longer, as people type, so that checks and scores fall between). A key's time runs
from the moment at which it was due until the window has painted, and whatever the window does in between counts.
Layers: heat map (a value for every word), authorship, grammar (Harper's own findings), search; autosave on. Then the
same while the starter model generates without a break in its own thread. Prints median, 99th percentile and maximum in
milliseconds, the time to a cursor, memory, and the model's tokens a second.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QTextEdit

from storydesk.bootstrap import build_desk, find_resources
from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.domain.generation import Finished
from storydesk.domain.insight import HeatKind, LineScore, LineScores
from storydesk.services.desk import Desk
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.editor.compositor import Mark
from storydesk.ui.editor.heat_map import HeatMap
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.main_window import MainWindow
from storydesk.ui.program import share_processor
from storydesk.ui.theme import apply_theme

SIZE = (1280, 800)
LONGEST_WAIT = 240.0
LONG_PAUSE_EVERY = 25
_LONG_PAUSE = 8
_SUBJECTS = ("the ferryman", "my sister", "an old clerk", "the lighthouse", "nobody in the harbour", "the tall woman")
_VERBS = ("counted", "had forgotten", "carried away", "waited for", "never spoke of", "wrote down", "listened to")
_OBJECTS = (
    "the bells",
    "eleven grey letters",
    "what the water kept",
    "a door without a house",
    "teh morning",
    "her name",
)
_ENDS = (
    "before it was light",
    "as if it were a debt",
    "and then the rain came",
    "for the third time that week",
    "again",
)


def make_novel(words: int, seed: int = 7) -> str:
    """Return a draft of about so many words: chapters, scenes, dialogue, emphasis, some slips."""
    drawn = random.Random(seed)
    lines: list[str] = []
    count, paragraph = 0, 0
    while count < words:
        if paragraph % 120 == 0:
            lines.append(f"# Chapter {paragraph // 120 + 1}")
        elif paragraph % 30 == 0:
            lines.append("***")
        said = " ".join(_make_sentence(drawn) for _ in range(drawn.randint(1, 9)))
        if paragraph % 4 == 1:
            said = f"“{said}” she said."
        lines.append(said)
        count += said.count(" ") + 1
        paragraph += 1
    return "\n\n".join(lines)


def _make_sentence(drawn: random.Random) -> str:
    words = [drawn.choice(part) for part in (_SUBJECTS, _VERBS, _OBJECTS, _ENDS)]
    if drawn.random() < 0.1:
        words[2] = f"*{words[2]}*"
    sentence = " ".join(words)
    return f"{sentence[0].upper()}{sentence[1:]}."


class PaintWatch(QObject):
    """Hears when a viewport is painted."""

    def __init__(self, page: QTextEdit) -> None:
        super().__init__(page)
        self.painted = False
        page.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.painted = True
        return super().eventFilter(watched, event)


def wait(milliseconds: float) -> None:
    """Let the window work for a time."""
    loop = QEventLoop()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setSingleShot(True)
    timer.timeout.connect(loop.quit)
    timer.start(max(int(milliseconds), 0))
    loop.exec()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + LONGEST_WAIT
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(what)
        wait(20)


def draw_keys(drawn: random.Random) -> Iterator[tuple[int, str]]:
    """Yield what is typed, for ever."""
    while True:
        for sign in f"{_make_sentence(drawn)} ":
            yield (ord(sign.upper()) if sign.isascii() and sign.isalpha() else 0, sign)
        if drawn.random() < 0.3:
            yield (Qt.Key.Key_Return.value, "\r")
        if drawn.random() < 0.3:
            yield (Qt.Key.Key_Backspace.value, "")


@dataclass(frozen=True, slots=True)
class Keystroke:
    """Milliseconds from a key's due time to painted text, and what of it this thread spent computing."""

    wall: float
    computing: float


def type_keys(page: QTextEdit, keys: int, pause: float, seed: int) -> list[Keystroke]:
    """Type and return what each key took."""
    watch = PaintWatch(page)
    drawn = random.Random(seed)
    source = draw_keys(drawn)
    times: list[Keystroke] = []
    for number in range(keys):
        gap = pause * (0.6 + 0.8 * drawn.random()) * (_LONG_PAUSE if number % LONG_PAUSE_EVERY == 24 else 1)
        due = time.perf_counter() + gap / 1000
        wait(gap)
        key, sign = next(source)
        watch.painted = False
        busy = time.thread_time()
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QCoreApplication.postEvent(page, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, sign))
        while not watch.painted:
            QCoreApplication.processEvents()
        computing = (time.thread_time() - busy) * 1000
        times.append(Keystroke((time.perf_counter() - due) * 1000, computing))
    watch.deleteLater()
    return times


def say_times(name: str, times: list[Keystroke]) -> None:
    """Print one row."""
    walls, own = sorted(time.wall for time in times), sorted(time.computing for time in times)
    middle, late = len(times) // 2, min(int(len(times) * 0.99), len(times) - 1)
    print(
        f"{name:<40} median {walls[middle]:5.1f}  99th {walls[late]:5.1f}  max {walls[-1]:6.1f} ms  "
        f"(computing {own[middle]:.1f} / {own[late]:.1f} ms; {len(times)} keys)",
        flush=True,
    )


def go_to(page: QTextEdit, share: float) -> None:
    """Put the cursor at the end of a paragraph somewhere."""
    document = page.document()
    cursor = QTextCursor(document.findBlock(int((document.characterCount() - 1) * share)))
    cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
    page.setTextCursor(cursor)
    page.ensureCursorVisible()
    page.setFocus()
    wait(100)


def measure_bare(app: QApplication, text: str, keys: int, pause: float) -> None:
    """Type into a bare QTextEdit of the same size."""
    page = QTextEdit()
    page.resize(640, SIZE[1])
    page.show()
    start = time.perf_counter()
    page.setPlainText(text)
    page.moveCursor(QTextCursor.MoveOperation.End)
    app.processEvents()
    print(f"a bare QTextEdit: opened in {(time.perf_counter() - start) * 1000:.0f} ms")
    wait(1500)
    for name, share in (("beginning", 0.0), ("middle", 0.5), ("end", 1.0)):
        go_to(page, share)
        say_times(f"bare QTextEdit, {name}", type_keys(page, keys // 3, pause, 11))
    page.close()
    page.deleteLater()


def open_window(desk: Desk) -> MainWindow:
    """Return the window with the draft on it; print how long that took."""
    notices = NoticeBus()
    window = MainWindow(Workroom(desk), notices, Phrases(Phrasebook(find_resources() / "i18n" / "en.toml")))
    window.resize(*SIZE)
    painted: list[float] = []
    start = time.perf_counter()
    window.begin()
    loaded = time.perf_counter()
    watch = PaintWatch(window.page)
    window.show()
    while not watch.painted:
        QCoreApplication.processEvents()
    painted.append(time.perf_counter())
    print(
        f"Storydesk: a cursor after {(painted[0] - start) * 1000:.0f} ms (read and put on the page "
        f"{(loaded - start) * 1000:.0f} ms)",
        flush=True,
    )
    window.workroom.start_engines()
    return window


def put_layers_on(window: MainWindow) -> None:
    """Turn everything on that lies over the text."""
    page: PageEdit = window.page
    heat = page.findChild(HeatMap) or HeatMap(page)
    heat.set_scores(make_scores(page))
    heat.show_kind(HeatKind.SURPRISE)
    look = QTextCharFormat()
    look.setForeground(QColor("#1B6770"))
    spans, place = [], 0
    while place < len(page.text()):
        spans.append(Mark(place + 40, place + 200, look))
        place += 400
    page.marks.set_layer("authorship", spans)
    window.tools.find_bar.open("the", replaces=False)
    wait_until(lambda: window.tools.finder.count > 0, "search")
    wait_until(lambda: bool(window.notes.findings.shown), "grammar")
    print(
        f"layers: heat {heat.known:,} lines, authorship {len(spans):,}, search {window.tools.finder.count:,}, "
        f"grammar {len(window.notes.findings.shown):,} marks",
        flush=True,
    )


def make_scores(page: PageEdit) -> LineScores:
    """Return a made-up score for each word of each line."""
    drawn = random.Random(5)
    scores: list[LineScore | None] = []
    for line in page.paragraphs.lines:
        starts, ends, nats, ranks = array("i"), array("i"), array("f"), array("i")
        place = 0
        for word in line.split(" "):
            starts.append(place)
            ends.append(place + len(word))
            cost = drawn.expovariate(0.3)
            nats.append(cost)
            ranks.append(int(cost * 40))
            place += len(word) + 1
        scores.append(LineScore(starts, ends, nats, ranks, float(sum(nats)), len(nats), len(nats)))
    return tuple(scores)


class Generation:
    """Lets the engine's thread write without a break and counts its tokens."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.tokens = 0
        self.seconds = 0.0
        self.stopped = threading.Event()
        self.ended = False

    def run(self, _is_cancelled: Callable[[], bool]) -> None:
        """Write until stopped; the worker's thread."""
        start = time.perf_counter()
        while not self.stopped.is_set():
            request = self._desk.writing.request("A door on the beach", "It was morning.", words=80, seed=3)
            for event in self._desk.writing.write(request):
                if isinstance(event, Finished):
                    self.tokens += event.tokens
                if self.stopped.is_set():
                    break
        self.seconds = time.perf_counter() - start
        self.ended = True


def read_memory() -> str:
    """Return this process's resident memory."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return f"{pages * os.sysconf('SC_PAGE_SIZE') / 1e6:.0f} MB"
    except (OSError, ValueError, AttributeError):
        return "unknown"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--keys", type=int, default=300, help="for each condition")
    parser.add_argument("--pause", type=float, default=90.0, help="milliseconds between two keys, on average")
    parser.add_argument("--skip-bare", action="store_true")
    parser.add_argument("--home", type=Path, help="a data folder to use again, so that its model need not be made anew")
    parser.add_argument("--profile", action="store_true", help="print what took the time while typing with all layers")
    given = parser.parse_args()
    share_processor()
    app = QApplication(["Storydesk"])
    apply_theme(app, "light")
    text = make_novel(given.words)
    print(
        f"{len(text.split()):,} words, {len(text):,} characters, {text.count(chr(10)) + 1:,} lines; "
        f"Python {sys.version.split()[0]}"
    )
    if not given.skip_bare:
        measure_bare(app, text, given.keys, given.pause)
    if given.home is not None:
        measure_window(given.home, text, given)
        return
    with tempfile.TemporaryDirectory() as home:
        measure_window(Path(home), text, given)


def measure_window(home: Path, text: str, given: argparse.Namespace) -> None:
    """Type into the real window."""
    desk = build_desk(home)
    desk.manuscripts.add_story("The Salt Road", "A door on the beach", text)
    before = read_memory()
    window = open_window(desk)
    wait_until(lambda: desk.engines.loaded is not None, "model")
    put_layers_on(window)
    print(f"memory: {read_memory()} ({before} before the window)")
    places = (("beginning", 0.0), ("middle", 0.5), ("end", 1.0))
    every: list[Keystroke] = []
    for name, share in places:
        go_to(window.page, share)
        times = _profiled(given.profile, lambda: type_keys(window.page, given.keys // 3, given.pause, 11))
        every += times
        say_times(f"all layers, autosave, {name}", times)
    say_times("all layers, autosave", every)
    generation = Generation(desk)
    window.workroom.engine.run_errand(generation.run, "bench", quick=True)
    wait_until(lambda: generation.tokens > 0, "generating")
    every = []
    for name, share in places:
        go_to(window.page, share)
        times = type_keys(window.page, given.keys // 3, given.pause, 12)
        every += times
        say_times(f"the same while generating, {name}", times)
    say_times("the same while generating", every)
    generation.stopped.set()
    wait_until(lambda: generation.ended, "generation's end")
    print(f"generating meanwhile: {generation.tokens / generation.seconds:.0f} tokens a second")
    generation = Generation(desk)
    window.workroom.engine.run_errand(generation.run, "bench", quick=True)
    wait_until(lambda: generation.tokens > 0, "generating")
    wait(4000)
    generation.stopped.set()
    wait_until(lambda: generation.ended, "generation's end")
    print(f"generating while nobody types: {generation.tokens / generation.seconds:.0f} tokens a second")
    print(f"memory at the end: {read_memory()}")
    window.close()


def _profiled(wanted: bool, work: Callable[[], list[Keystroke]]) -> list[Keystroke]:
    if not wanted:
        return work()
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.enable()
    times = work()
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    return times


if __name__ == "__main__":
    main()
