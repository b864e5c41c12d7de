"""What every child process of ours that runs Python is started with; standard library only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def make_environment(package_root: Path) -> dict[str, str]:
    """Return an environment in which packages below ``package_root`` are found, wherever the child is started.

    The child speaks UTF-8, unbuffered, and imports nothing from the folder that it is started in.
    """
    paths = [str(package_root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
    }


if sys.platform == "win32":
    CREATION_FLAGS = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
else:
    CREATION_FLAGS = 0
"""For ``subprocess.Popen``: no console window flashes up, and Ctrl+C in a terminal is for the app alone."""
