"""The shelf of models, fetching only when asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.style_model import StyleModel
from storydesk.services.phrasebook import Phrasebook
from storydesk.services.ports import Progress
from storydesk.ui.models_dialog import ModelsDialog
from tests.fakes.services import FakeModels, FakeWorld, make_model, make_world


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    made = make_world(tmp_path)
    made.models.shelf["Salt"] = replace(
        make_model("Salt", built_in=False),
        lineage=("starter",),
        heldout={"perplexity_before": 30.0, "perplexity_after": 24.0},
        bytes=120_000_000,
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


def test_cards_say_where_a_model_comes_from_and_what_it_gained(dialog: ModelsDialog) -> None:
    starter, salt = dialog.cards
    assert "In use" in said_on(starter)
    assert not starter.use_button.isVisible()
    assert not starter.remove_button.isVisible()
    assert "tuned from starter" in said_on(salt)
    assert "20 percent less" in said_on(salt)
    assert "30.0 → 24.0" in said_on(salt)
    assert "120 MB" in said_on(salt)
    assert salt.use_button.accessibleName() == "Use Salt"


def test_use_puts_a_model_into_use(dialog: ModelsDialog, world: FakeWorld, qtbot: QtBot) -> None:
    with qtbot.waitSignal(dialog.model_changed, timeout=5000) as changed:
        dialog.cards[1].use_button.click()
    assert changed.args == ["Salt"]
    assert world.settings.get(ACTIVE_MODEL) == "Salt"
    qtbot.waitUntil(lambda: "In use" in said_on(dialog.cards[1]))


def test_remove_asks_once(dialog: ModelsDialog, world: FakeWorld, qtbot: QtBot) -> None:
    dialog.cards[1].remove_button.click()
    assert "Salt" in world.models.shelf
    dialog.cards[1].remove_button.click()
    qtbot.waitUntil(lambda: len(dialog.cards) == 1)
    assert "Salt was removed" in dialog.said.text()


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
    dialog.fetch_button.click()
    assert "548 MB to fetch · licence MIT" in said_on(dialog.offers[0])
    assert "gpt2" not in world.models.shelf
    dialog.offers[0].fetch_button.click()
    qtbot.waitUntil(lambda: "gpt2" in world.models.shelf)
    qtbot.waitUntil(lambda: len(dialog.cards) == 3)
    dialog.fetch_button.click()
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
    dialog.fetch_button.click()
    dialog.offers[0].fetch_button.click()
    qtbot.waitUntil(lambda: dialog.said.text() == "100 MB of 548 MB")
    dialog.cancel_button.click()
    cancelled.set()
    qtbot.waitUntil(lambda: "Stopped, as you asked." in dialog.said.text())
    assert not dialog.cancel_button.isVisible()


def test_being_offline_is_said(dialog: ModelsDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(models: FakeModels, hub_id: str, progress: Progress | None = None) -> StyleModel:
        raise StorydeskError(FailureCode.HUB_NOT_REACHED, name=hub_id)

    monkeypatch.setattr(FakeModels, "fetch", fetch)
    dialog.fetch_button.click()
    dialog.offers[0].fetch_button.click()
    qtbot.waitUntil(lambda: "could not be reached" in dialog.said.text())
    assert "Check your connection" in dialog.said.text()
    qtbot.waitUntil(lambda: dialog.offers[0].fetch_button.isEnabled())
