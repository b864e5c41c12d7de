"""The shelf of models: used, renamed, deleted and brought back, compared, given out and taken in, fetched if asked."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QTreeWidget, QTreeWidgetItem, QTreeWidgetItemIterator
from pytestqt.qtbot import QtBot

from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.model_shelf import ExportForm, ModelDetails
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.style_model import StyleModel
from storydesk.services.models import ModelService
from storydesk.services.phrasebook import Phrasebook
from storydesk.services.ports import Progress
from storydesk.storage.model_library import BundleLibrary
from storydesk.storage.model_shelf import BundleShelf
from storydesk.ui.main_window import MainWindow
from storydesk.ui.model_lineage_page import LineagePage
from storydesk.ui.models_dialog import ModelsDialog
from tests.fakes.bundles import build_quickly, write_manifest
from tests.fakes.services import FakeModels, FakeSettings, FakeWorld, make_model, make_world
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from tests.gui.conftest import WAIT


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    made = make_world(tmp_path)
    made.models.shelf["Salt"] = replace(
        make_model("Salt", built_in=False),
        lineage=("starter",),
        heldout={"perplexity_before": 30.0, "perplexity_after": 24.0},
        bytes=120_000_000,
        created="2026-11-20T10:00:00+00:00",
    )
    made.shelf.made["Salt"] = ModelDetails(
        made.models.shelf["Salt"],
        "f" * 64,
        data={"sha256": "d" * 64, "words": 900, "training_stories": 14},
        settings={"epochs": 3, "seed": 7},
        card="# Salt\n\nTuned on [my tales](https://example.com).\n\n![](file:///etc/passwd)\n",
    )
    return made


@pytest.fixture
def dialog(world: FakeWorld, resources: Path, qtbot: QtBot) -> Iterator[ModelsDialog]:
    made = ModelsDialog(world.desk.models, Phrases(Phrasebook(resources / "i18n" / "en.toml")))
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: len(made.cards) == 2)
    yield made
    made.close()
    assert not any(thread.name == "job" for thread in threading.enumerate())


def said_on(card: object) -> str:
    assert isinstance(card, QLabel) or hasattr(card, "findChildren")
    return "\n".join(label.text() for label in card.findChildren(QLabel))


def list_items(tree: QTreeWidget) -> list[QTreeWidgetItem]:
    items = []
    walk = QTreeWidgetItemIterator(tree)
    while walk.value() is not None:
        items.append(walk.value())
        walk += 1
    return items


def choose(menu: QMenu, words: str) -> None:
    """Trigger the entry of a menu, or of one below it, that begins with these words."""
    for action in menu.actions():
        below: Any = action.menu()
        if action.text().startswith(words) and below is None:
            action.trigger()
            return
        if below is not None and any(each.text().startswith(words) for each in below.actions()):
            choose(below, words)
            return
    raise AssertionError(f"no entry {words} in {[action.text() for action in menu.actions()]}")


class TestCards:
    def test_they_say_where_a_model_comes_from_and_what_it_gained(self, dialog: ModelsDialog) -> None:
        starter, salt = dialog.cards
        assert "In use" in said_on(starter)
        assert not starter.use_button.isVisible()
        assert "tuned from starter" in said_on(salt)
        assert "20 percent less" in said_on(salt)
        assert "30.0 → 24.0" in said_on(salt)
        assert "120 MB" in said_on(salt)
        assert salt.use_button.accessibleName() == "Use Salt"
        assert not [action for action in starter.menu.actions() if action.text().startswith(("Rename", "Delete"))]

    def test_use_puts_a_model_into_use_and_back_again(
        self, dialog: ModelsDialog, world: FakeWorld, qtbot: QtBot
    ) -> None:
        assert not dialog.buttons.roll_back_button.isVisible()
        with qtbot.waitSignal(dialog.model_changed, timeout=WAIT) as changed:
            dialog.cards[1].use_button.click()
        assert changed.args == ["Salt"]
        assert world.settings.get(ACTIVE_MODEL) == "Salt"
        qtbot.waitUntil(lambda: "In use" in said_on(dialog.cards[1]))
        assert dialog.buttons.roll_back_button.text() == "Back to starter"
        with qtbot.waitSignal(dialog.model_changed, timeout=WAIT):
            dialog.buttons.roll_back_button.click()
        assert world.settings.get(ACTIVE_MODEL) == "starter"

    def test_the_keyboard_is_enough(self, dialog: ModelsDialog, world: FakeWorld, qtbot: QtBot) -> None:
        starter = dialog.cards[0]
        qtbot.waitUntil(lambda: dialog.focusWidget() is starter)
        QTest.keyClick(starter, Qt.Key.Key_Down)
        salt = dialog.cards[1]
        assert dialog.focusWidget() is salt
        QTest.keyClick(salt, Qt.Key.Key_F2)
        assert salt.field.isVisible()
        QTest.keyClick(salt.field, Qt.Key.Key_Escape)
        assert not salt.field.isVisible()
        assert dialog.isVisible()
        QTest.keyClick(salt, Qt.Key.Key_F2)
        salt.field.setText("Salt and Rope")
        QTest.keyClick(salt.field, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: [card.name for card in dialog.cards] == ["starter", "Salt and Rope"])
        assert "Salt is called Salt and Rope now." in dialog.said.text()
        assert world.settings.get(ACTIVE_MODEL) == "starter"
        qtbot.waitUntil(lambda: dialog.focusWidget() is dialog.cards[1])
        QTest.keyClick(dialog.cards[1], Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: world.settings.get(ACTIVE_MODEL) == "Salt and Rope")
        qtbot.waitUntil(lambda: dialog.cards[1].in_use and dialog.focusWidget() is dialog.cards[1])
        QTest.keyClick(dialog.cards[1], Qt.Key.Key_Space)
        qtbot.waitUntil(dialog.details.isVisible)
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert dialog.cards[1].isVisible()

    def test_a_taken_name_is_refused_in_words(self, dialog: ModelsDialog, qtbot: QtBot) -> None:
        dialog.rename("Salt", "starter")
        qtbot.waitUntil(lambda: "There is a model called starter already." in dialog.said.text())

    def test_what_is_deleted_comes_back(self, dialog: ModelsDialog, world: FakeWorld, qtbot: QtBot) -> None:
        choose(dialog.cards[1].menu, "Delete")
        qtbot.waitUntil(lambda: len(dialog.cards) == 1)
        assert "Salt is in the trash" in dialog.undo_bar.label.text()
        dialog.undo_bar.button.click()
        qtbot.waitUntil(lambda: len(dialog.cards) == 2)
        QTest.keyClick(dialog.cards[1], Qt.Key.Key_Delete)
        qtbot.waitUntil(lambda: len(dialog.cards) == 1)
        qtbot.waitUntil(dialog.buttons.trash_button.isVisible)
        choose(dialog.buttons.trash_menu, "Put Salt back")
        qtbot.waitUntil(lambda: len(dialog.cards) == 2)
        dialog.delete("Salt")
        qtbot.waitUntil(lambda: len(dialog.cards) == 1 and dialog.buttons.trash_button.isVisible())
        choose(dialog.buttons.trash_menu, "Empty the trash (120 MB)")
        qtbot.waitUntil(lambda: not world.shelf.trash and not dialog.buttons.trash_button.isVisible())

    def test_the_model_in_use_goes_only_for_another(self, dialog: ModelsDialog, world: FakeWorld, qtbot: QtBot) -> None:
        with qtbot.waitSignal(dialog.model_changed, timeout=WAIT):
            dialog.cards[1].use_button.click()
        qtbot.waitUntil(lambda: dialog.cards[1].in_use)
        with qtbot.waitSignal(dialog.model_changed, timeout=WAIT) as changed:
            choose(dialog.cards[1].menu, "starter")
        assert changed.args == ["starter"]
        assert list(world.models.shelf) == ["starter"]


class TestPages:
    def test_the_card_is_read_in_the_window(self, dialog: ModelsDialog, qtbot: QtBot) -> None:
        choose(dialog.cards[1].menu, "Details")
        qtbot.waitUntil(dialog.details.isVisible)
        assert "Learned from 900 words in 14 stories (dddddddddddd)" in dialog.details.facts.text()
        assert "In use from" not in dialog.details.facts.text()
        assert "Tuned on my tales." in dialog.details.card.toPlainText()
        dialog.buttons.back_button.click()
        assert dialog.cards[0].isVisible()
        dialog.show_details("starter")
        qtbot.waitUntil(lambda: "In use from the start" in dialog.details.facts.text())

    def test_the_lineage_is_a_tree(self, dialog: ModelsDialog, world: FakeWorld, qtbot: QtBot) -> None:
        world.models.shelf["Rope"] = replace(make_model("Rope", built_in=False), lineage=("Salt", "starter"))
        world.models.shelf["Tar"] = replace(make_model("Tar", built_in=False), lineage=("gone", "starter"))
        dialog.buttons.lineage_button.click()
        tree = dialog.lineage.tree
        qtbot.waitUntil(tree.isVisible)
        items = {name.partition(" ")[0]: item for item in list_items(tree) for name in [item.text(0)]}
        assert [(name, parent.text(0) if (parent := item.parent()) else "") for name, item in items.items()] == [
            ("starter", ""),
            ("Salt", "starter (in use)"),
            ("Rope", "Salt"),
            ("gone", ""),
            ("Tar", "gone (no longer on the shelf)"),
        ]
        assert [items["Salt"].text(at) for at in (1, 2, 3)] == [
            "900 words in 14 stories",
            "30.0 → 24.0",
            "2026-11-20",
        ]
        tree.setCurrentItem(items["Salt"])
        assert "Generation 1" in dialog.lineage.made.text()
        tree.setCurrentItem(items["gone"])
        assert "was deleted" in dialog.lineage.made.text()

    def test_the_lineage_says_which_generation_learned_from_feedback(
        self, world: FakeWorld, resources: Path, qtbot: QtBot
    ) -> None:
        model = replace(make_model("Salt 2", built_in=False), lineage=("Salt", "starter"))
        world.models.shelf["Salt 2"] = model
        counts = {"choices": 160, "heldout_choices": 40, "words": 900, "training_stories": 14}
        world.shelf.made["Salt 2"] = ModelDetails(model, "e" * 64, "f" * 64, data=counts)
        page = LineagePage(Phrases(Phrasebook(resources / "i18n" / "en.toml")))
        qtbot.addWidget(page)
        page.show_trees(world.desk.models.trace_lineage(), "Salt 2")
        item = page.tree.currentItem()
        assert item is not None
        before = item.parent()
        assert before is not None
        assert item.text(0) == "Salt 2 (in use)"
        assert item.text(1) == "your feedback: 160 choices"
        assert before.text(1) == "900 words in 14 stories"
        assert "your feedback" in page.made.text()

    def test_two_models_are_compared(self, dialog: ModelsDialog, qtbot: QtBot) -> None:
        choose(dialog.cards[1].menu, "Compare")
        table = dialog.compare.table
        qtbot.waitUntil(lambda: table.rowCount() > 5)
        assert "perplexity is 30.0 and 24.0: Salt foresees them better" in dialog.compare.verdict.text()
        cells = [[table.model().index(row, at).data() for at in range(3)] for row in range(table.rowCount())]
        assert ["Tuned from", "–", "starter"] in cells
        assert any(row[1:] == ["–", "3"] for row in cells)

    def test_both_write_on_one_prompt(
        self, open_window: Callable[..., MainWindow], world: FakeWorld, qtbot: QtBot
    ) -> None:
        world.desk.manuscripts.add_story("The Salt Road", "A door on the beach", "Mara found it.")
        window = open_window(world)
        qtbot.waitUntil(lambda: world.desk.engines.loaded is not None, timeout=WAIT)
        window.actions_by_name["models"].trigger()
        dialog = window.findChildren(ModelsDialog)[0]
        qtbot.waitUntil(lambda: len(dialog.cards) == 2)
        dialog.show_compare("Salt")
        page = dialog.compare
        qtbot.waitUntil(lambda: page.prompt_box.currentText() == "A door on the beach")
        page.write_button.click()
        qtbot.waitUntil(lambda: page.duel_said.text().startswith("Both began with seed"), timeout=WAIT)
        assert all(text.toPlainText() for text in page.texts)
        assert page.write_button.isEnabled()
        assert world.desk.models.active == "starter"
        dialog.close()


class TestOnDisk:
    """The window over the real shelf."""

    @pytest.fixture
    def models(self, tmp_path: Path) -> Path:
        return tmp_path / "models"

    @pytest.fixture
    def service(self, tmp_path: Path, models: Path) -> ModelService:
        weights = make_tiny_gpt2(tmp_path / "tiny", layers=1, width=16, vocabulary=260)
        library = BundleLibrary(models, weights, build_quickly)
        place = library.staging_folder() / "Salt"
        build_quickly(weights, place, "Salt", "made for tests", "MIT")
        write_manifest(place, "Salt", kind="tuned")
        library.install(place)
        return ModelService(library, FakeSettings(), BundleShelf(library, models))

    @pytest.fixture
    def shelf(self, service: ModelService, resources: Path, qtbot: QtBot) -> Iterator[ModelsDialog]:
        made = ModelsDialog(service, Phrases(Phrasebook(resources / "i18n" / "en.toml")))
        qtbot.addWidget(made)
        made.show()
        qtbot.waitUntil(lambda: len(made.cards) == 2)
        yield made
        made.close()

    def test_a_model_goes_out_and_comes_in_again(
        self, shelf: ModelsDialog, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "Salt"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), "Zip file (*.zip)"))
        choose(shelf.cards[1].menu, "For another Storydesk")
        qtbot.waitUntil(lambda: "Salt was written to" in shelf.said.text())
        archive = tmp_path / "Salt.zip"
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(archive), ""))
        shelf.buttons.add_zip_wanted.emit()
        qtbot.waitUntil(lambda: [card.name for card in shelf.cards] == ["starter", "Salt", "Salt 2"])
        archive.write_bytes(archive.read_bytes()[:-100])
        shelf.add_folder(archive)
        qtbot.waitUntil(lambda: "can't be imported as a model (it is damaged)" in shelf.said.text())
        shelf.export("Salt", ExportForm.HUGGING_FACE, out)
        qtbot.waitUntil(lambda: (out / "README.md").is_file() and "was written" in shelf.said.text())
        shelf.export("Salt", ExportForm.HUGGING_FACE, out)
        qtbot.waitUntil(lambda: "is there already" in shelf.said.text())
        choose(shelf.cards[1].menu, "For another Storydesk")  # nobody asked about Salt.zip, only about Salt
        qtbot.waitUntil(lambda: "Salt.zip is there already" in shelf.said.text())

    def test_what_another_program_does_is_noticed(
        self, shelf: ModelsDialog, service: ModelService, models: Path, qtbot: QtBot
    ) -> None:
        service.use("Salt")
        service.rename("Salt", "Rope")
        qtbot.waitUntil(lambda: [card.name for card in shelf.cards if card.in_use] == ["Rope"], timeout=WAIT)
        shutil.rmtree(models / "Rope")
        qtbot.waitUntil(lambda: "Rope, which was in use, is no longer in its folder" in shelf.said.text(), timeout=WAIT)
        assert [card.name for card in shelf.cards] == ["starter"]
        shelf.cards[0].use_button.click()
        qtbot.waitUntil(lambda: service.active == "starter" and shelf.cards[0].in_use)

    def test_an_import_can_be_cancelled(
        self, shelf: ModelsDialog, models: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def build(weights: Path, bundle: Path, name: str, origin: str, licence: str, progress: Progress) -> None:
            begun.set()
            go_on.wait(10)
            progress(1, 3)
            raise AssertionError("it went on")

        monkeypatch.setattr(shelf._models._shelf._library, "_build", build)  # type: ignore[attr-defined]
        shelf.add_folder(tmp_path / "tiny")
        qtbot.waitUntil(begun.is_set)
        shelf.buttons.cancel_button.click()
        go_on.set()
        qtbot.waitUntil(lambda: "Stopped, as you asked." in shelf.said.text())
        assert not list((models / ".staging").iterdir())


def test_a_folder_is_added_or_refused_in_words(dialog: ModelsDialog, tmp_path: Path, qtbot: QtBot) -> None:
    dialog.add_folder(tmp_path / "nothing")
    qtbot.waitUntil(lambda: "is not a GPT-2 model" in dialog.said.text())
    (tmp_path / "mine").mkdir()
    dialog.add_folder(tmp_path / "mine")
    qtbot.waitUntil(lambda: len(dialog.cards) == 3)
    assert "mine is on your shelf" in dialog.said.text()


def test_nothing_is_fetched_unasked_and_a_fetch_shows_its_size(
    dialog: ModelsDialog, world: FakeWorld, qtbot: QtBot
) -> None:
    dialog.buttons.fetch_button.click()
    assert "548 MB to fetch · licence MIT" in said_on(dialog.offers[0])
    assert "gpt2" not in world.models.shelf
    dialog.offers[0].fetch_button.click()
    qtbot.waitUntil(lambda: "gpt2" in world.models.shelf)
    qtbot.waitUntil(lambda: len(dialog.cards) == 3)
    dialog.buttons.fetch_button.click()
    assert not dialog.offers[0].fetch_button.isVisible()


def test_a_fetch_can_be_cancelled(dialog: ModelsDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = threading.Event()

    def fetch(models: FakeModels, hub_id: str, progress: Progress | None = None) -> StyleModel:
        assert progress is not None
        progress(100_000_000, 548_000_000)
        cancelled.wait(10)
        progress(200_000_000, 548_000_000)
        raise AssertionError("the fetch went on")

    monkeypatch.setattr(FakeModels, "fetch", fetch)
    dialog.buttons.fetch_button.click()
    dialog.offers[0].fetch_button.click()
    qtbot.waitUntil(lambda: dialog.said.text() == "100 MB of 548 MB")
    dialog.buttons.cancel_button.click()
    cancelled.set()
    qtbot.waitUntil(lambda: "Stopped, as you asked." in dialog.said.text())
    assert not dialog.buttons.cancel_button.isVisible()


def test_being_offline_is_said(dialog: ModelsDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(models: FakeModels, hub_id: str, progress: Progress | None = None) -> StyleModel:
        raise StorydeskError(FailureCode.HUB_NOT_REACHED, name=hub_id)

    monkeypatch.setattr(FakeModels, "fetch", fetch)
    dialog.buttons.fetch_button.click()
    dialog.offers[0].fetch_button.click()
    qtbot.waitUntil(lambda: "could not be reached" in dialog.said.text())
    assert "Check your connection" in dialog.said.text()
    qtbot.waitUntil(lambda: dialog.offers[0].fetch_button.isEnabled())
