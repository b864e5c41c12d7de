"""The data desk, opened with some stories of ours that want a doctor."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from storydesk.services.desk import Desk
from storydesk.ui.main_window import MainWindow
from storydesk.ui.tuning import TuningPage
from storydesk.ui.tuning.pairs_page import DOCTOR, PAIRS, VERSIONS, PairsPage
from tests.fakes.datasets import FakeDatasetStore

Await = Callable[[Callable[[], bool]], None]
Opener = Callable[[MainWindow, Await], QWidget]

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
STORIES = 24
FILE = "my-tales.jsonl"


def open_part(part: str) -> Opener:
    """Return what turns to the pairs, the doctor or the kept texts."""

    def open_pairs(window: MainWindow, wait: Await) -> QWidget:
        pairs = _read(window, wait)
        pairs._show_part(part)
        if part == VERSIONS and not pairs.versions.list.count():
            source = window.pages.currentWidget()
            assert isinstance(source, TuningPage)
            kept: list[object] = []
            keep = source.words.data.make_keeper(for_good=True)
            threading.Thread(target=lambda: kept.append(keep())).start()
            wait(lambda: bool(kept))
            source.words.data.list_versions()
            wait(lambda: pairs.versions.list.count() > 0)
        return window

    return open_pairs


def open_hub(window: MainWindow, _wait: Await) -> QWidget:
    """Ask for a data set of the Hub."""
    window.actions_by_name["tune"].trigger()
    page = window.pages.currentWidget()
    assert isinstance(page, TuningPage)
    page._show_step(0)
    page.words.show_front()
    page.words.hub_row.ask()
    return window


def _read(window: MainWindow, wait: Await) -> PairsPage:
    """Read the stories once and turn to their pairs."""
    window.actions_by_name["tune"].trigger()
    page = window.pages.currentWidget()
    assert isinstance(page, TuningPage)
    page._show_step(0)
    page.words.hub_row.hide()
    if not page.words.sources:
        page.words.add_paths([_write_stories(window.workroom.desk)])
    wait(lambda: page.words.data.view is not None and page.words.counted is not None)
    page.words.show_pairs()
    wait(lambda: page.words.pairs.editor.pair is not None)
    return page.words.pairs


def _write_stories(desk: Desk) -> Path:
    records = [
        json.loads(line)
        for path in sorted(SAMPLES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()[: STORIES // 3]
    ]
    told = [(str(each.get("title", "")), str(each["prompt"]), str(each["story"])) for each in records]
    for place in (3, 9, 14):
        title, prompt, story = told[place]
        told[place] = (title, "" if place == 9 else prompt, "<b>" + story.replace(".", ".</b>", 1))
    told.insert(6, told[1])
    store = desk.datasets._store
    if isinstance(store, FakeDatasetStore):
        store.stories = told
    path = desk.home / FILE
    lines = (json.dumps({"title": title, "prompt": prompt, "story": story}) for title, prompt, story in told)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


OPENERS: dict[str, Opener] = {
    "data-hub": open_hub,
    "data-desk": open_part(PAIRS),
    "data-doctor": open_part(DOCTOR),
    "data-kept": open_part(VERSIONS),
}
"""The places by name."""
