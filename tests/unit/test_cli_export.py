"""``storydesk export`` with the real formats: books of several files, kept profiles, notes on what was lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storydesk.__main__ import main
from storydesk.publishing.documents import Documents


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STORYDESK_HOME", str(tmp_path / "home"))
    (tmp_path / "one.md").write_text("# The first night\n\nIt *rang*.\n\n## Later\n\nAgain.\n", encoding="utf-8")
    (tmp_path / "two.txt").write_text("The second night\n================\n\nNobody came.\n", encoding="utf-8")
    return tmp_path


def run(*words: str | Path) -> int:
    try:
        return main([str(word) for word in words])
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize("form", ["docx", "odt", "epub", "html", "md"])
def test_several_files_become_one_book(folder: Path, form: str) -> None:
    out = folder / f"book.{form}"
    words = ("--title", "Two Nights", "--author", "Ann Example", "--dedication", "For you.", "--disclosure", "By hand.")
    assert run("export", folder / "one.md", folder / "two.txt", "--to", form, "--out", out, *words) == 0
    title, text = Documents().read(out)
    assert title == "Two Nights"
    order = (
        "For you.",
        "# The first night",
        "It *rang*.",
        "### Later",
        "# The second night",
        "Nobody came.",
        "By hand.",
    )
    places = [text.index(piece) for piece in order]
    assert places == sorted(places)


def test_a_profile_is_kept_and_used_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep = ("--author", "Ann Example", "--contact", "12 Harbour Road", "--page", "a4", "--keep-profile", "mine")
    assert run("export", folder / "one.md", "--to", "odt", "--out", folder / "a.odt", *keep) == 0
    assert run("export", folder / "two.txt", "--to", "odt", "--out", folder / "b.odt", "--profile", "mine") == 0
    assert Documents().read_document(folder / "b.odt").author == "Ann Example"
    capsys.readouterr()
    assert run("export", folder / "two.txt", "--to", "odt", "--out", folder / "c.odt", "--profile", "yours") == 1
    assert "Choose one of these: mine." in capsys.readouterr().err


def test_what_was_lost_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "page.html").write_text('<p>It <a href="x">rang</a>.<img src="a.png">', encoding="utf-8")
    assert run("export", folder / "page.html", "--to", "txt", "--out", folder / "page.txt") == 0
    said = capsys.readouterr().err
    assert "Pictures left out: 1." in said
    assert run("export", folder / "page.html", "--to", "md", "--out", folder / "page.md", "--json") == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert [note["code"] for note in notes] == ["lost_images", "lost_links"]
