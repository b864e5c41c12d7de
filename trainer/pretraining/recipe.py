"""A whole pretraining, readable top to bottom: read, clean, split, pack, learn, measure, write."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from trainer.config import Hyperparameters
from trainer.control import Control
from trainer.pretraining.packing import PackedText, pack_folder
from trainer.pretraining.settings import PretrainingSettings, refuse
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import CorpusPrepared, NoticeGiven, RunCompleted, RunStarted, Stage, StageEntered
from trainer.reporter import Reporter
from trainer.resources import estimate_disk, read_free_memory
from trainer.tuning.checkpoints import CheckpointStore, read_json, write_json

RUN_NAME = "run.json"
CHECKPOINTS_NAME = "checkpoints"
_SPARE_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class PretrainingRequest:
    """What to learn from, where to, and how; ``titles`` is a table of titles by file."""

    texts: Path
    out: Path
    settings: PretrainingSettings
    name: str = ""
    licence: str = "unknown"
    titles: Path | None = None


def pretrain(request: PretrainingRequest, reporter: Reporter, control: Control) -> None:
    """Train a GPT-2 from nothing, from the last whole checkpoint in ``request.out`` where there is one.

    Raise TrainerError for what can be expected to go wrong, StopRequested where someone asked for the end.
    """
    began = time.monotonic()
    out, settings = request.out, request.settings

    def enter(stage: Stage) -> None:
        control.raise_if_stopping()
        reporter.report(StageEntered(stage))

    try:
        import torch

        from trainer.pretraining.learning import Course, learn
        from trainer.pretraining.network import make_network
        from trainer.pretraining.outcome import MODEL_NAME, round_weights, write_card, write_model
        from trainer.pretraining.rows import PackedRows
        from trainer.tuning.devices import choose_device
        from trainer.tuning.network import keep_memory
    except ImportError as error:
        raise TrainerError(TrainerFailure.TORCH_MISSING) from error
    if (out / MODEL_NAME).exists():
        _complete(reporter, out / MODEL_NAME, began)
        return
    keep_memory()
    device = choose_device(Hyperparameters(device=settings.device, precision=settings.precision))
    if device.precision == "fp16":
        # Half precision that needs its losses scaled is for tuning; here older cards compute in full.
        device = dataclasses.replace(device, precision="fp32")
    store = CheckpointStore(out / CHECKPOINTS_NAME)
    damaged: list[Path] = []
    newest = store.find_newest("checkpoint", damaged.append)
    resumed = newest.step if newest else 0
    reporter.report(RunStarted(request.name or out.name, device.name, device.precision, resumed, os.getpid()))
    _say_damage(reporter, damaged)
    packed = pack_folder(request.texts, out, settings, request.titles, enter=enter, check=control.raise_if_stopping)
    _report_text(reporter, packed)
    _hold_to(out, settings, packed)
    training = PackedRows(packed.training, packed.token_type, settings.positions)
    heldout = PackedRows(packed.heldout, packed.token_type, settings.positions)
    _require_rows(packed, len(training), len(heldout), settings)
    network = make_network(settings, packed.summary.vocabulary)
    weights = sum(weight.numel() for weight in network.parameters())
    _require_room(out, weights)
    torch.nn.Module.to(network, device.torch)
    enter(Stage.TUNING)
    course = Course(network, settings, device, training, heldout, packed.summary.heldout, store, reporter, control)
    progress = learn(course, lambda folder: _say_damage(reporter, [folder]))
    enter(Stage.MEASURING_AFTER)
    round_weights(network)
    figures = course.measure_last()
    reporter.report(figures.as_event("after", progress.step))
    enter(Stage.EXPORTING)
    card = write_card(request.name or out.name, request.licence, settings, packed, progress, figures, weights)
    place = write_model(network, packed, card, out)
    _complete(reporter, place, began, steps=progress.step, perplexity=figures.perplexity)


def _complete(reporter: Reporter, place: Path, began: float, *, steps: int = 0, perplexity: float = 0.0) -> None:
    seconds = round(time.monotonic() - began, 1)
    reporter.report(RunCompleted(str(place), 0.0, perplexity, steps, seconds))


def _say_damage(reporter: Reporter, folders: list[Path]) -> None:
    for folder in folders:
        reporter.report(NoticeGiven(TrainerFailure.CHECKPOINT_DAMAGED, {"path": str(folder)}))


def _report_text(reporter: Reporter, packed: PackedText) -> None:
    text = packed.summary
    if text.same_story:
        reporter.report(NoticeGiven("heldout_from_same_story", {"parts": text.heldout_documents}))
    reporter.report(
        CorpusPrepared(
            documents_read=text.documents_read,
            documents_kept=text.training_documents + text.heldout_documents,
            words=text.words,
            changed=text.changed,
            dropped=text.dropped,
            training_documents=text.training_documents,
            heldout_documents=text.heldout_documents,
            training_tokens=text.training.tokens,
            heldout_tokens=text.heldout.tokens,
            examples=text.examples,
        )
    )


def _hold_to(out: Path, settings: PretrainingSettings, packed: PackedText) -> None:
    """Write down what this run is of, or refuse to go on where it was of something else."""
    wanted = {**settings.lasting, "text": packed.summary.fingerprint}
    begun = read_json(out / RUN_NAME)
    for name, value in wanted.items():
        if begun and begun.get(name) != value:
            raise refuse(f"{out} holds a run with {name} {begun.get(name)}, not {value}; name another folder")
    if not begun:
        write_json(out / RUN_NAME, wanted)


def _require_rows(packed: PackedText, training: int, heldout: int, settings: PretrainingSettings) -> None:
    """Raise TrainerError(TOO_LITTLE_TEXT) where a side has no whole row."""
    if training and heldout:
        return
    text = packed.summary
    raise TrainerError(
        TrainerFailure.TOO_LITTLE_TEXT,
        stories=text.training_documents + text.heldout_documents,
        words=text.words,
        needed_stories=text.training_documents + text.heldout_documents + 1,
        # Both sides need a row at least, and a word takes more than a token.
        needed_words=max(text.words + 1, settings.positions * 20),
    )


def _require_room(out: Path, weights: int) -> None:
    """Raise TrainerError(DISK_FULL, MEMORY_FULL) where checkpoints or network can't fit."""
    if shutil.disk_usage(out).free < estimate_disk(weights, portable=False)[0] + _SPARE_BYTES:
        raise TrainerError(TrainerFailure.DISK_FULL, path=str(out))
    needed, free = weights * 4 * 4, read_free_memory()
    if free is not None and needed > free:
        detail = f"{needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free"
        raise TrainerError(TrainerFailure.MEMORY_FULL, detail=detail)
