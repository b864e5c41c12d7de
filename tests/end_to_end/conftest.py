"""Homes for the end-to-end tests: an empty one, and one with a tiny model in use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storydesk.bootstrap import build_desk
from storydesk.services.desk import Desk
from tests.end_to_end.commands import Storydesk
from tests.fakes.tiny_gpt2 import make_tiny_gpt2


@pytest.fixture
def storydesk(tmp_path: Path) -> Storydesk:
    """Return the program with an empty home."""
    return Storydesk(tmp_path / "home", {})


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a GPT-2 folder with random weights."""
    return make_tiny_gpt2(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Storydesk:
    """Return the program with a tiny model in use; tests share this home and leave it as it is."""
    program = Storydesk(tmp_path_factory.mktemp("tiny-home") / "home", {})
    assert program("models", "add", tiny_folder).code == 0
    assert program("models", "use", "tiny").code == 0
    return program


@pytest.fixture
def desk(tmp_path: Path, tiny_folder: Path) -> Iterator[Desk]:
    """Return the real desk, with a tiny model in use."""
    made = build_desk(tmp_path / "home")
    made.models.add(tiny_folder, "tiny")
    made.models.use("tiny")
    yield made
    made.close()


@pytest.fixture
def tale(tmp_path: Path) -> Path:
    """Return a short story with two mistakes, a title and typographic characters."""
    path = tmp_path / "The Bell.md"
    path.write_text(
        "# The Bell\n\n“Did you hear it?” she said.\n\nNobody answered the the question — he recieved no letter.\n",
        encoding="utf-8",
    )
    return path
