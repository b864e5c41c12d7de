"""Backups and library files: what is brought back is whole, and nothing that was there is lost on the way."""

from __future__ import annotations

import datetime
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.library import BackupReason
from storydesk.domain.manuscript import GenerationRecord
from storydesk.domain.outline import KeptPart, PartDetails, PartKind, Status, StoryDetails
from storydesk.storage.backup_shelf import SqliteBackups
from storydesk.storage.backups import OTHERS, find_today, keep_backup, list_all_backups, list_backups
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.library_archive import COPY, MANIFEST
from storydesk.storage.migrations import STEPS
from storydesk.storage.outline import SqliteOutline
from storydesk.storage.recovery import find_whole_backup, put_back
from tests.unit.test_storage_library import WRITE_FOR_EVER, read_line, start_python


def make_library(path: Path) -> SqliteLibrary:
    library = SqliteLibrary(path)
    story = library.add_story("The Salt Road", "A door on the beach", "# One\n\nMara found it at low tide.")
    draft = library.add_draft(story.id, "2", "# One\n\nMara found the door.")
    library.record_generation(GenerationRecord(draft.id, "starter", 7, "A door", "{}", "a door", True, 5.0))
    library.set_story_setting(story.id, "polish", "kept")
    library.add_story("Rain", text="A lamp and rain.")
    library.add_to_dictionary("Skerrow")
    outline = SqliteOutline(library)
    outline.write_details(story.id, StoryDetails(Status.REVISED, 900, ("sea",), "Less rain."))
    outline.write_parts(story.id, [KeptPart("One", PartKind.CHAPTER, PartDetails(Status.DRAFT, 100, "Longer."))])
    return library


def describe(library: SqliteLibrary) -> list[tuple[str, list[str]]]:
    return sorted(
        (story.title, sorted(draft.text for draft in library.list_drafts(story.id)))
        for trash in (False, True)
        for story in library.list_stories(trash=trash)
    )


@pytest.fixture
def library(tmp_path: Path) -> SqliteLibrary:
    return make_library(tmp_path / "library.sqlite3")


def test_the_whole_library_comes_back_and_what_was_there_is_a_backup(library: SqliteLibrary) -> None:
    backups = SqliteBackups(library)
    before = describe(library)
    made = backups.back_up(BackupReason.HAND)
    assert made is not None
    story = library.list_stories()[0]
    library.trash_story(story.id)
    library.delete_story(story.id)
    newest = library.add_story("Written since", text="Not to be lost either.")
    library.search("lost")
    now = describe(library)
    backups.restore_library(made.path)
    assert describe(library) == before
    assert not library.search("either")
    assert library.search("mara")
    library.save_draft(library.list_drafts(library.list_stories()[0].id)[0].id, "It can be written on.")
    undo = next(backup for backup in backups.list_backups() if backup.reason is BackupReason.RESTORE)
    backups.restore_library(undo.path)
    assert describe(library) == now
    assert library.load_draft(library.list_drafts(newest.id)[0].id).text == "Not to be lost either."
    assert backups.check_library() == []
    library.close()


def test_one_story_comes_back_beside_the_others_with_all_that_belongs_to_it(library: SqliteLibrary) -> None:
    backups = SqliteBackups(library)
    made = backups.back_up(BackupReason.HAND)
    assert made is not None
    content = backups.look_inside(made.path)
    wanted = next(item for item in content.stories if item.story.title == "The Salt Road")
    assert (wanted.drafts, wanted.words) == (2, 5)
    library.trash_story(wanted.story.id)
    number = backups.restore_story(made.path, wanted.story.id, "The Salt Road (yesterday)")
    assert number != wanted.story.id
    assert {story.title for story in library.list_stories()} == {"The Salt Road (yesterday)", "Rain"}
    drafts = library.list_drafts(number)
    assert [draft.name for draft in drafts] == ["2", "1"]
    assert [record.seed for record in library.list_generations(drafts[0].id)] == [7]
    assert library.get_story_setting(number, "polish") == "kept"
    outline = SqliteOutline(library)
    assert outline.read_details()[number].tags == ("sea",)
    assert outline.read_parts(number)[0].details.note == "Longer."
    with pytest.raises(StorydeskError) as caught:
        backups.restore_story(made.path, 999, "x")
    assert caught.value.failure.code == FailureCode.STORY_NOT_FOUND
    library.close()


def test_a_backup_of_an_older_version_comes_back_as_well(library: SqliteLibrary, tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite3"
    connection = sqlite3.connect(old)
    for statement in STEPS[0]:
        connection.execute(statement)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO stories VALUES (4, 'Old', '', 1.0, 1.0, 0)")
    connection.execute("INSERT INTO drafts VALUES (9, 4, '1', 'Long ago.', 1.0, 1.0, 'written', 0)")
    connection.commit()
    connection.close()
    backups = SqliteBackups(library)
    number = backups.restore_story(old, 4, "Old")
    assert library.list_drafts(number)[0].text == "Long ago."
    backups.restore_library(old)
    assert describe(library) == [("Old", ["Long ago."])]
    library.close()


def test_a_library_is_backed_up_before_it_becomes_another_version(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    connection = sqlite3.connect(path)
    for step in STEPS[:2]:
        for statement in step:
            connection.execute(statement)
    connection.execute("PRAGMA user_version = 2")
    connection.execute("INSERT INTO stories VALUES (4, 'Old', '', 1.0, 1.0, 0)")
    connection.commit()
    connection.close()
    library = SqliteLibrary(path)
    assert describe(library) == [("Old", [])]
    backups = SqliteBackups(library)
    [before] = [backup for backup in backups.list_backups() if backup.reason is BackupReason.MIGRATION]
    kept = sqlite3.connect(before.path)
    assert kept.execute("PRAGMA user_version").fetchone() == (2,)
    kept.close()
    assert [item.story.title for item in backups.look_inside(before.path).stories] == ["Old"]
    library.close()


def test_a_damaged_backup_is_said_and_changes_nothing(library: SqliteLibrary, tmp_path: Path) -> None:
    backups = SqliteBackups(library)
    made = backups.back_up(BackupReason.HAND)
    assert made is not None
    raw = bytearray(made.path.read_bytes())
    raw[4096:20000] = os.urandom(20000 - 4096)
    made.path.write_bytes(raw)
    before = describe(library)
    for ask in (
        lambda: backups.look_inside(made.path),
        lambda: backups.restore_library(made.path),
        lambda: backups.restore_story(made.path, 1, "x"),
    ):
        with pytest.raises(StorydeskError) as caught:
            ask()
        assert caught.value.failure.code == FailureCode.LIBRARY_DAMAGED
    with pytest.raises(StorydeskError) as caught:
        backups.look_inside(tmp_path / "nowhere.sqlite3")
    assert caught.value.failure.code == FailureCode.FILE_NOT_FOUND
    assert describe(library) == before
    library.close()


def test_a_file_that_could_act_is_refused(library: SqliteLibrary, tmp_path: Path) -> None:
    for number, harm in enumerate(
        (
            "CREATE TRIGGER t AFTER INSERT ON stories BEGIN DELETE FROM drafts; END",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TABLE other (x)",
        )
    ):
        made = SqliteBackups(library).back_up(BackupReason.HAND)
        assert made is not None
        evil = tmp_path / f"evil{number}.sqlite3"
        shutil.copy(made.path, evil)
        connection = sqlite3.connect(evil)
        connection.execute(harm)
        connection.commit()
        connection.close()
        with pytest.raises(StorydeskError) as caught:
            SqliteBackups(library).look_inside(evil)
        assert caught.value.failure.code == FailureCode.LIBRARY_DAMAGED
    library.close()


def test_a_second_window_restores_nothing(library: SqliteLibrary) -> None:
    made = SqliteBackups(library).back_up(BackupReason.HAND)
    assert made is not None
    second = SqliteLibrary(library.path)
    with pytest.raises(StorydeskError) as caught:
        SqliteBackups(second).restore_library(made.path)
    assert caught.value.failure.code == FailureCode.LIBRARY_LOCKED
    assert not second.has_no_writer()
    assert len(SqliteBackups(second).look_inside(made.path).stories) == 2
    library.close()
    assert second.has_no_writer()
    second.close()


def test_backups_by_hand_are_kept_within_bounds(library: SqliteLibrary) -> None:
    backups = SqliteBackups(library)
    for _ in range(OTHERS + 3):
        assert backups.back_up(BackupReason.HAND) is not None
    assert len(backups.list_backups()) == OTHERS
    assert not list(library.backups.glob(".library-*"))
    library.close()


def test_a_clock_that_was_set_back_still_makes_backups(library: SqliteLibrary) -> None:
    folder, today = library.backups, find_today()
    for days in range(-3, 30):
        keep_backup(library.path, folder, today=today + datetime.timedelta(days))
    story = library.add_story("Written after the clock was set back", text="Here.")
    made = keep_backup(library.path, folder, today=today)
    assert made is not None
    assert story.title in {item.story.title for item in SqliteBackups(library).look_inside(made).stories}
    assert list_backups(folder)[today] == made
    keep_backup(library.path, folder, today=today)
    assert keep_backup(library.path, folder, today=today) is None
    library.close()


RESTORE = """
import sys
from pathlib import Path
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.backup_shelf import SqliteBackups
library = SqliteLibrary(Path(sys.argv[1]))
backups = SqliteBackups(library)
print("ready", flush=True)
while True:
    for path in sys.argv[2:]:
        backups.restore_library(Path(path))
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_kill_9_while_restoring_leaves_the_old_library_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    library = SqliteLibrary(path)
    for number in range(12):
        library.add_story(f"Old {number}", text="Old words. " * 20_000)
    old = SqliteBackups(library).back_up(BackupReason.HAND)
    assert old is not None
    kept = tmp_path / "old.sqlite3"
    shutil.copy(old.path, kept)
    library.close()
    other = SqliteLibrary(tmp_path / "other" / "library.sqlite3")
    for number in range(9):
        other.add_story(f"New {number}", text="New words. " * 20_000)
    new = SqliteBackups(other).back_up(BackupReason.HAND)
    assert new is not None
    other.close()
    wait = random.Random(5)
    for _ in range(4):
        process = start_python(RESTORE, path, new.path, kept)
        assert read_line(process) == "ready"
        time.sleep(wait.uniform(0.02, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        library = SqliteLibrary(path)
        assert SqliteBackups(library).check_library() == []
        titles = {story.title for story in library.list_stories()}
        assert titles in ({f"Old {number}" for number in range(12)}, {f"New {number}" for number in range(9)})
        assert all(library.list_drafts(story.id)[0].text for story in library.list_stories())
        library.close()


def test_a_damaged_library_gives_way_to_the_newest_whole_backup(library: SqliteLibrary) -> None:
    backups, path = SqliteBackups(library), library.path
    good = backups.back_up(BackupReason.HAND)
    library.add_story("Written since", text="New.")
    bad = backups.back_up(BackupReason.HAND)
    assert good is not None
    assert bad is not None
    with pytest.raises(StorydeskError) as caught:
        put_back(path, good.path)
    assert caught.value.failure.code == FailureCode.LIBRARY_LOCKED
    library.close()
    bad.path.write_bytes(b"This is no library at all. " * 400)
    os.utime(bad.path, (good.taken + 60, good.taken + 60))
    harmed = b"Neither is this. " * 2000
    path.write_bytes(harmed)
    path.with_name(path.name + "-wal").write_bytes(b"nor this")
    found = find_whole_backup(path.parent / "backups")
    assert found is not None
    assert found.path == good.path
    aside = put_back(path, found.path)
    assert aside.read_bytes() == harmed
    opened = SqliteLibrary(path)
    assert {title for title, _texts in describe(opened)} == {"The Salt Road", "Rain"}
    opened.close()
    assert find_whole_backup(path.parent / "nowhere") is None


# The library as one file


def test_a_library_file_holds_everything_and_adds_it_elsewhere(library: SqliteLibrary, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    library.trash_story(library.list_stories()[0].id)
    content = SqliteBackups(library).export_library(path)
    assert (content.stories, content.drafts) == (2, 3)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.read("texts/The Salt Road/Draft 2.md").decode() == "# One\n\nMara found the door."
        assert {COPY, MANIFEST, "texts/Rain/Draft 1.md"} <= set(names)
    other = SqliteLibrary(tmp_path / "other" / "library.sqlite3")
    other.add_story("Mine", text="Mine alone.")
    backups = SqliteBackups(other)
    assert backups.import_library(path) == content
    assert describe(other) == sorted([*describe(library), ("Mine", ["Mine alone."])])
    assert list(other.list_dictionary()) == ["Skerrow"]
    road = next(story for trash in (True, False) for story in other.list_stories(trash=trash) if "Salt" in story.title)
    assert SqliteOutline(other).read_details()[road.id].status is Status.REVISED
    backups.import_library(path)
    assert len(other.list_stories()) + len(other.list_stories(trash=True)) == 5
    assert other.search("lamp")
    assert backups.check_library() == []
    assert not list(other.backups.glob(".library-*"))
    other.close()
    library.close()


def test_a_library_file_never_takes_the_place_of_another_unasked(library: SqliteLibrary, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(b"mine")
    with pytest.raises(StorydeskError) as caught:
        SqliteBackups(library).export_library(path)
    assert caught.value.failure.code == FailureCode.FILE_EXISTS
    assert path.read_bytes() == b"mine"
    SqliteBackups(library).export_library(path, overwrite=True)
    assert zipfile.is_zipfile(path)

    def cancel(_done: int, _total: int) -> None:
        raise StorydeskError(FailureCode.CANCELLED)

    before = path.read_bytes()
    with pytest.raises(StorydeskError):
        SqliteBackups(library).export_library(path, overwrite=True, progress=cancel)
    assert path.read_bytes() == before
    assert sorted(item.name for item in tmp_path.iterdir() if item.name.startswith(".")) == []
    library.close()


def test_titles_that_no_file_may_have_do_no_harm(library: SqliteLibrary, tmp_path: Path) -> None:
    for title in ("../../etc/passwd", "con", "a" * 400, "", "same", "Same", "C:\\x", "\x00", "…", "."):
        library.add_story(title, text="words")
    path = tmp_path / "all.zip"
    SqliteBackups(library).export_library(path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert len({name.casefold() for name in names}) == len(names)
    assert not any(".." in name.split("/") or name.startswith("/") for name in names)
    library.close()


def rewrite(path: Path, target: Path, **parts: bytes | None) -> None:
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            key = name.replace(".", "_")
            content = parts.get(key, source.read(name))
            if content is not None:
                archive.writestr(name, content)


def test_hostile_library_files_are_refused(library: SqliteLibrary, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    backups = SqliteBackups(library)
    backups.export_library(good)
    before = describe(library)
    with zipfile.ZipFile(good) as archive:
        manifest = json.loads(archive.read(MANIFEST))

    def change(**fields: object) -> bytes:
        return json.dumps({**manifest, **fields}).encode()

    cases: list[tuple[dict[str, bytes | None], FailureCode]] = [
        ({"manifest_json": None}, FailureCode.FILE_DAMAGED),
        ({"library_sqlite3": None}, FailureCode.FILE_DAMAGED),
        ({"library_sqlite3": b"not a library"}, FailureCode.FILE_DAMAGED),
        ({"manifest_json": b"[" * 100_000}, FailureCode.FILE_DAMAGED),
        ({"manifest_json": change(format="other")}, FailureCode.FILE_DAMAGED),
        ({"manifest_json": change(sha256=5)}, FailureCode.FILE_DAMAGED),
        ({"manifest_json": change(version=99)}, FailureCode.LIBRARY_TOO_NEW),
        ({"library_sqlite3": b"\x00" * 30_000_000}, FailureCode.FILE_DAMAGED),
    ]
    for parts, code in cases:
        rewrite(good, bad, **parts)
        with pytest.raises(StorydeskError) as caught:
            backups.import_library(bad)
        assert caught.value.failure.code == code, parts.keys()
    bad.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    with pytest.raises(StorydeskError) as caught:
        backups.import_library(bad)
    assert caught.value.failure.code == FailureCode.FILE_DAMAGED
    with pytest.raises(StorydeskError) as caught:
        backups.import_library(tmp_path / "nowhere.zip")
    assert caught.value.failure.code == FailureCode.FILE_NOT_FOUND
    assert describe(library) == before
    assert not list(library.backups.glob(".library-*"))
    library.close()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), raw=st.binary(min_size=1, max_size=40))
def test_a_bent_library_file_adds_everything_or_nothing(tmp_path: Path, place: float, raw: bytes) -> None:
    good = tmp_path / "good.zip"
    if not good.exists():
        library = make_library(tmp_path / "library.sqlite3")
        SqliteBackups(library).export_library(good)
        library.close()
    content = bytearray(good.read_bytes())
    at = int(place * (len(content) - len(raw)))
    content[at : at + len(raw)] = raw
    bent = tmp_path / "bent.zip"
    bent.write_bytes(content)
    other = SqliteLibrary(tmp_path / "other.sqlite3")
    count = len(other.list_stories())
    try:
        SqliteBackups(other).import_library(bent)
    except StorydeskError:
        assert len(other.list_stories()) == count
    else:
        assert len(other.list_stories()) == count + 2
    assert SqliteBackups(other).check_library() == []
    other.close()


def test_values_of_a_wrong_kind_are_mended(library: SqliteLibrary, tmp_path: Path) -> None:
    made = SqliteBackups(library).back_up(BackupReason.HAND)
    assert made is not None
    odd = tmp_path / "odd.sqlite3"
    shutil.copy(made.path, odd)
    connection = sqlite3.connect(odd)
    connection.execute("UPDATE stories SET title = x'ff41', created = 'soon', prompt = 5 WHERE id = 1")
    connection.execute("UPDATE drafts SET text = x'4869ff' WHERE story_id = 1")
    connection.commit()
    connection.close()
    backups = SqliteBackups(library)
    assert len(backups.look_inside(odd).stories) == 2
    number = backups.restore_story(odd, 1, "Odd")
    story = next(story for story in library.list_stories() if story.id == number)
    assert (story.title, story.prompt, story.created) == ("Odd", "5", 0.0)
    assert all(draft.text.startswith("Hi") for draft in library.list_drafts(number))
    assert list_all_backups(library.backups)
    library.close()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a small file system of our own")
def test_full_and_read_only_disks_are_said_and_cost_nothing(library: SqliteLibrary, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    library.add_story("Long", text=os.urandom(900_000).hex())
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        small = SqliteLibrary(disk / "library.sqlite3", backups=disk / "backups")
        small.add_story("Small", text="Kept.")
        made = SqliteBackups(library).back_up(BackupReason.HAND)
        assert made is not None
        for ask in (
            lambda: SqliteBackups(library).export_library(disk / "all.zip"),
            lambda: SqliteBackups(small).restore_library(made.path),
            lambda: SqliteBackups(small).restore_story(made.path, 3, "Long"),
        ):
            with pytest.raises(StorydeskError) as caught:
                ask()
            assert caught.value.failure.code == FailureCode.DISK_FULL
        assert describe(small) == [("Small", ["Kept."])]
        assert not (disk / "all.zip").exists()
        small.close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(StorydeskError) as caught:
            SqliteLibrary(disk / "library.sqlite3", backups=disk / "backups")
        assert caught.value.failure.code == FailureCode.NOT_WRITABLE
        with pytest.raises(StorydeskError) as caught:
            SqliteBackups(library).export_library(disk / "all.zip")
        assert caught.value.failure.code == FailureCode.NOT_WRITABLE
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    library.close()


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_library_that_is_copied_while_it_is_written_is_whole_in_both_places(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    writer = start_python(WRITE_FOR_EVER, path)
    assert writer.stdout is not None
    said: set[str] = set()
    for number in range(4):
        for _ in range(15):
            writer.stdout.readline()
        folder = tmp_path / f"copy {number}"
        folder.mkdir()
        for ending in ("-shm", "-wal", ""):
            if path.with_name(path.name + ending).exists():
                shutil.copy(path.with_name(path.name + ending), folder / (path.name + ending))
        try:
            copy = SqliteLibrary(folder / path.name)
        except StorydeskError as error:
            said.add(error.failure.code)
            continue
        assert not copy.read_only
        assert SqliteBackups(copy).check_library() == []
        assert all(copy.list_drafts(story.id)[0].text.startswith("word ") for story in copy.list_stories())
        copy.close()
    assert said <= {FailureCode.LIBRARY_DAMAGED}  # where the copy was torn, that is said and not guessed at
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    library = SqliteLibrary(path)
    assert SqliteBackups(library).check_library() == []
    library.close()
