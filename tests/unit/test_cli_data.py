"""``storydesk data`` over a desk of fakes: what it prints, in words and as JSON, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from tests.fakes.services import make_world
from tests.unit.test_cli_commands import Shell

STORIES = [("", "A bell", "It <b>rang</b>."), ("", "A door", "It was open."), ("", "A gate", "It was open.")]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Return the commands over a desk of fakes."""
    return Shell(make_world(tmp_path / "home"), capsys)


@pytest.fixture
def data(shell: Shell, tmp_path: Path) -> Shell:
    """Return the shell with a dataset called bells."""
    (tmp_path / "bells").mkdir()
    (tmp_path / "bells" / "one.txt").write_text("It rang.", encoding="utf-8")
    shell.world.data_folders.stories = STORIES
    shell.world.data_folders.unread = [Failure("data_not_readable", {"path": "noise.txt", "detail": "binary"})]
    assert shell("data", "new", str(tmp_path / "bells")) == 0, shell.err
    return shell


def test_new_text_is_read_and_what_is_wrong_is_said(data: Shell) -> None:
    assert "bells: 3 stories" in data.out
    assert "`fix markup` mends the text" in data.out
    assert "noise.txt" in data.err
    assert data("data") == 0
    assert "bells" in data.out
    assert data("data", "show", "bells") == 0
    assert "A door" in data.out
    record = data.json("data", "show", "bells")
    assert [pair["prompt"] for pair in record["pairs"]] == ["A bell", "A door", "A gate"]
    assert {found["id"]: found["count"] for found in record["findings"]} == {"markup": 1, "exact_copies": 1}
    assert record["unread"][0]["code"] == "data_not_readable"


def test_findings_are_fixed_and_acts_undone(data: Shell) -> None:
    record = data.json("data", "fix", "bells", "all")
    assert (record["stories"], record["left_out"], record["edits"]) == (2, 1, 2)
    assert all(found["count"] == 0 for found in record["findings"])
    assert data.json("data", "undo", "bells")["stories"] == 3
    assert data.json("data", "leave-out", "bells", "p1", "p2")["stories"] == 1
    assert data.json("data", "take-back", "bells", "p1")["stories"] == 2
    assert data("data", "examine", "bells") == 0
    assert data("data", "fix", "bells", "nothing") == 1
    assert "nothing" in data.err


def test_a_version_is_kept_listed_and_named_for_tuning(data: Shell) -> None:
    kept = data.json("data", "keep", "bells")["version"]
    assert kept["stories"] == 3
    assert data("data", "keep", "bells") == 0
    assert f'storydesk tune --data "{kept["folder"]}"' in data.out
    assert [each["fingerprint"] for each in data.json("data", "versions", "bells")["versions"]] == [kept["fingerprint"]]
    assert data.json("data", "delete", "bells")["deleted"]
    assert data.json("data", "list")["datasets"] == []


def test_a_reading_that_failed_leaves_no_dataset_behind(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("It rang.", encoding="utf-8")
    shell.world.data_folders.failure = StorydeskError(FailureCode.DISK_FULL, path="x")
    assert shell("data", "new", str(tmp_path / "one.txt")) == 1
    assert shell.json("data", "list")["datasets"] == []
    assert shell("data", "new") == 2
    assert shell("data", "new", str(tmp_path / "nowhere.txt")) == 1
    assert shell("data", "show", "nobody") == 1
    assert "nobody" in shell.err
