"""What the data desk says: prompts, findings, acts and progress in a writer's words."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QDateTime, QLocale, Qt

from storydesk.bridge.pair_item_model import PairWords, shorten
from storydesk.domain.dataset import (
    DatasetFinding,
    DatasetProgress,
    DatasetVersion,
    DatasetView,
    EditKind,
    FindingKind,
    PairCard,
    PromptOrigin,
    Remedy,
)
from storydesk.ui.figures import say_number, say_words

_ORIGINS: Final = {
    PromptOrigin.COLUMN: QT_TRANSLATE_NOOP("dataset", "a column"),
    PromptOrigin.FRONT_MATTER: QT_TRANSLATE_NOOP("dataset", "the file's head"),
    PromptOrigin.HEADING: QT_TRANSLATE_NOOP("dataset", "a heading"),
    PromptOrigin.LABEL: QT_TRANSLATE_NOOP("dataset", "a line “Prompt:”"),
    PromptOrigin.TITLE: QT_TRANSLATE_NOOP("dataset", "the title"),
    PromptOrigin.OPENING: QT_TRANSLATE_NOOP("dataset", "the opening"),
    PromptOrigin.LIBRARY: QT_TRANSLATE_NOOP("dataset", "your library"),
    PromptOrigin.WRITER: QT_TRANSLATE_NOOP("dataset", "you"),
    PromptOrigin.NONE: QT_TRANSLATE_NOOP("dataset", "none"),
}

_WRITTEN: Final = {
    PromptOrigin.COLUMN: QT_TRANSLATE_NOOP("dataset", "Its prompt stands in a column of its own."),
    PromptOrigin.FRONT_MATTER: QT_TRANSLATE_NOOP("dataset", "Its prompt stands at the head of the file."),
    PromptOrigin.HEADING: QT_TRANSLATE_NOOP("dataset", "Its prompt is the heading above it."),
    PromptOrigin.LABEL: QT_TRANSLATE_NOOP("dataset", "Its prompt follows the word “Prompt:”."),
    PromptOrigin.TITLE: QT_TRANSLATE_NOOP("dataset", "Its prompt was made from the title."),
    PromptOrigin.OPENING: QT_TRANSLATE_NOOP("dataset", "Its prompt was made from the first sentence."),
    PromptOrigin.LIBRARY: QT_TRANSLATE_NOOP("dataset", "Its prompt comes from your library."),
    PromptOrigin.WRITER: QT_TRANSLATE_NOOP("dataset", "You wrote its prompt."),
    PromptOrigin.NONE: QT_TRANSLATE_NOOP("dataset", "It has no prompt."),
}

# Why a finding matters, and what its fix is called.
_FINDINGS: Final = {
    FindingKind.EXACT_COPIES: (
        QT_TRANSLATE_NOOP("dataset", "What is read twice is learned by heart sooner than it is understood."),
        QT_TRANSLATE_NOOP("dataset", "Keep one of each"),
    ),
    FindingKind.NEAR_COPIES: (
        QT_TRANSLATE_NOOP("dataset", "An earlier draft, or the same tale told again? One of them is enough."),
        QT_TRANSLATE_NOOP("dataset", "Keep one of each"),
    ),
    FindingKind.MARKUP: (
        QT_TRANSLATE_NOOP("dataset", "Signs of web pages and the like: your model would learn to write them."),
        QT_TRANSLATE_NOOP("dataset", "Take the signs out"),
    ),
    FindingKind.BOILERPLATE: (
        QT_TRANSLATE_NOOP("dataset", "Licences, notices and other lines that many files share."),
        QT_TRANSLATE_NOOP("dataset", "Take the lines out"),
    ),
    FindingKind.REMARKS: (
        QT_TRANSLATE_NOOP("dataset", "“Edit: thanks for reading”, and what else belongs to the page, not to the tale."),
        QT_TRANSLATE_NOOP("dataset", "Take the remarks out"),
    ),
    FindingKind.BROKEN_ENCODING: (
        QT_TRANSLATE_NOOP("dataset", "Signs such as â€™ where a quotation mark or an accent stood once."),
        QT_TRANSLATE_NOOP("dataset", "Mend the letters"),
    ),
    FindingKind.OTHER_LANGUAGE: (
        QT_TRANSLATE_NOOP("dataset", "A small model learns one language well and two badly."),
        QT_TRANSLATE_NOOP("dataset", "Leave them out"),
    ),
    FindingKind.TOO_SHORT: (
        QT_TRANSLATE_NOOP("dataset", "There is little in a few lines to learn a voice from."),
        QT_TRANSLATE_NOOP("dataset", "Leave them out"),
    ),
    FindingKind.TOO_LONG: (
        QT_TRANSLATE_NOOP("dataset", "In parts, each with the prompt, they count no more than the others do."),
        QT_TRANSLATE_NOOP("dataset", "Cut them into parts"),
    ),
    FindingKind.LEAKS: (
        QT_TRANSLATE_NOOP("dataset", "What your model is measured with it must not have read, or the figures flatter."),
        QT_TRANSLATE_NOOP("dataset", "Leave them out"),
    ),
}

_UNDO: Final = {
    EditKind.CHANGE: QT_TRANSLATE_NOOP("dataset", "Undo: the change of a text"),
    EditKind.LEAVE_OUT: QT_TRANSLATE_NOOP("dataset", "Undo: leaving out"),
    EditKind.TAKE_BACK: QT_TRANSLATE_NOOP("dataset", "Undo: taking back"),
    EditKind.FIX: QT_TRANSLATE_NOOP("dataset", "Undo: what the doctor did"),
}

_STEPS: Final = {
    "starting": QT_TRANSLATE_NOOP("dataset", "Getting ready"),
    "gathering": QT_TRANSLATE_NOOP("dataset", "Opening your documents"),
    "reading": QT_TRANSLATE_NOOP("dataset", "Reading"),
    "examining": QT_TRANSLATE_NOOP("dataset", "Looking for what is wrong with them"),
    "keeping": QT_TRANSLATE_NOOP("dataset", "Keeping them"),
}

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
"""The name of a kept text's folder, which says nothing to anybody."""

_FOUND: Final = (
    PromptOrigin.COLUMN,
    PromptOrigin.FRONT_MATTER,
    PromptOrigin.HEADING,
    PromptOrigin.LABEL,
    PromptOrigin.LIBRARY,
    PromptOrigin.WRITER,
)


def make_pair_words() -> PairWords:
    """Return what the table of pairs says."""
    return PairWords(
        headings=(_say("Prompt or opening"), _say("Prompt from"), _say("Words")),
        no_prompt=_say("empty"),
        say_origin=say_origin,
        say_number=say_number,
        say_row=say_row,
    )


def say_origin(origin: PromptOrigin) -> str:
    """Return where a prompt came from in a word or two."""
    return _say(str(_ORIGINS[origin]))


def say_row(card: PairCard) -> str:
    """Return a whole row of the table for those who hear it."""
    said = _say("{text}; left out; {words}") if card.left_out else _say("{text}; {words}")
    text = shorten(card.prompt or card.title or card.opening) or _say("empty")
    return said.format(text=text, words=say_words(card.words))


def say_facts(card: PairCard) -> str:
    """Return where a pair comes from, where its prompt does, and how long it is."""
    parts = [say_words(card.words)]
    source = say_source(card.source)
    if source:
        parts.append(_say("from {source}").format(source=source))
    if card.edited:
        parts.append(_say("changed by you"))
    return "\n".join((" · ".join(parts), _say(str(_WRITTEN[card.prompt_from]))))


def say_source(source: str) -> str:
    """Return a pair's source as one would name it: a file's name, a data set's."""
    if source.startswith("hub:"):
        return source.removeprefix("hub:")
    if source.startswith("library:"):
        return _say("your library")
    return Path(source).name


def say_prompts(view: DatasetView) -> str:
    """Return how the prompts of the pairs came to be."""
    counts = Counter(pair.prompt_from for pair in view.kept)
    total = sum(counts.values())
    if not total:
        return ""
    found = sum(counts[origin] for origin in _FOUND)
    figures = {"count": say_number(found), "total": say_number(total)}
    if found == total:
        said = [_say("A prompt was found for each of them.")]
    elif found:
        said = [_say("Prompts found for {count} of {total}.").format(**figures)]
    else:
        said = [_say("No prompts stand with them.")]
    made, opened, none = (counts[origin] for origin in (PromptOrigin.TITLE, PromptOrigin.OPENING, PromptOrigin.NONE))
    if made:
        said.append(QCoreApplication.translate("dataset", "Made from the title for %Ln.", "", made))
    if opened:
        said.append(QCoreApplication.translate("dataset", "Made from the first sentence for %Ln.", "", opened))
    if none:
        said.append(QCoreApplication.translate("dataset", "%Ln stories have none.", "", none))
    return " ".join(said)


def say_summary(view: DatasetView) -> str:
    """Return how many pairs are learned from, and their words."""
    kept, total = len(view.kept), len(view.pairs)
    figures = {"kept": say_number(kept), "pairs": say_pairs(total), "words": say_words(view.words)}
    said = _say("{pairs}, {words}") if kept == total else _say("{kept} of {pairs}, {words}")
    return said.format(**figures)


def say_health(view: DatasetView) -> str:
    """Return in a sentence what the doctor thinks of it all."""
    open_findings = sum(not finding.is_settled for finding in view.findings)
    if open_findings:
        return QCoreApplication.translate("dataset", "The doctor found %Ln things to look at.", "", open_findings)
    return _say("The doctor found nothing wrong.") if view.pairs else ""


def say_finding(finding: DatasetFinding) -> str:
    """Return what was found, with how many stories it concerns."""
    said = _count_stories(finding.kind, finding.count)
    if finding.kind is FindingKind.OTHER_LANGUAGE and finding.detail:
        return f"{said}: {say_language(finding.detail)}"
    if finding.limit and finding.kind is FindingKind.TOO_SHORT:
        return _say("{said}: fewer than {words}").format(said=said, words=say_words(finding.limit))
    if finding.limit and finding.kind is FindingKind.TOO_LONG:
        return _say("{said}: more than {words}").format(said=said, words=say_words(finding.limit))
    return said


def say_reason(finding: DatasetFinding) -> str:
    """Return why a finding matters."""
    return _say(str(_FINDINGS[finding.kind][0]))


def say_fix(finding: DatasetFinding) -> str:
    """Return what the button says that fixes it."""
    return _say(str(_FINDINGS[finding.kind][1]))


def say_fixed(finding: DatasetFinding) -> str:
    """Return what was done to a finding's stories."""
    count = finding.count
    if finding.remedy is Remedy.MEND:
        return QCoreApplication.translate("dataset", "%Ln stories were mended.", "", count)
    if finding.remedy is Remedy.CUT:
        return QCoreApplication.translate("dataset", "%Ln stories were cut into parts.", "", count)
    return QCoreApplication.translate("dataset", "%Ln stories were left out.", "", count)


def say_undo(kind: EditKind | None) -> str:
    """Return what an undo would take back."""
    return _say(str(_UNDO[kind])) if kind in _UNDO else _say("Nothing to undo")


def say_language(code: str) -> str:
    """Return a language's name."""
    language = QLocale(code).language()
    return code if language == QLocale.Language.C else QLocale.languageToString(language)


def say_step(progress: DatasetProgress) -> str:
    """Return what a reading is at, and how far."""
    known = _STEPS.get(progress.step)
    parts = [_say(str(known)) if known is not None else progress.step]
    if progress.total > 1:
        figures = {"done": say_number(progress.done), "total": say_number(progress.total)}
        parts.append(_say("{done} of {total}").format(**figures))
    place = say_source(progress.place)
    if place and not _FINGERPRINT.fullmatch(place):
        parts.append(place)
    return " · ".join(parts)


def say_version(version: DatasetVersion) -> str:
    """Return when a version was kept, in the reader's time."""
    moment = QDateTime.fromString(version.kept_at, Qt.DateFormat.ISODate)
    shown = QLocale().toString(moment.toLocalTime(), QLocale.FormatType.ShortFormat) if moment.isValid() else ""
    return shown or version.kept_at


def say_version_facts(version: DatasetVersion) -> str:
    """Return what a version holds."""
    return _say("{pairs}, {words}").format(pairs=say_pairs(version.pairs), words=say_words(version.words))


def say_pairs(count: int) -> str:
    """Return ``1 pair``, ``72 pairs``."""
    return QCoreApplication.translate("dataset", "%Ln pairs", "", count)


def _count_stories(kind: FindingKind, count: int) -> str:
    """Return what a finding says with its number; the plural forms stand in the translation."""
    said = {
        FindingKind.EXACT_COPIES: QCoreApplication.translate(
            "dataset", "%Ln stories are here more than once", "", count
        ),
        FindingKind.NEAR_COPIES: QCoreApplication.translate(
            "dataset", "%Ln stories are nearly the same as another one", "", count
        ),
        FindingKind.MARKUP: QCoreApplication.translate(
            "dataset", "%Ln stories have signs in them that are no words", "", count
        ),
        FindingKind.BOILERPLATE: QCoreApplication.translate(
            "dataset", "%Ln stories have lines around them that are no story", "", count
        ),
        FindingKind.REMARKS: QCoreApplication.translate(
            "dataset", "%Ln stories come with remarks to their readers", "", count
        ),
        FindingKind.BROKEN_ENCODING: QCoreApplication.translate(
            "dataset", "%Ln stories have broken letters", "", count
        ),
        FindingKind.OTHER_LANGUAGE: QCoreApplication.translate(
            "dataset", "%Ln stories are in another language", "", count
        ),
        FindingKind.TOO_SHORT: QCoreApplication.translate("dataset", "%Ln stories are very short", "", count),
        FindingKind.TOO_LONG: QCoreApplication.translate("dataset", "%Ln stories are very long", "", count),
        FindingKind.LEAKS: QCoreApplication.translate(
            "dataset", "%Ln stories are also among those kept aside to measure with", "", count
        ),
    }
    return said[kind]


def _say(text: str) -> str:
    return QCoreApplication.translate("dataset", text)
