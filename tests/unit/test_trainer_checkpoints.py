"""A checkpoint is whole or it is not there, whatever happens while it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.tuning.checkpoints import CheckpointStore, is_whole, read_json, write_json


def save(store: CheckpointStore, kind: str, step: int) -> None:
    """Write a small checkpoint."""
    with store.write(kind, step) as folder:
        (folder / "weights.bin").write_bytes(bytes([step]) * 1000)


def names(folder: Path) -> list[str]:
    """Return what lies in the store."""
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_whole_one_is_found_and_old_ones_go(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    for step in (1, 5, 10):
        save(store, "checkpoint", step)
        save(store, "best", step)
    assert names(tmp_path) == ["best-10", "checkpoint-10", "checkpoint-5"]
    told: list[Path] = []
    newest = store.find_newest("checkpoint", told.append)
    assert told == []
    assert newest is not None
    assert newest.step == 10


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "add", "sums"])
def test_a_damaged_one_is_skipped_and_told(tmp_path: Path, damage: str) -> None:
    store = CheckpointStore(tmp_path)
    save(store, "checkpoint", 5)
    save(store, "checkpoint", 10)
    weights = tmp_path / "checkpoint-10" / "weights.bin"
    if damage == "flip":
        weights.write_bytes(b"\xff" + weights.read_bytes()[1:])
    elif damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif damage == "remove":
        weights.unlink()
    elif damage == "add":
        weights.with_name("stranger.bin").write_bytes(b"")
    else:
        weights.with_name("checksums.json").write_text("{", encoding="utf-8")
    told: list[Path] = []
    newest = store.find_newest("checkpoint", told.append)
    assert newest is not None
    assert newest.step == 5
    assert [path.name for path in told] == ["checkpoint-10"]


def test_a_failure_while_writing_leaves_the_old_one(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    save(store, "checkpoint", 5)

    def fail_halfway() -> None:
        with store.write("checkpoint", 6) as folder:
            (folder / "weights.bin").write_bytes(b"half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail_halfway()
    assert names(tmp_path) == ["checkpoint-5"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".partial-checkpoint-7").mkdir()
    CheckpointStore(tmp_path)
    assert names(tmp_path) == []
    assert not is_whole(tmp_path)


def test_json_is_replaced_at_once_and_damage_reads_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_json(path, {"step": 1})
    write_json(path, {"step": 2})
    assert read_json(path) == {"step": 2}
    path.write_text("[", encoding="utf-8")
    assert read_json(path) == {}
    assert names(tmp_path) == ["state.json"]
