"""A whole tuning run, readable top to bottom: read, clean, split, measure, tune, measure, sample, export, bundle."""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainer.base import LEAST_DRIFT, open_base
from trainer.config import Hyperparameters
from trainer.control import Control, StopRequested
from trainer.corpus.preparation import Corpus, fingerprint_corpus, prepare_corpus
from trainer.corpus.rows import Row, make_heldout_rows, make_training_rows
from trainer.corpus.tokens import load_tokenizer, tokenise_documents
from trainer.evaluation.figures import HeldoutFigures, TextSize, measure_size
from trainer.evaluation.stories import TrainingText, measure_stories
from trainer.export.building import build_bundle
from trainer.export.bundle import Description, find_finished
from trainer.preference.records import has_feedback, read_records
from trainer.protocol.codec import decode_request
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.feedback import FEEDBACK_FILE, FeedbackPair
from trainer.protocol.manifest import DRIFT, Manifest, checksum_file
from trainer.protocol.messages import (
    CorpusPrepared,
    PlanMade,
    PromptsRanked,
    Request,
    RunCompleted,
    RunStarted,
    Stage,
    StoriesMeasured,
)
from trainer.reporter import Reporter
from trainer.resources import estimate_disk, estimate_memory, require_disk, require_memory
from trainer.run import Run
from trainer.showing import SAMPLE_PACE, rank_after, rank_before, write_before, write_during, write_samples
from trainer.tuning.checkpoints import CheckpointStore
from trainer.tuning.graphics import find_card
from trainer.tuning.thrift import choose_thrift

if TYPE_CHECKING:
    from trainer.tuning.attempt import Assignment
    from trainer.tuning.network import TunedNetwork

REQUEST_NAME = "request.json"
CHECKPOINTS_NAME = "checkpoints"


@dataclass(frozen=True, slots=True)
class _Texts:
    """Both sides as rows, and what the held-out side measures."""

    training: list[Row]
    heldout: list[Row]
    size: TextSize
    prompts: list[str]


def tune(folder: Path, reporter: Reporter, control: Control) -> None:
    """Carry out the run that ``folder/request.json`` asks for, from its last whole checkpoint where there is one.

    Raise TrainerError for what can be expected to go wrong, StopRequested where someone asked for the end.
    """
    began = time.monotonic()
    request = _read_request(folder)
    settings = Hyperparameters.from_settings(request.settings)
    finished = find_finished(Path(request.bundle), request.run_id)
    if finished is not None:
        _complete(reporter, request, finished, steps=0, seconds=0.0)
        return
    run = _start(folder, request, settings, reporter, control)
    if not run.team.is_first:
        _help(run)
        return
    from trainer.tuning.machine import watch_machine

    with watch_machine(run.device, reporter):
        manifest, steps = _carry_out(run)
    _complete(reporter, request, manifest, steps=steps, seconds=time.monotonic() - began)


def _carry_out(run: Run) -> tuple[Manifest, int]:
    """Do all of the work and return the finished bundle's manifest, and the step its weights are from."""
    corpus = _read_corpus(run)
    texts = _pack(run, corpus)
    network, before = _measure_before(run, texts)
    ranked_before = rank_before(run, network, corpus)
    stories_before = write_before(run, network, corpus)
    steps = _tune(run, network, texts, before)
    run.team.leave()
    after = _measure_after(run, network, texts, steps)
    ranked_after = rank_after(run, network, corpus, ranked_before)
    run.enter(Stage.SAMPLING)
    stories_after = [text for _, text in write_samples(run, network, texts.prompts, "after")]
    stories = _measure_stories(run, corpus, stories_before, stories_after)
    ranked = tuple(each for each in (ranked_before, ranked_after) if each)
    description = _describe(run, corpus, before, after, stories, ranked)
    return _export(run, network, texts, description), steps


def _help(run: Run) -> None:
    """Tune along with the first process of a team, which alone does the rest."""
    texts = _pack(run, _read_corpus(run))
    network, before = _measure_before(run, texts)
    _tune(run, network, texts, before)
    run.team.leave()


def plan(folder: Path, reporter: Reporter, control: Control) -> None:
    """Report what the run that ``folder/request.json`` asks for would be: how long, how much memory and disk.

    A few steps are done and thrown away; no checkpoint is written. Raise like ``tune``.
    """
    request = _read_request(folder)
    settings = Hyperparameters.from_settings(request.settings)
    unlimited = dataclasses.replace(request, minutes=None)
    run = _start(folder, unlimited, settings, reporter, control)
    texts = _pack(run, _read_corpus(run, keep_text=False))
    reporter.report(_foresee(run, texts))
    run.team.leave()


def _foresee(run: Run, texts: _Texts) -> PlanMade:
    from trainer.tuning.attempt import foresee
    from trainer.tuning.devices import read_free
    from trainer.tuning.network import load_network, move_network

    network = load_network(run.base.weights, run.settings)
    move_network(network, run.device.torch)
    # Nothing is measured on held-out text here, so nothing is remembered that a tuning in this folder would go by.
    task = dataclasses.replace(_assign(run, network, texts, HeldoutFigures(0.0, 0.0, 0.0, 0)), remember=_forget)
    found = foresee(task)
    training = sum(len(row.ids) for row in texts.training)
    # A measurement goes forward only, which is a third of the way there and back.
    measuring = found.seconds_per_step / run.settings.batch_tokens * texts.size.tokens / 3
    measurements = 2 + found.schedule.total_steps / found.schedule.evaluate_every
    adapters = found.thrift.adapters
    disk = estimate_disk(run.base.weight_count, portable=run.request.portable)
    return PlanMade(
        device=run.device.name,
        precision=run.device.precision,
        method="adapters" if adapters else "full",
        weights=run.base.weight_count,
        steps=found.schedule.total_steps,
        epochs=found.epochs,
        batch_tokens=min(run.settings.batch_tokens, training),
        learning_rate=found.schedule.learning_rate,
        context=max(len(row.ids) for row in texts.training),
        seconds_per_step=round(found.seconds_per_step, 4),
        seconds=round(found.schedule.total_steps * found.seconds_per_step + measurements * measuring, 1),
        memory_needed=estimate_memory(run.base, run.settings, adapters=adapters),
        memory_free=read_free(run.device.torch) or 0,
        disk_needed=sum(disk),
        disk_free=shutil.disk_usage(run.folder).free,
    )


def _forget(**_facts: object) -> None:
    """Write nothing down."""


def _read_request(folder: Path) -> Request:
    try:
        return decode_request((folder / REQUEST_NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=f"{folder / REQUEST_NAME}: {error}") from error


def _start(folder: Path, request: Request, settings: Hyperparameters, reporter: Reporter, control: Control) -> Run:
    """Check base, disk and memory, load torch and report the start."""
    base = open_base(Path(request.base))
    require_disk(folder, Path(request.bundle), base.weight_count, portable=request.portable)
    require_memory(base, settings)
    try:
        from trainer.tuning.devices import choose_device
        from trainer.tuning.network import keep_memory
        from trainer.tuning.team import join_team
    except ImportError as error:
        raise TrainerError(TrainerFailure.TORCH_MISSING) from error
    keep_memory()
    device = choose_device(settings)
    team = join_team(on_gpu=device.torch.type == "cuda")
    store = CheckpointStore(folder / CHECKPOINTS_NAME)
    damaged: list[Path] = []
    newest = store.find_newest("checkpoint", damaged.append)
    resumed = newest.step if newest else 0
    reporter.report(RunStarted(request.run_id, device.name, device.precision, resumed, os.getpid()))
    run = Run(folder, request, settings, base, reporter, control, store, device, team)
    if device.name == "cpu" and settings.device != "cpu" and (card := find_card()):
        run.notice("gpu_not_used", card=card)
    for path in damaged:
        run.notice(TrainerFailure.CHECKPOINT_DAMAGED, path=str(path))
    return run


def _read_corpus(run: Run, *, keep_text: bool = True) -> Corpus:
    """Return the corpus, which the first process of a team reads and the others find on disk."""
    if not run.team.is_first:
        run.team.wait()
    corpus = prepare_corpus(run.request, run.base.normaliser, run.folder, run.enter, keep_text=keep_text)
    if run.team.is_first:
        run.team.wait()
    return corpus


def _pack(run: Run, corpus: Corpus) -> _Texts:
    """Tokenise both sides, cut them into rows and report the corpus."""
    run.enter(Stage.PACKING)
    for notice in corpus.notices:
        run.reporter.report(notice)
    shape = run.base.shape
    tokenizer = load_tokenizer(run.base.weights)
    positions = min(run.settings.context or 1024, shape.positions)
    sides = [
        tokenise_documents(side, tokenizer, run.base.template, end_token=shape.end_token_id, positions=positions)
        for side in (corpus.split.training, corpus.split.heldout)
    ]
    training = make_training_rows(
        sides[0], positions=positions, end_token=shape.end_token_id, loss_on=run.settings.loss_on
    )
    heldout = make_heldout_rows(sides[1], positions=shape.positions)
    if any(token >= shape.vocabulary for row in (*training, *heldout) for token in row.ids):
        detail = "its tokenizer knows more tokens than the network"
        raise TrainerError(TrainerFailure.BASE_NOT_USABLE, path=str(run.base.weights), detail=detail)
    size = measure_size(sides[1])
    run.reporter.report(
        CorpusPrepared(
            documents_read=corpus.documents_read,
            documents_kept=len(corpus.split.training) + len(corpus.split.heldout),
            words=corpus.words,
            changed=dict(corpus.report.changed),
            dropped=dict(corpus.report.dropped),
            training_documents=len(corpus.split.training),
            heldout_documents=len(corpus.split.heldout),
            training_tokens=sum(len(row.ids) for row in training),
            heldout_tokens=size.tokens,
            examples=corpus.report.examples,
        )
    )
    return _Texts(training, heldout, size, list(dict.fromkeys(document.prompt for document in corpus.split.heldout)))


def _measure(run: Run, network: TunedNetwork, texts: _Texts) -> HeldoutFigures:
    from trainer.evaluation.heldout import measure_heldout

    # A process of a team that stopped in here would leave the others waiting.
    check = run.control.raise_if_stopping if run.team.size == 1 else lambda: None
    return measure_heldout(network, texts.heldout, texts.size, device=run.device.torch, check=check)


def _measure_before(run: Run, texts: _Texts) -> tuple[TunedNetwork, HeldoutFigures]:
    """Load the base and measure how well it predicts the held-out stories."""
    from trainer.tuning.network import load_network, move_network

    run.enter(Stage.MEASURING_BEFORE)
    network = load_network(run.base.weights, run.settings)
    move_network(network, run.device.torch)
    began = time.monotonic()
    figures = _measure(run, network, texts)
    if not math.isfinite(figures.nats_per_token):
        detail = "its predictions are no numbers"
        raise TrainerError(TrainerFailure.BASE_NOT_USABLE, path=str(run.base.weights), detail=detail)
    run.reporter.report(figures.as_event("before", 0))
    if "measuring_seconds" not in run.state:
        run.remember(measuring_seconds=time.monotonic() - began)
    return network, figures


def _assign(run: Run, network: TunedNetwork, texts: _Texts, before: HeldoutFigures) -> Assignment:
    from trainer.tuning.attempt import Assignment
    from trainer.tuning.devices import read_free

    wanted = run.settings.samples_during
    return Assignment(
        network=network,
        weights=run.base.weights,
        settings=run.settings,
        device=run.device,
        rows=texts.training,
        before=before,
        measure=lambda: _measure(run, network, texts),
        seed=run.request.seed,
        seconds=run.request.minutes * 60 if run.request.minutes else None,
        store=run.store,
        reporter=run.reporter,
        control=run.control,
        state=run.state,
        remember=run.remember,
        team=run.team,
        thrift=choose_thrift(run.base, run.settings, read_free(run.device.torch)),
        folder=run.folder,
        write_samples=(lambda step: write_during(run, network, texts.prompts, step))
        if wanted and texts.prompts
        else None,
        sample_seconds=_read_number(run.state.get(SAMPLE_PACE)) * run.settings.sample_during_tokens * wanted,
    )


def _tune(run: Run, network: TunedNetwork, texts: _Texts, before: HeldoutFigures) -> int:
    """Tune, put the best weights found into ``network`` and return the step they are from (0: those of the base)."""
    from trainer.tuning.attempt import tune_network

    run.enter(Stage.TUNING)
    task = _assign(run, network, texts, before)
    if task.thrift.adapters and run.settings.method == "auto":
        run.notice("memory_adapters")
    if has_feedback(run.folder):
        return _improve(run, task)
    result = tune_network(task)
    if not result.whole:
        raise StopRequested
    if result.best_step == 0:
        run.notice("no_improvement", perplexity=before.perplexity)
    return result.best_step


def _improve(run: Run, task: Assignment) -> int:
    """Learn from what the writer chose, and return the step of the best weights (0: those of the base)."""
    from trainer.preference.improving import improve_network

    if run.team.size > 1:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail="choices are learned from by one process")
    positions = min(run.settings.context or 1024, run.base.shape.positions)
    improvement = improve_network(task, run.base, run.folder, positions)
    if not improvement.result.whole:
        raise StopRequested
    if improvement.result.best_step == 0:
        code = "choices_too_costly" if improvement.is_costly else "choices_not_learned"
        run.notice(code, pairs=improvement.before.pairs)
    figures = {"before": improvement.before, "after": improvement.after}
    run.remember(choices={moment: dataclasses.asdict(each) for moment, each in figures.items()})
    return improvement.result.best_step


def _measure_after(run: Run, network: TunedNetwork, texts: _Texts, steps: int) -> HeldoutFigures:
    """Measure the weights that will be shipped, rounded as they will be."""
    from trainer.export.tuned_weights import round_weights

    run.enter(Stage.MEASURING_AFTER)
    round_weights(network, run.base)
    figures = _measure(run, network, texts)
    run.reporter.report(figures.as_event("after", steps))
    return figures


def _read_number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _measure_stories(run: Run, corpus: Corpus, before: list[str], after: list[str]) -> tuple[StoriesMeasured, ...]:
    """Report how varied the stories are and how much of them was learnt by heart."""
    training = TrainingText(document.story for document in corpus.split.training)
    found = tuple(
        measure_stories(stories, training, moment) for moment, stories in (("before", before), ("after", after))
    )
    for each in found:
        run.reporter.report(each)
    return found


def _describe(
    run: Run,
    corpus: Corpus,
    before: HeldoutFigures,
    after: HeldoutFigures,
    stories: tuple[StoriesMeasured, ...],
    ranked: tuple[PromptsRanked, ...],
) -> Description:
    """Return what manifest and card say of the model, so that it can be traced to its text."""
    request, base = run.request, run.base
    return Description(
        name=request.name,
        kind="tuned",
        licence=base.licence,
        origin=f"tuned from {base.name}",
        lineage=(base.name, *base.lineage),
        parent=base.fingerprint,
        run_id=request.run_id,
        heldout={
            "perplexity_before": before.perplexity,
            "perplexity_after": after.perplexity,
            **{f"prompt_ranking_{each.moment}": each.accuracy for each in ranked},
            **_list_choices(run, after.perplexity / before.perplexity),
        },
        settings={**dataclasses.asdict(run.settings), "seed": request.seed},
        data={
            **({"fingerprint": corpus.version} if corpus.version else {}),
            "sha256": fingerprint_corpus(corpus),
            "training_stories": len(corpus.split.training),
            "heldout_stories": len(corpus.split.heldout),
            "words": corpus.words,
            **_count_feedback(run),
        },
        stories=stories,
        ranked=ranked,
    )


def _count_feedback(run: Run) -> dict[str, str | int]:
    """Return how many choices were learned from and kept aside, and their checksum, where that was learned from."""
    if not has_feedback(run.folder):
        return {}
    path = run.folder / FEEDBACK_FILE
    pairs = [record for record in read_records(path) if isinstance(record, FeedbackPair)]
    aside = sum(pair.held_out for pair in pairs)
    return {"choices": len(pairs) - aside, "heldout_choices": aside, "choices_sha256": checksum_file(path).sha256}


def _list_choices(run: Run, perplexity_ratio: float) -> dict[str, float]:
    """Return the figures of held-out choices, and what learning them cost so far, where choices were learned from."""
    kept = run.state.get("choices")
    if not isinstance(kept, dict):
        return {}
    figures = {
        f"choice_{figure}_{moment}": float(measured[figure])
        for moment, measured in kept.items()
        for figure in ("accuracy", "loss")
    }
    return {**figures, DRIFT: max(LEAST_DRIFT, run.base.drift * perplexity_ratio)}


def _export(run: Run, network: TunedNetwork, texts: _Texts, description: Description) -> Manifest:
    """Write weights and graphs, compare the graphs with torch and rename the bundle into place."""
    import torch

    from trainer.export.tuned_weights import save_weights
    from trainer.tuning.network import move_network

    move_network(network, torch.device("cpu"))  # the graphs are compared on the processor they will run on

    def reference(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        network.train(False)
        with torch.inference_mode():
            logits = network(torch.from_numpy(ids)[None]).logits[0]
            result: NDArray[np.float32] = torch.log_softmax(logits.float(), -1).numpy()
        return result

    request, base = run.request, run.base
    return build_bundle(
        Path(request.bundle),
        base,
        description,
        fill_weights=lambda out: save_weights(network, base, out),
        rows=texts.heldout,
        calibration=texts.training,
        reference=reference,
        portable=request.portable,
        reporter=run.reporter,
        check=run.control.raise_if_stopping,
        enter=run.enter,
    )


def _complete(reporter: Reporter, request: Request, manifest: Manifest, *, steps: int, seconds: float) -> None:
    reporter.report(
        RunCompleted(
            bundle=request.bundle,
            perplexity_before=manifest.heldout.get("perplexity_before", 0.0),
            perplexity_after=manifest.heldout.get("perplexity_after", 0.0),
            steps=steps,
            seconds=round(seconds, 1),
        )
    )
