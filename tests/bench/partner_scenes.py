"""What take_screenshots shows of the partner: five ways, side by side, other words, other ways, the controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QApplication, QWidget

from storydesk.ui.assistant.ways_dialog import WaysDialog
from storydesk.ui.main_window import MainWindow

SCENES = ("ways", "ways-compared", "words", "reword", "controls", "controls-end")
WAYS = 5
WORDS = 30
Wait = Callable[[QApplication, Callable[[], bool]], None]


def show_partner(app: QApplication, window: MainWindow, scene: str, wait: Wait) -> QWidget:
    """Bring the partner to a scene and return what is to be taken."""
    panel = window.partner.write
    window.actions_by_name["toggle_partner"].setChecked(True)
    if scene.startswith("controls"):
        panel.show_controls()
        bar = panel.controls_page.area.verticalScrollBar()
        wait(app, lambda: bar.maximum() > 0)
        bar.setValue(bar.maximum() if scene == "controls-end" else 0)
        return window
    if scene == "reword":
        text = window.page.text()
        start = text.index("\n\n") + 2
        window.page.go_to(start, text.index("\n", start))
        window.actions_by_name["reword"].trigger()
        wait(app, lambda: bool(window.helper.reworder.view.cards))
        return window
    panel.controls_page.take(replace(panel.controls, ways=WAYS))
    panel.words_box.setValue(WORDS)
    window.actions_by_name["three_ways"].trigger()
    writing = window.workroom.writing
    wait(app, lambda: len(writing.candidates) == WAYS and all(way.perplexity for way in writing.candidates))
    if scene == "ways-compared":
        window.actions_by_name["compare_ways"].trigger()
        return window.findChildren(WaysDialog)[0]
    if scene == "words":
        window.actions_by_name["accept_word"].trigger()
        window.actions_by_name["other_words"].trigger()
        popover = window.helper.word_picker.popover
        assert popover is not None
        return popover
    return window
