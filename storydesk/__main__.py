"""``storydesk``: the window, or a command without one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

WINDOW = "window"
"""``storydesk window`` opens the window as ``storydesk`` alone does, and may have arguments."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window where there is no command, else run the command; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] == WINDOW:
        return open_window(given[1:])
    from storydesk import bootstrap

    return bootstrap.run_command(given)


def open_window(arguments: Sequence[str] | None = None) -> int:
    """Open the window and return its exit code; 2 where there is no screen to open it on."""
    from storydesk import bootstrap

    if not has_display(os.environ, sys.platform):
        return bootstrap.say_no_display()
    return bootstrap.open_window(list(sys.argv[1:] if arguments is None else arguments))


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Return whether a window can be shown: on Linux a display server or a Qt platform has to be named."""
    if not platform.startswith("linux"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


if __name__ == "__main__":
    sys.exit(main())
