"""Take the pictures of the main window for docs/images: a story of ours, the starter, real perplexities.

    python -m tests.bench.take_screenshots [--out DIR] [--theme NAME] [--size 1280x800] [--scene NAME]

Without options: main-light.png and main-dark.png in docs/images. Scenes: main, empty, polish, middle, focus, notice,
library, search, backups, insight, repetition, reading, authorship,
drafts, drafts-columns, generations, statement, ways, ways-compared, words, reword, controls, controls-end.
QT_SCALE_FACTOR=2 gives pictures for 200 %.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QWidget

from storydesk.bootstrap import build_desk, find_resources
from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import Failure, FailureCode
from storydesk.services.desk import Desk
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.main_window import MainWindow
from storydesk.ui.theme import apply_theme
from tests.bench import drafts_scenes, partner_scenes
from tests.bench.library_scenes import SCENES, show_library

ROOT = Path(__file__).resolve().parents[2]
SLIP = "She had went there before. "
LONGEST_WAIT = 90.0
WORDS = 30


def main() -> None:
    """Take what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--theme", action="append")
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--scene", default="main")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in given.size.split("x"))
    app = QApplication(["Storydesk"])
    for theme in given.theme or ["light", "dark"]:
        apply_theme(app, theme)
        with tempfile.TemporaryDirectory() as home:
            desk = build_desk(Path(home))
            if given.scene != "empty":
                fill_library(desk)
            picture = given.out / f"{given.scene}-{theme}.png"
            take(app, desk, (width, height), given.scene, picture)
            print(picture)


def fill_library(desk: Desk) -> None:
    """Put some of our samples into the library."""
    records = [
        json.loads(line)
        for path in sorted(desk.samples.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()[:3]
        if line.strip()
    ]
    for record in records:
        prompt = str(record["prompt"])
        title = str(record.get("title") or " ".join(prompt.split()[:4]).strip(".,;:"))
        desk.manuscripts.add_story(title, prompt, str(record["story"]))
    chosen = records[-1]
    paragraphs = str(chosen["story"]).split("\n\n")
    text = "\n\n".join(paragraphs[:3])
    story = desk.manuscripts.add_story("The Salt Road", str(chosen["prompt"]), text)
    desk.manuscripts.keep_draft(story.id, text)
    desk.manuscripts.trash_story(desk.manuscripts.add_story("An old beginning").id)


def take(app: QApplication, desk: Desk, size: tuple[int, int], scene: str, picture: Path) -> None:
    """Open a window, wait until it is busy with nothing, and save what it looks like."""
    notices = NoticeBus()
    phrases = Phrases(Phrasebook(find_resources() / "i18n" / "en.toml"))
    window = MainWindow(Workroom(desk), notices, phrases)
    window.begin()
    window.resize(*size)
    window.show()
    scored: list[object] = []
    window.workroom.score_changed.connect(lambda score: scored.append(score) if score is not None else None)
    window.workroom.start_engines()
    if scene != "empty":
        wait_until(app, lambda: bool(scored))
    else:
        wait_until(app, lambda: desk.engines.loaded is not None)
    if scene == "middle":
        cursor = window.page.textCursor()
        cursor.setPosition(120)
        window.page.setTextCursor(cursor)
    if scene in ("main", "middle"):
        window.partner.write.words_box.setValue(WORDS)
        window.co_writer.go_three_ways()
        wait_until(app, lambda: len(window.workroom.writing.candidates) == 3)
        wait_until(app, lambda: all(way.perplexity for way in window.workroom.writing.candidates))
    elif scene == "polish":
        window.page.insert(" " + SLIP)
        deep: list[object] = []
        window.workroom.grammar.report_ready.connect(lambda report: deep.append(report) if report.deep else None)
        window.actions_by_name["polish"].trigger()
        wait_until(app, lambda: bool(deep))
    elif scene == "notice":
        notices.post(Failure(FailureCode.DISK_FULL, {"path": "/home/mara/library.sqlite"}))
    elif scene == "focus":
        window.actions_by_name["focus_mode"].trigger()
    elif scene == "tuning":
        window.actions_by_name["tune"].trigger()
    elif scene in ("insight", "repetition", "reading"):
        show_insight(app, window, scene)
    shown: QWidget = window
    if scene in SCENES:
        shown = show_library(app, window, scene, wait_until)
    elif scene in drafts_scenes.SCENES:
        shown = drafts_scenes.show_drafts(app, window, scene, wait_until)
    elif scene in partner_scenes.SCENES:
        shown = partner_scenes.show_partner(app, window, scene, wait_until)
    settle = time.monotonic() + 1.0
    wait_until(app, lambda: time.monotonic() > settle)
    shown.grab().save(str(picture))
    window.close()


def show_insight(app: QApplication, window: MainWindow, scene: str) -> None:
    """Turn to a page of the Insight tab, with the heat map on the text beside the first."""
    window.actions_by_name["show_insight"].trigger()
    panel = window.insight.panel
    if scene == "insight":
        window.actions_by_name["heat_surprise"].trigger()
        place = window.page.text().index(" ", 300) + 2
        window.page.go_to(place, place)
        wait_until(app, lambda: panel.surprise.list.items.rowCount() > 0)
        wait_until(app, lambda: "thought of" in window.insight.bar.word.text())
        return
    panel.show_page(scene)
    wait_until(app, lambda: panel.repetition.list.items.rowCount() > 0)


def wait_until(app: QApplication, is_done: Callable[[], bool]) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + LONGEST_WAIT
    while not is_done():
        if time.monotonic() > end:
            raise TimeoutError("the window never got there")
        app.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
