"""What the writer gives to learn from is counted truly, and what can't be read is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from storydesk.bridge.tuning_sources import Measure, TuningSource, gather_data, measure_source
from storydesk.domain.dataset import SourceKind
from storydesk.domain.failures import FailureCode
from tests.fakes.services import FakeWorld, make_world


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path)


def ignore_progress(done: int, total: int) -> None:
    """Take a report of progress and do nothing."""


def measure(world: FakeWorld, path: Path, kind: SourceKind = SourceKind.FILE) -> Measure:
    source = TuningSource(kind, path.name, path)
    found = measure_source(source, world.desk.publishing, world.desk.manuscripts, ignore_progress).measure
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "text", "documents", "words"),
    [
        ("tale.txt", "one two three", 1, 3),
        ("tale.md", "# One\n\ntwo three", 1, 3),
        ("tales.jsonl", '{"prompt": "a b", "story": "c d e"}\n\n{"prompt": "f", "story": "g"}\n', 2, 7),
        ("tales.json", '[{"story": "a b"}, {"story": "c"}]', 2, 3),
        ("tales.csv", 'prompt,story\n"a b","c, d"\ne,f\n', 2, 6),
        ("tales.tsv", "prompt\tstory\na b\tc\n", 1, 3),
        ("valid.wp_target", "one two\nthree\n", 2, 3),
    ],
)
def test_a_file_is_counted(world: FakeWorld, name: str, text: str, documents: int, words: int) -> None:
    path = world.home / name
    path.write_text(text, encoding="utf-8")
    found = measure(world, path)
    assert (found.documents, found.words, found.unread) == (documents, words, ())
    assert found.usable == (str(path),)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("tale.png", "x", FailureCode.FORMAT_UNKNOWN),
        ("tale.txt", "", FailureCode.FILE_EMPTY),
        ("tales.jsonl", "", FailureCode.FILE_EMPTY),
        ("tales.jsonl", "not json", FailureCode.FILE_NOT_READABLE),
        ("tales.json", "{", FailureCode.FILE_NOT_READABLE),
    ],
)
def test_what_cannot_be_read_is_said(world: FakeWorld, name: str, text: str, code: FailureCode) -> None:
    path = world.home / name
    path.write_text(text, encoding="utf-8")
    found = measure(world, path)
    assert [(unread, failure.code) for unread, failure in found.unread] == [(name, code)]
    assert found.usable == ()


def test_a_file_that_went_away_is_said(world: FakeWorld) -> None:
    found = measure(world, world.home / "gone.csv")
    assert found.words == 0


def test_a_folder_goes_into_the_plan_by_name_or_without_what_is_bad(world: FakeWorld) -> None:
    folder = world.home / "tales"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.txt").write_text("one two", encoding="utf-8")
    (folder / "deep" / "two.md").write_text("three", encoding="utf-8")
    (folder / "cover.png").write_bytes(b"\x89PNG")
    (folder / ".hidden.txt").write_text("no", encoding="utf-8")
    found = measure(world, folder, SourceKind.FOLDER)
    assert (found.documents, found.words, found.usable) == (2, 3, (str(folder),))
    (folder / "empty.txt").write_text("", encoding="utf-8")
    found = measure(world, folder, SourceKind.FOLDER)
    assert [name for name, _ in found.unread] == ["empty.txt"]
    assert found.usable == (str(folder / "deep" / "two.md"), str(folder / "one.txt"))


def test_our_samples_are_stories_only(world: FakeWorld, resources: Path) -> None:
    found = measure(world, resources / "samples", SourceKind.SAMPLES)
    assert found.documents >= 60
    assert all(name.endswith(".jsonl") for name in found.usable)


def test_stories_of_the_library_become_a_dataset(world: FakeWorld) -> None:
    world.library.add_story("The Door", "a door", "It was warm.")
    world.library.add_story("Empty", "", "  ")
    source = TuningSource(SourceKind.LIBRARY, "library", stories=tuple(world.library.list_stories()))
    measured = measure_source(source, world.desk.publishing, world.desk.manuscripts, ignore_progress)
    assert measured.measure == Measure(1, 3)
    bad = replace(measured, kind=SourceKind.FILE, path=world.home / "x", measure=Measure(usable=()))
    data = gather_data([measured, bad], world.desk.manuscripts, world.home / "tuning")
    assert len(data) == 1
    rows = [json.loads(line) for line in Path(data[0]).read_text(encoding="utf-8").splitlines()]
    assert rows == [{"title": "The Door", "prompt": "a door", "story": "It was warm."}]
