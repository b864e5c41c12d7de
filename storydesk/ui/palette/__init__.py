"""The command palette: everything that can be done, found by its words."""

from storydesk.ui.palette.command_palette import CommandPalette

__all__ = ["CommandPalette"]
