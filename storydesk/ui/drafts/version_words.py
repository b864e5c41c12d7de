"""Versions and generations in a writer's words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from storydesk.domain.draft_history import DraftCard, KeptGeneration, Outcome, Snapshot, SnapshotRule
from storydesk.ui.figures import say_number, say_words
from storydesk.ui.sentences import say_draft


def say_moment(moment: float) -> str:
    """Return a date with its time in the reader's way."""
    when = QDateTime.fromSecsSinceEpoch(int(moment))
    return QLocale().toString(when, QLocale.FormatType.ShortFormat)


def say_snapshot(snapshot: Snapshot) -> str:
    """Return what a snapshot is called: its name, or why it was taken."""
    if snapshot.name:
        return snapshot.name
    return {
        SnapshotRule.HAND: _tr("Snapshot"),
        SnapshotRule.TIME: _tr("While writing"),
        SnapshotRule.POLISH: _tr("Before polishing"),
        SnapshotRule.RESTORE: _tr("Before restoring"),
        SnapshotRule.MERGE: _tr("Before merging"),
        SnapshotRule.REPLACE: _tr("Before replacing all"),
    }[snapshot.rule]


def say_snapshot_facts(snapshot: Snapshot) -> str:
    """Return when a snapshot was taken and how long it is."""
    return f"{say_moment(snapshot.created)} · {say_words(snapshot.words)}"


def say_draft_facts(card: DraftCard, names: dict[int, str]) -> str:
    """Return when a draft was changed, how long it is, and which one it was taken from."""
    facts = f"{say_moment(card.changed)} · {say_words(card.words)}"
    if card.parent_id in names:
        parent = _tr("from {draft}").format(draft=say_draft(names[card.parent_id]))
        return f"{facts} · {parent}"
    return facts


def say_outcome(outcome: Outcome) -> str:
    """Return what became of a generation."""
    return {
        Outcome.UNUSED: _tr("not used"),
        Outcome.ACCEPTED: _tr("taken"),
        Outcome.EDITED: _tr("taken and changed"),
        Outcome.REJECTED: _tr("passed over"),
    }[outcome]


def say_generation(kept: KeptGeneration) -> str:
    """Return what is known of a generation in a line."""
    parts = [kept.model, _tr("seed {seed}").format(seed=kept.seed)]
    if kept.perplexity:
        parts.append(_tr("perplexity {value}").format(value=say_number(kept.perplexity, 1)))
    return " · ".join([*parts, say_outcome(kept.outcome), say_moment(kept.created)])


def _tr(text: str) -> str:
    return QCoreApplication.translate("Drafts", text)
