"""Runs the real program as a user does: a process of its own, a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object on stdout."""
        record: dict[str, Any] = json.loads(self.out)
        return record


@dataclass(frozen=True, slots=True)
class Storydesk:
    """The program with one home; ``environment`` overrides this process's."""

    home: Path
    environment: Mapping[str, str]

    def __call__(
        self,
        *arguments: str | Path,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
        timeout: float = 570,
    ) -> Result:
        """Run one command to its end; ``prepare`` runs in the child before the program starts (POSIX)."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.home.parent,
            env={**self.all_environment(), **(environment or {})},
            input=stdin,
            capture_output=True,
            check=False,
            timeout=timeout,
            preexec_fn=prepare,
        )
        return Result(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))

    def command(self, *arguments: str | Path) -> list[str]:
        """Return the argument vector of a command."""
        return [sys.executable, "-m", "storydesk", *(str(argument) for argument in arguments)]

    def all_environment(self) -> dict[str, str]:
        """Return the environment of a command."""
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "STORYDESK_HOME": str(self.home),
            # A narrow terminal's encoding must not matter.
            "PYTHONIOENCODING": "ascii",
            **self.environment,
        }

    def json(self, *arguments: str | Path, stdin: bytes = b"") -> dict[str, Any]:
        """Run a command that has to succeed with ``--json`` and return its object."""
        result = self(*arguments, "--json", stdin=stdin)
        assert result.code == 0, result.err
        return result.json
