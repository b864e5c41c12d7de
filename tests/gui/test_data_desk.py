"""The data desk as a writer goes through it: what was read, every pair, the doctor, and the texts that were kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from storydesk.bridge import data_desk_controller
from storydesk.bridge.pair_item_model import TEXT, PairChoice, PairItemModel
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_controller import TuningController
from storydesk.bridge.tuning_sources import TuningSource
from storydesk.domain.dataset import (
    DatasetCard,
    DatasetFinding,
    DatasetProgress,
    DatasetView,
    FindingKind,
    PairCard,
    PromptOrigin,
    Remedy,
    SourceKind,
)
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.dataset_ports import DataJob, ReportProgress
from storydesk.services.datasets import DatasetService
from storydesk.services.phrasebook import Phrasebook
from storydesk.training.datasets import DatasetFolders
from storydesk.ui.tuning import TuningPage
from storydesk.ui.tuning.dataset_words import make_pair_words, say_finding, say_fix, say_reason
from storydesk.ui.tuning.hub_row import read_name
from storydesk.ui.tuning.pair_list import PairList
from storydesk.ui.tuning.pairs_page import DOCTOR, VERSIONS, PairsPage
from storydesk.ui.tuning.tuning_page import CHANGE, PLAN
from tests.fakes.datasets import FakeDatasetStore
from tests.fakes.services import FakeWorld, make_world
from tests.gui.conftest import ROOT, WAIT
from tests.gui.test_tuning_page import press

STORIES = [
    ("The Bell", "A bell that rings under the sea", "It rang at low tide, <b>twice</b>."),
    ("The Oak", "", "Nobody planted the oak."),
    ("The Bell again", "A bell", "It rang at low tide, <b>twice</b>."),
    ("מכתב", "מכתב מן הים", "היא מצאה דלת על החוף."),
]
OpenPage = Callable[[], TuningPage]


def keep_on_disk(store: FakeDatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let versions have the folder that a tuning looks for."""
    work = store.work

    def work_on_disk(dataset: str, job: DataJob, report: ReportProgress) -> object:
        answer = work(dataset, job, report)
        for version in store.list_versions(dataset):
            version.folder.mkdir(parents=True, exist_ok=True)
            (version.folder / "dataset_info.json").write_text("{}", encoding="utf-8")
        return answer

    monkeypatch.setattr(store, "work", work_on_disk)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_desk_controller, "READ_MILLISECONDS", 0)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    made = make_world(tmp_path)
    made.data_folders.stories = list(STORIES)
    keep_on_disk(made.data_folders, monkeypatch)
    (tmp_path / "tales.txt").write_text("some tales", encoding="utf-8")
    return made


@pytest.fixture
def open_page(world: FakeWorld, qtbot: QtBot) -> Iterator[OpenPage]:
    """Return a function that opens the tuning studio, as a window would each time it starts."""
    opened: list[tuple[TuningPage, TuningController]] = []

    def open_one() -> TuningPage:
        while opened:
            close(*opened.pop())
        controller = TuningController(world.desk.tuning)
        page = TuningPage(controller, world.desk, Phrases(Phrasebook(ROOT / "resources" / "i18n" / "en.toml")))
        qtbot.addWidget(page)
        page.resize(1200, 760)
        page.show()
        opened.append((page, controller))
        return page

    def close(page: TuningPage, controller: TuningController) -> None:
        page.close_jobs()
        assert controller.close(5.0)
        page.hide()

    yield open_one
    while opened:
        close(*opened.pop())


@pytest.fixture
def page(open_page: OpenPage, world: FakeWorld, qtbot: QtBot) -> TuningPage:
    """Return the studio with a file that was read."""
    page = open_page()
    page.words.add_paths([world.home / "tales.txt"])
    qtbot.waitUntil(lambda: page.words.counted is not None, timeout=WAIT)
    return page


@pytest.fixture
def pairs(page: TuningPage, qtbot: QtBot) -> PairsPage:
    """Return the page of pairs, turned to by key."""
    press(page.words.reading.look_button)
    shown = page.words.pairs
    qtbot.waitUntil(lambda: shown.editor.pair is not None, timeout=WAIT)
    return shown


def wait(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    qtbot.waitUntil(is_so, timeout=WAIT)


def left_out(page: TuningPage) -> list[str]:
    view = page.words.data.view
    return [pair.title for pair in view.pairs if pair.left_out] if view is not None else []


def go_to(pairs: PairsPage, pair: str, qtbot: QtBot) -> None:
    pairs.pairs.go_to(pair)
    wait(qtbot, lambda: pairs.editor.pair is not None and pairs.editor.pair.card.id == pair)


def hold_back(store: FakeDatasetStore, monkeypatch: pytest.MonkeyPatch, held: DataJob) -> threading.Event:
    """Let jobs of a kind report and wait until the event is set."""
    go_on, work = threading.Event(), store.work

    def work_slowly(dataset: str, job: DataJob, report: ReportProgress) -> object:
        while job is held and not go_on.wait(0.005):
            report(DatasetProgress("reading", 1, 4, "The Bell.txt"))
        return work(dataset, job, report)

    monkeypatch.setattr(store, "work", work_slowly)
    return go_on


def test_step_one_says_what_was_read(page: TuningPage) -> None:
    said = page.words.reading.about.text()
    assert "Prompts found for 3 of 4." in said
    assert "Made from the title for 1." in said
    assert "The doctor found 2 things to look at." in said
    assert page.words.total.text().startswith("4 texts")
    assert page.words.next_button.isEnabled()


def test_while_it_reads_it_says_how_far_and_can_be_stopped(
    open_page: OpenPage, world: FakeWorld, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold_back(world.data_folders, monkeypatch, DataJob.READ)
    page = open_page()
    page.words.add_paths([world.home / "tales.txt"])
    wait(qtbot, page.words.reading.stop_button.isVisible)
    assert page.words.reading.step.text() == "Reading · 1 of 4 · The Bell.txt"
    assert page.words.total.text() == "Reading…"
    assert not page.words.next_button.isEnabled()
    press(page.words.reading.stop_button)
    assert "not looked through" in page.words.reading.about.text()
    assert page.words.next_button.isEnabled()
    assert not page.words.reading.look_button.isVisible()
    press(page.words.next_button)
    press(page.plan.start_button)
    wait(qtbot, lambda: page.step == CHANGE)
    assert world.launcher.plans[0].data == (str(world.home / "tales.txt"),)
    go_on.set()


def test_a_pair_is_left_out_by_key_and_brought_back(page: TuningPage, pairs: PairsPage, qtbot: QtBot) -> None:
    table = pairs.pairs.table
    assert table.hasFocus()
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Space)
    wait(qtbot, lambda: left_out(page) == ["The Oak"])
    assert pairs.undo_bar.isVisible()
    assert page.words.total.text().startswith("3 texts")
    assert not pairs.editor.in_box.isChecked()
    QTest.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait(qtbot, lambda: left_out(page) == [])
    assert not pairs.undo_button.isEnabled()
    table.selectAll()
    press(pairs.pairs.out_button)
    wait(qtbot, lambda: len(left_out(page)) == 4)
    assert "All of them are left out" in page.words.reading.about.text()
    assert not page.words.next_button.isEnabled()
    press(pairs.pairs.back_button)
    wait(qtbot, lambda: left_out(page) == [])
    press(pairs.editor.in_box)
    wait(qtbot, lambda: left_out(page) == ["The Oak"])


def test_prompt_and_story_are_changed_side_by_side(page: TuningPage, pairs: PairsPage, qtbot: QtBot) -> None:
    go_to(pairs, "p2", qtbot)
    editor = pairs.editor
    assert editor.title.text() == "The Oak"
    assert "made from the title" in editor.facts.text()
    editor.prompt.setFocus()
    QTest.keyClicks(editor.prompt, "A tree in the middle of a road")
    editor.story.setFocus()  # leaving a field keeps it
    wait(qtbot, lambda: page.words.data.view is not None and page.words.data.view.can_undo)
    wait(qtbot, lambda: "You wrote its prompt" in editor.facts.text())
    assert "changed by you" in editor.facts.text()
    assert editor.prompt.toPlainText() == "A tree in the middle of a road"
    press(editor.reset_button)
    wait(qtbot, lambda: editor.prompt.toPlainText() == "")
    press(pairs.undo_button)
    wait(qtbot, lambda: editor.prompt.toPlainText() == "A tree in the middle of a road")


def test_text_from_right_to_left_begins_at_the_right(pairs: PairsPage, qtbot: QtBot) -> None:
    story = pairs.editor.story
    assert story.document().defaultTextOption().alignment() == Qt.AlignmentFlag.AlignLeft
    go_to(pairs, "p4", qtbot)
    assert story.document().defaultTextOption().alignment() == Qt.AlignmentFlag.AlignRight


def test_pairs_are_searched_and_filtered_and_stay_under_the_hand(
    page: TuningPage, pairs: PairsPage, qtbot: QtBot
) -> None:
    shown = pairs.pairs
    QTest.keyClick(shown.table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert shown.search.hasFocus()
    QTest.keyClicks(shown.search, "OAK")
    QTest.keyClick(shown.search, Qt.Key.Key_Return)
    assert shown.model.rowCount() == 1
    assert shown.count.text() == "1 of 4 pairs"
    wait(qtbot, lambda: pairs.editor.title.text() == "The Oak")
    shown.search.clear()
    shown.filter.setCurrentIndex(shown.filter.findData(str(PairChoice.LEFT_OUT)))
    assert shown.count.text() == "No pair is like that."
    shown.filter.setCurrentIndex(shown.filter.findData(str(PairChoice.MADE)))
    assert shown.model.rowCount() == 1
    shown.filter.setCurrentIndex(0)
    shown.table.selectRow(0)
    press(shown.out_button)
    wait(qtbot, lambda: left_out(page) == ["The Bell"])
    shown.filter.setCurrentIndex(shown.filter.findData(str(PairChoice.LEFT_OUT)))
    press(shown.back_button)
    wait(qtbot, lambda: left_out(page) == [])
    assert shown.model.rowCount() == 1  # it does not jump away; another search lets it go
    shown.search_now()
    assert shown.model.rowCount() == 0


def test_the_doctor_s_finding_is_fixed_undone_and_looked_at_again(
    page: TuningPage, pairs: PairsPage, world: FakeWorld, qtbot: QtBot
) -> None:
    page.words.data._look_due.setInterval(0)
    assert pairs.parts.buttons[DOCTOR].text() == "Doctor (2)"
    press(pairs.parts.buttons[DOCTOR])
    first, second = pairs.doctor.cards
    assert first.heading.text() == "2 stories have signs in them that are no words"
    press(second.examples[0])
    wait(qtbot, lambda: pairs.editor.title.text() == "The Bell again")
    press(first.all_button)
    assert pairs.pairs.model.rowCount() == 2
    press(pairs.parts.buttons[DOCTOR])
    looked = len(world.data_folders.jobs)
    press(first.fix_button)
    wait(qtbot, lambda: len(pairs.doctor.cards) == 1)
    assert pairs.undo_bar.label.text() == "2 stories were mended."
    wait(qtbot, lambda: "<b>" not in pairs.editor.story.toPlainText())
    wait(qtbot, lambda: len(world.data_folders.jobs) > looked)  # the doctor looks again by itself
    press(pairs.undo_bar.button)
    wait(qtbot, lambda: "<b>" in pairs.editor.story.toPlainText())
    wait(qtbot, lambda: len(pairs.doctor.cards) == 2)
    for _ in range(2):
        press(pairs.doctor.cards[0].fix_button)
        count = len(pairs.doctor.cards) - 1
        wait(qtbot, lambda: len(pairs.doctor.cards) == count)  # noqa: B023 - called at once
    assert pairs.doctor.well.isVisible()
    assert left_out(page) == ["The Bell again"]


def test_nothing_wrong_is_said_too(open_page: OpenPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.data_folders.stories = [STORIES[1]]
    page = open_page()
    page.words.add_paths([world.home / "tales.txt"])
    wait(qtbot, lambda: page.words.counted is not None)
    assert "nothing wrong" in page.words.reading.about.text()
    press(page.words.reading.look_button)
    press(page.words.pairs.parts.buttons[DOCTOR])
    assert "Nothing wrong was found" in page.words.pairs.doctor.well.text()


def test_an_act_does_not_wait_for_the_doctor(
    page: TuningPage, pairs: PairsPage, world: FakeWorld, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = page.words.data
    desk._look_due.setInterval(0)
    go_on = hold_back(world.data_folders, monkeypatch, DataJob.EXAMINE)
    pairs.editor.change_wanted.emit("p1", "Another", "Another tale.")
    wait(qtbot, lambda: desk.is_examining)
    wait(qtbot, pairs.doctor.again.isVisibleTo(pairs.doctor).__bool__)
    desk.leave_out(["p2"])
    wait(qtbot, lambda: left_out(page) == ["The Oak"])
    go_on.set()
    wait(qtbot, lambda: desk.view is not None and not desk.view.is_stale)


def test_what_fails_is_said_and_nothing_is_changed(
    page: TuningPage, pairs: PairsPage, world: FakeWorld, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorydeskError(FailureCode.DISK_FULL, path="/data/edits.jsonl")

    monkeypatch.setattr(world.data_folders, "edit", fail)
    press(pairs.editor.in_box)
    wait(qtbot, pairs.trouble.isVisible)
    assert "/data/edits.jsonl" in pairs.trouble.text()
    assert not pairs.undo_bar.isVisible()
    assert pairs.editor.in_box.isChecked()


def test_everything_is_there_again_after_closing(
    page: TuningPage, pairs: PairsPage, world: FakeWorld, open_page: OpenPage, qtbot: QtBot
) -> None:
    press(pairs.editor.in_box)
    wait(qtbot, lambda: left_out(page) == ["The Bell"])
    go_to(pairs, "p2", qtbot)
    pairs.editor.story.setPlainText("Somebody planted the oak.")  # not kept yet: the window closes on it
    jobs = len(world.data_folders.jobs)
    again = open_page()
    wait(qtbot, lambda: again.words.data.view is not None and again.words.counted is not None)
    assert [source.name for source in again.words.sources] == ["tales.txt"]
    assert left_out(again) == ["The Bell"]
    assert len(world.data_folders.jobs) == jobs  # opened, not read again
    press(again.words.reading.look_button)
    go_to(again.words.pairs, "p2", qtbot)
    assert again.words.pairs.editor.story.toPlainText() == "Somebody planted the oak."


def test_a_file_that_was_saved_meanwhile_is_read_again_and_edits_hold(
    page: TuningPage, world: FakeWorld, qtbot: QtBot
) -> None:
    page.words.data.leave_out(["p2"])
    wait(qtbot, lambda: left_out(page) == ["The Oak"])
    jobs = len(world.data_folders.jobs)
    page.hide()
    page.show()
    wait(qtbot, lambda: not page.words.data._is_due)
    assert len(world.data_folders.jobs) == jobs
    (world.home / "tales.txt").write_text("some tales more", encoding="utf-8")
    world.data_folders.stories.append(("New", "", "A new one."))
    page.hide()
    page.show()
    wait(qtbot, lambda: page.words.data.view is not None and len(page.words.data.view.pairs) == 5)
    assert left_out(page) == ["The Oak"]


def test_a_tuning_keeps_its_text_and_one_can_go_back_to_it(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    page.words.data.leave_out(["p2"])
    wait(qtbot, lambda: left_out(page) == ["The Oak"])
    press(page.words.next_button)
    press(page.plan.start_button)
    wait(qtbot, lambda: page.step == CHANGE)
    store = world.data_folders
    (version,) = store.list_versions("dataset-1")
    assert version.pairs == 3
    assert world.launcher.plans[0].data == (str(version.folder),)
    page._show_step(0)
    press(page.words.reading.look_button)
    shelf = page.words.pairs.versions
    press(page.words.pairs.parts.buttons[VERSIONS])
    wait(qtbot, lambda: shelf.list.count() == 1)
    assert "3 pairs" in shelf.list.item(0).text()
    shelf.list.setFocus()
    QTest.keyClick(shelf.list, Qt.Key.Key_Delete)
    assert shelf.list.count() == 0
    press(shelf.undo_bar.button)
    assert shelf.list.count() == 1
    assert len(store.list_versions("dataset-1")) == 1
    press(shelf.open_button)
    wait(qtbot, lambda: bool(page.words.sources) and page.words.sources[0].path == version.folder)
    wait(qtbot, lambda: page.words.counted is not None)
    assert left_out(page) == []
    assert len(store.datasets) == 2  # what was there before stays as it is
    press(page.words.reading.look_button)
    wait(qtbot, lambda: shelf.list.count() == 1)
    shelf.list.setFocus()
    QTest.keyClick(shelf.list, Qt.Key.Key_Delete)
    press(page.words.pairs.back_button)  # leaving the page is the end of the undo
    wait(qtbot, lambda: not store.list_versions("dataset-1"))


def test_a_text_that_was_only_planned_with_is_not_kept(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    store = world.data_folders
    press(page.words.next_button)
    wait(qtbot, lambda: len(world.launcher.foreseen) == 1)
    assert len(store.list_versions("dataset-1")) == 1
    press(page.plan.back_button)
    page.words.data.leave_out(["p2"])
    wait(qtbot, lambda: left_out(page) == ["The Oak"])
    press(page.words.next_button)
    assert page.step == PLAN
    wait(qtbot, lambda: len(world.launcher.foreseen) == 2)
    (version,) = store.list_versions("dataset-1")
    assert version.pairs == 3
    page.words.data.close()
    assert not store.list_versions("dataset-1")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("owner/name", "owner/name"),
        (" hub:owner/name ", "owner/name"),
        ("https://hub.example/datasets/owner/some-tales_2.0/viewer?x=1", "owner/some-tales_2.0"),
        ("datasets/owner/name/", "owner/name"),
        ("owner", ""),
        ("../etc/passwd", ""),
        ("", ""),
    ],
)
def test_a_data_set_s_name_is_read_out_of_what_was_pasted(typed: str, name: str) -> None:
    assert read_name(typed) == name


def test_a_data_set_of_the_hub_is_fetched_by_its_name(open_page: OpenPage, world: FakeWorld, qtbot: QtBot) -> None:
    page = open_page()
    press(page.words.hub_button)
    row = page.words.hub_row
    wait(qtbot, row.field.hasFocus)
    assert not row.fetch_button.isEnabled()
    QTest.keyClicks(row.field, "owner/tales")
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    wait(qtbot, lambda: page.words.counted is not None)
    assert not row.isVisible()
    assert page.words.list.lines.topLevelItem(0) is not None
    gathered = world.data_folders.datasets["dataset-1"].gathering
    assert gathered.data == ("hub:owner/tales",)
    press(page.words.hub_button)
    QTest.keyClick(row.field, Qt.Key.Key_Escape)
    assert not row.isVisible()
    wait(qtbot, page.words.hub_button.hasFocus)


def test_without_the_internet_the_rest_goes_on(page: TuningPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.data_folders.failure = StorydeskError("hub_not_reached", name="owner/tales")
    page.words.add_hub("owner/tales")
    wait(qtbot, lambda: page.words.counted is not None)
    said = page.words.unread.text()
    assert "could not be reached for owner/tales" in said
    assert len(said) > len("The model hub could not be reached for owner/tales.")  # the remedy too
    assert page.words.next_button.isEnabled()
    view = page.words.data.view
    assert view is not None
    assert [source.name for source in view.card.sources] == ["tales.txt"]
    page.words.add_hub("owner/tales")  # the connection is back
    wait(qtbot, lambda: page.words.counted is not None)
    assert not page.words.unread.isVisible()
    assert [source.name for source in page.words.sources] == ["tales.txt", "owner/tales"]


def test_a_fetch_can_be_given_up(
    page: TuningPage, world: FakeWorld, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold_back(world.data_folders, monkeypatch, DataJob.READ)
    page.words.add_hub("owner/tales")
    wait(qtbot, page.words.reading.stop_button.isVisible)
    press(page.words.reading.stop_button)
    assert [source.name for source in page.words.sources] == ["tales.txt"]
    go_on.set()
    wait(qtbot, lambda: page.words.counted is not None and page.words.data.view is not None)


def make_view(count: int, findings: tuple[DatasetFinding, ...] = ()) -> DatasetView:
    pairs = tuple(
        PairCard(f"p{n}", f"Tale {n}", f"Prompt {n}", "An opening.", 100, "tales.csv", PromptOrigin.COLUMN)
        for n in range(count)
    )
    card = DatasetCard("d", "Tales", "", (), Path("d"), is_read=True)
    return DatasetView(card, pairs, findings, places={pair.id: place for place, pair in enumerate(pairs)})


def test_a_hundred_thousand_pairs_ask_for_no_more_than_is_seen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    answer = PairItemModel.data

    def count(self: PairItemModel, *given: object) -> object:
        nonlocal asked
        asked += 1
        return answer(self, *given)  # type: ignore[arg-type]  # whatever Qt gives

    monkeypatch.setattr(PairItemModel, "data", count)
    shown = PairList()
    qtbot.addWidget(shown)
    shown.resize(600, 500)
    shown.show()
    view = make_view(100_000)
    shown.show_view(view)
    shown.go_to("p99999")
    QApplication.processEvents()
    assert shown.current == "p99999"
    changed = replace(view.pairs[99_999], left_out=True)
    shown.show_view(replace(view, pairs=(*view.pairs[:-1], changed)))
    shown.search.setText("tale 9999")
    shown.search_now()
    QApplication.processEvents()
    assert shown.model.rowCount() == 11
    assert shown.current == "p99999"
    assert 0 < asked < 10_000


def test_no_rows_are_made_anew_when_one_pair_is_changed(qtbot: QtBot) -> None:
    model = PairItemModel(make_pair_words())
    view = make_view(50)
    model.show_view(view)
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged):
        model.show_view(replace(view, pairs=(replace(view.pairs[0], left_out=True), *view.pairs[1:])))
    assert model.index(0, TEXT).data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Unchecked
    assert "left out" in model.index(0, TEXT).data(Qt.ItemDataRole.AccessibleTextRole)


@pytest.mark.parametrize("kind", FindingKind)
def test_every_finding_has_its_sentences(kind: FindingKind) -> None:
    finding = DatasetFinding("f", kind, Remedy.MEND, ("p1",), 1, detail="de", limit=50)
    said = say_finding(finding)
    assert said.startswith("1 story ")
    assert "%" not in said
    assert say_reason(finding)
    assert say_fix(finding)
    if kind is FindingKind.OTHER_LANGUAGE:
        assert "German" in said
    if kind in (FindingKind.TOO_SHORT, FindingKind.TOO_LONG):
        assert "50 words" in said


def test_all_can_be_done_by_key(pairs: PairsPage) -> None:
    seen: set[QWidget] = set()
    pairs.pairs.table.setFocus()
    for _ in range(60):
        at = QApplication.focusWidget()
        assert at is not None
        seen.add(at)
        QTest.keyClick(at, Qt.Key.Key_Tab)
    wanted = (pairs.pairs.search, pairs.pairs.filter, pairs.editor.prompt, pairs.editor.story, pairs.editor.in_box)
    assert seen >= {*wanted, pairs.pairs.table, pairs.back_button}
    assert seen & set(pairs.parts.buttons.values())  # the arrows lead from one to the next
    pairs.editor.story.setFocus()
    QTest.keyClick(pairs.editor.story, Qt.Key.Key_Escape)
    assert not pairs.isVisible()


def test_stories_of_the_library_are_pairs_too(open_page: OpenPage, world: FakeWorld, qtbot: QtBot) -> None:
    world.library.add_story("The Door", "A door on the beach", "It was warm.")
    page = open_page()
    page.words.add_stories(world.library.list_stories())
    wait(qtbot, lambda: page.words.counted is not None)
    assert page.words.reading.about.text().startswith("A prompt was found for each of them.")
    again = open_page()
    wait(qtbot, lambda: again.words.counted is not None)
    assert again.words.sources[0].stories == tuple(world.library.list_stories())
    assert json.loads(json.dumps(again.words.total.text())) == "1 text, 3 words"


def test_the_real_trainer_reads_and_keeps_what_was_looked_through(
    world: FakeWorld, tmp_path: Path, qtbot: QtBot
) -> None:
    told = [
        {"prompt": f"A tale of {name}", "story": f"{name} went down to the harbour and did not say why. " * 12}
        for name in ("Mara", "Bruno", "Ada")
    ]
    told.append({**told[0], "prompt": "The same again"})
    (tmp_path / "real.jsonl").write_text("\n".join(map(json.dumps, told)), encoding="utf-8")
    folders = DatasetFolders(tmp_path / "datasets")
    world.desk = replace(world.desk, datasets=DatasetService(folders, world.documents, world.library))
    controller = TuningController(world.desk.tuning)
    page = TuningPage(controller, world.desk, Phrases(Phrasebook(ROOT / "resources" / "i18n" / "en.toml")))
    qtbot.addWidget(page)
    page.show()
    page.words.add_paths([tmp_path / "real.jsonl"])
    qtbot.waitUntil(lambda: page.words.counted is not None, timeout=6 * WAIT)
    assert page.words.total.text().startswith("4 texts")
    press(page.words.reading.look_button)
    pairs = page.words.pairs
    copies = next(card for card in pairs.doctor.cards if card.finding.kind is FindingKind.EXACT_COPIES)
    press(pairs.parts.buttons[DOCTOR])
    press(copies.fix_button)
    wait(qtbot, lambda: len(left_out(page)) == 1)
    press(page.words.next_button)
    qtbot.waitUntil(lambda: len(world.launcher.foreseen) == 1, timeout=6 * WAIT)
    (data,) = world.launcher.foreseen[0].data
    (version,) = folders.list_versions(folders.list_datasets()[0].id)
    assert Path(data) == version.folder
    assert version.pairs == 3
    assert TuningSource(SourceKind.FOLDER, "kept", version.folder).needs_trainer
    page.close_jobs()
    assert controller.close(5.0)
