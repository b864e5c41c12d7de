"""Every action of the window in one table: name, words, shortcut, icon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, Qt, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from storydesk.ui.theme import icon


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action. ``writes`` ones are off in a window that may not write; the page itself hears ``on_page`` keys."""

    id: str
    text: str
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    writes: bool = False
    on_page: bool = False


def _n(text: str) -> str:
    return str(QT_TRANSLATE_NOOP("Actions", text))


TABLE: tuple[ActionSpec, ...] = (
    ActionSpec("new_story", _n("New story"), "Ctrl+N", "plus", writes=True),
    ActionSpec("import_story", _n("Import a story…"), "Ctrl+O", "download-simple", writes=True),
    ActionSpec(
        "keep_draft",
        _n("Keep this draft and go on in a new one"),
        "Ctrl+S",
        "stack",
        _n("Your text is saved by itself; this keeps the draft as it is now and goes on in a copy"),
        writes=True,
    ),
    ActionSpec(
        "take_snapshot",
        _n("Keep a snapshot"),
        "Ctrl+Shift+S",
        "camera",
        _n("Remember the text as it is now"),
        writes=True,
    ),
    ActionSpec(
        "show_drafts",
        _n("Drafts and snapshots"),
        "Ctrl+D",
        "git-diff",
        _n("Compare, restore, branch and merge versions"),
    ),
    ActionSpec(
        "show_generations",
        _n("What the model wrote"),
        "Ctrl+G",
        "clock-counter-clockwise",
        _n("Everything that was written for this story, used or not; make it again"),
    ),
    ActionSpec(
        "show_authorship",
        _n("Authorship"),
        "Ctrl+Shift+O",
        "user-focus",
        _n("Show what you wrote, what the model wrote and what was pasted"),
        checkable=True,
    ),
    ActionSpec("authorship_statement", _n("How this text was made…"), "", "file-text", _n("A statement for an editor")),
    ActionSpec("export", _n("Export"), "Ctrl+E", "export", _n("Save the story as a document")),
    ActionSpec("story_details", _n("Status, target and tags of the story…"), "Ctrl+I", "note-pencil"),
    ActionSpec("part_details", _n("Status, target and note of this chapter or scene…"), "Ctrl+Shift+I", "note-pencil"),
    ActionSpec("trash_story", _n("Put this story into the trash"), "Ctrl+Shift+Backspace", "trash", writes=True),
    ActionSpec("backups", _n("Backups…"), icon="clock-counter-clockwise", tip=_n("Look into backups and restore them")),
    ActionSpec("export_library", _n("Save the library as a file…"), icon="package"),
    ActionSpec("import_library", _n("Add stories from a library file…"), icon="download-simple", writes=True),
    ActionSpec("go_on", _n("Go on"), "Ctrl+Return", "play", _n("Let the model go on at the cursor"), writes=True),
    ActionSpec(
        "three_ways",
        _n("Several ways"),
        "Ctrl+Shift+Return",
        "list-numbers",
        _n("Write several ways to go on, to choose from"),
        writes=True,
    ),
    ActionSpec(
        "try_again", _n("Another try"), "Ctrl+Shift+T", "arrows-clockwise", _n("Write it again, otherwise"), writes=True
    ),
    ActionSpec(
        "earlier_ways",
        _n("What was written here before"),
        "Alt+PgUp",
        "caret-left",
        _n("Back to what was written at this place before"),
        writes=True,
    ),
    ActionSpec(
        "later_ways",
        _n("What was written here after"),
        "Alt+PgDown",
        "caret-right",
        _n("On to what was written at this place after that"),
        writes=True,
    ),
    ActionSpec(
        "compare_ways", _n("Compare the ways"), "Alt+C", "columns", _n("See all ways side by side"), writes=True
    ),
    ActionSpec(
        "other_words",
        _n("Other words here"),
        "Alt+Down",
        "swap",
        _n("What else the model might have written at this word"),
        writes=True,
    ),
    ActionSpec(
        "reword",
        _n("Other ways to say it"),
        "Ctrl+Shift+A",
        "arrows-left-right",
        _n("Other ways to say what is selected, by how well what follows fits"),
        writes=True,
    ),
    ActionSpec("stop", _n("Stop"), "Ctrl+.", "stop", _n("Stop writing; what has come stays")),
    ActionSpec("accept_ghost", _n("Accept the suggestion"), "Tab", "check", writes=True, on_page=True),
    ActionSpec("accept_word", _n("Accept the next word"), "Ctrl+Right", "arrow-right", writes=True, on_page=True),
    ActionSpec(
        "accept_sentence",
        _n("Accept the next sentence"),
        "Ctrl+Shift+Right",
        "arrow-line-right",
        writes=True,
        on_page=True,
    ),
    ActionSpec("dismiss_ghost", _n("Dismiss the suggestion"), "Esc", "x", on_page=True),
    ActionSpec("use_way_1", _n("Use the first way"), "Alt+1", writes=True),
    ActionSpec("use_way_2", _n("Use the second way"), "Alt+2", writes=True),
    ActionSpec("use_way_3", _n("Use the third way"), "Alt+3", writes=True),
    ActionSpec("use_way_4", _n("Use the fourth way"), "Alt+4", writes=True),
    ActionSpec("use_way_5", _n("Use the fifth way"), "Alt+5", writes=True),
    ActionSpec("polish", _n("Polish"), "F7", "sparkle", _n("Read the whole story with every grammar checker")),
    ActionSpec("next_note", _n("Next grammar note"), "F8", "arrow-down"),
    ActionSpec("previous_note", _n("Previous grammar note"), "Shift+F8", "arrow-up"),
    ActionSpec("show_fixes", _n("Fixes for the word at the cursor"), "Alt+Return", "wrench", writes=True),
    ActionSpec("accept_note", _n("Accept"), "Alt+A", "check", _n("Put the first suggestion in"), writes=True),
    ActionSpec("ignore_note", _n("Ignore"), "Alt+I", "eye-slash", _n("Leave it as it is in this sentence")),
    ActionSpec("ignore_rule", _n("Ignore rule"), "Alt+R", "prohibit", _n("Never say this about this story again")),
    ActionSpec(
        "learn_note", _n("Learn"), "Alt+L", "book-bookmark", _n("Put the word into your dictionary"), writes=True
    ),
    ActionSpec("undo", _n("Undo"), "Ctrl+Z", "arrow-u-up-left", writes=True, on_page=True),
    ActionSpec("redo", _n("Redo"), "Ctrl+Shift+Z", "arrow-u-up-right", writes=True, on_page=True),
    ActionSpec(
        "heat_map",
        _n("Heat map"),
        "Ctrl+Shift+H",
        "thermometer",
        _n("Show on the page how surprising each word is to the model"),
        checkable=True,
    ),
    ActionSpec(
        "heat_surprise", _n("Surprise"), tip=_n("Colour words by how unlikely the model found them"), checkable=True
    ),
    ActionSpec(
        "heat_rank",
        _n("Rank"),
        tip=_n("Colour words by how many others the model would sooner have used"),
        checkable=True,
    ),
    ActionSpec(
        "heat_voice",
        _n("Sounds like me"),
        tip=_n("Colour words that your own model expects more, or less, than the model that it came from"),
        checkable=True,
    ),
    ActionSpec("next_surprise", _n("Next surprising word"), "F9", "arrow-down"),
    ActionSpec("previous_surprise", _n("Previous surprising word"), "Shift+F9", "arrow-up"),
    ActionSpec("focus_mode", _n("Focus"), "F11", "target", _n("Leave the page alone on the screen"), checkable=True),
    ActionSpec("find", _n("Find in this draft"), "Ctrl+F", "magnifying-glass"),
    ActionSpec("replace", _n("Find and replace"), "Ctrl+H", "swap", writes=True),
    ActionSpec("find_next", _n("Next place found"), "F3"),
    ActionSpec("find_previous", _n("Previous place found"), "Shift+F3"),
    ActionSpec("paste_exactly", _n("Paste exactly"), "Ctrl+Shift+V", "clipboard-text", writes=True),
    ActionSpec("copy_rich", _n("Copy with its look"), "Ctrl+Shift+C", "copy"),
    ActionSpec("copy_markdown", _n("Copy as Markdown"), icon="hash"),
    ActionSpec("search", _n("Search all stories"), "Ctrl+Shift+F", "magnifying-glass"),
    ActionSpec("go_to_prompt", _n("Go to the prompt"), "Ctrl+P", "chat-text"),
    ActionSpec("go_to_page", _n("Go to the page"), "Ctrl+Shift+E", "text-t"),
    ActionSpec("next_pane", _n("Next part of the window"), "F6", "arrows-left-right"),
    ActionSpec("toggle_library", _n("Library"), "Ctrl+Shift+L", "books", _n("Show or fold the library"), True),
    ActionSpec("toggle_partner", _n("Partner"), "Ctrl+Shift+P", "square-half", _n("Show or fold the partner"), True),
    ActionSpec("show_write", _n("Write"), "Ctrl+Shift+W", checkable=True),
    ActionSpec(
        "show_insight",
        _n("Insight"),
        "Ctrl+Shift+N",
        "",
        _n("Where the draft surprises, what it repeats"),
        checkable=True,
    ),
    ActionSpec("show_polish", _n("Polish"), "Ctrl+Shift+G", checkable=True),
    ActionSpec(
        "show_memory", _n("Memory"), "Ctrl+Shift+M", tip=_n("What the model knows and what it will see"), checkable=True
    ),
    ActionSpec("prompts", _n("Prompts…"), "Ctrl+J", "queue", _n("Keep prompts, and turn them into whole stories")),
    ActionSpec("keep_prompt", _n("Keep this story’s prompt"), icon="bookmark-simple", writes=True),
    ActionSpec("lorebook", _n("Lorebook…"), "Ctrl+L", "book-bookmark", _n("People, places and laws of your story")),
    ActionSpec(
        "typewriter",
        _n("Typewriter"),
        "Ctrl+F11",
        "text-aa",
        _n("Keep the line you write in the middle"),
        checkable=True,
    ),
    ActionSpec(
        "dim_others",
        _n("Dim other paragraphs"),
        "Shift+F11",
        "text-align-left",
        _n("Let all but the paragraph at the cursor step back"),
        checkable=True,
    ),
    ActionSpec("full_screen", _n("Full screen"), "Alt+F11", "corners-out", checkable=True),
    ActionSpec("usual_text", _n("Usual size of the text"), "Ctrl+0"),
    ActionSpec("larger_text", _n("Larger text"), "Ctrl++", "magnifying-glass-plus"),
    ActionSpec("smaller_text", _n("Smaller text"), "Ctrl+-", "magnifying-glass-minus"),
    ActionSpec("tune", _n("Tune my model"), "Ctrl+T", "magic-wand", _n("Teach the model your own voice"), writes=True),
    ActionSpec(
        "judge",
        _n("Judging"),
        "Ctrl+Shift+J",
        "scales",
        _n("Let people say how good stories are, without knowing who wrote them"),
        writes=True,
    ),
    ActionSpec("models", _n("Models…"), "Ctrl+M", "stack-simple"),
    ActionSpec("preferences", _n("Preferences…"), "Ctrl+,", "gear"),
    ActionSpec(
        "palette", _n("Find an action or a story…"), "Ctrl+K", "command", _n("All that can be done, by its words")
    ),
    ActionSpec("show_keys", _n("All keys…"), "F1", "keyboard"),
    ActionSpec("show_tour", _n("A short tour…"), icon="compass"),
    ActionSpec("quit", _n("Quit"), "Ctrl+Q", "sign-out"),
)
"""The order is the menu's."""

EDITING = ("undo", "redo")
"""What every text field does by itself with its usual key."""

MENU: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("", (("palette",),)),
    (
        _n("Story"),
        (
            ("new_story", "import_story", "export"),
            ("story_details", "part_details"),
            ("search",),
            ("trash_story",),
            ("backups", "export_library", "import_library"),
        ),
    ),
    (
        _n("Drafts"),
        (
            ("keep_draft", "take_snapshot"),
            ("show_drafts", "show_generations"),
            ("show_authorship", "authorship_statement"),
        ),
    ),
    (
        _n("Edit"),
        (
            ("undo", "redo"),
            ("find", "replace", "find_next", "find_previous"),
            ("copy_rich", "copy_markdown", "paste_exactly"),
        ),
    ),
    (
        _n("Write with the model"),
        (
            ("go_on", "three_ways", "try_again", "stop"),
            ("accept_ghost", "accept_word", "accept_sentence", "dismiss_ghost"),
            ("earlier_ways", "later_ways", "compare_ways"),
            ("use_way_1", "use_way_2", "use_way_3", "use_way_4", "use_way_5"),
            ("reword", "other_words"),
            ("lorebook", "prompts", "keep_prompt"),
        ),
    ),
    (
        _n("Heat map"),
        (
            ("heat_map",),
            ("heat_surprise", "heat_rank", "heat_voice"),
            ("next_surprise", "previous_surprise"),
        ),
    ),
    (
        _n("Grammar"),
        (
            ("polish",),
            ("next_note", "previous_note", "show_fixes"),
            ("accept_note", "ignore_note", "ignore_rule", "learn_note"),
        ),
    ),
    (
        _n("View"),
        (
            ("focus_mode", "full_screen", "typewriter", "dim_others"),
            ("larger_text", "smaller_text", "usual_text"),
            ("toggle_library", "toggle_partner"),
            ("show_write", "show_insight", "show_polish", "show_memory"),
            ("go_to_page", "go_to_prompt", "next_pane"),
        ),
    ),
    ("", (("tune", "judge", "models"), ("preferences", "show_keys", "show_tour"), ("quit",))),
)
"""What the menu holds: a heading (none for what stands in the menu itself) and groups of actions under it."""


def make_actions(window: QWidget, *, read_only: bool) -> dict[str, QAction]:
    """Return the actions by name, added to the window so that their shortcuts work wherever the focus is."""
    return {spec.id: _make(spec, window, read_only) for spec in TABLE}


def _make(spec: ActionSpec, window: QWidget, read_only: bool) -> QAction:
    text = QCoreApplication.translate("Actions", spec.text)
    action = QAction(text, window)
    action.setObjectName(spec.id)
    action.setCheckable(spec.checkable)
    if spec.icon:
        action.setIcon(icon(spec.icon))
    dress(action, spec, spec.shortcut)
    if read_only and spec.writes:
        action.setEnabled(False)
    window.addAction(action)
    return action


def dress(action: QAction, spec: ActionSpec, key: str) -> None:
    """Give an action its key (none where empty) and a tip that names it."""
    keys = QKeySequence(key)
    tip = QCoreApplication.translate("Actions", spec.tip or spec.text)
    if not keys.isEmpty():
        tip = f"{tip} ({keys.toString(QKeySequence.SequenceFormat.NativeText)})"
    action.setShortcut(keys)
    # Tab, Esc and undo belong to whatever has the focus; the menu shows them all the same.
    page_hears = spec.on_page and (key == spec.shortcut or spec.id not in EDITING)
    context = Qt.ShortcutContext.WidgetShortcut if page_hears else Qt.ShortcutContext.WindowShortcut
    action.setShortcutContext(context)
    action.setToolTip(tip)


class TipFollower(QObject):
    """Lets a widget's tip be an action's, also after the writer gave it another key. GUI thread."""

    def __init__(self, widget: QWidget, action: QAction) -> None:
        """Belong to the widget, and end with it."""
        super().__init__(widget)
        self._widget = widget
        self._action = action
        action.changed.connect(self._copy)
        self._copy()

    @Slot()
    def _copy(self) -> None:
        self._widget.setToolTip(self._action.toolTip())


def find_spec(name: str, table: Iterable[ActionSpec] = TABLE) -> ActionSpec:
    """Return the action of this name; KeyError where there is none."""
    for spec in table:
        if spec.id == name:
            return spec
    raise KeyError(name)


def join_actions(actions: Mapping[str, QAction], slots: Mapping[str, Callable[[], object]]) -> None:
    """Let every action call its slot; KeyError where the table has no such action."""
    for name, slot in slots.items():
        actions[name].triggered.connect(lambda _checked=False, slot=slot: slot())
