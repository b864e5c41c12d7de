"""One model, read: what it is, what it learned from, how it was made, and its model card."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale, QUrl
from PySide6.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from storydesk.bridge.phrases import Phrases
from storydesk.domain.model_shelf import ModelDetails, UseRecord, find_spans
from storydesk.ui.figures import say_number, say_perplexity, say_size, say_stories, say_words
from storydesk.ui.theme import SPACE_M, make_label

FINGERPRINT_LETTERS = 12
_SPANS = 3
"""So many of the last times that a model was in use are told."""


class CardBrowser(QTextBrowser):
    """Shows a stranger's Markdown: no links are followed, and nothing is loaded from anywhere. GUI thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self.setOpenLinks(False)

    def loadResource(self, _kind: int, _name: QUrl | str) -> object:
        """Return nothing: a card's pictures stay where they are."""
        return None


class DetailsPage(QWidget):
    """Says of one model what its bundle says. GUI thread."""

    def __init__(self, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Begin empty; ``phrases`` names the settings."""
        super().__init__(parent)
        self._phrases = phrases
        self.facts = make_label("", selectable=True)
        self.card = CardBrowser()
        self.card.setAccessibleName(self.tr("Model card"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.facts)
        column.addWidget(self.card, 1)

    def show_details(self, details: ModelDetails, uses: Sequence[UseRecord] = ()) -> None:
        """Show one model, and when it was in use."""
        self.facts.setText("\n".join([*describe_details(details), *self._list_spans(details.name, uses)]))
        card = re.sub(r"\A(---\n.*?\n---\n)?\s*# [^\n]*", "", details.card, flags=re.DOTALL)  # its name stands above
        if not card:
            card = self.tr("This model brought no card. What is known of it stands above.")
            settings = [
                f"- {self._phrases.name_setting(name).title}: {value}" for name, value in details.settings.items()
            ]
            card = "\n".join([card, "", *settings])
        self.card.setMarkdown(card)

    def _list_spans(self, name: str, uses: Sequence[UseRecord]) -> list[str]:
        lines = []
        for since, until in find_spans(uses, name)[-_SPANS:]:
            days = {"since": _say_day(since), "until": _say_day(until or 0.0)}
            if until is None:
                words = self.tr("In use since {since}") if since else self.tr("In use from the start")
            else:
                words = self.tr("In use from {since} to {until}") if since else self.tr("In use until {until}")
            lines.append(words.format(**days))
        return lines


def _say_day(seconds: float) -> str:
    """Return a day and its time as the reader's country writes them."""
    moment = QDateTime.fromSecsSinceEpoch(int(seconds))
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)


def describe_details(details: ModelDetails) -> list[str]:
    """Return in a line each what a writer wants to know of a model."""
    model = details.model
    lines = []
    learned = say_learned(details)
    if learned:
        lines.append(learned)
    before, after = (model.heldout.get(f"perplexity_{moment}", 0.0) for moment in ("before", "after"))
    if before > 0 and after > 0:
        figures = {"before": say_perplexity(before), "after": say_perplexity(after)}
        lines.append(
            QCoreApplication.translate(
                "models", "Perplexity on pages it never saw: {before} before, {after} after"
            ).format(**figures)
        )
    shape = {"layers": say_number(model.layers), "width": say_number(model.width), "size": say_size(model.bytes)}
    lines.append(QCoreApplication.translate("models", "{layers} layers, {width} wide, {size}").format(**shape))
    if model.created:
        lines.append(QCoreApplication.translate("models", "Made on {day}").format(day=model.created[:10]))
    if details.fingerprint:
        mark = details.fingerprint[:FINGERPRINT_LETTERS]
        lines.append(QCoreApplication.translate("models", "Fingerprint of its weights: {mark}").format(mark=mark))
    return lines


def say_learned(details: ModelDetails) -> str:
    """Return in a line what a model learned from, with the text's fingerprint; "" where nobody says."""
    amount = say_amount(details)
    if not amount:
        return ""
    said = QCoreApplication.translate("models", "Learned from {amount}").format(amount=amount)
    text = details.data.get("choices_sha256", details.data.get("sha256", ""))
    mark = str(text)[:FINGERPRINT_LETTERS]
    return f"{said} ({mark})" if mark else said


def say_amount(details: ModelDetails) -> str:
    """Return ``14,200 words in 20 stories`` or ``your feedback: 160 choices``, "" where nobody says."""
    choices = details.data.get("choices")
    if isinstance(choices, int | float):
        said = QCoreApplication.translate("models", "your feedback: {count} choices")
        return said.format(count=say_number(int(choices)))
    words, stories = details.data.get("words"), details.data.get("training_stories")
    if not isinstance(words, int | float) or not isinstance(stories, int | float):
        return ""
    counts = {"words": say_words(int(words)), "stories": say_stories(int(stories))}
    return QCoreApplication.translate("models", "{words} in {stories}").format(**counts)
