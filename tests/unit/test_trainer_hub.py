"""A data set of the Hub is read through ``datasets``, here from a hub on loopback; no connection is said so at once."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainer.control import StopRequested
from trainer.corpus import hub as hub_reader
from trainer.corpus.watching import Unwatched

ROOT = Path(__file__).parents[2]
COMMIT = "a" * 40
STORIES = b'{"prompt": "[ WP ] A bell", "story": "It rang . <newline> Twice ."}\n' * 3
PROGRAM = """
import json, sys
from trainer.corpus.gathering import Gatherer
from trainer.protocol.failures import TrainerError
answers, said = [], []
class Watch:
    def check(self):
        pass
    def progress(self, done, total, place=""):
        said.append((done, total, place))
for name in sys.argv[1:]:
    try:
        answers.append([document.story for document in Gatherer(Watch()).gather((name,))])
        assert (2, 3, "own/tales") in said and said[0][2] == "own/tales", said
    except TrainerError as error:
        answers.append([error.code.value, error.parameters])
print(json.dumps(answers))
"""


class _Hub(http.server.BaseHTTPRequestHandler):
    """Answers what ``datasets`` asks about one data set."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Keep quiet."""

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer for own/tales, and 404 for anything else."""
        path = self.path.split("?")[0]
        file = {"type": "file", "oid": "b" * 40, "size": len(STORIES), "path": "train.jsonl"}
        if path == "/api/datasets/own/tales" or path.startswith("/api/datasets/own/tales/revision/"):
            info = {"id": "own/tales", "sha": COMMIT, "private": False, "tags": [], "downloads": 1, "likes": 0}
            self._answer(json.dumps({**info, "siblings": [{"rfilename": "train.jsonl"}]}).encode())
        elif path.startswith("/api/datasets/own/tales/tree/"):
            self._answer(json.dumps([file]).encode())
        elif path.startswith("/datasets/own/tales/resolve/") and path.endswith("/train.jsonl"):
            self._answer(STORIES)
        else:
            self._answer(b"{}", 404, "EntryNotFound" if "own/tales" in path else "RepoNotFound")

    def _answer(self, body: bytes, status: int = 200, error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def hub() -> Iterator[str]:
    """Serve the hub on loopback and return its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(endpoint: str, home: Path, *names: str) -> list[Any]:
    """Read sources in a process of their own, since the endpoint is read at import."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "PYTHONUTF8": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def test_a_data_set_is_read_and_an_unknown_one_refused(hub: str, tmp_path: Path) -> None:
    tales, unknown = ask(hub, tmp_path, "hub:own/tales", "hub:own/none")
    assert tales == ["It rang . <newline> Twice ."] * 3
    assert unknown == ["data_not_found", {"path": "hub:own/none"}]


def test_a_stop_is_heard_while_the_hub_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    said: list[tuple[int, int, str]] = []

    def fetch(_name: str, sizes: list[int]) -> None:
        sizes.append(1000)
        answered.wait(60)

    class Watch(Unwatched):
        def progress(self, done: int, total: int, place: str = "") -> None:
            said.append((done, total, place))
            if total:
                raise StopRequested

    monkeypatch.setattr(hub_reader, "_fetch", fetch)
    with pytest.raises(StopRequested):
        list(hub_reader.read_dataset("own/tales", Watch()))
    answered.set()
    assert said[-1] == (0, 1000, "own/tales")


def test_no_connection_is_said_so(tmp_path: Path) -> None:
    # Nobody listens on the discard port.
    assert ask("http://127.0.0.1:9", tmp_path, "hub:own/tales") == [["hub_not_reached", {"name": "own/tales"}]]
