"""A model hub on loopback that speaks as much HTTP as fetching a model takes, and breaks off when told."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    range: str | None
    headers: dict[str, str]


@dataclass
class FakeHub:
    """Serves the files of one repository at one revision; use it in a ``with`` block.

    ``drops`` are connections to break: each large answer sends that many bytes of its rest and hangs up.
    """

    repository: str
    revision: str
    files: Mapping[str, bytes]
    drops: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    status: int | None = None
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> FakeHub:
        """Start to listen on a free port."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="fake-hub")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """What goes where the hub's endpoint is asked for."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def list_asked(self, name: str) -> list[Asked]:
        """Return the requests for one file."""
        return [asked for asked in self.asked if asked.path.endswith("/" + name)]


def _make_handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class calls it so
            """Keep the tests' output clean."""

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            wanted = self.headers.get("Range")
            hub.asked.append(Asked(self.command, self.path, wanted, dict(self.headers.items())))
            prefix = f"/{hub.repository}/resolve/{hub.revision}/"
            name = self.path.split("?")[0].removeprefix(prefix)
            if hub.status is not None:
                self._send(hub.status, b"", {})
            elif not self.path.startswith(prefix) or name not in hub.files:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": hub.revision})
            else:
                self._send_file(hub.files[name], wanted if hub.knows_ranges else None, with_body=with_body)

        def _send_file(self, content: bytes, wanted: str | None, *, with_body: bool) -> None:
            headers = {
                "Accept-Ranges": "bytes",
                "X-Repo-Commit": hub.revision,
                "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            }
            start = int(re.sub(r"bytes=(\d+)-", r"\1", wanted)) if wanted else 0
            if wanted and start >= len(content):
                self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            if wanted:
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._send(206 if wanted else 200, content[start:] if with_body else b"", headers, len(content) - start)

        def _send(self, status: int, body: bytes, headers: Mapping[str, str], length: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            cut = hub.drops.pop(0) if hub.drops and len(body) > 50_000 else None
            try:
                self.wfile.write(body if cut is None else body[:cut])
                self.wfile.flush()
            except OSError:
                self.close_connection = True  # whoever asked has gone
            if cut is not None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

    return Handler
