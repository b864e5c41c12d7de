"""Every number a tuning run can be told, with a sentence each, checked before anything starts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import Parameter

LOSSES = ("story", "all")
SCHEDULES = ("cosine", "linear", "constant")
PRECISIONS = ("auto", "bf16", "fp32")
METHODS = ("auto", "full", "adapters")
RECOMPUTING = ("auto", "always")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The settings of one run. The defaults tune the shipped starter on 25,000 words in a few minutes of two cores."""

    learning_rate: float = 2.5e-4
    """The largest step size of AdamW, reached after the warm-up; models above 100 million weights take a quarter."""

    method: str = "auto"
    """``full`` tunes every weight, ``adapters`` small matrices beside them (LoRA) that become weights at the end;
    ``auto``: every weight where memory allows it."""

    adapter_rank: int = 16
    """How wide adapters are: wider ones can learn more and need more memory."""

    adapter_rate: float = 8.0
    """How many times the learning rate adapters learn with; they start from nothing and are few."""

    schedule: str = "cosine"
    """How the learning rate falls after the warm-up: ``cosine``, ``linear`` or ``constant``."""

    warmup_share: float = 0.06
    """The share of all steps in which the learning rate rises from zero."""

    final_rate_share: float = 0.05
    """The share of the learning rate that is left at the last step."""

    epochs: int = 0
    """How often each story is seen; 0 chooses by the amount of text (2 to 8) and lets early stopping decide."""

    batch_tokens: int = 2048
    """How many tokens, padding included, go through the network at once; bounds the memory that is used."""

    accumulation: int = 1
    """How many batches are added up before the weights are changed."""

    context: int = 0
    """The longest row in tokens; 0 takes the model's own limit, but at most 1,024."""

    loss_on: str = "all"
    """What is learned from: ``all`` (prompt and story) or ``story`` only; 0008-loss-on.md has the measurement."""

    weight_decay: float = 0.05
    """How strongly AdamW pulls matrices towards zero; biases, norms and embeddings are spared."""

    beta1: float = 0.9
    """AdamW's memory of the gradient."""

    beta2: float = 0.98
    """AdamW's memory of the squared gradient; short runs want a shorter one than 0.999."""

    gradient_limit: float = 1.0
    """Gradients longer than this are shortened to it."""

    dropout: float = 0.1
    """The share of embedding and residual values left out at random while tuning."""

    attention_dropout: float = 0.0
    """The same for attention weights; above zero no fused attention kernel can be used, which halves the speed."""

    evaluations_per_epoch: int = 1
    """How often per pass through the stories held-out text is measured."""

    evaluation_steps: int = 200
    """The most steps between two measurements, for large corpora."""

    patience: int = 2
    """After how many measurements without improvement tuning ends."""

    smallest_gain: float = 0.0005
    """The improvement of held-out nats per token that counts as one."""

    checkpoint_seconds: float = 60.0
    """How much work a killed run may lose; 0 saves a checkpoint at every measurement."""

    checkpoint_steps: int = 0
    """Save a checkpoint every so many steps as well; 0 goes by the clock alone."""

    precision: str = "auto"
    """``bf16`` autocast, ``fp32``, or ``auto``: bf16 where the processor or GPU computes in it."""

    recompute: str = "auto"
    """``always`` computes each layer twice instead of keeping its values; ``auto`` does so where memory runs short."""

    device: str = "auto"
    """``cpu``, ``cuda``, or ``auto``: the GPU where torch can use one."""

    sample_stories: int = 3
    """How many stories are written on held-out prompts at the end."""

    sample_tokens: int = 160
    """The most tokens of such a story."""

    sample_temperature: float = 0.9
    """How freely the sample stories are written."""

    sample_top_p: float = 0.92
    """The share of probability that the sample stories draw from."""

    def __post_init__(self) -> None:
        """Check every value; raise TrainerError(BAD_REQUEST) with the setting's name."""
        for name, (lowest, highest) in _BOUNDS.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise _refuse(f"{name} must be between {lowest:g} and {highest:g}, not {value:g}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise _refuse(f"{name} must be one of {', '.join(choices)}")

    @classmethod
    def from_settings(cls, settings: Mapping[str, Parameter]) -> Hyperparameters:
        """Return the defaults with ``settings`` in their place; raise TrainerError(BAD_REQUEST) for what can't be."""
        types = {field.name: type(field.default) for field in dataclasses.fields(cls)}
        values: dict[str, Parameter] = {}
        for name, value in settings.items():
            if name not in types:
                raise _refuse(f"no setting is called {name}")
            values[name] = _convert(name, value, types[name])
        return cls(**values)  # type: ignore[arg-type]  # each value was converted to its field's type above


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "learning_rate": (1e-7, 1e-1),
    "adapter_rank": (1, 1024),
    "adapter_rate": (0.01, 1000),
    "warmup_share": (0, 0.9),
    "final_rate_share": (0, 1),
    "epochs": (0, 1000),
    "batch_tokens": (16, 1 << 20),
    "accumulation": (1, 1024),
    "context": (0, 1 << 16),
    "weight_decay": (0, 1),
    "beta1": (0, 0.9999),
    "beta2": (0, 0.99999),
    "gradient_limit": (1e-3, 1e3),
    "dropout": (0, 0.9),
    "attention_dropout": (0, 0.9),
    "evaluations_per_epoch": (1, 100),
    "evaluation_steps": (1, 1_000_000),
    "patience": (1, 1000),
    "smallest_gain": (0, 1),
    "checkpoint_seconds": (0, 86_400),
    "checkpoint_steps": (0, 1_000_000),
    "sample_stories": (0, 100),
    "sample_tokens": (1, 4096),
    "sample_temperature": (0.05, 5),
    "sample_top_p": (0.01, 1),
}

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "loss_on": LOSSES,
    "schedule": SCHEDULES,
    "precision": PRECISIONS,
    "recompute": RECOMPUTING,
    "method": METHODS,
    "device": DEVICES,
}


def _convert(name: str, value: Parameter, kind: type) -> Parameter:
    """Return the value in its field's type; raise TrainerError(BAD_REQUEST) where that would change its meaning."""
    if isinstance(value, bool) or (kind is str) != isinstance(value, str):
        raise _refuse(f"{name} can't be {value!r}")
    if kind is str:
        return value
    number = float(value)
    if not math.isfinite(number) or (kind is int and number != int(number)):
        raise _refuse(f"{name} can't be {value!r}")
    return int(number) if kind is int else number


def _refuse(detail: str) -> TrainerError:
    return TrainerError(TrainerFailure.BAD_REQUEST, detail=detail)
