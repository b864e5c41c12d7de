"""One run: its folder, its settings, whom it speaks with, and what it remembers from start to start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.base import Base
from trainer.config import Hyperparameters
from trainer.control import Control
from trainer.protocol.messages import NoticeGiven, Request, Stage, StageEntered
from trainer.reporter import Reporter
from trainer.tuning.checkpoints import CheckpointStore, read_json, write_json

if TYPE_CHECKING:
    from trainer.tuning.devices import Device
    from trainer.tuning.team import Team

STATE_NAME = "state.json"


@dataclass(frozen=True, slots=True)
class Run:
    """What every stage of one run needs."""

    folder: Path
    request: Request
    settings: Hyperparameters
    base: Base
    reporter: Reporter
    control: Control
    store: CheckpointStore
    device: Device
    team: Team

    def enter(self, stage: Stage) -> None:
        """Report a stage, unless the run should end."""
        self.control.raise_if_stopping()
        self.reporter.report(StageEntered(stage))

    def notice(self, code: str, **parameters: str | int | float | bool) -> None:
        """Tell the writer something that doesn't end the run."""
        self.reporter.report(NoticeGiven(code, parameters))

    @property
    def state(self) -> dict[str, object]:
        """Return what earlier starts of this run wrote down."""
        return read_json(self.folder / STATE_NAME)

    def remember(self, **facts: object) -> None:
        """Write facts down for later starts of this run."""
        if self.team.is_first:
            write_json(self.folder / STATE_NAME, {**self.state, **facts})
