"""Runs one program for exactly as long as its parent wants it; started as a script, standard library only.

    python -I -S guardian.py IDLE_SECONDS PROGRAM ARGUMENT...

The parent holds the other end of standard input and writes ``b`` when it gets busy and ``i`` when it is idle again.
End of file (the parent closed it, or was killed) or idleness for IDLE_SECONDS ends the program. When the program
ends by itself its last words are passed on to standard output.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence

BUSY = b"b"
IDLE = b"i"
_PARENT_GONE = b""
_ENDED = b"ended"
_LAST_WORDS = 3000  # characters: less than the smallest pipe buffer, so that writing them can't block
_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str]) -> int:
    """Run the program and return its exit code, or 0 when it was ended on purpose."""
    idle_seconds, command = float(arguments[0]), list(arguments[1:])
    program = _start(command)
    news: queue.Queue[bytes] = queue.Queue()
    words: deque[str] = deque(maxlen=40)
    listener = threading.Thread(target=_listen, args=(program, words, news), daemon=True)
    listener.start()
    threading.Thread(target=_heed, args=(news,), daemon=True).start()
    if _wait(news, idle_seconds) is _ENDED:
        code = program.wait()
        sys.stdout.write("".join(words)[-_LAST_WORDS:])
        sys.stdout.flush()
        return code or 1
    program.kill()
    program.wait()
    return 0


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start the program; on Linux the kernel also ends it should this very process be killed."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        preexec_fn=_dying_with_parent() if sys.platform == "linux" else None,  # no thread runs yet
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _dying_with_parent() -> Callable[[], object] | None:
    """Return what asks the kernel for a kill when the parent ends, or None where the C library can't."""
    try:
        ask = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    return lambda: ask(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _listen(program: subprocess.Popen[str], words: deque[str], news: queue.Queue[bytes]) -> None:
    """Keep the last lines that the program says and tell when it has ended."""
    if program.stdout is not None:
        for line in program.stdout:
            words.append(line)
    news.put(_ENDED)


def _heed(news: queue.Queue[bytes]) -> None:
    """Pass on every byte from standard input, and its end."""
    while wish := os.read(0, 1):
        news.put(wish)
    news.put(_PARENT_GONE)


def _wait(news: queue.Queue[bytes], idle_seconds: float) -> bytes:
    """Return the reason to end: the program did, the parent is gone, or nobody asked for a while."""
    busy = True
    while True:
        try:
            wish = news.get(timeout=None if busy else idle_seconds)
        except queue.Empty:
            return IDLE
        if wish in (_ENDED, _PARENT_GONE):
            return wish
        busy = wish == BUSY


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
