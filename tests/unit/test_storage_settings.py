"""Settings survive what happens to files, and the data folder is where the writer says."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.settings import GRAMMAR_LIVE, PAGE_SIZE, THEME, WILDNESS
from storydesk.services.atomic_file import write_atomically
from storydesk.services.file_lock import FileLock
from storydesk.storage.home import Home
from storydesk.storage.settings import JsonSettings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "settings.json"


def test_values_are_there_after_a_restart(path: Path) -> None:
    settings = JsonSettings(path)
    assert (settings.get(THEME), settings.get(WILDNESS), settings.get(GRAMMAR_LIVE)) == ("system", 0.5, True)
    settings.set(THEME, "dark")
    settings.set(WILDNESS, 0.25)
    settings.set(GRAMMAR_LIVE, False)
    again = JsonSettings(path)
    assert (again.get(THEME), again.get(WILDNESS), again.get(GRAMMAR_LIVE)) == ("dark", 0.25, False)
    assert not again.damaged


def test_values_are_brought_into_their_limits(path: Path) -> None:
    settings = JsonSettings(path)
    settings.set(PAGE_SIZE, 4000)
    assert settings.get(PAGE_SIZE) == 40


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"[" * 100_000, b'"x"', b"\0" * 50, b" " * 2_000_000]
)
def test_a_damaged_file_is_kept_and_the_defaults_serve(path: Path, raw: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(raw)
    settings = JsonSettings(path)
    assert settings.damaged
    assert settings.get(THEME) == "system"
    assert path.with_name("settings.json.damaged").read_bytes() == raw
    settings.set(THEME, "light")
    again = JsonSettings(path)
    assert not again.damaged
    assert again.get(THEME) == "light"


def test_unusable_values_are_their_defaults(path: Path) -> None:
    path.parent.mkdir()
    values = {"look.page_size": 1e400, "write.wildness": "wild", "look.theme": "pink", "polish.live": 1}
    path.write_text(json.dumps(values) + " ", encoding="utf-8-sig")
    settings = JsonSettings(path)
    assert [settings.get(PAGE_SIZE), settings.get(WILDNESS), settings.get(THEME)] == [16, 0.5, "system"]
    assert settings.get(GRAMMAR_LIVE) is True
    path.write_text('{"write.wildness": NaN, "look.page_size": 1' + "0" * 400 + "}")
    assert JsonSettings(path).get(WILDNESS) == 0.5
    assert JsonSettings(path).get(PAGE_SIZE) in (16, 40)


def test_what_a_command_set_meanwhile_and_unknown_keys_stay(path: Path) -> None:
    window = JsonSettings(path)
    window.set(THEME, "dark")
    path.write_text(json.dumps({**json.loads(path.read_text()), "model.active": "mine", "future.key": [1]}))
    window.set(WILDNESS, 0.1)
    values = json.loads(path.read_text())
    assert values == {"look.theme": "dark", "model.active": "mine", "future.key": [1], "write.wildness": 0.1}


def test_a_value_that_cannot_be_saved_holds_for_now(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = JsonSettings(tmp_path / "file" / "settings.json")
    with pytest.raises(StorydeskError) as caught:
        settings.set(THEME, "dark")
    assert caught.value.failure.code == FailureCode.NOT_WRITABLE
    assert settings.get(THEME) == "dark"


def test_the_variable_moves_all_data(tmp_path: Path) -> None:
    home = Home.find({"STORYDESK_HOME": str(tmp_path / "there")})
    folders = (home.models, home.runs, home.backups, home.logs, home.cache)
    assert all(folder.parent == tmp_path / "there" for folder in (*folders, home.library, home.settings))
    assert not (tmp_path / "there").exists()
    assert home.make(home.models).is_dir()
    assert Home.find({"STORYDESK_HOME": "relative"}).root.is_absolute()
    assert Home.find({"STORYDESK_HOME": " "}).root.is_absolute()
    assert Home.find({}).root.name == "Storydesk"


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for root in (tmp_path / "file" / "home", tmp_path / "a\0b"):
        with pytest.raises(StorydeskError) as caught:
            Home(root).make()
        assert caught.value.failure.code == FailureCode.NOT_WRITABLE


def test_writing_is_whole_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "document"
    write_atomically(target, b"first", overwrite=False)
    with pytest.raises(StorydeskError) as caught:
        write_atomically(target, b"second", overwrite=False)
    assert caught.value.failure.code == FailureCode.FILE_EXISTS

    def fail(stream: object) -> None:
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError):
        write_atomically(target, fail)
    assert target.read_bytes() == b"first"
    write_atomically(target, b"third")
    assert target.read_bytes() == b"third"
    assert [path.name for path in tmp_path.iterdir()] == ["document"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes and links")
def test_links_and_modes_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_folder_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "missing" / "file", tmp_path / "a\0b"):
        with pytest.raises(StorydeskError) as caught:
            write_atomically(path, b"x")
        assert caught.value.failure.code == FailureCode.NOT_WRITABLE


def test_a_lock_excludes_and_frees(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    first.release()
    with second:
        assert not first.acquire()
    assert not second.held
