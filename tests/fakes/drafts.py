"""Snapshots and generations in lists."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from storydesk.domain.draft_history import DraftCard, KeptGeneration, Outcome, Snapshot, SnapshotRule


class FakeDraftHistory:
    """A DraftHistoryStore in memory; all of it belongs to whatever story is asked about."""

    def __init__(self) -> None:
        self.snapshots: dict[int, tuple[Snapshot, str, str]] = {}
        self.generations: dict[str, KeptGeneration] = {}

    def list_cards(self, story_id: int) -> Sequence[DraftCard]:
        return []

    def add_snapshot(
        self, draft_id: int, name: str, rule: SnapshotRule, text: str, words: int, authorship: str
    ) -> Snapshot:
        number = len(self.snapshots) + 1
        snapshot = Snapshot(number, draft_id, name, rule, words, float(number))
        self.snapshots[number] = (snapshot, text, authorship)
        return snapshot

    def list_snapshots(self, story_id: int) -> Sequence[Snapshot]:
        return [snapshot for snapshot, _, _ in reversed(self.snapshots.values())]

    def load_snapshot(self, snapshot_id: int) -> tuple[Snapshot, str, str]:
        return self.snapshots[snapshot_id]

    def newest_text(self, draft_id: int) -> str | None:
        texts = [text for snapshot, text, _ in self.snapshots.values() if snapshot.draft_id == draft_id]
        return texts[-1] if texts else None

    def delete_snapshots(self, ids: Sequence[int]) -> None:
        for number in ids:
            self.snapshots.pop(number, None)

    def rename_snapshot(self, snapshot_id: int, name: str) -> None:
        snapshot, text, authorship = self.snapshots[snapshot_id]
        renamed = dataclasses.replace(snapshot, name=name, rule=SnapshotRule.HAND)
        self.snapshots[snapshot_id] = (renamed, text, authorship)

    def keep_generation(self, generation: KeptGeneration) -> None:
        self.generations[generation.key] = generation

    def settle_generation(self, key: str, outcome: Outcome | None, perplexity: float | None) -> None:
        kept = self.generations[key]
        self.generations[key] = dataclasses.replace(
            kept,
            outcome=kept.outcome if outcome is None else outcome,
            perplexity=kept.perplexity if perplexity is None else perplexity,
        )

    def find_generations(self, story_id: int, words: str, limit: int) -> Sequence[KeptGeneration]:
        found = [kept for kept in reversed(self.generations.values()) if words in kept.text]
        return found[:limit]

    def find_generation(self, key: str) -> KeptGeneration | None:
        return self.generations.get(key)

    def prune_generations(self, draft_id: int, most: int, most_repeatable: int) -> None:
        pass
