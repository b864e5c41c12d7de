"""From choices by keys to a model that learned them, nothing replaced: real library, real window, real trainer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from storydesk.bootstrap import find_resources
from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.domain.authorship import WRITTEN, Kind, Origin, Source
from storydesk.domain.draft_history import Outcome
from storydesk.domain.feedback import FeedbackOrigin, group_of
from storydesk.domain.generation import SamplingSettings
from storydesk.domain.improving import ImprovingChances
from storydesk.domain.judging import Entry
from storydesk.services.desk import Desk
from storydesk.services.improving import FEEDBACK_NAME
from storydesk.services.phrasebook import Phrasebook
from storydesk.services.writing import WritingRequest
from storydesk.ui.main_window import MainWindow
from storydesk.ui.model_details_page import say_amount
from storydesk.ui.theme import apply_theme
from storydesk.ui.translations import install_translations
from tests.fakes.tiny_run import write_stories
from trainer.protocol.feedback import FeedbackExample, FeedbackPair, read_feedback

pytestmark = pytest.mark.slow

WAIT = 120_000
PROMPTS = 24
LIKED = ("The bell rang twice. Mara heard it.", "The fog came in. The boat had gone.", "Mara heard the sea, {n}.")
DISLIKED = ("wall wall wall wall wall wall {n}", "boat the boat the boat the boat", "since since since had had had")


@pytest.fixture
def desk(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return the real desk with a sheet to choose on, too, and stories with suggestions."""
    # Stories to measure with, instead of our samples: few, for the sake of time.
    monkeypatch.setattr(desk.improving, "_samples", write_stories(tmp_path / "mine.jsonl", count=12))
    entries = [
        Entry(f"A bell in the fog, {number}", texts[number % 3].format(n=number), name)
        for number in range(PROMPTS)
        for name, texts in (("Plain", LIKED), ("Dull", DISLIKED))
    ]
    desk.judging.add_pairs("Duel", entries, seed=5)
    for number in range(6):
        write_story(desk, number)
    return desk


def write_story(desk: Desk, number: int) -> None:
    """Write a story for which one suggestion was taken, one taken and changed, and one thrown away."""
    before = f"The boat was late, {number}."
    taken, changed, thrown = " The fog came in at noon.", " The bell rang once.", " the the the the the the"
    text = before + taken + " The bell never rang."
    story = desk.manuscripts.add_story(f"Tale {number}", f"A boat, {number}", before)
    draft = desk.manuscripts.open_story(story.id)

    def keep(key: str, seen: str, brought: str, outcome: Outcome) -> Source:
        request = WritingRequest(1, story.prompt, seen, 20, 1, SamplingSettings())
        desk.drafts.keep_generation(key, draft.id, request, "tiny", brought, outcome=outcome)
        return Source(key, "tiny", 1, 1.0)

    keep(f"thrown-{number}", before, thrown, Outcome.REJECTED)
    first = keep(f"taken-{number}", before, taken, Outcome.ACCEPTED)
    second = keep(f"changed-{number}", before + taken, changed, Outcome.EDITED)
    own = len(text) - len(before) - len(taken)
    runs = [
        (len(before), WRITTEN),
        (len(taken), Origin(Kind.GENERATED, first)),
        (own, Origin(Kind.EDITED, second)),
    ]
    desk.manuscripts.save_draft(draft.id, text, runs)


@pytest.fixture
def window(desk: Desk, qtbot: QtBot, qapp: QApplication) -> Iterator[MainWindow]:
    """Return the whole window on that desk."""
    apply_theme(qapp, "light")
    assert install_translations(qapp, find_resources() / "i18n", QLocale("en_GB"))
    notices = NoticeBus()
    made = MainWindow(Workroom(desk), notices, Phrases(Phrasebook(find_resources() / "i18n" / "en.toml")))
    notices.setParent(made)
    made.workroom.setParent(made)
    made.resize(1280, 800)
    made.begin()
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=WAIT)
    yield made
    made.close()
    made.deleteLater()


def press(key: Qt.Key) -> None:
    """Press a key wherever the focus is."""
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, key)


def choose_all(window: MainWindow, qtbot: QtBot) -> None:
    """Sit down as Mara and choose the plain text on every prompt, by arrow keys."""
    judging = window.judging.page
    qtbot.waitUntil(lambda: len(judging.sheets.cards) == 1, timeout=WAIT)
    judging.sheets.rater.setCurrentText("Mara")
    judging.sheets.rate_button.click()
    page = judging.choosing
    qtbot.waitUntil(lambda: judging.pages.currentWidget() is page, timeout=WAIT)
    plain = {text.format(n=number) for number in range(PROMPTS) for text in LIKED}
    page.texts[0].setFocus()
    while page.current is not None:
        press(Qt.Key.Key_Left if page.texts[0].toPlainText() in plain else Qt.Key.Key_Right)
        press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Escape)
    qtbot.waitUntil(judging.sheets.isVisible, timeout=WAIT)


def test_choices_and_suggestions_become_a_model_that_says_what_it_learned(
    window: MainWindow, desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    window.actions_by_name["judge"].trigger()
    choose_all(window, qtbot)
    window.judging.page.sheets.improve_button.click()
    page = window.judging.page.improve
    qtbot.waitUntil(page.gather.improve_button.isEnabled, timeout=WAIT)
    _feedback, chances = desk.improving.look()
    assert chances.origins == {FeedbackOrigin.CHOICE: PROMPTS, FeedbackOrigin.SUGGESTION: 6, FeedbackOrigin.EDIT: 6}
    assert f"choosing between two: {PROMPTS}" in page.gather.counts.text()
    assert page.gather.name_field.text() == "tiny 2"
    page.gather.improve_button.setFocus()
    press(Qt.Key.Key_Space)
    assert page.run.isVisible()
    qtbot.waitUntil(page.change.isVisible, timeout=WAIT)

    # The end is told, whichever it is.
    assert f"Of {chances.kept_aside} choices that were kept aside" in page.change.said.text()
    learned = page.change.heading.text() == "It has learnt your taste"
    assert page.change.why.text()
    assert (desk.models.active == "tiny 2") is learned
    # The shelf knows what it learned from and from whom it is.
    made, base = desk.models.details("tiny 2"), desk.models.details("tiny")
    assert (made.data["choices"], made.data["heldout_choices"]) == (chances.choices, chances.kept_aside)
    assert say_amount(made) == f"your feedback: {chances.choices} choices"
    assert made.parent == base.fingerprint
    (tree,) = [node for node in desk.models.trace_lineage() if node.name == "tiny"]
    assert [child.name for child in tree.children] == ["tiny 2"]
    assert desk.scoring.score("The bell rang twice.").model == desk.models.active
    check_feedback_file(tmp_path / "home" / "runs", chances)


def check_feedback_file(runs: Path, chances: ImprovingChances) -> None:
    """See what reached the trainer: what is held out by prompt is marked, with all that was said about it."""
    (folder,) = runs.iterdir()
    records = list(read_feedback((folder / FEEDBACK_NAME).read_text(encoding="utf-8").splitlines()))
    pairs = [record for record in records if isinstance(record, FeedbackPair)]
    assert sum(pair.held_out for pair in pairs) == chances.kept_aside
    assert sum(not pair.held_out for pair in pairs) == chances.choices
    aside = {group_of(record.prompt) for record in records if record.held_out}
    taught = {group_of(record.prompt) for record in records if not record.held_out}
    assert aside
    assert not aside & taught
    changed = next(pair for pair in pairs if pair.origin == "edit")
    assert (changed.chosen, changed.rejected) == (" The bell never rang.", " The bell rang once.")
    assert changed.before.endswith(" The fog came in at noon.")
    examples = [record for record in records if isinstance(record, FeedbackExample)]
    assert {example.text for example in examples} == {" The fog came in at noon.", " The bell never rang."}
