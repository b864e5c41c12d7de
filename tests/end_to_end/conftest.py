"""Homes for the end-to-end tests: an empty one, and one with a tiny model in use."""

from __future__ import annotations

from pathlib import Path

import pytest

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
def tale(tmp_path: Path) -> Path:
    """Return a short story with two mistakes, a title and typographic characters."""
    path = tmp_path / "The Bell.md"
    path.write_text(
        "# The Bell\n\n“Did you hear it?” she said.\n\nNobody answered the the question — he recieved no letter.\n",
        encoding="utf-8",
    )
    return path
