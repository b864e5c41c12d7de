"""transformers' Trainer with checkpoints that are whole or absent, whoever's Trainer it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer

from trainer.protocol.messages import CheckpointSaved
from trainer.reporter import Reporter
from trainer.tuning.checkpoints import CheckpointStore
from trainer.tuning.team import Team

# Trainer keeps its arguments as a pickle; nothing here reads pickles, so none is kept.
_UNWANTED = ("training_args.bin",)


class WholeCheckpointTrainer(Trainer):
    """Writes checkpoints into a store; a class that inherits says ``keep_whole`` before it trains."""

    def keep_whole(
        self, store: CheckpointStore, reporter: Reporter, save_progress: Callable[[Path], None], team: Team
    ) -> None:
        """Write into ``store``, what ``save_progress`` adds included, and tell the reporter of each."""
        self._store, self._reporter, self._save_progress, self._team = store, reporter, save_progress, team
        self._partial: Path | None = None

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._partial or self.args.output_dir)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Let Trainer write into a folder of ours, then make it whole at once.

        The other processes of a team write the state of their random numbers into the same folder.
        """
        step, team, store = self.state.global_step, self._team, self._store
        if not team.is_first:
            team.wait()  # until the folder is there
            self._fill(model, trial, store.partial_folder("checkpoint", step))
            team.wait()
            return
        with store.write("checkpoint", step) as partial:
            team.wait()
            self._fill(model, trial, partial)
            team.wait()
            inner = partial / f"checkpoint-{step}"
            for path in inner.iterdir():
                if path.name not in _UNWANTED:
                    path.rename(partial / path.name)
            for name in _UNWANTED:
                (inner / name).unlink(missing_ok=True)
            inner.rmdir()
            self._save_progress(partial)
        self._reporter.report(CheckpointSaved(step))

    def _fill(self, model: torch.nn.Module, trial: Any, folder: Path) -> None:
        self._partial = folder
        try:
            super()._save_checkpoint(model, trial)  # type: ignore[no-untyped-call]  # not typed by transformers
        finally:
            self._partial = None
