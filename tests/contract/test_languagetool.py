"""LanguageTool's real server, started by us: what it finds lies where the writer sees it, and no Java outlives us."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.polishing import Category, apply_findings
from storydesk.grammar import languagetool
from storydesk.grammar.languagetool import LanguageToolChecker
from storydesk.grammar.languagetool_server import LanguageToolServer, default_folder, find_class_path, find_java

_ABSENT = find_class_path(default_folder()) is None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(_ABSENT, reason=f"LanguageTool is not installed in {default_folder()} (start.py fetches it)"),
]


@pytest.fixture(scope="module")
def checker() -> Iterator[LanguageToolChecker]:
    checker = LanguageToolChecker()
    yield checker
    checker.close()


def _server_processes(guardian_pid: int | None) -> list[psutil.Process]:
    """Return the guardian and its Java."""
    assert guardian_pid is not None
    guardian = psutil.Process(guardian_pid)
    return [guardian, *guardian.children(recursive=True)]


def _wait_until(holds: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return holds()


def _all_gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.mark.parametrize(
    ("text", "wrong", "category", "right"),
    [
        ("😀😀 They recieve letters.", "recieve", Category.SPELLING, "receive"),
        ("A dog.\r\n\r\nI has 😀 a dog.", "has", Category.GRAMMAR, "have"),
        ("👩\u200d👩\u200d👧 The dog dog slept.", "dog dog", Category.REPETITION, "dog"),
        ("𝔘𝔫𝔦 This is an test.", "an", Category.GRAMMAR, "a"),
    ],
)
def test_a_mistake_is_found_where_it_is(
    checker: LanguageToolChecker, text: str, wrong: str, category: Category, right: str
) -> None:
    found = {text[finding.start : finding.end]: finding for finding in checker.check(text)}
    assert found[wrong].category is category
    assert found[wrong].suggestions[0] == right
    assert found[wrong].source == "languagetool"


_SURROUNDINGS = st.text(alphabet="😀👩\u200d🚀e\u0301ñ𝔘—“” \r\n\x00\u00ad\u200b\ufeff\ud800\udfffaB&<", max_size=30)


@settings(max_examples=40, deadline=None)
@given(before=_SURROUNDINGS, after=_SURROUNDINGS)
def test_places_are_right_whatever_stands_around(checker: LanguageToolChecker, before: str, after: str) -> None:
    text = f"{before}\n\nThey recieve letters.\n\n{after}"
    findings = checker.check(text)
    assert any(text[finding.start : finding.end] == "recieve" for finding in findings)
    assert all(0 <= finding.start <= finding.end <= len(text) for finding in findings)


def test_places_are_right_across_pieces(checker: LanguageToolChecker) -> None:
    text = ("The boat came in under the moon. 😀 cafe\u0301\r\n\r\n" * 800) + "They recieve letters.\r\n"
    assert [text[finding.start : finding.end] for finding in checker.check(text)][-1] == "recieve"


def test_the_first_suggestions_make_the_text_right(checker: LanguageToolChecker) -> None:
    text = "😀 I has a dog dog. They recieve letters."
    assert apply_findings(text, checker.check(text))[0] == "😀 I have a dog. They receive letters."


def test_decomposed_accents_are_no_mistakes(checker: LanguageToolChecker) -> None:
    assert not checker.check(unicodedata.normalize("NFD", "She drank coffee in the café."))


@pytest.mark.parametrize("text", ["", "   ", "\r\n", "😀", "\ud800"])
def test_a_text_without_words_has_no_findings(checker: LanguageToolChecker, text: str) -> None:
    assert list(checker.check(text)) == []


def test_languages_are_those_that_are_installed_and_others_are_refused(checker: LanguageToolChecker) -> None:
    assert "en-US" in checker.list_languages()
    assert not checker.check("The harbour was grey.", "en-GB")
    assert checker.check("The harbour was grey.", "en-US")
    with pytest.raises(StorydeskError) as caught:
        checker.check("Bonjour tout le monde.", "xx-XX")
    assert caught.value.failure.code == FailureCode.GRAMMAR_LANGUAGE
    assert "en-US" in str(caught.value.failure.parameters["known"])


def test_another_version_than_expected_is_said(checker: LanguageToolChecker, monkeypatch: pytest.MonkeyPatch) -> None:
    checker.check("A dog.")
    assert not checker.notices
    monkeypatch.setattr(languagetool, "EXPECTED_VERSION", "0.1")
    assert [notice.code for notice in checker.notices] == [FailureCode.GRAMMAR_VERSION]


def test_a_proxy_never_sees_the_text(checker: LanguageToolChecker, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        assert checker.check("They recieve letters.")


def test_a_crashed_server_is_started_again() -> None:
    server = LanguageToolServer()
    checker = LanguageToolChecker(server)
    try:
        checker.check("They recieve letters.")
        for process in _server_processes(server.pid)[1:]:
            process.kill()
        assert checker.check("They recieve letters.")
    finally:
        checker.close()


def test_an_idle_server_ends_and_comes_back() -> None:
    server = LanguageToolServer(idle_seconds=1)
    try:
        with server.serving():
            processes = _server_processes(server.pid)
        assert _wait_until(lambda: _all_gone(processes))
        with server.serving():
            assert not _all_gone(_server_processes(server.pid))
    finally:
        server.stop()


def test_closing_ends_java_and_a_check_that_is_under_way() -> None:
    server = LanguageToolServer()
    checker = LanguageToolChecker(server)
    failures: list[str] = []

    def check_a_novel() -> None:
        try:
            checker.check("The boat came in and they recieve her.\n\n" * 20_000)
        except StorydeskError as error:
            failures.append(error.failure.code)

    worker = threading.Thread(target=check_a_novel)
    worker.start()
    assert _wait_until(lambda: server.pid is not None)
    time.sleep(3)  # somewhere between the start of Java and the first findings
    processes = _server_processes(server.pid)
    checker.close()
    worker.join(timeout=60)
    assert not worker.is_alive()
    assert failures == [FailureCode.GRAMMAR_UNAVAILABLE]
    assert _wait_until(lambda: _all_gone(processes))


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX word")
@pytest.mark.parametrize("victim", ["app", "guardian"])
def test_no_java_is_left_after_kill_9(victim: str) -> None:
    if victim == "guardian" and sys.platform != "linux":
        pytest.skip("only Linux ends the children of a killed guardian")
    program = """
        import time
        from storydesk.grammar.languagetool_server import LanguageToolServer
        server = LanguageToolServer()
        with server.serving():
            print(server.pid, flush=True)
            time.sleep(600)
    """
    app = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    try:
        assert app.stdout is not None
        processes = _server_processes(int(app.stdout.readline()))
        assert len(processes) == 2
        os.kill(app.pid if victim == "app" else processes[0].pid, signal.SIGKILL)
        assert _wait_until(lambda: _all_gone(processes[1:]))
    finally:
        app.kill()
        app.communicate()


def test_java_that_cannot_run_the_server_is_a_failure_in_words(tmp_path: Path) -> None:
    (tmp_path / "languagetool-server.jar").write_bytes(b"no archive")
    checker = LanguageToolChecker(LanguageToolServer(tmp_path, find_java()))
    with pytest.raises(StorydeskError) as caught:
        checker.check("They recieve letters.")
    assert caught.value.failure.code == FailureCode.GRAMMAR_UNAVAILABLE
    assert "HTTPServer" in str(caught.value.failure.parameters["detail"])
    checker.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed guardian")
def test_servers_that_are_killed_again_and_again_leave_no_java() -> None:
    seen: list[psutil.Process] = []
    for number in range(3):  # tests/bench/grammar_speed.py does it a hundred times
        server = LanguageToolServer()
        with server.serving():
            seen += _server_processes(server.pid)
            if number % 2:
                seen[-2].kill()
        server.stop()
    assert len(seen) == 6
    assert _wait_until(lambda: _all_gone(seen))
