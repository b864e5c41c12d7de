"""What take_screenshots shows of the library: parts with details, passages of a search, backups."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QApplication, QWidget

from storydesk.domain.outline import PartDetails, Status, StoryDetails
from storydesk.ui.main_window import MainWindow

SCENES = ("library", "search", "backups")
Wait = Callable[[QApplication, Callable[[], bool]], None]


def show_library(app: QApplication, window: MainWindow, scene: str, wait: Wait) -> QWidget:
    """Show a story in chapters, a search, or the backups, and return what is to be taken."""
    _open_novel(app, window, wait)
    if scene == "search":
        window.library.search.setText("water")
        wait(app, lambda: window.library.model.rowCount() > 0 and window.library.model.hasChildren(_first(window)))
    elif scene == "backups":
        dialog = window.librarian.show_backups()
        dialog.back_up_button.click()
        wait(app, lambda: dialog.stories.count() > 0)
        return dialog
    else:
        window.actions_by_name["part_details"].trigger()
        wait(app, window.library.details.isVisible)
    return window


def _open_novel(app: QApplication, window: MainWindow, wait: Wait) -> None:
    desk = window.workroom.desk
    texts = [desk.manuscripts.open_story(story.id).text.split("\n\n") for story in desk.manuscripts.list_stories()[1:]]
    pieces = [
        "# The Door",
        *texts[0][:2],
        "***",
        *texts[1][:2],
        "# Low Tide",
        *texts[2][:2],
        "## A letter",
        texts[3][0],
        "# The Lamp",
        *texts[4][:2],
    ]
    window.workroom.manuscripts.add_story("The Salt Road", "A door on the beach", "\n\n".join(pieces))
    outline = window.librarian.outline

    def parts() -> int:
        return len(outline.current.outline.parts) if outline.current is not None else 0

    wait(app, lambda: parts() == 6)
    outline.keep_part(0, PartDetails(Status.FINISHED, 200))
    outline.keep_part(3, PartDetails(Status.DRAFT, 400, "The tide comes too early."))
    opened = window.workroom.manuscripts.opened
    assert opened is not None
    outline.keep_story(opened.story.id, StoryDetails(Status.REVISED, 800, ("novel", "sea")))
    place = window.page.text().index("# Low Tide") + 3
    window.page.go_to(place, place)
    wait(app, lambda: bool(outline.details[opened.story.id].tags))


def _first(window: MainWindow) -> QModelIndex:
    return window.library.model.index(0, 0)
