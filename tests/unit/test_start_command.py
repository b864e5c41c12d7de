"""What start.py does with its command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import start
from preparation import Place
from running import Environment, Runner, Voice


class NotingRunner(Runner):
    """Notes what would be run, and fails the commands that hold a word."""

    def __init__(self, place: Place, failing: str = "") -> None:
        super().__init__(Voice(), place.root, place.log)
        self.commands: list[list[str]] = []
        self._failing = failing

    def call(self, command: Sequence[str], env: Environment) -> int:
        self.commands.append([Path(command[0]).stem, *command[1:]])
        return int(bool(self._failing) and self._failing in " ".join(command))

    def become(self, command: Sequence[str], env: Environment) -> int:
        return self.call(command, env)


def _launch(tmp_path: Path, *arguments: str, failing: str = "") -> tuple[list[list[str]], int]:
    place = Place(tmp_path)
    runner = NotingRunner(place, failing)
    options, rest = start.parse(arguments)
    return runner.commands, start.launch(place, runner, Voice(), options, rest)


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.usefixtures("display")
def test_the_window_opens_where_there_is_a_display(tmp_path: Path) -> None:
    assert _launch(tmp_path) == ([["storydesk"]], 0)


@pytest.mark.usefixtures("no_display")
def test_the_demonstration_runs_where_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _launch(tmp_path) == ([["storydesk", "demo"]], 0)
    assert "no display" in capsys.readouterr().out


def test_the_demonstration_gets_its_options(tmp_path: Path) -> None:
    assert _launch(tmp_path, "demo", "--out", "here") == ([["storydesk", "demo", "--out", "here"]], 0)


def test_every_check_runs_and_the_tests_come_last(tmp_path: Path) -> None:
    commands, code = _launch(tmp_path, "test", "-k", "demo")
    assert [command[0] for command in commands] == ["ruff", "ruff", "mypy", "lint-imports", "python"]
    assert commands[-1][1:] == ["-m", "pytest", "-k", "demo"]
    assert code == 0


@pytest.mark.parametrize("failing", ["ruff", "mypy", "lint-imports", "pytest"])
def test_one_failing_check_fails_all_and_the_tests_still_run(
    tmp_path: Path, failing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    commands, code = _launch(tmp_path, "test", failing=failing)
    assert code != 0
    assert commands[-1][1:] == ["-m", "pytest"]
    assert failing == "pytest" or "FAILED" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--torch-index", "cu126"], ["--nonsense"], ["nonsense"]])
def test_a_wrong_option_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        start.parse(arguments)
    assert caught.value.code == 2


def test_a_torch_index_can_stand_before_any_command() -> None:
    options, rest = start.parse(["--torch-index", "https://wheels.test/cu126", "demo", "--seed", "3"])
    assert (options.torch_index, options.command, rest) == ("https://wheels.test/cu126", "demo", ["--seed", "3"])


def test_help_needs_nothing_installed() -> None:
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _HELP.format(script=start.__file__)], capture_output=True, text=True
    )
    assert answer.returncode == 0
    assert "--torch-index" in answer.stdout


# -I leaves the script's own folder off the path; runpy with argv is how a script sees itself started.
_HELP = """
import runpy, sys, os
sys.path.insert(0, os.path.dirname({script!r}))
sys.argv = [{script!r}, "--help"]
runpy.run_path({script!r}, run_name="__main__")
"""
