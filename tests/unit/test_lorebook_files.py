"""Lorebooks of KoboldAI and NovelAI and our own: in and out again, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.lorebook import LoreEntry, find_hits
from storydesk.domain.lorebook_formats import LoreFormat, read_lorebook, write_lorebook
from storydesk.services.memory import MemoryService, read_lorebook_file
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.memory import LorebookStore
from tests.fakes.memory import FakeMemoryStore

NOVELAI: dict[str, Any] = {
    "lorebookVersion": 5,
    "settings": {"orderByKeyLocations": False},
    "categories": [],
    "entries": [
        {
            "text": "The ferry leaves at six.",
            "contextConfig": {"prefix": "", "suffix": "\n", "budgetPriority": 400, "insertionPosition": -1},
            "lastUpdatedAt": 1_700_000_000_000,
            "displayName": "Ferry",
            "id": "a-1",
            "keys": ["ferry", "/boats?/i"],
            "searchRange": 1000,
            "enabled": False,
            "forceActivation": True,
            "loreBiasGroups": [{"phrases": [], "bias": 0.5}],
        }
    ],
}
KOBOLD_LITE: dict[str, Any] = {
    "gamestarted": True,
    "prompt": "A night",
    "memory": "",
    "worldinfo": [
        {
            "key": "keeper,Mara",
            "keysecondary": "lamp",
            "content": "She keeps the light.",
            "comment": "Mara",
            "folder": None,
            "selective": True,
            "constant": False,
            "probability": 80,
            "wigroup": "people",
        },
        {"key": "", "content": "", "comment": ""},
    ],
}
KOBOLD_UNITED: dict[str, Any] = {
    "folders": {"people": [0]},
    "entries": {
        "0": {
            "uid": 0,
            "title": "Tom",
            "key": ["Tom"],
            "keysecondary": [],
            "folder": "people",
            "constant": False,
            "manual_text": "Her brother.",
            "content": "Her brother.",
            "comment": "",
            "selective": False,
            "use_wpp": False,
            "token_length": 4,
        }
    },
}


def test_a_novelai_lorebook_comes_in_and_goes_out_the_same() -> None:
    book = read_lorebook(NOVELAI)
    [entry] = book.entries
    assert (book.form, entry.title, entry.keys, entry.priority) == (
        LoreFormat.NOVELAI,
        "Ferry",
        ("ferry", "/boats?/i"),
        400,
    )
    assert (entry.enabled, entry.always) == (False, True)
    assert write_lorebook(book.entries, LoreFormat.NOVELAI) == NOVELAI
    changed = write_lorebook([replace(entry, text="At five.", priority=3)], LoreFormat.NOVELAI)["entries"][0]
    expected = {**NOVELAI["entries"][0], "text": "At five."}
    expected["contextConfig"] = {**expected["contextConfig"], "budgetPriority": 3}
    assert changed == expected


def test_a_kobold_story_gives_its_world_info_and_both_keys_are_wanted() -> None:
    book = read_lorebook(KOBOLD_LITE)
    [entry] = book.entries
    assert (book.form, book.left_out, entry.title) == (LoreFormat.KOBOLD, 1, "Mara")
    assert find_hits([entry], "Mara sat there.") == ()
    assert find_hits([entry], "Mara lit the lamp.")[0].key == "Mara & lamp"
    [written] = write_lorebook([entry], LoreFormat.KOBOLD)["entries"].values()
    assert {name: written[name] for name in KOBOLD_LITE["worldinfo"][0]} == KOBOLD_LITE["worldinfo"][0]


def test_a_united_world_keeps_its_folders() -> None:
    assert write_lorebook(read_lorebook(KOBOLD_UNITED).entries, LoreFormat.KOBOLD) == KOBOLD_UNITED


def test_a_whole_novelai_story_is_searched() -> None:
    story = {"storyContainerVersion": 1, "content": {"lorebook": NOVELAI}}
    assert [entry.title for entry in read_lorebook(story).entries] == ["Ferry"]


_ENTRIES = st.builds(
    LoreEntry,
    title=st.text(max_size=20),
    text=st.text(min_size=1, max_size=40).filter(str.strip),
    keys=st.lists(st.text(alphabet="ab/&é", min_size=1, max_size=6).filter(str.strip), max_size=3, unique=True).map(
        tuple
    ),
    priority=st.integers(-50, 50),
    enabled=st.booleans(),
    always=st.booleans(),
)


@given(st.lists(_ENTRIES, max_size=4), st.sampled_from(LoreFormat))
def test_our_entries_survive_every_format(entries: list[LoreEntry], form: LoreFormat) -> None:
    written = json.loads(json.dumps(write_lorebook(entries, form)))
    again = [replace(entry, extra="") for entry in read_lorebook(written).entries]
    assert again == entries


def test_our_own_format_keeps_everything(tmp_path: Path) -> None:
    entry = replace(read_lorebook(NOVELAI).entries[0], aliases=("the boat",), everywhere=True)
    assert read_lorebook(write_lorebook([entry], LoreFormat.OURS)).entries == (entry,)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["entries", "worldinfo", "key", "keys", "text", "content", "contextConfig", "lorebook", "title"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_garbage_is_refused_or_read_and_nothing_else(data: object) -> None:
    try:
        book = read_lorebook(data)
    except ValueError:
        return
    for form in LoreFormat:
        write_lorebook(book.entries, form)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x00\x01\x02", FailureCode.FILE_DAMAGED),
        (b"[" * 200_000, FailureCode.FILE_DAMAGED),
        (b'{"entries": 5}', FailureCode.FORMAT_UNKNOWN),
        (b"  ", FailureCode.FILE_EMPTY),
        (b"{" + b" " * 9_000_000, FailureCode.FILE_TOO_LARGE),
        (b"9" * 10_000, FailureCode.FILE_DAMAGED),
    ],
)
def test_hostile_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes, code: FailureCode) -> None:
    path = tmp_path / "book.json"
    path.write_bytes(content)
    with pytest.raises(StorydeskError) as caught:
        read_lorebook_file(path)
    assert caught.value.failure.code == code


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorydeskError) as caught:
        read_lorebook_file(tmp_path / "none.json")
    assert caught.value.failure.code == FailureCode.FILE_NOT_FOUND


def test_importing_twice_adds_nothing_twice(tmp_path: Path) -> None:
    service = MemoryService(FakeMemoryStore())
    path = tmp_path / "tale.lorebook"
    path.write_text(json.dumps(NOVELAI), encoding="utf-8")
    assert len(service.import_lorebook(1, path)[0]) == 1
    assert len(service.import_lorebook(1, path)[0]) == 0
    service.export_lorebook(service.load(1).entries, tmp_path / "out.lorebook", LoreFormat.NOVELAI)
    assert json.loads((tmp_path / "out.lorebook").read_text(encoding="utf-8")) == NOVELAI


def test_the_library_keeps_entries_and_brings_back_deleted_ones(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path / "library.sqlite")
    service = MemoryService(LorebookStore(library))
    one, other = library.add_story("One"), library.add_story("Other")
    own, shared = service.keep_entries(
        one.id,
        [
            LoreEntry(title="Mara", text="\ud800 keeper", keys=("Mara", "Mara", " "), aliases=("M.",), priority=7),
            LoreEntry(title="Law", text="Nobody lies.", always=True, everywhere=True, enabled=False),
        ],
    )
    assert (own.keys, own.text) == (("Mara",), "\ufffd keeper")
    assert service.load(one.id).entries == (shared, own)
    assert service.load(other.id).entries == (shared,)
    service.delete_entries([own.id])
    assert service.load(one.id).entries == (shared,)
    assert list(service.keep_entries(one.id, [own])) == [own]
    service.copy(one.id, other.id)
    assert [entry.title for entry in service.load(other.id).entries] == ["Law", "Mara"]
    library.trash_story(one.id)
    library.delete_story(one.id)
    assert [entry.title for entry in service.load(other.id).entries] == ["Law", "Mara"]
    with pytest.raises(StorydeskError):
        service.keep_entries(one.id, [own])
    library.close()
