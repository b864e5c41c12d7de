"""Sheets that go to a friend, ratings that come back, and every file that is none of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judging import Criterion, Entry, Side
from storydesk.services.criteria import read_guides
from storydesk.services.entry_files import read_entries
from storydesk.services.judging import JudgingService
from storydesk.services.phrasebook import Phrasebook
from storydesk.services.rating_files import read_file
from tests.fakes.judging import FakeJudging

TABLE = Path(__file__).resolve().parents[2] / "resources" / "i18n" / "en.toml"
PHRASES = Phrasebook(TABLE)
GUIDES = read_guides(TABLE)
ENTRIES = [
    Entry(f"Prompt {number}", f"Text {number}{letter}. “So,” she said.", name)
    for number in range(4)
    for letter, name in (("a", "Salt"), ("b", "Amber"))
]


def new_service() -> JudgingService:
    return JudgingService(FakeJudging(), lambda: GUIDES)


def seal(record: dict[str, Any]) -> str:
    """Return a record as a file whose checksum is right, whatever it says."""
    record.pop("checksum", None)
    plain = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return json.dumps({**record, "checksum": hashlib.sha256(plain.encode()).hexdigest()})


def refuse(service: JudgingService, path: Path) -> FailureCode:
    """Return why a file is refused, after a look at the sentence and that nothing was kept."""
    before = (service.list_sheets(), list(service.list_raters(guests=True)))
    with pytest.raises(StorydeskError) as caught:
        service.import_file(path)
    assert (service.list_sheets(), list(service.list_raters(guests=True))) == before
    sentence, remedy = PHRASES.say(caught.value.failure)
    assert "unexpected" not in sentence
    assert sentence.endswith(".")
    assert remedy
    return FailureCode(caught.value.failure.code)


@pytest.fixture
def sent(tmp_path: Path) -> tuple[JudgingService, Path]:
    """A library with a sheet to rate and one to choose on, and the first of them as a file."""
    service = new_service()
    sheet = service.add_sheet("First look", ENTRIES, (Criterion.OVERALL, Criterion.GRAMMAR))
    service.add_pairs("Which one", ENTRIES)
    service.export_sheet(sheet.id, tmp_path / "sheet.json")
    return service, tmp_path / "sheet.json"


def rate_elsewhere(sheet: Path, target: Path, name: str = "Bea") -> Path:
    friend = new_service()
    found = friend.import_file(sheet)
    rater = friend.add_rater(name)
    for item in friend.sit_down(found.sheet.id, rater.id).items:
        if item.is_pair:
            friend.choose(found.sheet.id, rater.id, item.item_id, Side.LEFT, "warmer")
        else:
            friend.rate(found.sheet.id, rater.id, item.item_id, Criterion.OVERALL, 4)
    friend.export_ratings(found.sheet.id, rater.id, target)
    return target


def test_a_friend_rates_elsewhere_and_it_comes_back(sent: tuple[JudgingService, Path], tmp_path: Path) -> None:
    service, sheet = sent
    raw = sheet.read_text(encoding="utf-8")
    assert "Salt" not in raw
    assert "Amber" not in raw
    assert "Could be made into something".casefold() in raw.casefold()  # the anchors go along
    ratings = rate_elsewhere(sheet, tmp_path / "ratings.json")
    found = service.import_file(ratings)
    assert found.rater is not None
    assert (found.sheet.name, found.rater.name, found.rater.is_guest, found.count) == ("First look", "Bea", True, 8)
    assert service.import_file(ratings).count == 0  # the same file twice
    service.reveal(found.sheet.id)
    summary = service.summarise([found.sheet.id])
    assert {each.name for each in summary.contenders} == {"Salt", "Amber"}
    another = rate_elsewhere(sheet, tmp_path / "another.json")  # somebody else who is called Bea
    imported = service.import_file(another)
    assert imported.rater is not None
    assert imported.rater.name == "Bea (2)"


def test_choices_come_back_too_whatever_the_sides_were(sent: tuple[JudgingService, Path], tmp_path: Path) -> None:
    service, _ = sent
    pairs = service.find_sheet("Which one")
    service.export_sheet(pairs.id, tmp_path / "pairs.json")
    friend = new_service()
    found = friend.import_file(tmp_path / "pairs.json")
    bea = friend.add_rater("Bea")
    for item in friend.sit_down(found.sheet.id, bea.id).items:
        prefers_a = item.texts[0].split(".")[0].endswith("a")
        friend.choose(found.sheet.id, bea.id, item.item_id, Side.LEFT if prefers_a else Side.RIGHT)
    friend.export_ratings(found.sheet.id, bea.id, tmp_path / "choices.json")
    assert service.import_file(tmp_path / "choices.json").count == 4
    service.reveal(pairs.id)
    [duel] = service.summarise([pairs.id]).duels
    assert (duel.first, duel.wins, duel.losses) == ("Amber", 0, 4)


def test_a_sheet_of_ones_own_comes_back_as_itself(sent: tuple[JudgingService, Path]) -> None:
    service, sheet = sent
    found = service.import_file(sheet)
    assert (found.sheet.name, found.sheet.is_guest, found.count) == ("First look", False, 0)
    assert len(service.list_sheets()) == 2


def change(record: dict[str, Any], **values: Any) -> None:
    record.update(values)


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], None], FailureCode]] = {
    "an older form": (lambda r: change(r, version=0), FailureCode.RATING_FILE_VERSION),
    "a newer form": (lambda r: change(r, version=2), FailureCode.RATING_FILE_VERSION),
    "a strange form": (lambda r: change(r, version=[1] * 50), FailureCode.RATING_FILE_VERSION),
    "something else": (lambda r: change(r, storydesk="settings"), FailureCode.RATING_FILE_FOREIGN),
    "another value": (lambda r: change(r["ratings"][0], value=6), FailureCode.FILE_DAMAGED),
    "a value that is none": (lambda r: change(r["ratings"][0], value=True), FailureCode.FILE_DAMAGED),
    "a criterion nobody asked for": (lambda r: change(r["ratings"][0], criterion="surprise"), FailureCode.FILE_DAMAGED),
    "an unknown criterion": (lambda r: change(r["ratings"][0], criterion="beauty"), FailureCode.FILE_DAMAGED),
    "an unknown text": (lambda r: change(r["ratings"][0], item="f" * 24), FailureCode.FILE_DAMAGED),
    "the same text twice": (lambda r: r["ratings"].append(r["ratings"][0]), FailureCode.FILE_DAMAGED),
    "a choice where none was asked": (
        lambda r: r["choices"].append({"item": r["ratings"][0]["item"], "choice": "first", "why": "", "when": 1}),
        FailureCode.FILE_DAMAGED,
    ),
    "another sheet": (lambda r: change(r, sheet="0" * 32), FailureCode.RATING_SHEET_UNKNOWN),
    "other texts": (lambda r: change(r, sheet_checksum="0" * 64), FailureCode.RATING_FILE_CHANGED),
    "a time that is none": (lambda r: change(r["ratings"][0], when=10**300), FailureCode.FILE_DAMAGED),
    "no rater": (lambda r: change(r, rater={"key": "", "name": "Eve"}), FailureCode.FILE_DAMAGED),
    "half a character": (lambda r: change(r["rater"], name="\ud800"), FailureCode.FILE_DAMAGED),
    "a list for a rater": (lambda r: change(r, rater=[1, 2]), FailureCode.FILE_DAMAGED),
    "too much": (lambda r: change(r, ratings=[r["ratings"][0]] * 60_000), FailureCode.FILE_DAMAGED),
}


@pytest.mark.parametrize("how", SPOILT)
def test_ratings_that_say_what_can_not_be_are_refused(
    sent: tuple[JudgingService, Path], tmp_path: Path, how: str
) -> None:
    service, sheet = sent
    path = rate_elsewhere(sheet, tmp_path / "ratings.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    spoil, code = SPOILT[how]
    spoil(record)
    path.write_text(seal(record), encoding="utf-8")
    assert refuse(service, path) == code


def test_a_file_that_was_tampered_with_is_refused(sent: tuple[JudgingService, Path], tmp_path: Path) -> None:
    service, sheet = sent
    path = rate_elsewhere(sheet, tmp_path / "ratings.json")
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace('"value": 4', '"value": 1', 1), encoding="utf-8")
    assert refuse(service, path) == FailureCode.RATING_FILE_CHANGED
    path.write_text(whole[: len(whole) // 2], encoding="utf-8")
    assert refuse(service, path) == FailureCode.RATING_FILE_CHANGED
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("Text 1a", "Text 1!"), encoding="utf-8")
    assert refuse(new_service(), sheet) == FailureCode.RATING_FILE_CHANGED


def test_a_sheet_of_the_same_key_with_other_texts_is_refused(sent: tuple[JudgingService, Path]) -> None:
    service, sheet = sent
    record = json.loads(sheet.read_text(encoding="utf-8"))
    record["items"][0]["texts"] = ["Something else."]
    sheet.write_text(seal(record), encoding="utf-8")
    assert refuse(service, sheet) == FailureCode.RATING_FILE_CHANGED


HOSTILE: dict[str, tuple[bytes, FailureCode | None]] = {
    "nothing": (b"  \n", FailureCode.FILE_EMPTY),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), FailureCode.RATING_FILE_FOREIGN),
    "prose": (b"It rang.", FailureCode.RATING_FILE_FOREIGN),
    "a number": (b"7", FailureCode.RATING_FILE_FOREIGN),
    "a list": (b'["storydesk"]', FailureCode.RATING_FILE_FOREIGN),
    "depth without end": (b"[" * 200_000, FailureCode.RATING_FILE_FOREIGN),
    "no number": (b'{"storydesk": "ratings", "version": NaN}', FailureCode.RATING_FILE_CHANGED),
    "a number without end": (b'{"storydesk": "ratings", "version": ' + b"9" * 10_000 + b"}", None),
    "only a name": (b'{"storydesk": "ratings", "version": 1}', FailureCode.RATING_FILE_CHANGED),
    "too large": (b" " * 51_000_000 + b"{}", FailureCode.FILE_TOO_LARGE),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_files_are_refused_in_a_sentence(tmp_path: Path, how: str) -> None:
    content, code = HOSTILE[how]
    path = tmp_path / "strange.json"
    path.write_bytes(content)
    found = refuse(new_service(), path)
    assert code is None or found == code


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert refuse(new_service(), tmp_path / "none.json") == FailureCode.FILE_NOT_FOUND
    assert refuse(new_service(), tmp_path) == FailureCode.FILE_NOT_READABLE


def test_a_file_is_never_replaced_unasked(sent: tuple[JudgingService, Path]) -> None:
    service, sheet = sent
    with pytest.raises(StorydeskError) as caught:
        service.export_sheet(1, sheet)
    assert caught.value.failure.code == FailureCode.FILE_EXISTS
    service.export_sheet(1, sheet, overwrite=True)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_field_may_hold_anything(sent: tuple[JudgingService, Path], tmp_path: Path, data: st.DataObject) -> None:
    """Whatever stands anywhere in a file whose checksum is right: it is taken or refused, and nothing else happens."""
    _, sheet = sent
    record = json.loads(sheet.read_text(encoding="utf-8"))
    place: Any = record
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans()):
            place = place[key]
        else:
            place[key] = data.draw(_JSON)
            break
    path = tmp_path / "changed.json"
    try:
        path.write_text(seal(record), encoding="utf-8")
    except (ValueError, UnicodeEncodeError):
        return
    with contextlib.suppress(StorydeskError):
        read_file(path)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.json", '{"stories": [{"text": "One.", "model": "Salt", "prompt": "P", "seed": 3}]}', ("P", "One.", "Salt")),
        ("amber.jsonl", '{"prompt": "P", "story": "One."}\n\n{"prompt": "P", "story": ""}\n', ("P", "One.", "amber")),
        ("a.csv", "Prompt,Text,Model\nP,One.,Salt\n", ("P", "One.", "Salt")),
        ("a.tsv", "text\tdraft\nOne.\tsecond\n", ("", "One.", "second")),
        ("a.json", '[{"text": "One."}, 7]', ("", "One.", "a")),
    ],
)
def test_texts_are_read_out_of_files(tmp_path: Path, name: str, content: str, found: tuple[str, str, str]) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    [entry] = read_entries(path)
    assert (entry.prompt, entry.text, entry.contender) == found


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.json", "{", FailureCode.FILE_DAMAGED),
        ("a.json", "7", FailureCode.FILE_DAMAGED),
        ("a.jsonl", "[" * 100_000, FailureCode.FILE_DAMAGED),
        ("a.csv", "prompt,number\nP,1\n", FailureCode.FILE_EMPTY),
        ("a.json", '{"stories": []}', FailureCode.FILE_EMPTY),
    ],
)
def test_a_file_without_texts_is_said(tmp_path: Path, name: str, content: str, code: FailureCode) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(StorydeskError) as caught:
        read_entries(path)
    assert caught.value.failure.code == code
