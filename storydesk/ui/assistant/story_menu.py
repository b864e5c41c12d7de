"""How the open story is polished, in a menu: language, speech, dialect, the model's order, what was ignored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QLocale, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from storydesk.domain.polishing import PolishSettings
from storydesk.ui.theme import icon

ENGLISH = ("en-US", "en-GB", "en-CA", "en-AU")


class StoryMenu(QToolButton):
    """A button with the settings of one story. GUI thread."""

    settings_changed = Signal(object)
    """The PolishSettings that the writer chose."""
    languages_wanted = Signal()
    """The writer would like to see what other languages there are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show the usual settings."""
        super().__init__(parent)
        self.setIcon(icon("sliders-horizontal"))
        self.setToolTip(self.tr("How this story is polished"))
        self.setAccessibleName(self.toolTip())
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._settings = PolishSettings()
        self._languages: tuple[str, ...] = ENGLISH
        self._asked = False
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self._menu.aboutToShow.connect(self._fill)

    def show_settings(self, settings: PolishSettings) -> None:
        """Take the settings of another story."""
        self._settings = settings

    def show_languages(self, languages: Sequence[str]) -> None:
        """Offer what the checkers have rules for."""
        rest = sorted(set(languages) - set(ENGLISH), key=lambda code: _say_language(code).casefold())
        self._languages = (*ENGLISH, *rest)
        self._asked = True

    def _fill(self) -> None:
        self._menu.clear()
        settings = self._settings
        for text, name in (
            (self.tr("Leave speech alone"), "leave_dialogue"),
            (self.tr("Leave dialect alone"), "leave_dialect"),
            (self.tr("Let “Polish the story” mend speech"), "mend_dialogue"),
            (self.tr("Let my model order the fixes"), "rank"),
        ):
            on = bool(getattr(settings, name))
            # The type checker can't see that a name given by a variable is a switch.
            other: dict[str, Any] = {name: not on}
            self._add(self._menu, text, on, replace(settings, **other))
        languages = self._menu.addMenu(self.tr("Language"))
        group = QActionGroup(languages)
        for code in dict.fromkeys((*self._languages, settings.language)):
            here = code == settings.language
            group.addAction(self._add(languages, _say_language(code), here, replace(settings, language=code)))
        if not self._asked:
            more = QAction(self.tr("Look for more languages"), languages)
            more.setObjectName("more_languages")
            more.triggered.connect(self.languages_wanted)
            languages.addSeparator()
            languages.addAction(more)
        self._menu.addSeparator()
        count = len(settings.ignored_rules) + len(settings.ignored)
        again = QAction(self.tr("Say again what I ignored ({n})").format(n=count), self._menu)
        again.setEnabled(count > 0)
        again.triggered.connect(lambda: self._choose(replace(settings, ignored_rules=frozenset(), ignored=frozenset())))
        self._menu.addAction(again)

    def _add(self, menu: QMenu, text: str, checked: bool, chosen: PolishSettings) -> QAction:
        action = QAction(text, self._menu)
        action.setCheckable(True)
        action.setChecked(checked)
        action.triggered.connect(lambda: self._choose(chosen))
        menu.addAction(action)
        return action

    def _choose(self, settings: PolishSettings) -> None:
        self._settings = settings
        self.settings_changed.emit(settings)


def _say_language(code: str) -> str:
    locale = QLocale(code.replace("-", "_"))
    name = locale.nativeLanguageName()
    return f"{name} ({code})" if name else code
