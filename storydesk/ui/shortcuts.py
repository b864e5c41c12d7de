"""The keys of all actions: the table's own, changed by the writer, told where they collide."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

from storydesk.domain.settings import KEYS
from storydesk.services.ports import SettingsStore
from storydesk.ui.actions import TABLE, ActionSpec, dress, find_spec

_EDITING = (
    QKeySequence.StandardKey.Undo,
    QKeySequence.StandardKey.Redo,
    QKeySequence.StandardKey.Copy,
    QKeySequence.StandardKey.Cut,
    QKeySequence.StandardKey.Paste,
    QKeySequence.StandardKey.SelectAll,
    QKeySequence.StandardKey.MoveToNextWord,
    QKeySequence.StandardKey.MoveToPreviousWord,
    QKeySequence.StandardKey.SelectNextWord,
    QKeySequence.StandardKey.SelectPreviousWord,
    QKeySequence.StandardKey.DeleteStartOfWord,
    QKeySequence.StandardKey.DeleteEndOfWord,
    QKeySequence.StandardKey.MoveToStartOfDocument,
    QKeySequence.StandardKey.MoveToEndOfDocument,
)
"""Keys of every text field: an action that took one would break writing."""
_STRONG = re.compile(r"(Ctrl|Alt|Meta)\+|(Shift\+)?F\d+$")


class Shortcuts(QObject):
    """Puts the writer's keys on the actions. GUI thread.

    Keys are in Qt's portable form (``Ctrl+Shift+F``), empty for none.
    """

    changed = Signal()
    """Some action has another key now."""

    def __init__(self, actions: Mapping[str, QAction], settings: SettingsStore, parent: QObject) -> None:
        """Put on what was kept."""
        super().__init__(parent)
        self._actions = actions
        self._settings = settings
        self._changed = _read_kept(settings.get(KEYS))
        self._put_on()

    def key(self, name: str) -> str:
        """Return the key that an action has now."""
        return self._keys[name]

    def keys_on_page(self) -> dict[str, str]:
        """Return the keys that the page itself hears."""
        return {spec.id: self._keys[spec.id] for spec in TABLE if spec.on_page}

    def is_changed(self, name: str) -> bool:
        """Return whether the writer gave this action another key than the usual one."""
        return self._keys[name] != usual_key(find_spec(name))

    def find_holders(self, key: str, but: str = "") -> tuple[str, ...]:
        """Return the actions that have this key, all but one."""
        wanted = _tidy(key)
        return tuple(name for name, held in self._keys.items() if held == wanted and wanted and name != but)

    def is_for_typing(self, name: str, key: str) -> bool:
        """Return whether this key writes or moves in a text, so that the action can't have it."""
        if key == usual_key(find_spec(name)):
            return False
        if key in _editing_keys():
            return True
        if find_spec(name).on_page or not key:
            return False
        return _STRONG.match(key) is None

    def set_key(self, name: str, key: str) -> None:
        """Give an action a key, or none; whoever had it goes without."""
        wanted = _tidy(key)
        for holder in self.find_holders(wanted, name):
            self._changed[holder] = ""
        self._changed[name] = wanted
        self._keep()

    def reset(self, name: str) -> None:
        """Give an action its usual key back; whoever had it meanwhile goes without."""
        self.set_key(name, usual_key(find_spec(name)))

    def reset_all(self) -> None:
        """Give every action its usual key back."""
        self._changed.clear()
        self._keep()

    def _keep(self) -> None:
        usual = {spec.id: usual_key(spec) for spec in TABLE}
        self._changed = {name: key for name, key in self._changed.items() if key != usual[name]}
        self._settings.set(KEYS, json.dumps(self._changed, sort_keys=True) if self._changed else "")
        self._put_on()
        self.changed.emit()

    def _put_on(self) -> None:
        taken = {key for key in self._changed.values() if key}
        self._keys: dict[str, str] = {}
        for spec in TABLE:
            usual = usual_key(spec)
            free = "" if usual in taken else usual  # what the writer chose goes before what a new version brings
            self._keys[spec.id] = self._changed.get(spec.id, free)
            dress(self._actions[spec.id], spec, self._keys[spec.id])


def usual_key(spec: ActionSpec) -> str:
    """Return the key that the table gives an action."""
    return _tidy(spec.shortcut)


def say_key(key: str) -> str:
    """Return a key as the writer's keyboard and system write it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


@lru_cache(maxsize=1)
def _editing_keys() -> frozenset[str]:
    return frozenset(keys.toString() for standard in _EDITING for keys in QKeySequence.keyBindings(standard))


def _tidy(key: str) -> str:
    return QKeySequence(key).toString()


def _read_kept(kept: str) -> dict[str, str]:
    """Return what the settings say, without what no version of ours can mean."""
    try:
        read = json.loads(kept) if kept else {}
    except ValueError:
        return {}
    names = {spec.id for spec in TABLE}
    if not isinstance(read, dict):
        return {}
    return {name: _tidy(key) for name, key in read.items() if name in names and isinstance(key, str)}
