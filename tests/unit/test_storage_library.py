"""What a writer is promised of the library: what was saved is never lost, is found again, and has one writer."""

from __future__ import annotations

import datetime
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.manuscript import GenerationRecord
from storydesk.storage.backups import choose_kept, find_today, list_backups
from storydesk.storage.folding import FoldedText, fold
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.migrations import NEWEST

ROOT = Path(__file__).parents[2]


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.Popen(
        [sys.executable, "-u", "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.sqlite3"


def test_a_story_is_there_again_after_closing_and_opening(path: Path) -> None:
    library = SqliteLibrary(path)
    story = library.add_story("The Bell", "A bell under the sea", "It rang twice.\n\nNobody came.")
    draft = library.list_drafts(story.id)[0]
    library.save_draft(draft.id, "It rang three times.")
    library.close()
    library.close()

    opened = SqliteLibrary(path)
    assert [(item.title, item.prompt) for item in opened.list_stories()] == [("The Bell", "A bell under the sea")]
    assert opened.load_draft(draft.id).text == "It rang three times."
    assert not opened.read_only
    opened.close()


def test_stories_are_listed_by_their_last_change_and_drafts_newest_first(path: Path) -> None:
    library = SqliteLibrary(path)
    first, second = library.add_story("first"), library.add_story("second")
    assert [story.title for story in library.list_stories()] == ["second", "first"]
    added = library.add_draft(first.id, "2", "again")
    assert [story.title for story in library.list_stories()] == ["first", "second"]
    library.save_draft(library.list_drafts(second.id)[0].id, "new words")
    assert [story.title for story in library.list_stories()] == ["second", "first"]
    assert library.list_drafts(first.id)[0] == added
    library.close()


def test_saving_the_same_text_moves_nothing(path: Path) -> None:
    library = SqliteLibrary(path)
    first = library.add_story("first", text="same")
    library.add_story("second")
    draft = library.list_drafts(first.id)[0]
    assert library.save_draft(draft.id, "same") == draft
    assert [story.title for story in library.list_stories()] == ["second", "first"]
    library.close()


def test_the_trash_keeps_a_story_until_it_is_deleted(path: Path) -> None:
    library = SqliteLibrary(path)
    story = library.add_story("old", text="forgotten words")
    with pytest.raises(StorydeskError):
        library.delete_story(story.id)
    library.trash_story(story.id)
    assert not library.list_stories()
    assert [item.title for item in library.list_stories(trash=True)] == ["old"]
    library.trash_story(story.id, restore=True)
    assert [item.title for item in library.list_stories()] == ["old"]
    library.trash_story(story.id)
    library.search("forgotten")
    library.delete_story(story.id)
    assert not library.list_stories(trash=True)
    assert not library.search("forgotten")
    library.close()


def test_cards_dictionary_and_generations_are_kept(path: Path) -> None:
    library = SqliteLibrary(path)
    story = library.add_story("", "")
    assert library.change_story(story.id, title="Named").title == "Named"
    assert library.change_story(story.id, prompt="A lamp").title == "Named"
    draft = library.list_drafts(story.id)[0]
    records = [
        GenerationRecord(draft.id, "starter", seed, "A lamp", '{"words": 60}', "Light.", seed % 2 == 0, 5.0)
        for seed in (1, 2**70)
    ]
    for record in records:
        library.record_generation(record)
    assert list(library.list_generations(draft.id)) == records[::-1]
    for word in ("Skerrow", "barque", "barque", "  "):
        library.add_to_dictionary(word)
    assert list(library.list_dictionary()) == ["Skerrow", "barque"]
    library.close()


@pytest.mark.parametrize("missing", [0, 99, -1, 2**80])
def test_what_is_not_there_is_said(path: Path, missing: int) -> None:
    library = SqliteLibrary(path)
    record = GenerationRecord(missing, "m", 1, "", "{}", "", False, 0.0)
    for ask in (
        lambda: library.load_draft(missing),
        lambda: library.save_draft(missing, "x"),
        lambda: library.change_story(missing, title="x"),
        lambda: library.add_draft(missing, "1", "x"),
        lambda: library.delete_story(missing),
        lambda: library.record_generation(record),
    ):
        with pytest.raises(StorydeskError) as caught:
            ask()
        assert caught.value.failure.code == FailureCode.STORY_NOT_FOUND
    library.close()


def test_search_finds_words_in_titles_prompts_and_every_draft(path: Path) -> None:
    library = SqliteLibrary(path)
    sea = library.add_story("The Pilot", "A bar", "The lighthouse was dark; the café was open.")
    library.add_draft(sea.id, "2", "Nothing to see.")
    city = library.add_story("Rain", "", "A lamp and a gun — and don’t ask.")

    def find(words: str) -> set[int]:
        return {story.id for story in library.search(words)}

    for _ in range(2):  # first from the texts, then from the index
        assert find("lighthouse") == {sea.id}
        assert find("LIGHT cafe") == {sea.id}
        assert find("pilot bar dark") == {sea.id}
        assert find("a") == {sea.id, city.id}
        assert find("—") == {city.id}
        assert find("don’t") == {city.id}
        assert find("lighthouse gun") == set()
        assert find("") == {sea.id, city.id}
    library.save_draft(library.list_drafts(city.id)[0].id, "The lighthouse again.")
    assert find("lighthouse") == {sea.id, city.id}
    assert find("gun") == set()
    library.close()


@pytest.mark.parametrize(
    "query", ['"', "a*", "NOT", "a AND (", "text:", "^x", "'; DROP", "\ud800", "\0", "%", "{}", "-"]
)
def test_odd_characters_in_a_search_do_no_harm(path: Path, query: str) -> None:
    library = SqliteLibrary(path)
    library.add_story("a", text="text")
    library.search("text")
    library.search(query)
    assert len(library.list_stories()) == 1
    library.close()


def test_search_works_without_full_text_search(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storydesk.storage.library.create_index", lambda connection: False)
    library = SqliteLibrary(path)
    library.add_story("Sea", text="The lighthouse was dark.")
    library.add_story("City", text="Rain.")
    assert [story.title for story in library.search("LIGHT dark")] == ["Sea"]
    library.close()


@given(text=st.text(alphabet=st.characters(), max_size=200), word=st.text(max_size=20))
def test_any_text_is_kept_and_any_query_is_answered(
    text: str, word: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("library")
    library = SqliteLibrary(folder / "library.sqlite3")
    story = library.add_story(text, text, text)
    draft = library.list_drafts(story.id)[0]
    assert draft.text == mend_text(text)
    assert library.save_draft(draft.id, text + "!").text == mend_text(text + "!")
    library.search(word)
    library.search(text)
    library.close()


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=50))
def test_mending_touches_only_broken_characters(text: str) -> None:
    mended = mend_text(text)
    mended.encode("utf-8")
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert mended == text
    assert mend_text("\ud83d\ude00 \ud83d") == "\U0001f600 \ufffd"


def test_folding_ignores_case_and_accents() -> None:
    assert fold("CAFÉ") == fold("cafe\u0301") == "cafe"


@given(st.text(max_size=60))
def test_a_folded_text_knows_where_its_characters_stood(text: str) -> None:
    folded = FoldedText(text)
    assert folded.text == "".join(fold(character) for character in text)
    assert fold(text[: folded.place(len(folded.text))]) == fold(text)
    for place in range(len(folded.text) + 1):
        assert 0 <= folded.place(place) <= len(text)


def test_threads_may_save_at_the_same_time(path: Path) -> None:
    library = SqliteLibrary(path)
    drafts = [library.list_drafts(library.add_story(str(number)).id)[0] for number in range(4)]

    def save(draft_id: int) -> None:
        for number in range(25):
            library.save_draft(draft_id, f"{draft_id} {number}")
            library.search("24")

    threads = [threading.Thread(target=save, args=(draft.id,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [library.load_draft(draft.id).text for draft in drafts] == [f"{draft.id} 24" for draft in drafts]
    library.close()


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from storydesk.storage.library import SqliteLibrary
library = SqliteLibrary(Path(sys.argv[1]))
draft = library.list_drafts(library.add_story("Long", text="").id)[0]
number = 0
while True:
    number += 1
    library.save_draft(draft.id, "word " * 2000 + str(number))
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_kill_9_while_saving_loses_nothing_that_was_saved(path: Path) -> None:
    for _ in range(3):
        process = start_python(WRITE_FOR_EVER, path)
        assert process.stdout is not None
        for _ in range(20):
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")[:-1]
        process.communicate()
        said = int(rest[-1]) if rest else said
        library = SqliteLibrary(path)
        assert not library.read_only
        kept = library.list_drafts(library.list_stories()[0].id)[0].text
        assert int(kept.split()[-1]) in (said, said + 1)
        assert kept.startswith("word " * 2000)
        library.close()


HOLD = """
import sys
from pathlib import Path
from storydesk.storage.library import SqliteLibrary
library = SqliteLibrary(Path(sys.argv[1]))
library.add_story("theirs")
print("ready" if not library.read_only else "read only", flush=True)
sys.stdin.readline()
"""


def test_a_second_process_reads_only_until_the_first_is_gone(path: Path) -> None:
    holder = start_python(HOLD, path)
    assert read_line(holder) == "ready"
    second = SqliteLibrary(path)
    assert second.read_only
    assert [story.title for story in second.list_stories()] == ["theirs"]
    assert [story.title for story in second.search("thei")] == ["theirs"]
    with pytest.raises(StorydeskError) as caught:
        second.add_story("mine")
    assert caught.value.failure.code == FailureCode.LIBRARY_LOCKED
    second.close()
    holder.kill()
    holder.communicate()
    third = SqliteLibrary(path)
    assert not third.read_only
    third.add_story("mine")
    assert {story.title for story in third.list_stories()} == {"theirs", "mine"}
    third.close()


def test_two_windows_of_one_process_exclude_each_other_too(path: Path) -> None:
    first, second = SqliteLibrary(path), SqliteLibrary(path)
    assert (first.read_only, second.read_only) == (False, True)
    story = first.add_story("seen by both")
    assert list(second.list_stories()) == [story]
    first.close()
    second.close()


FILL = """
import resource, sys
from pathlib import Path
from storydesk.domain.failures import StorydeskError
from storydesk.storage.library import SqliteLibrary
library = SqliteLibrary(Path(sys.argv[1]))
draft = library.list_drafts(library.add_story("Full", text="before").id)[0]
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    library.save_draft(draft.id, "x" * 3_000_000)
    print("saved")
except StorydeskError as error:
    print(error.failure.code)
print(library.load_draft(draft.id).text[:10])
print(library.save_draft(draft.id, "small again").text)
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs a small file system of our own")
def test_a_full_disk_is_said_and_costs_nothing_that_was_saved(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        said, _ = start_python(FILL, disk / "library.sqlite3").communicate()
        assert said.split("\n")[:3] == ["disk_full", "before", "small again"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(os.name == "nt", reason="limits on file sizes are POSIX")
def test_a_file_that_may_not_grow_is_said_and_costs_nothing(path: Path) -> None:
    said, _ = start_python(FILL, path, "limited").communicate()
    code, kept = said.split("\n")[:2]
    assert code in ("disk_full", "not_writable")
    assert kept == "before"


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorydeskError) as caught:
        SqliteLibrary(tmp_path / "file" / "library.sqlite3")
    assert caught.value.failure.code == FailureCode.NOT_WRITABLE


def make_library(path: Path, stories: int = 60) -> None:
    library = SqliteLibrary(path)
    for number in range(stories):
        library.add_story(f"Story {number}", text="Many words. " * 200)
    library.close()


def damage_middle(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096 : 4096 * 6] = os.urandom(4096 * 5)
    path.write_bytes(raw)


def overwrite(path: Path) -> None:
    path.write_bytes(b"This is not a library at all. " * 500)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def make_foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [damage_middle, overwrite, truncate, make_foreign, empty])
def test_a_damaged_library_is_said_and_left_untouched(path: Path, harm: object) -> None:
    make_library(path)
    assert callable(harm)
    SqliteLibrary(path).close()  # makes the day's backup
    harm(path)
    before = path.read_bytes()
    with pytest.raises(StorydeskError) as caught:
        SqliteLibrary(path)
    assert caught.value.failure.code == FailureCode.LIBRARY_DAMAGED
    assert path.read_bytes() == before
    backup = next(iter(list_backups(path.parent / "backups").values()))
    backup.replace(path)
    restored = SqliteLibrary(path)
    assert len(restored.list_stories()) == 60
    restored.close()


def test_a_library_of_a_newer_version_is_left_untouched(path: Path) -> None:
    make_library(path, 1)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {NEWEST + 1}")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorydeskError) as caught:
        SqliteLibrary(path)
    assert caught.value.failure.code == FailureCode.LIBRARY_TOO_NEW
    assert path.read_bytes() == before


def test_one_backup_a_day_holds_the_stories(path: Path) -> None:
    make_library(path, 3)
    backups = path.parent / "backups"
    SqliteLibrary(path).close()
    made = list_backups(backups)
    assert list(made) == [find_today()]
    stamp = made[find_today()].stat().st_mtime_ns
    SqliteLibrary(path).close()
    assert list_backups(backups)[find_today()].stat().st_mtime_ns == stamp
    copy = SqliteLibrary(made[find_today()], backups=path.parent / "others")
    assert len(copy.list_stories()) == 3
    copy.close()


def test_an_empty_library_pushes_no_backup_out(path: Path) -> None:
    SqliteLibrary(path).close()
    SqliteLibrary(path).close()
    assert not list_backups(path.parent / "backups")


def test_old_backups_go_by_the_rule(path: Path) -> None:
    make_library(path, 1)
    backups = path.parent / "backups"
    backups.mkdir(exist_ok=True)
    today = find_today()
    for days in range(1, 90):
        (backups / f"library-{(today - datetime.timedelta(days)).isoformat()}.sqlite3").write_bytes(b"old")
    (backups / "my own copy.sqlite3").write_bytes(b"mine")
    SqliteLibrary(path).close()
    kept = sorted(list_backups(backups), reverse=True)
    assert kept[:7] == [today - datetime.timedelta(days) for days in range(7)]
    assert len(kept) <= 7 + 5 + 12
    assert kept[-1] >= today - datetime.timedelta(90)
    assert (backups / "my own copy.sqlite3").exists()


def test_day_by_day_the_rule_keeps_the_last_days_and_weeks() -> None:
    kept: set[datetime.date] = set()
    day = datetime.date(2026, 1, 1)
    for _ in range(120):
        kept = choose_kept({*kept, day}, day)
        day += datetime.timedelta(1)
    newest = max(kept)
    assert {newest - datetime.timedelta(days) for days in range(7)} <= kept
    weeks = {date.isocalendar()[:2] for date in kept}
    assert {(newest - datetime.timedelta(weeks=back)).isocalendar()[:2] for back in range(5)} <= weeks
    assert {(date.year, date.month) for date in kept} == {(2026, month) for month in range(1, 5)}
    assert len(kept) <= 7 + 5 + 12


def test_day_by_day_the_rule_keeps_the_last_year() -> None:
    kept: set[datetime.date] = set()
    day = datetime.date(2024, 1, 1)
    for _ in range(800):
        kept = choose_kept({*kept, day}, day)
        day += datetime.timedelta(1)
    assert len({(date.year, date.month) for date in kept}) == 12
    assert len(kept) <= 7 + 5 + 12
    assert max(kept) - min(kept) > datetime.timedelta(300)


def test_dates_to_come_push_nothing_out() -> None:
    today = datetime.date(2026, 5, 20)
    past = {today - datetime.timedelta(days) for days in range(7)}
    future = {today + datetime.timedelta(days) for days in range(1, 40)}
    kept = choose_kept(past | future, today)
    assert past <= kept
    assert len(kept - past) == 7


def test_what_is_set_for_a_story_is_kept_and_goes_with_it(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path / "library.sqlite")
    story = library.add_story("The Salt Road")
    assert library.get_story_setting(story.id, "polish") == ""
    library.set_story_setting(story.id, "polish", "first")
    library.set_story_setting(story.id, "polish", "second")
    with pytest.raises(StorydeskError):
        library.set_story_setting(99, "polish", "x")
    library.close()
    library = SqliteLibrary(tmp_path / "library.sqlite")
    assert library.get_story_setting(story.id, "polish") == "second"
    library.trash_story(story.id)
    library.delete_story(story.id)
    assert library.get_story_setting(story.id, "polish") == ""
    library.close()
