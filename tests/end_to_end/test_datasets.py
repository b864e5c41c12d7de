"""From odd files to a kept version with the real trainer: read, look through, fix, undo, keep, and learn from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from storydesk.bootstrap import build_desk
from storydesk.domain.dataset import DatasetProgress, DatasetView, DataSource, PromptOrigin, SourceKind
from storydesk.domain.failures import StorydeskError
from storydesk.services.desk import Desk
from tests.unit.test_trainer_doctor import tell
from trainer.corpus.document import Document
from trainer.corpus.preparation import prepare_corpus
from trainer.corpus.readers import read_sources
from trainer.corpus.versions import read_version, write_version
from trainer.protocol.failures import TrainerError
from trainer.protocol.messages import Request
from trainer.text.normaliser import ASCII


@dataclass
class Read:
    """A dataset that was read, with what was said meanwhile."""

    desk: Desk
    view: DatasetView
    said: list[DatasetProgress]


def write_sources(folder: Path) -> None:
    """Write a file of every kind, and some that nobody can read."""
    folder.mkdir()
    (folder / "The_Fog-Bell.txt").write_bytes(f"“Café” — naïve. {tell(1)}".encode("cp1252"))
    (folder / "utf16.txt").write_bytes(f"# The Gate\n\n{tell(2)}".encode("utf-16"))
    (folder / "matter.md").write_text(f"---\nprompt: A lamp\n---\n\n{tell(3)}", encoding="utf-8")
    (folder / "table.csv").write_bytes(f'Prompt;Story\nA door;"{tell(4)}\n\nNext; so."\n'.encode("utf-8-sig"))
    (folder / "tab.tsv").write_text(f"id\tprompt\tstory\n1\tA bell\t{tell(5)}\n", encoding="utf-8")
    (folder / "tags.jsonl").write_text(
        json.dumps({"prompt": "Tags", "story": f"<p>So</p> {tell(6)}"}), encoding="utf-8"
    )
    (folder / "t.wp_source").write_text("[ WP ] A fox\n", encoding="utf-8")
    (folder / "t.wp_target").write_text(tell(7) + "\n", encoding="utf-8")
    (folder / "copy.txt").write_text(tell(2), encoding="utf-8")
    (folder / "page.html").write_text(f"<html><body><h1>A page</h1><p>{tell(8)}</p></body></html>", encoding="utf-8")
    for number in range(9, 14):
        (folder / f"{number}.txt").write_text(tell(number), encoding="utf-8")
    (folder / "noise.txt").write_bytes(bytes(range(256)) * 40)
    (folder / "bomb.json").write_text("[" * 100_000, encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG")


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Read everything once; the tests below go on from each other's acts."""
    home = tmp_path_factory.mktemp("datasets")
    write_sources(home / "sources")
    desk = build_desk(home / "home", library=False)
    said: list[DatasetProgress] = []
    story = desk.manuscripts.add_story("A story of the library", text=tell(20))
    sources = [
        DataSource(SourceKind.FOLDER, "sources", str(home / "sources")),
        DataSource(SourceKind.LIBRARY, "library", stories=(story.id,)),
    ]
    card = desk.datasets.create("Bells", sources, said.append)
    yield Read(desk, desk.datasets.read(card.id, said.append), said)
    desk.close()


def test_every_kind_is_read_with_its_prompt_and_the_rest_is_named(read: Read) -> None:
    prompts = {pair.prompt: pair.prompt_from for pair in read.view.pairs}
    for prompt, origin in (
        ("The Fog Bell", PromptOrigin.TITLE),
        ("The Gate", PromptOrigin.HEADING),
        ("A lamp", PromptOrigin.FRONT_MATTER),
        ("A door", PromptOrigin.COLUMN),
        ("A bell", PromptOrigin.COLUMN),
        ("[ WP ] A fox", PromptOrigin.COLUMN),
        ("A page", PromptOrigin.TITLE),
        ("A story of the library", PromptOrigin.TITLE),
    ):
        assert prompts[prompt] is origin, prompt
    assert sum(1 for origin in prompts.values() if origin is PromptOrigin.OPENING) == 5
    unread = {Path(str(failure.parameters["path"])).name: failure.code for failure in read.view.unread}
    assert unread == {
        "noise.txt": "data_not_readable",
        "bomb.json": "data_not_readable",
        "picture.png": "data_format_unknown",
    }
    assert {"gathering", "reading", "examining"} <= {progress.step for progress in read.said}


def test_findings_are_fixed_undone_kept_and_learned_from(read: Read, tmp_path: Path) -> None:
    datasets, key = read.desk.datasets, read.view.card.id
    assert {found.id: found.count for found in read.view.findings} == {"exact_copies": 1, "markup": 1}
    datasets.fix(key, "exact_copies")
    fixed = datasets.fix(key, "markup")
    assert len(fixed.kept) == len(read.view.pairs) - 1
    first = datasets.keep(key)
    assert (first.pairs, first.edits) == (len(fixed.kept), 2)
    datasets.undo(key)
    assert datasets.fix(key, "markup").pairs == fixed.pairs
    assert datasets.list_versions(key) == [first]
    examined = datasets.examine(key)
    assert (examined.findings, examined.is_stale) == ((), False)
    # A run on it learns from the very text, and its own copy has the same fingerprint.
    documents = read_sources(datasets.tuning_data(first)).documents
    assert [document.story for document in documents] == [datasets.read_pair(key, pair.id).story for pair in fixed.kept]
    run = tmp_path / "run"
    run.mkdir()
    request = Request("run", "base", datasets.tuning_data(first), "Mine", "bundle")
    assert prepare_corpus(request, ASCII, run, lambda _stage: None).version == first.fingerprint
    assert read_version(run / "versions" / first.fingerprint)[0].pairs == first.pairs
    arrow = next(first.folder.glob("*.arrow"))
    arrow.write_bytes(arrow.read_bytes().replace(b"house", b"mouse"))
    with pytest.raises(TrainerError):
        read_version(first.folder)


def test_passages_are_kept_with_what_they_go_on_from(tmp_path: Path) -> None:
    stories = [Document("A whole story.", "A bell"), Document(" and rang.", "A bell", before="The bell swung")]
    kept = write_version(stories, tmp_path)
    assert read_version(tmp_path / kept.fingerprint)[1] == stories
    other = [stories[0], replace(stories[1], before="The door swung")]
    assert write_version(other, tmp_path).fingerprint != kept.fingerprint


def test_a_cancel_stops_the_trainer_and_leaves_what_there_was(read: Read) -> None:
    key = read.view.card.id

    def cancel(_progress: DatasetProgress) -> None:
        raise StorydeskError("cancelled")

    before = read.desk.datasets.open(key)
    with pytest.raises(StorydeskError) as caught:
        read.desk.datasets.read(key, cancel)
    assert caught.value.failure.code == "cancelled"
    assert read.desk.datasets.open(key).pairs == before.pairs
