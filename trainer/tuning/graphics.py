"""Graphics cards that are in the machine but that the installed torch can't use."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

_ANSWER_SECONDS = 5.0
# The kernel's door to AMD's compute driver; torch needs its ROCm build to go through it.
_AMD_DOOR = Path("/dev/kfd")


def find_card() -> str:
    """Return the name of a graphics card that torch could compute on with another build, empty without one."""
    return _find_nvidia() or ("AMD" if sys.platform == "linux" and _AMD_DOOR.exists() else "")


def _find_nvidia() -> str:
    """Return what NVIDIA's driver calls its first card; its program is there wherever the driver works."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        answer = subprocess.run(
            [program, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip().splitlines()[0].strip() if answer.returncode == 0 and answer.stdout.strip() else ""
