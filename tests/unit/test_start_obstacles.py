"""What stands in the way of set-up is said with what to do about it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from obstacles import SetupError, check_disk, check_python
from running import PipDigest, Runner, Voice


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_three_pythons_are_good(version: tuple[int, int]) -> None:
    check_python(version, "CPython")


@pytest.mark.parametrize(("version", "implementation"), [((3, 10), "CPython"), ((3, 14), "CPython"), ((3, 12), "PyPy")])
def test_another_python_is_told_which_to_take(
    version: tuple[int, int], implementation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {"python3.12": "/usr/bin/python3.12"}
    monkeypatch.setattr(shutil, "which", lambda name: here.get(name))
    with pytest.raises(SetupError) as caught:
        check_python(version, implementation)
    assert "3.11, 3.12 or 3.13" in caught.value.sentence
    assert "/usr/bin/python3.12 packaging/start.py" in caught.value.remedy


def test_too_small_a_disk_is_told_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2_500_000_000))
    with pytest.raises(SetupError) as caught:
        check_disk(tmp_path)
    assert "2.5 GB free" in caught.value.sentence


def test_pip_s_output_becomes_a_few_words() -> None:
    digest = PipDigest(107)
    assert digest("Collecting numpy<3,>=2.0 (from storydesk)") == "1 of about 107 packages, numpy"
    words = digest("  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (900.1 MB)")
    assert words == "1 of about 107 packages, torch (900.1 MB)"
    assert digest("  Requirement already satisfied: idna") is None
    assert digest("Installing collected packages: a, b") == "unpacking everything"


def test_a_program_s_output_goes_to_the_log_and_its_end_is_told(tmp_path: Path) -> None:
    runner = Runner(Voice(), tmp_path, tmp_path / "logs" / "setup.log")
    code, tail = runner.run([sys.executable, "-c", "print('first'); print('last'); raise SystemExit(3)"], "working")
    assert (code, tail) == (3, "first\nlast")
    assert "first\nlast\n" in runner.log.read_text(encoding="utf-8")


def test_a_program_that_is_not_there_is_no_crash(tmp_path: Path) -> None:
    runner = Runner(Voice(), tmp_path, tmp_path / "setup.log")
    assert runner.run([str(tmp_path / "nothing")], "working")[0] == 127
    assert runner.ask([str(tmp_path / "nothing")]) == ""
    with pytest.raises(SetupError):
        runner.call([str(tmp_path / "nothing")], {})
