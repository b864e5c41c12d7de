"""Preferences."""

from storydesk.ui.preferences.preferences_dialog import PreferencesDialog

__all__ = ["PreferencesDialog"]
