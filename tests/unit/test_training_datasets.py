"""Datasets on disk: what the writer does to pairs stays through kills, a full disk and a second program."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from storydesk.domain.dataset import DatasetCard, DatasetView, DataSource, EditKind, PromptOrigin, SourceKind
from storydesk.domain.failures import StorydeskError
from storydesk.services.dataset_ports import Gathering
from storydesk.services.datasets import DatasetService
from storydesk.training.datasets import DatasetFolders
from tests.fakes.services import FakeDocuments, FakeLibrary
from trainer.protocol.datasets import (
    CUT,
    EDITS,
    FINDINGS,
    LEAVE_OUT,
    MEND,
    PAIRS,
    DoctorReport,
    FindingRecord,
    PairRecord,
    encode_pair,
    encode_record,
)
from trainer.text.mending import MARKUP
from trainer.text.parts import CHAPTERS

CHAPTERS_TEXT = "\n\n".join(f"Chapter {number}\n\n" + f"Word {number}. " * 200 for number in (1, 2))
STORIES = {"a": "The <b>bell</b> rang.", "b": "The bell rang.", "c": CHAPTERS_TEXT, "d": "No words."}


@pytest.fixture
def store(tmp_path: Path) -> DatasetFolders:
    return DatasetFolders(tmp_path / "datasets", ("no-trainer",))


@pytest.fixture
def service(store: DatasetFolders) -> DatasetService:
    return DatasetService(store, FakeDocuments(), FakeLibrary())


def fill(store: DatasetFolders) -> DatasetCard:
    """Return a dataset as the trainer leaves it."""
    card = store.create("Bells", [DataSource(SourceKind.FOLDER, "bells", "/bells")], Gathering(("/bells",)))
    pairs = [PairRecord(name, f"prompt {name}", text, "", "x.txt", "column") for name, text in STORIES.items()]
    (card.folder / PAIRS).write_bytes(b"".join(map(encode_pair, pairs)))
    findings = (
        FindingRecord("markup", "markup", MEND, ("a",), MARKUP),
        FindingRecord("near_copies", "near_copies", LEAVE_OUT, ("b",)),
        FindingRecord("too_long", "too_long", CUT, ("c",), CHAPTERS),
        FindingRecord("new", "a kind of next year", LEAVE_OUT, ("a",)),
    )
    (card.folder / FINDINGS).write_bytes(encode_record(DoctorReport(findings)))
    return store.find(card.id)


def counts(view: DatasetView) -> dict[str, int]:
    return {found.id: found.count for found in view.findings}


def test_every_act_is_seen_at_once_and_undone_in_turn(store: DatasetFolders, service: DatasetService) -> None:
    key = fill(store).id
    fresh = service.open(key)
    assert counts(fresh) == {"markup": 1, "near_copies": 1, "too_long": 1}
    assert not fresh.can_undo
    acts: Sequence[DatasetView] = [
        service.fix(key, "markup"),
        service.fix(key, "near_copies"),
        service.fix(key, "too_long"),
        service.leave_out(key, ["c.2"]),
        service.change(key, "d", "mine", "Some words of my own."),
    ]
    last = acts[-1]
    assert counts(last) == {"markup": 0, "near_copies": 0, "too_long": 0}
    assert all(found.is_settled for found in last.findings)
    assert [(pair.id, pair.left_out) for pair in last.pairs] == [
        ("a", False), ("b", True), ("c.1", False), ("c.2", True), ("d", False)
    ]  # fmt: skip
    assert service.read_pair(key, "a").story == STORIES["b"]
    assert service.read_pair(key, "a").found_story == STORIES["a"]
    assert service.read_pair(key, "c.1").card.prompt == "Chapter 1"
    changed = last.pairs[last.places["d"]]
    assert (changed.prompt_from, changed.words, changed.edited) == (PromptOrigin.WRITER, 5, True)
    assert last.is_stale
    for before in reversed([fresh, *acts[:-1]]):
        assert service.undo(key).pairs == before.pairs
    assert service.undo(key).pairs == fresh.pairs


def test_what_changes_nothing_is_not_written(store: DatasetFolders, service: DatasetService) -> None:
    card = fill(store)
    service.undo(card.id)
    service.take_back(card.id, ["a"])
    service.change(card.id, "b", "prompt b", STORIES["b"])
    assert not (card.folder / EDITS).exists()
    assert service.leave_out(card.id, ["a", "b"]).undoable is EditKind.LEAVE_OUT
    size = (card.folder / EDITS).stat().st_size
    service.leave_out(card.id, ["a"])
    assert (card.folder / EDITS).stat().st_size == size
    acts: list[Callable[[], object]] = [
        lambda: service.leave_out(card.id, ["nobody"]),
        lambda: service.fix(card.id, "nothing"),
        lambda: service.open("no dataset"),
    ]
    for act in acts:
        with pytest.raises(StorydeskError):
            act()


def test_a_log_that_was_torn_anywhere_keeps_its_whole_acts_and_goes_on(store: DatasetFolders, tmp_path: Path) -> None:
    card = fill(store)
    service = DatasetService(store, FakeDocuments(), FakeLibrary())
    service.leave_out(card.id, ["a"])
    first = (card.folder / EDITS).stat().st_size
    service.change(card.id, "b", "mine", "Café “x”.")
    raw = (card.folder / EDITS).read_bytes()
    for size in range(first, len(raw)):
        # As after kill -9 or a power cut: another program finds what is left.
        (card.folder / EDITS).write_bytes(raw[:size])
        found = DatasetService(DatasetFolders(tmp_path / "datasets"), FakeDocuments(), FakeLibrary())
        assert found.open(card.id).edits == 1
        if size % 40 == 0:
            assert found.leave_out(card.id, ["d"]).edits == 2
            assert (card.folder / EDITS).read_bytes().startswith(raw[:first])
            again = DatasetFolders(tmp_path / "datasets").load(card.id)
            assert [pair.id for pair in again.pairs if pair.left_out] == ["a", "d"]


def test_two_programs_do_not_write_over_each_other(store: DatasetFolders, tmp_path: Path) -> None:
    card = fill(store)
    other = DatasetFolders(tmp_path / "datasets")
    one, two = (DatasetService(each, FakeDocuments(), FakeLibrary()) for each in (store, other))
    one.open(card.id)
    two.open(card.id)
    one.leave_out(card.id, ["a"])
    two.leave_out(card.id, ["b"])
    view = one.leave_out(card.id, ["d"])
    assert [pair.id for pair in view.pairs if pair.left_out] == ["a", "b", "d"]
    assert two.open(card.id).pairs == view.pairs


def test_a_full_disk_leaves_the_log_as_it_was(
    store: DatasetFolders, service: DatasetService, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = fill(store)
    service.leave_out(card.id, ["a"])
    raw = (card.folder / EDITS).read_bytes()

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StorydeskError) as caught:
            service.leave_out(card.id, ["b"])
    assert caught.value.failure.code == "disk_full"
    assert (card.folder / EDITS).read_bytes() == raw
    assert service.leave_out(card.id, ["b"]).edits == 2


def test_datasets_are_listed_named_anew_and_deleted(store: DatasetFolders, service: DatasetService) -> None:
    card = fill(store)
    assert [each.name for each in service.list_datasets()] == ["Bells"]
    assert service.open(card.id).card.name == "Bells"
    assert service.rename(card.id, "Old bells").name == service.open(card.id).card.name == "Old bells"
    assert service.find("Old bells").sources == card.sources
    service.delete(card.id)
    assert service.list_datasets() == []
    assert not card.folder.exists()


def test_a_trainer_that_cannot_be_started_and_a_dataset_not_yet_read_are_said(store: DatasetFolders) -> None:
    service = DatasetService(store, FakeDocuments(), FakeLibrary())
    card = store.create("Bells", [], Gathering())
    with pytest.raises(StorydeskError) as caught:
        service.read(card.id)
    assert caught.value.failure.code == "trainer_not_started"
    with pytest.raises(StorydeskError) as caught:
        service.open(card.id)
    assert caught.value.failure.code == "dataset_not_read"
