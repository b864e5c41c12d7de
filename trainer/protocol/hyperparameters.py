"""Every setting of a run, declared once: name, kind, default, limits, group, and a sentence each.

The trainer checks what it is told against this table (``trainer.config``), the app shows and sends what stands here.
The sentences below say exactly what a setting does; the words a writer reads stand under ``settings`` in
``resources/i18n/<language>.toml`` by the same name.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trainer.protocol.messages import Parameter

LOSSES = ("story", "all")
SCHEDULES = ("cosine", "linear", "constant")
PRECISIONS = ("auto", "bf16", "fp16", "fp32")
METHODS = ("auto", "full", "adapters")
RECOMPUTING = ("auto", "always")
DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")

_DECLARATION = "declaration"


class Group(StrEnum):
    """What a setting is about, in the order they are shown."""

    LEARNING = "learning"
    LENGTH = "length"
    MEMORY = "memory"
    MEASURING = "measuring"
    SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One setting: numbers lie between ``low`` and ``high``, words are one of ``choices``, the rest is yes or no.

    With ``zero_chooses`` the number 0 lets the trainer choose.
    """

    name: str
    group: Group
    default: Parameter
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    zero_chooses: bool = False

    def accept(self, value: Parameter) -> Parameter:
        """Return the value in the setting's own kind; raise ValueError with a detail where it can't be."""
        kind = type(self.default)
        if isinstance(value, bool) is not (kind is bool) or isinstance(value, str) is not (kind is str):
            raise ValueError(f"{self.name} can't be {value!r}")
        if kind is bool:
            return value
        if isinstance(value, str):
            if value not in self.choices:
                raise ValueError(f"{self.name} must be one of {', '.join(self.choices)}")
            return value
        if not math.isfinite(value) or (kind is int and value != int(value)):
            raise ValueError(f"{self.name} can't be {value!r}")
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            raise ValueError(f"{self.name} must be between {self.low:g} and {self.high:g}, not {value:g}")
        return int(value) if kind is int else float(value)


def _number(default: float, low: float, high: float, group: Group, *, zero_chooses: bool = False) -> Any:
    """Declare a number; whole where its default is."""
    about = {"default": default, "low": low, "high": high, "group": group, "zero_chooses": zero_chooses}
    return field(default=default, metadata={_DECLARATION: about})


def _choice(default: str, choices: tuple[str, ...], group: Group) -> Any:
    """Declare one of some words."""
    return field(default=default, metadata={_DECLARATION: {"default": default, "choices": choices, "group": group}})


def _switch(default: bool, group: Group) -> Any:
    """Declare a yes or no."""
    return field(default=default, metadata={_DECLARATION: {"default": default, "group": group}})


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings of one run. The defaults tune the shipped starter on 25,000 words in a few minutes of two cores."""

    learning_rate: float = _number(2.5e-4, 1e-7, 1e-1, Group.LEARNING)
    """The largest step size of AdamW, reached after the warm-up; models above 100 million weights take a quarter."""

    method: str = _choice("auto", METHODS, Group.LEARNING)
    """``full`` tunes every weight, ``adapters`` small matrices beside them (LoRA) that become weights at the end;
    ``auto``: every weight where memory allows it."""

    adapter_rank: int = _number(16, 1, 1024, Group.LEARNING)
    """How wide adapters are: wider ones can learn more and need more memory."""

    adapter_rate: float = _number(8.0, 0.01, 1000, Group.LEARNING)
    """How many times the learning rate adapters learn with; they start from nothing and are few."""

    schedule: str = _choice("cosine", SCHEDULES, Group.LEARNING)
    """How the learning rate falls after the warm-up: ``cosine``, ``linear`` or ``constant``."""

    warmup_share: float = _number(0.06, 0, 0.9, Group.LEARNING)
    """The share of all steps in which the learning rate rises from zero."""

    final_rate_share: float = _number(0.05, 0, 1, Group.LEARNING)
    """The share of the learning rate that is left at the last step."""

    epochs: int = _number(0, 0, 1000, Group.LENGTH, zero_chooses=True)
    """How often each story is seen; 0 chooses by the amount of text (2 to 8) and lets early stopping decide."""

    batch_tokens: int = _number(2048, 16, 1 << 20, Group.MEMORY)
    """How many tokens, padding included, go through the network at once; bounds the memory that is used."""

    accumulation: int = _number(1, 1, 1024, Group.MEMORY)
    """How many batches are added up before the weights are changed."""

    context: int = _number(0, 0, 1 << 16, Group.LENGTH, zero_chooses=True)
    """The longest row in tokens; 0 takes the model's own limit, but at most 1,024."""

    loss_on: str = _choice("all", LOSSES, Group.LEARNING)
    """What is learned from: ``all`` (prompt and story) or ``story`` only; 0008-loss-on.md has the measurement."""

    weight_decay: float = _number(0.05, 0, 1, Group.LEARNING)
    """How strongly AdamW pulls matrices towards zero; biases, norms and embeddings are spared."""

    beta1: float = _number(0.9, 0, 0.9999, Group.LEARNING)
    """AdamW's memory of the gradient."""

    beta2: float = _number(0.98, 0, 0.99999, Group.LEARNING)
    """AdamW's memory of the squared gradient; short runs want a shorter one than 0.999."""

    gradient_limit: float = _number(1.0, 1e-3, 1e3, Group.LEARNING)
    """Gradients longer than this are shortened to it."""

    dropout: float = _number(0.1, 0, 0.9, Group.LEARNING)
    """The share of embedding and residual values left out at random while tuning."""

    attention_dropout: float = _number(0.0, 0, 0.9, Group.LEARNING)
    """The same for attention weights; above zero no fused attention kernel can be used, which halves the speed."""

    feedback_rate: float = _number(2e-5, 1e-8, 1e-2, Group.LEARNING)
    """The learning rate where choices are learned from, not stories; it falls evenly to nothing."""

    feedback_epochs: int = _number(4, 1, 100, Group.LEARNING)
    """How often each choice is learned from at the most; held-out choices decide."""

    feedback_strength: float = _number(0.1, 0.001, 10, Group.LEARNING)
    """DPO's beta: how sure of a choice the model may become for how far it goes from what it was. A smaller one lets
    it go further."""

    feedback_anchor: float = _number(0.2, 0, 10, Group.LEARNING)
    """How much the better text of each pair is learned as a text, too, which keeps the model a writer (RPO's alpha)."""

    feedback_replay: float = _number(1.0, 0, 10, Group.LEARNING)
    """How much stretches of the stories are learned beside the choices, so that the model doesn't forget them."""

    evaluations_per_epoch: int = _number(1, 1, 100, Group.MEASURING)
    """How often per pass through the stories held-out text is measured."""

    evaluation_steps: int = _number(200, 1, 1_000_000, Group.MEASURING)
    """The most steps between two measurements, for large corpora."""

    patience: int = _number(2, 1, 1000, Group.MEASURING)
    """After how many measurements without improvement tuning ends."""

    smallest_gain: float = _number(0.0005, 0, 1, Group.MEASURING)
    """The improvement of held-out nats per token that counts as one."""

    checkpoint_seconds: float = _number(60.0, 0, 86_400, Group.MEASURING)
    """How much work a killed run may lose; 0 saves a checkpoint at every measurement."""

    checkpoint_steps: int = _number(0, 0, 1_000_000, Group.MEASURING)
    """Save a checkpoint every so many steps as well; 0 goes by the clock alone."""

    ranking_stories: int = _number(60, 0, 1000, Group.MEASURING)
    """How many held-out stories are read under ten prompts, before and after, to see whether the model minds prompts;
    0 for none."""

    ranking_seconds: float = _number(60.0, 1, 86_400, Group.MEASURING)
    """How long that may take each time; fewer stories are read where it is too short."""

    precision: str = _choice("auto", PRECISIONS, Group.MEMORY)
    """``bf16`` or ``fp16`` autocast, ``fp32``, or ``auto``: bf16 where the processor or GPU computes in it, fp16 on
    GPUs that don't, else fp32."""

    tf32: bool = _switch(True, Group.MEMORY)
    """Whether NVIDIA cards of the Ampere generation and later may round the factors of fp32 products to TF32 while
    tuning; measuring never does."""

    recompute: str = _choice("auto", RECOMPUTING, Group.MEMORY)
    """``always`` computes each layer twice instead of keeping its values; ``auto`` does so where memory runs short."""

    device: str = _choice("auto", DEVICES, Group.MEMORY)
    """``cpu``, ``cuda`` (NVIDIA, and AMD by ROCm), ``mps`` (Apple), ``xpu`` (Intel), or ``auto``: the GPU where torch
    can use one."""

    sample_stories: int = _number(3, 0, 100, Group.SAMPLES)
    """How many stories are written on held-out prompts at the end."""

    sample_tokens: int = _number(160, 1, 4096, Group.SAMPLES)
    """The most tokens of such a story."""

    sample_temperature: float = _number(0.9, 0.05, 5, Group.SAMPLES)
    """How freely the sample stories are written."""

    sample_top_p: float = _number(0.92, 0.01, 1, Group.SAMPLES)
    """The share of probability that the sample stories draw from."""

    samples_during: int = _number(1, 0, 10, Group.SAMPLES)
    """How many stories are begun on held-out prompts at measurements, to be read while it tunes; 0 for none."""

    sample_during_tokens: int = _number(60, 1, 1024, Group.SAMPLES)
    """The most tokens of such a beginning."""

    sample_share: float = _number(0.03, 0, 0.5, Group.SAMPLES)
    """The share of the tuning's time that such beginnings may take; a measurement goes without where it is used up."""


DECLARATIONS: tuple[Declaration, ...] = tuple(
    Declaration(each.name, **each.metadata[_DECLARATION]) for each in dataclasses.fields(RunSettings)
)
"""Every setting, in the order of the class above."""
