"""Authorship in a writer's words: the kinds, their figures, and the statement for an editor."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from storydesk.domain.authorship import Kind, ModelShare, Tally
from storydesk.ui.figures import say_number, say_words

ORDER = (Kind.WRITTEN, Kind.EDITED, Kind.GENERATED, Kind.PASTED, Kind.UNKNOWN)


def say_kind(kind: Kind) -> str:
    """Return how a kind of span is called."""
    return {
        Kind.WRITTEN: _tr("What you wrote"),
        Kind.GENERATED: _tr("What the model wrote and nobody changed"),
        Kind.EDITED: _tr("What the model wrote and you changed since"),
        Kind.PASTED: _tr("What was pasted or imported"),
        Kind.UNKNOWN: _tr("What was there before Storydesk kept account"),
    }[kind]


def say_share(tally: Tally, kind: Kind) -> str:
    """Return how much of the text is of a kind, shortly: how many words, and how many of a hundred."""
    words = {
        Kind.WRITTEN: _tr("You: {count} ({percent} %)"),
        Kind.GENERATED: _tr("The model: {count} ({percent} %)"),
        Kind.EDITED: _tr("The model, then you: {count} ({percent} %)"),
        Kind.PASTED: _tr("Pasted: {count} ({percent} %)"),
        Kind.UNKNOWN: _tr("Not recorded: {count} ({percent} %)"),
    }[kind]
    return words.format(count=say_number(tally.words.get(kind, 0)), percent=_percent(tally, kind))


def say_statement(title: str, tally: Tally) -> str:
    """Return a disclosure statement in paragraphs; empty for an empty text."""
    if not tally.total:
        return ""
    parts = [
        _tr("How “{title}” was made. It has {words}: {parts}.").format(
            title=title, words=say_words(tally.total), parts=_join([_say_part(tally, kind) for kind in ORDER])
        )
    ]
    parts += [_say_model(share) for share in tally.models]
    if tally.words.get(Kind.UNKNOWN):
        parts.append(_tr("What is called not recorded was there before Storydesk began to keep account."))
    parts.append(
        _tr("Storydesk counted this on {date}, word by word, while the text was written.").format(
            date=QLocale().toString(QDateTime.currentDateTime().date(), QLocale.FormatType.LongFormat)
        )
    )
    return "\n\n".join(parts)


def say_short_statement(tally: Tally) -> str:
    """Return a statement of one line for the last page of a book; empty where no model had a hand in the text."""
    made = tally.words.get(Kind.GENERATED, 0) + tally.words.get(Kind.EDITED, 0)
    if not made:
        return ""
    parts = _join([_say_part(tally, kind) for kind in ORDER])
    models = ", ".join(share.model for share in tally.models if share.model)
    if not models:
        return _tr("This text has {words}: {parts}.").format(words=say_words(tally.total), parts=parts)
    return _tr("This text has {words}: {parts}. Language models used: {models}.").format(
        words=say_words(tally.total), parts=parts, models=models
    )


def _say_part(tally: Tally, kind: Kind) -> str:
    count = tally.words.get(kind, 0)
    if not count:
        return ""
    words = {
        Kind.WRITTEN: _tr("{count} written by the author ({percent} %)"),
        Kind.GENERATED: _tr("{count} as a language model wrote them ({percent} %)"),
        Kind.EDITED: _tr("{count} written by a language model and then changed by the author ({percent} %)"),
        Kind.PASTED: _tr("{count} brought in from elsewhere ({percent} %)"),
        Kind.UNKNOWN: _tr("{count} not recorded ({percent} %)"),
    }[kind]
    return words.format(count=say_number(count), percent=_percent(tally, kind))


def _say_model(share: ModelShare) -> str:
    first, last = (_say_day(moment) for moment in (share.first, share.last))
    when = first if first == last else _tr("{first} to {last}").format(first=first, last=last)
    return _tr("Model “{model}” ({when}): {generated} as it wrote them, {edited} changed since.").format(
        model=share.model, when=when, generated=say_words(share.generated), edited=say_words(share.edited)
    )


def _say_day(moment: float) -> str:
    day = QDateTime.fromSecsSinceEpoch(round(moment)).date()
    return QLocale().toString(day, QLocale.FormatType.LongFormat)


def _percent(tally: Tally, kind: Kind) -> str:
    share = 100 * tally.share(kind)
    return say_number(share) if share >= 1 or not share else _tr("less than 1")


def _join(parts: list[str]) -> str:
    said = [part for part in parts if part]
    if len(said) < 2:
        return "".join(said)
    return _tr("{most} and {last}").format(most=", ".join(said[:-1]), last=said[-1])


def _tr(text: str) -> str:
    return QCoreApplication.translate("Authorship", text)
