"""Take the pictures of every screen for docs/images: stories of ours, the starter, real perplexities.

    python -m tests.bench.take_screenshots [--out DIR] [--theme NAME] [--size 1280x800] [--scene NAME]

Without options: every screen, light and dark, in docs/images (some minutes). A scene is a place of tests/gui/places.py
or one of those that this folder's ``*_scenes`` modules set up with more in them. QT_SCALE_FACTOR=2 gives pictures for
200 %.
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

import numpy as np
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QImage
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
from storydesk.ui.translations import install_translations
from tests.bench import drafts_scenes, editor_scenes, judging_scenes, memory_scenes, model_scenes, partner_scenes
from tests.bench.library_scenes import SCENES, show_library
from tests.gui.places import PLACES, find_place, leave_places

ROOT = Path(__file__).resolve().parents[2]
SLIP = "She had went there before. "
SET_UP_HERE = ("main", "middle", "polish", "notice", "focus", "tuning", "insight", "repetition", "reading")
EMPTY = tuple(place.name for place in PLACES if place.empty)
LEFT_OUT = ("delete", "heat-map", "insight-surprise", "insight-repetition", "insight-reading", "trashed", "middle")
"""Questions of the desktop's own look, and places that another scene shows with more in them."""
LONGEST_WAIT = 240.0
SETTLE = 0.6
COLOURS = 80
WORDS = 30


def main() -> None:
    """Take what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--theme", action="append")
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--scene", action="append")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in given.size.split("x"))
    QLocale.setDefault(QLocale("en_GB"))
    app = QApplication(["Storydesk"])
    install_translations(app, find_resources() / "i18n")
    scenes = given.scene or list_scenes()
    for theme in given.theme or ["light", "dark"]:
        apply_theme(app, theme)
        for some in _group(scenes):
            with tempfile.TemporaryDirectory() as home:
                desk = build_desk(Path(home))
                if some[0] not in EMPTY:
                    fill_library(desk)
                take(app, desk, (width, height), some, lambda scene: given.out / f"{scene}-{theme}.png")  # noqa: B023 - called at once


def _group(scenes: list[str]) -> list[list[str]]:
    """Return the scenes that can share a window: bare places with or without stories; every other has its own."""
    bare = [scene for scene in scenes if not _is_set_up(scene)]
    groups = [[scene] for scene in scenes if _is_set_up(scene)]
    empty, full = [name for name in bare if name in EMPTY], [name for name in bare if name not in EMPTY]
    return [*groups, *(group for group in (empty, full) if group)]


def _is_set_up(scene: str) -> bool:
    others = (
        SCENES,
        drafts_scenes.SCENES,
        editor_scenes.SCENES,
        judging_scenes.SCENES,
        memory_scenes.SCENES,
        model_scenes.SCENES,
        partner_scenes.SCENES,
    )
    return scene in SET_UP_HERE or any(scene in scenes for scenes in others)


def list_scenes() -> list[str]:
    """Return every scene, those that are set up with care before the bare places."""
    names = ["main", "empty", "notice", "focus", "insight", "repetition", "reading"]
    names += [
        *SCENES,
        *drafts_scenes.SCENES,
        *editor_scenes.SCENES,
        *judging_scenes.SCENES,
        *memory_scenes.SCENES,
        *model_scenes.SCENES,
        *partner_scenes.SCENES,
        *(place.name for place in PLACES),
    ]
    return [name for name in dict.fromkeys(names) if name not in LEFT_OUT]


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


def take(
    app: QApplication, desk: Desk, size: tuple[int, int], scenes: list[str], name_picture: Callable[[str], Path]
) -> None:
    """Open a window, wait until it is busy with nothing, and save what each scene looks like."""
    notices = NoticeBus()
    phrases = Phrases(Phrasebook(find_resources() / "i18n" / "en.toml"))
    window = MainWindow(Workroom(desk), notices, phrases)
    window.begin()
    window.resize(*size)
    window.show()
    scored: list[object] = []
    window.workroom.score_changed.connect(lambda score: scored.append(score) if score is not None else None)
    window.workroom.start_engines()
    if scenes[0] not in EMPTY:
        wait_until(app, lambda: bool(scored))
    else:
        wait_until(app, lambda: desk.engines.loaded is not None)
    for scene in scenes:
        shown = show(app, window, scene)
        settle = time.monotonic() + SETTLE
        wait_until(app, lambda: time.monotonic() > settle)  # noqa: B023 - called at once
        picture = name_picture(scene)
        save_small(shown.grab().toImage(), picture)
        print(picture, flush=True)
        if len(scenes) > 1:
            leave_places(window)
    window.close()


def save_small(image: QImage, picture: Path) -> None:
    """Save a picture in its commonest colours, which is what a window has, at a third of the size."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    points = np.frombuffer(plain.constBits(), dtype=np.uint32).reshape(-1) | np.uint32(0xFF000000)
    colours, counts = np.unique(points, return_counts=True)
    table = [int(colours[at]) for at in np.argsort(counts)[::-1][:COLOURS]]
    avoid = Qt.ImageConversionFlag.ThresholdDither | Qt.ImageConversionFlag.AvoidDither
    plain.convertToFormat(QImage.Format.Format_Indexed8, table, avoid).save(str(picture), quality=0)


def show(app: QApplication, window: MainWindow, scene: str) -> QWidget:
    """Bring a window to a scene and return what is to be taken."""
    notices = window.notices
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
        size = window.size()
        window.actions_by_name["focus_mode"].trigger()
        window.setWindowState(Qt.WindowState.WindowNoState)  # the screen that is not there is 800 by 800
        window.resize(size)
    elif scene == "tuning":
        window.actions_by_name["tune"].trigger()
    elif scene in ("insight", "repetition", "reading"):
        show_insight(app, window, scene)
    shown: QWidget = window
    if scene in SCENES:
        shown = show_library(app, window, scene, wait_until)
    elif scene in drafts_scenes.SCENES:
        shown = drafts_scenes.show_drafts(app, window, scene, wait_until)
    elif scene in editor_scenes.SCENES:
        shown = editor_scenes.show_editor(app, window, scene, wait_until)
    elif scene in judging_scenes.SCENES:
        shown = judging_scenes.show_judging(app, window, scene, wait_until)
    elif scene in partner_scenes.SCENES:
        shown = partner_scenes.show_partner(app, window, scene, wait_until)
    elif scene in memory_scenes.SCENES:
        shown = memory_scenes.show_memory(app, window, scene, wait_until)
    elif scene in model_scenes.SCENES:
        shown = model_scenes.show_models(app, window, scene, wait_until)
    elif scene not in SET_UP_HERE:
        shown = find_place(scene).open(window, lambda is_done: wait_until(app, is_done))
    return shown if shown.isWindow() else window


def show_insight(app: QApplication, window: MainWindow, scene: str) -> None:
    """Turn to a page of the Insight tab, with the heat map on the text beside the first."""
    window.actions_by_name["show_insight"].trigger()
    panel = window.insight.panel
    if scene == "insight":
        window.actions_by_name["heat_surprise"].trigger()
        place = window.page.text().index(" ", 300) + 2
        window.page.go_to(place, place)
        wait_until(app, lambda: panel.surprise.list.items.rowCount() > 0)
        wait_until(app, lambda: "thought of" in window.insight.bar.word.accessibleName())
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
