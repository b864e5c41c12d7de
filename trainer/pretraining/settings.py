"""Everything a pretraining can be told, declared once: options of the command line are made of it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import Parameter

PRECISIONS = ("auto", "bf16", "fp32")
DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")


def _declare(default: Any, says: str, least: float = 0, most: float = 0, choices: tuple[str, ...] = ()) -> Any:
    metadata = {"says": says, "least": least, "most": most, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class PretrainingSettings:
    """The settings of one pretraining, each within its limits. The defaults are those of the starter."""

    layers: int = _declare(6, "blocks of the network", 1, 96)
    width: int = _declare(384, "numbers that stand for one token", 8, 8192)
    heads: int = _declare(6, "attention heads of a block; they share the width evenly", 1, 128)
    positions: int = _declare(512, "tokens the network sees at once", 16, 8192)
    vocabulary: int = _declare(8192, "tokens of the tokenizer, end of text included", 257, 1_000_000)
    minutes: float = _declare(0.0, "how long to learn; 0: as long as --tokens says", 0, 1_000_000)
    tokens: int = _declare(0, "how many tokens to learn from; 0 without --minutes: all of the text once", 0, 10**13)
    batch_tokens: int = _declare(12_288, "tokens of a step", 16, 1 << 24)
    parts: int = _declare(2, "pieces a step goes through the network in; more need less memory", 1, 4096)
    learning_rate: float = _declare(2e-3, "the largest step size, of Muon and of AdamW", 1e-7, 1.0)
    weight_decay: float = _declare(0.05, "how strongly Muon pulls matrices towards zero", 0, 1)
    momentum: float = _declare(0.95, "Muon's memory of the gradient", 0, 0.9999)
    gradient_limit: float = _declare(1.0, "gradients longer than this are shortened to it", 1e-6, 1e6)
    warmup_steps: int = _declare(100, "steps in which the rate rises from nothing", 0, 1_000_000)
    hold_share: float = _declare(0.4, "the share of the run in which the rate stays; then it falls in a line", 0, 1)
    final_rate_share: float = _declare(0.02, "the share of the rate that is left at the end", 0, 1)
    short_share: float = _declare(0.45, "the share of the run in which rows are half as long as --positions", 0, 1)
    evaluation_steps: int = _declare(200, "steps between measurements on held-out text", 1, 1_000_000)
    evaluation_tokens: int = _declare(
        32_768, "held-out tokens of a measurement; the last takes five times as many", 16, 1 << 30
    )
    checkpoint_steps: int = _declare(50, "steps between checkpoints", 1, 1_000_000)
    seed: int = _declare(7, "what chance begins with", 0, 1 << 31)
    precision: str = _declare("auto", "numbers to compute with; auto: bf16 where they are faster", choices=PRECISIONS)
    device: str = _declare("auto", "where to compute", choices=DEVICES)

    def __post_init__(self) -> None:
        """Check every value; raise TrainerError(BAD_REQUEST) with the setting's name."""
        for declared in dataclasses.fields(self):
            value, limits = getattr(self, declared.name), declared.metadata
            if limits["choices"]:
                if value not in limits["choices"]:
                    raise refuse(f"{declared.name} is one of {', '.join(limits['choices'])}, not {value}")
            elif not limits["least"] <= value <= limits["most"]:
                raise refuse(f"{declared.name} is between {limits['least']:g} and {limits['most']:g}, not {value:g}")
        if self.width % self.heads:
            raise refuse(f"a width of {self.width} can't be shared evenly by {self.heads} heads")
        if self.positions % 2:
            raise refuse(f"positions is an even number, not {self.positions}")

    @property
    def lasting(self) -> dict[str, Parameter]:
        """Return what a run can't change once it has begun: the network, its batches and their order."""
        names = ("layers", "width", "heads", "positions", "vocabulary", "batch_tokens", "seed")
        return {name: getattr(self, name) for name in names}

    def as_mapping(self) -> dict[str, Parameter]:
        """Return every setting by name."""
        return dataclasses.asdict(self)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a command an option for each setting."""
    for declared in dataclasses.fields(PretrainingSettings):
        option = f"--{declared.name.replace('_', '-')}"
        says = f"{declared.metadata['says']} (default: {declared.default})"
        if declared.metadata["choices"]:
            parser.add_argument(option, choices=declared.metadata["choices"], default=declared.default, help=says)
        else:
            parser.add_argument(option, type=type(declared.default), default=declared.default, metavar="N", help=says)


def from_options(options: Mapping[str, Any]) -> PretrainingSettings:
    """Return the settings that a command's options hold; raise TrainerError(BAD_REQUEST)."""
    names = [declared.name for declared in dataclasses.fields(PretrainingSettings)]
    return PretrainingSettings(**{name: options[name] for name in names if name in options})


def refuse(detail: str) -> TrainerError:
    """Return the failure of a request that can't be carried out."""
    return TrainerError(TrainerFailure.BAD_REQUEST, detail=detail)
