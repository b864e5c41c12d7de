"""What a run shows while it goes on and at its end: samples on the way, the machine, prompts told from others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.end_to_end.test_trainer_recipe import carry_out
from tests.fakes.tiny_run import make_run
from trainer.evaluation.prompt_figures import rank_heldout
from trainer.protocol.manifest import read_manifest
from trainer.tuning.batches import BatchDataset
from trainer.tuning.network import TunedNetwork

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = {
    "samples_during": 2,
    "sample_during_tokens": 5,
    "sample_share": 0.5,
    "sample_stories": 3,
    "sample_tokens": 7,
    "sample_temperature": 0.7,
    "sample_top_p": 0.8,
    "ranking_stories": 3,
    "ranking_seconds": 90.0,
    "context": 64,
    "evaluations_per_epoch": 2,
}
# Three stories are written before and three after; on the last of them the memory is full.
LAST_STORY = 6


@dataclass
class Seen:
    """A run that was watched: its events, how it drew its samples, its rows, and how many stories were ranked."""

    events: list[dict[str, Any]] = field(default_factory=list)
    ways: list[tuple[float, float, int]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    asked: list[tuple[int, float | None]] = field(default_factory=list)
    bundle: Path = Path()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind."""
        return [event for event in self.events if event["kind"] == kind]

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """See what samples are drawn with, what is learned from, and what is ranked."""
        generate = TunedNetwork.generate

        def note_way(network: Any, *given: Any, **named: Any) -> Any:
            self.ways.append((named["temperature"], named["top_p"], named["max_new_tokens"]))
            if [way[2] for way in self.ways].count(SETTINGS["sample_tokens"]) == LAST_STORY:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
            return generate(network, *given, **named)

        def note_rows(rows: Any, *given: Any) -> Any:
            self.lengths += [len(row.ids) for row in rows]
            return BatchDataset(rows, *given)

        def note_stories(*given: Any, **named: Any) -> Any:
            self.asked.append((named["most"], named["seconds"]))
            return rank_heldout(*given, **named)

        patch.setattr(TunedNetwork, "generate", note_way)
        patch.setattr("trainer.tuning.fitting.BatchDataset", note_rows)
        patch.setattr("trainer.evaluation.prompt_figures.rank_heldout", note_stories)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Carry out one run and watch it."""
    path = tmp_path_factory.mktemp("live")
    found = Seen(bundle=path / "bundles" / "run")
    with pytest.MonkeyPatch.context() as patch:
        found.watch(patch)
        found.events = carry_out(make_run(path, **SETTINGS))
    return found


def test_stories_are_begun_while_it_learns_and_can_be_compared(seen: Seen) -> None:
    samples = seen.of("sample_written")
    during = [sample for sample in samples if sample["moment"] == "during"]
    steps = {sample["step"] for sample in during}
    measured = {event["step"] for event in seen.of("heldout_measured") if event["moment"] == "during"}
    assert steps
    assert steps < measured  # at measurements, and not at the last: whole stories are written after it
    prompts = [sample["prompt"] for sample in samples if sample["moment"] == "before"]
    for step in steps:
        assert [sample["prompt"] for sample in during if sample["step"] == step] == prompts[:2]
    assert set(seen.ways) == {(0.7, 0.8, 5), (0.7, 0.8, 7)}


def test_stories_that_find_no_memory_are_done_without(seen: Seen) -> None:
    after = [sample for sample in seen.of("sample_written") if sample["moment"] == "after"]
    assert len(after) == 2
    assert [event["code"] for event in seen.of("notice_given")] == ["memory_no_samples"]
    assert seen.events[-1]["kind"] == "run_completed"


def test_no_row_is_longer_than_was_set(seen: Seen) -> None:
    assert 0 < max(seen.lengths) <= 64


def test_every_step_says_its_gradient_and_the_machine_is_looked_at(seen: Seen) -> None:
    assert all(step["gradient_norm"] > 0 for step in seen.of("step_taken"))
    looks = seen.of("machine_measured")
    assert len(looks) >= 2
    assert looks[-1]["process_memory_peak"] >= looks[0]["process_memory"] > 0
    assert seen.events[-1]["kind"] == "run_completed"


def test_prompts_are_ranked_before_and_after_and_the_bundle_says_so(seen: Seen) -> None:
    ranked = {event["moment"]: event for event in seen.of("prompts_ranked")}
    assert (ranked["before"]["stories"], ranked["after"]["stories"]) == (3, 3)
    assert seen.asked == [(3, 90.0), (3, None)]  # the same stories after, however long they take
    manifest = read_manifest(seen.bundle)
    assert manifest.heldout["prompt_ranking_before"] == ranked["before"]["accuracy"]
    assert manifest.heldout["prompt_ranking_after"] == ranked["after"]["accuracy"]
    card = (seen.bundle / "README.md").read_text(encoding="utf-8")
    assert "- after: " in card
    assert "of 3 held-out stories are likeliest under their own prompt, of 4 prompts" in card
    assert "prompt ranking before" not in card
