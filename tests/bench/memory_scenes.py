"""What take_screenshots shows of memory: the tab with what the model will see, the lorebook, the prompts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.memory import StoryMemory
from storydesk.domain.prompt_shelf import ShelfPrompt
from storydesk.domain.whole_story import StoryWish
from storydesk.ui.main_window import MainWindow

SCENES = ("memory", "lorebook", "prompts")
Wait = Callable[[QApplication, Callable[[], bool]], None]

TEXT = """Mara went down to the harbour before it was light. The ferry had not come, and fog lay on the water.

“You are early,” said Tom. He had a lamp in one hand and a letter in the other, and he did not look glad.

She took the letter and read it twice. It said that the bell had been heard again, out beyond the salt road."""
MEMORY = StoryMemory(
    "A small island in the north, about 1890. The sea gives and takes.", "Quiet, cold, a little frightening.", 1
)
ENTRIES = (
    LoreEntry(
        title="Mara",
        text="Mara Quay is sixty. She keeps the light at Skerry Head, as her mother did.",
        keys=("Mara", "keeper"),
        aliases=("Mrs Quay",),
        priority=5,
    ),
    LoreEntry(title="The Salt Road", text="A bank of sand that shows at the lowest tides. Nobody looks back on it."),
    LoreEntry(title="Tom", text="Tom is Mara’s brother. He reads other people’s letters.", aliases=("Thomas",)),
    LoreEntry(title="The Bell", text="It went down with the church in 1703.", keys=("bell", "/church(es)?/i")),
    LoreEntry(title="Harbour law", text="Nobody lies on the harbour wall.", always=True, everywhere=True),
    LoreEntry(title="The whaler", text="She has no name.", enabled=False),
)
PROMPTS = (
    ("She finds a door on the beach at low tide, and it is warm.", ("sea", "doors")),
    ("The last map maker of the old city draws a street that is not there yet.", ("city",)),
    ("A letter arrives for somebody who has been dead for a hundred years.", ("letters",)),
    ("Every winter the village votes on who must stay awake.", ("winter",)),
    ("Two sisters inherit a clock that only runs backwards.", ()),
)


def show_memory(app: QApplication, window: MainWindow, scene: str, wait: Wait) -> QWidget:
    """Fill memory, lorebook and shelf, open one of them, and return what is to be taken."""
    memory, before = window.workroom.memory, window.workroom.manuscripts.opened
    window.workroom.manuscripts.add_story("Skerry Head", "A keeper hears a bell that rings under the sea.", TEXT)
    wait(app, lambda: window.workroom.manuscripts.opened is not before and memory.can_change)
    memory.set_memory(MEMORY)
    memory.keep_entries(ENTRIES)
    wait(app, lambda: len(memory.page.entries) == len(ENTRIES))
    if scene == "memory":
        window.actions_by_name["show_memory"].trigger()
        wait(app, lambda: "Skerry" in window.memory.panel.context.text.toPlainText())
    elif scene == "lorebook":
        window.actions_by_name["lorebook"].trigger()
        window.memory.lorebook.choose(next(entry.id for entry in memory.page.entries if entry.title == "Mara"))
    else:
        _show_prompts(app, window, wait)
    return window


def _show_prompts(app: QApplication, window: MainWindow, wait: Wait) -> None:
    window.actions_by_name["prompts"].trigger()
    window.workroom.shelf.keep([ShelfPrompt(0, text, tags) for text, tags in PROMPTS])
    queue = window.workroom.queue
    queue.add([StoryWish(PROMPTS[4][0], 120, 4), StoryWish(PROMPTS[3][0], 90, 9), StoryWish(PROMPTS[0][0], 2_000, 1)])
    wait(app, lambda: len(queue.stories) == 3 and queue.stories[2].words > 300)
    queue.pause()
    shown = window.prompts.page.queue.list
    shown.findItems("Two sisters", Qt.MatchFlag.MatchStartsWith)[0].setSelected(True)
