"""Learning from choices: trl's DPOTrainer with our checkpoints, our events and held-out choices that decide.

The reference of DPO is the base itself. What it thinks of each pair is computed once, before anything is learned, and
travels with the pair: so no second network lies in memory, and a resumed run has the same reference.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset, SequentialSampler
from transformers import PreTrainedTokenizerFast, PrinterCallback, TrainerCallback, set_seed
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DataCollatorForPreference, DPOTrainer

from trainer.config import Hyperparameters
from trainer.control import Control
from trainer.corpus.rows import Row
from trainer.corpus.tokens import END_OF_TEXT, load_tokenizer
from trainer.evaluation.figures import HeldoutFigures
from trainer.preference.choices import ChoiceFigures, LogLikelihoods
from trainer.preference.records import EncodedPair
from trainer.protocol.messages import StepTaken
from trainer.reporter import Reporter
from trainer.tuning.adapters import merge_adapters
from trainer.tuning.batches import collate_rows
from trainer.tuning.checkpoints import CheckpointStore, read_json, write_json
from trainer.tuning.devices import Device
from trainer.tuning.fitting import BEST_NAME, PROGRESS_NAME, LossDivergedError
from trainer.tuning.network import TunedNetwork
from trainer.tuning.team import Team
from trainer.tuning.thrift import Thrift
from trainer.tuning.whole_checkpoints import WholeCheckpointTrainer

PAIRS_PER_STEP = 8
"""Pairs that a step learns from, in as many pieces as memory asks for."""

MOST_PERPLEXITY = 1.05
"""How many times as perplexed by held-out stories as before all choices a network may be; what is worse is not kept."""

STRETCH = 128
"""Tokens of a story that go with each pair, which has two or three hundred itself."""

_MEASUREMENTS = 6
_WARMUP_SHARE = 0.1


@dataclass(slots=True)
class Progress:
    """What a resumed run must know besides Trainer's own state."""

    best_step: int = 0
    best_loss: float = math.log(2)
    without_gain: int = 0
    finished: bool = False
    is_costly: bool = False
    """Whether choices were predicted better where stories were too perplexing."""

    @classmethod
    def load(cls, checkpoint: Path) -> Progress:
        """Return what a whole checkpoint records."""
        record = read_json(checkpoint / PROGRESS_NAME)
        return cls(
            int(record.get("best_step", 0)),
            float(record.get("best_loss", math.log(2))),
            int(record.get("without_gain", 0)),
            bool(record.get("finished", False)),
            bool(record.get("is_costly", False)),
        )

    def save(self, folder: Path) -> None:
        """Write it into a checkpoint."""
        write_json(
            folder / PROGRESS_NAME,
            {
                "best_step": self.best_step,
                "best_loss": self.best_loss,
                "without_gain": self.without_gain,
                "finished": self.finished,
                "is_costly": self.is_costly,
            },
        )


@dataclass(frozen=True, slots=True)
class PreferenceFitting:
    """Everything one fit works with.

    ``reference`` is what the base thinks of each of ``pairs``; ``order`` names the pairs of each step; ``stories`` are
    rows of the stories that are kept in mind meanwhile. ``measure``
    returns held-out choices and held-out stories of the network as it is; ``before`` is what the base is like, and
    ``drift`` how many times as perplexed the generations before it became by learning choices.
    """

    network: TunedNetwork
    weights: Path
    device: Device
    settings: Hyperparameters
    pairs: Sequence[EncodedPair]
    reference: Sequence[LogLikelihoods]
    order: Sequence[Sequence[int]]
    stories: Sequence[Row]
    seed: int
    store: CheckpointStore
    reporter: Reporter
    control: Control
    measure: Callable[[], tuple[ChoiceFigures, HeldoutFigures]]
    before: HeldoutFigures
    drift: float = 1.0
    progress: Progress = field(default_factory=Progress)
    thrift: Thrift = field(default_factory=Thrift)
    deadline: float = math.inf

    def find_room(self) -> float:
        """Return how many nats per token more than before the held-out stories may take."""
        return compute_room(self.drift)


def compute_room(drift: float) -> float:
    """Return how many nats per token more than its base's a network's held-out stories may take.

    ``drift`` is how many times as perplexed the base is as the model was before all choices: what earlier generations
    lost is gone, and what they gained is there to be spent.
    """
    return max(0.0, math.log(MOST_PERPLEXITY / drift))


def fit_preferences(fitting: PreferenceFitting, resume_from: Path | None) -> tuple[int, bool]:
    """Learn from the pairs; return the last step and whether it came to its end (False: stopped, with a checkpoint).

    Raise LossDivergedError, and what torch raises where memory is short.
    """
    stepper = _Stepper(fitting)
    set_seed(fitting.seed)
    trainer = _ChoiceTrainer(fitting, _make_arguments(fitting), stepper)
    try:
        trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
    finally:
        # Take accelerate's autocast off the network: graphs are compared with float32.
        trainer.accelerator.unwrap_model(fitting.network, keep_fp32_wrapper=False)
    return trainer.state.global_step, not stepper.stopped


def _make_arguments(fitting: PreferenceFitting) -> DPOConfig:
    settings, thrift = fitting.settings, fitting.thrift
    rate = settings.feedback_rate * (settings.adapter_rate if thrift.adapters else 1.0)
    arguments = DPOConfig(
        output_dir=str(fitting.store.folder),
        max_steps=len(fitting.order),
        per_device_train_batch_size=max(1, PAIRS_PER_STEP // thrift.parts),
        gradient_accumulation_steps=min(thrift.parts, PAIRS_PER_STEP),
        learning_rate=rate,
        lr_scheduler_type="linear",
        warmup_steps=max(1, round(len(fitting.order) * _WARMUP_SHARE)),
        weight_decay=0.0,
        max_grad_norm=settings.gradient_limit,
        optim="adamw_torch_fused",
        beta=settings.feedback_strength,
        rpo_alpha=settings.feedback_anchor or None,
        bf16=fitting.device.precision == "bf16",
        fp16=fitting.device.precision == "fp16",
        gradient_checkpointing=False,  # the network was told already, where memory asks for it
        use_cpu=not fitting.device.is_gpu,
        max_length=None,
        max_prompt_length=None,
        max_completion_length=None,
        seed=fitting.seed,
        data_seed=fitting.seed,
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


class _Pairs(Dataset[dict[str, Any]]):
    """The pairs of all steps in their order, as trl's collator reads them."""

    def __init__(self, fitting: PreferenceFitting) -> None:
        self._fitting = fitting
        self._order = [index for step in fitting.order for index in step]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, place: int) -> dict[str, Any]:
        index = self._order[place]
        pair, (chosen, rejected) = self._fitting.pairs[index], self._fitting.reference[index]
        return {
            "prompt_input_ids": list(pair.context),
            "chosen_input_ids": list(pair.chosen),
            "rejected_input_ids": list(pair.rejected),
            "ref_chosen_logps": chosen,
            "ref_rejected_logps": rejected,
            "weight": pair.weight,
            "story": self._cut_stretch(place),
        }

    def _cut_stretch(self, place: int) -> Row | None:
        """Return the stretch of a story that goes with the pair in a place; the same after a resume."""
        fitting = self._fitting
        if not fitting.stories or not fitting.settings.feedback_replay:
            return None
        chance = random.Random(f"{fitting.seed} story {place}")
        row = chance.choice(fitting.stories)
        start = chance.randint(0, max(0, len(row.ids) - STRETCH))
        return Row(row.ids[start : start + STRETCH], max(1, row.counted_from - start))


class _WeighingCollator(DataCollatorForPreference):
    """trl's collator with the pairs' weights beside what it makes, [pairs] float32, and stretches of stories."""

    def torch_call(self, examples: list[Any]) -> dict[str, Any]:
        """Return padded ids, the reference's view, weights and, where stories are kept in mind, ``stories``."""
        batch: dict[str, Any] = super().torch_call(examples)
        batch["weight"] = torch.tensor([example["weight"] for example in examples])
        stories = [example["story"] for example in examples if example["story"] is not None]
        if stories:
            batch["stories"] = collate_rows(stories)
        return batch


class _ChoiceTrainer(WholeCheckpointTrainer, DPOTrainer):
    """trl's DPOTrainer over pairs that are ids already, in a fixed order."""

    def __init__(self, fitting: PreferenceFitting, arguments: DPOConfig, stepper: _Stepper) -> None:
        self._pairs = _Pairs(fitting)
        tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # not typed by transformers
            tokenizer_object=load_tokenizer(fitting.weights), eos_token=END_OF_TEXT, pad_token=END_OF_TEXT
        )
        self._weights = torch.ones(1)
        self._replay = fitting.settings.feedback_replay
        DPOTrainer.__init__(
            self,
            model=fitting.network,
            args=arguments,
            data_collator=_WeighingCollator(pad_token_id=int(tokenizer.pad_token_id)),
            train_dataset=self._pairs,
            processing_class=tokenizer,
            callbacks=[stepper],
        )
        self.remove_callback(PrinterCallback)  # type: ignore[no-untyped-call]  # as above
        self._stepper = stepper
        self.keep_whole(fitting.store, fitting.reporter, fitting.progress.save, Team())

    def _prepare_dataset(self, dataset: Any, *_arguments: Any, **_named: Any) -> Any:
        return dataset

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self._pairs)

    def create_model_card(self, *_arguments: Any, **_named: Any) -> None:
        """Write none: the model's card is made where the model is."""

    def get_batch_loss_metrics(
        self, model: Any, batch: dict[str, Any], train_eval: Any = "train"
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Return trl's loss, each pair counted as strongly as it weighs, and that of the stories kept in mind."""
        self._weights = batch.pop("weight")
        stories = batch.pop("stories", None)
        loss, metrics = super().get_batch_loss_metrics(model, batch, train_eval)
        if stories is not None:
            loss = loss + self._replay * model(**stories).loss
        return loss, metrics

    def dpo_loss(self, *arguments: Any, **named: Any) -> tuple[Any, Any, Any]:
        """Return the losses of pairs by their weights, and trl's rewards."""
        losses, chosen, rejected = super().dpo_loss(*arguments, **named)
        return losses * self._weights.to(losses.device), chosen, rejected

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Go forward and backward; raise LossDivergedError before a broken gradient reaches the weights."""
        tokens = sum(int(inputs[name].numel()) for name in ("chosen_input_ids", "rejected_input_ids"))
        loss = super().training_step(model, inputs, num_items_in_batch)
        if not math.isfinite(float(loss)):
            raise LossDivergedError(self.state.global_step + 1)
        self._stepper.add_batch(float(loss), tokens)
        return loss


class _Stepper(TrainerCallback):
    """After each step: report it, measure, keep the best, save, and decide whether to go on."""

    def __init__(self, fitting: PreferenceFitting) -> None:
        self._fitting = fitting
        self._every = max(1, len(fitting.order) // _MEASUREMENTS)
        self._began = time.monotonic()
        self._loss, self._tokens = 0.0, 0
        self._seconds: list[float] = []
        self.stopped = False

    def add_batch(self, loss: float, tokens: int) -> None:
        """Note a piece of the current step."""
        self._loss += loss
        self._tokens += tokens

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the step's clock."""
        self._began, self._loss, self._tokens = time.monotonic(), 0.0, 0

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """Report the step and decide what comes next."""
        step, total, wishes = int(state.global_step), len(self._fitting.order), self._fitting.control
        self._report(step, total, kwargs.get("lr_scheduler"))
        self.stopped = wishes.is_stopping
        at_end = step >= total or wishes.is_finishing or time.monotonic() > self._fitting.deadline
        measures = not self.stopped and (step % self._every == 0 or at_end)
        if measures:
            at_end = self._measure(step) or at_end
        self._fitting.progress.finished = at_end and not self.stopped
        control.should_training_stop = at_end or self.stopped
        control.should_save = measures or self.stopped
        return control

    def _report(self, step: int, total: int, scheduler: Any) -> None:
        self._seconds.append(max(time.monotonic() - self._began, 1e-6))
        self._fitting.reporter.report(
            StepTaken(
                step=step,
                total_steps=total,
                loss=round(self._loss, 5),
                learning_rate=float(scheduler.get_last_lr()[0]) if scheduler is not None else 0.0,
                tokens_per_second=round(self._tokens / self._seconds[-1], 1),
                seconds_left=round((total - step) * sum(self._seconds) / len(self._seconds), 1),
            )
        )

    def _measure(self, step: int) -> bool:
        """Keep the weights where choices are predicted best and stories not much worse; return whether to end.

        Stories that became too perplexing in the middle of a run mend while the rate falls: such a measurement counts
        neither for the network nor against going on.
        """
        fitting, progress = self._fitting, self._fitting.progress
        choices, stories = fitting.measure()
        fitting.reporter.report(choices.as_event("during", step))
        fitting.reporter.report(stories.as_event("during", step))
        is_better = choices.loss < progress.best_loss - fitting.settings.smallest_gain
        holds = stories.nats_per_token <= fitting.before.nats_per_token + fitting.find_room()
        if holds and is_better:
            progress.best_step, progress.best_loss, progress.without_gain = step, choices.loss, 0
            with fitting.store.write("best", step) as folder:
                fitting.network.save_pretrained(
                    folder, state_dict=merge_adapters(fitting.network), safe_serialization=True
                )
                write_json(folder / BEST_NAME, {"step": step, "choice_loss": choices.loss})
        elif holds:
            progress.without_gain += 1
        elif is_better:
            progress.is_costly = True
        return progress.without_gain >= fitting.settings.patience
