"""What take_screenshots shows of the editor: Markdown, finding, what a replacement would change, typewriter mode."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QApplication, QWidget

from storydesk.ui.editor.replace_preview import ReplacePreview
from storydesk.ui.main_window import MainWindow

SCENES = ("page-markdown", "page-find", "page-replace", "page-typewriter")
TEXT = """# The Salt Road

Mara found the door at *low tide*, standing **by itself** on the sand, without a wall or a house.

## Morning

She walked round it twice. The tide did not mind her. “Is anybody there?” she said, and the sea said nothing, as the sea
does.

***

שלום עולם, אמרה מרה.

The ferryman counted the bells, as if it were a debt. The rope was wet, and the sea was rising."""
Wait = Callable[[QApplication, Callable[[], bool]], None]


def show_editor(app: QApplication, window: MainWindow, scene: str, wait: Wait) -> QWidget:
    """Bring the page to a scene and return what is to be taken."""
    window.page.selectAll()
    window.page.textCursor().insertText(TEXT.replace("sea\ndoes", "sea does"))
    window.page.go_to(0, 0)
    if scene == "page-markdown":
        return window
    if scene == "page-typewriter":
        window.actions_by_name["typewriter"].setChecked(True)
        window.actions_by_name["dim_others"].setChecked(True)
        window.page.go_to(window.page.text().index("twice"), window.page.text().index("twice"))
        return window
    window.actions_by_name["replace"].trigger()
    window.tools.find_bar.words.setText("the sea")
    window.tools.find_bar.put.setText("the lake")
    wait(app, lambda: window.tools.finder.count == 3 and not window.tools.finder.is_looking)
    window.tools.finder.go(1)
    if scene == "page-replace":
        window.tools.finder.replace_all()
        return window.findChildren(ReplacePreview)[0]
    return window
