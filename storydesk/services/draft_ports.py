"""What the use cases around drafts need from the library. Any thread; each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from storydesk.domain.draft_history import DraftCard, KeptGeneration, Outcome, Snapshot, SnapshotRule


class DraftHistoryStore(Protocol):
    """Snapshots and generations; raises StorydeskError for what is expected to go wrong."""

    def list_cards(self, story_id: int) -> Sequence[DraftCard]:
        """Return a story's drafts, newest first."""

    def add_snapshot(
        self, draft_id: int, name: str, rule: SnapshotRule, text: str, words: int, authorship: str
    ) -> Snapshot:
        """Keep a draft as it is; raise StorydeskError(STORY_NOT_FOUND)."""

    def list_snapshots(self, story_id: int) -> Sequence[Snapshot]:
        """Return the snapshots of all drafts of a story, newest first."""

    def load_snapshot(self, snapshot_id: int) -> tuple[Snapshot, str, str]:
        """Return a snapshot with its text and authorship; raise StorydeskError(STORY_NOT_FOUND)."""

    def newest_text(self, draft_id: int) -> str | None:
        """Return the text of a draft's newest snapshot, None where it has none."""

    def delete_snapshots(self, ids: Sequence[int]) -> None:
        """Delete snapshots; those that are not there don't matter."""

    def rename_snapshot(self, snapshot_id: int, name: str) -> None:
        """Give a snapshot a name; it is then no rule's any more and never thinned."""

    def keep_generation(self, generation: KeptGeneration) -> None:
        """Keep what a model wrote; raise StorydeskError(STORY_NOT_FOUND) without its draft."""

    def settle_generation(self, key: str, outcome: Outcome | None, perplexity: float | None) -> None:
        """Note what became of a generation, or how surprising it is."""

    def find_generations(self, story_id: int, words: str, limit: int) -> Sequence[KeptGeneration]:
        """Return a story's generations that hold all words in text, prompt or model, newest first."""

    def find_generation(self, key: str) -> KeptGeneration | None:
        """Return one generation."""

    def prune_generations(self, draft_id: int, most: int, most_repeatable: int) -> None:
        """Forget the oldest unused generations of a draft's story, and the requests of all but some of the rest."""
