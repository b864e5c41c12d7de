"""A whole judging job, readable top to bottom: gather, predict, write, read what was written, measure, report."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.base import Base, list_weight_files, open_base
from trainer.config import Hyperparameters
from trainer.control import Control
from trainer.corpus.document import Document
from trainer.corpus.tokens import load_tokenizer
from trainer.evaluation.stories import TrainingText
from trainer.judging.drawing import DEFAULTS
from trainer.judging.ledger import LEDGER_NAME, Ledger
from trainer.judging.material import (
    Material,
    gather_material,
    gather_training,
    list_references,
    make_place,
    read_ratings,
)
from trainer.judging.metrics import Group, Metric, choose_metrics
from trainer.judging.units import list_story_keys, make_heldout_key, make_reading_key
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.judging import MOST_STORIES, JudgeRequest, decode_judge_request
from trainer.protocol.manifest import checksum_file
from trainer.protocol.messages import JudgingAdvanced, NoticeGiven, ReportWritten, RunStarted
from trainer.reporter import Reporter
from trainer.resources import is_memory_full

if TYPE_CHECKING:
    from trainer.judging.reading import StoryReader
    from trainer.judging.writing import StoryOrder, Writer
    from trainer.tuning.network import Device, TunedNetwork

REQUEST_NAME = "request.json"
_STORIES_AT_ONCE = {"cpu": 8, "cuda": 32}
_READ_AT_ONCE = 4


@dataclass(slots=True)
class _Progress:
    """How much of the job is done, and how long the rest may take at the speed of this start."""

    total: int
    done: int
    reporter: Reporter
    began: float = 0.0
    here: int = 0

    def advance(self, work: str, style: str) -> None:
        """Count one unit more and report it."""
        self.done += 1
        self.here += 1
        left = (time.monotonic() - self.began) / self.here * (self.total - self.done)
        self.reporter.report(JudgingAdvanced(work, style, self.done, self.total, round(left, 1)))


@dataclass(frozen=True, slots=True)
class _Job:
    """What every part of one job needs."""

    folder: Path
    request: JudgeRequest
    metrics: tuple[Metric, ...]
    bases: tuple[Base, ...]
    material: Material
    training: TrainingText | None
    training_known: tuple[str, ...]
    ledger: Ledger
    device: Device
    reporter: Reporter
    control: Control
    progress: _Progress

    @property
    def documents(self) -> Sequence[Document]:
        """Return the prompts with the stories of people."""
        return self.material.documents

    @property
    def reader(self) -> int:
        """Return the number of the style that reads what was written."""
        names = [style.name for style in self.request.styles]
        return names.index(self.request.reader) if self.request.reader else 0

    def wants(self, *names: str) -> bool:
        """Return whether any of some metrics is asked for."""
        return any(metric.name in names for metric in self.metrics)


def judge(folder: Path, reporter: Reporter, control: Control) -> None:
    """Carry out the job that ``folder/request.json`` asks for, or go on with it; what is done is never done again.

    Raise TrainerError for what can be expected to go wrong, StopRequested where someone asked for the end.
    """
    began = time.monotonic()
    job = _start(folder, reporter, control)
    try:
        for style in range(len(job.bases)):
            _predict_and_write(job, style)
        _read_stories(job)
        stories = _report(job)
        reporter.report(ReportWritten(job.request.out or str(folder), stories, round(time.monotonic() - began, 1)))
    finally:
        job.ledger.close()


def _start(folder: Path, reporter: Reporter, control: Control) -> _Job:
    """Check the request, gather what is judged on and find what is done already."""
    request = _read_request(folder)
    metrics = choose_metrics(request.metrics)
    read_ratings(request.ratings)
    make_place(Path(request.out) if request.out else folder)
    bases = tuple(open_base(Path(style.folder)) for style in request.styles)
    normaliser = bases[0].normaliser
    stories, known = gather_training(request, normaliser)
    control.raise_if_stopping()
    training = TrainingText(stories) if stories else None
    material = gather_material(request, folder, normaliser, training)
    _check_size(request, material)
    try:
        from trainer.tuning.network import choose_device, keep_memory
    except ImportError as error:
        raise TrainerError(TrainerFailure.TORCH_MISSING) from error
    keep_memory()
    device = choose_device(Hyperparameters.from_settings({"device": request.device}))
    ledger = Ledger(folder / LEDGER_NAME, _fingerprint(request, metrics, material, bases))
    progress = _Progress(0, 0, reporter, time.monotonic())
    job = _Job(
        folder, request, metrics, bases, material, training, tuple(known), ledger, device, reporter, control, progress
    )
    keys = list(_list_keys(job))
    progress.total, progress.done = len(keys), sum(key in ledger for key in keys)
    reporter.report(RunStarted(request.job_id, device.name, device.precision, progress.done, os.getpid()))
    _give_notices(job)
    return job


_READ_FOR = {"prompt_ranking", "coherence", "story_perplexity", "story_order", "prompt_found", "prompt_gain"}


def _read_request(folder: Path) -> JudgeRequest:
    try:
        return decode_judge_request((folder / REQUEST_NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=f"{folder / REQUEST_NAME}: {error}") from error


def _check_size(request: JudgeRequest, material: Material) -> None:
    stories = len(request.styles) * len(request.settings) * len(material.documents) * request.stories
    if stories > MOST_STORIES:
        detail = f"{stories} stories would be written, and {MOST_STORIES} are the most"
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=detail)


def _give_notices(job: _Job) -> None:
    material = job.material
    if material.kept_learned:
        job.reporter.report(NoticeGiven("judged_on_learned", {"count": len(material.documents)}))
    elif material.learned:
        job.reporter.report(NoticeGiven("learned_left_out", {"count": material.learned}))
    if not any(document.story for document in material.documents):
        job.reporter.report(NoticeGiven("judged_without_stories"))


def _fingerprint(request: JudgeRequest, metrics: Sequence[Metric], material: Material, bases: Sequence[Base]) -> str:
    """Return what stands for all that the units depend on; what only the report depends on may change."""
    facts = {
        "styles": [
            [checksum_file(path).sha256 for path in list_weight_files(base.weights)] + [base.template.as_mapping()]
            for base in bases
        ],
        "pairs": [[document.prompt, document.story] for document in material.documents],
        "settings": [{**DEFAULTS, **settings} for settings in request.settings],
        "rest": [request.stories, request.tokens, request.seed, request.reader],
        # What a story is not read for is missing in its unit.
        "read": sorted({metric.name for metric in metrics} & _READ_FOR),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _list_keys(job: _Job) -> Iterator[str]:
    for style in range(len(job.bases)):
        if _is_predicting(job, style):
            yield from (make_heldout_key(style, number) for number, _ in list_references(job.documents))
        for key, *_ in list_story_keys(job.request, len(job.documents), style):
            yield key
            if _is_reading(job):
                yield make_reading_key(key)


def _is_predicting(job: _Job, style: int) -> bool:
    """Return whether a model has to read people's stories; the reader does so to be compared with, too."""
    wanted = any(metric.group is Group.HELDOUT for metric in job.metrics)
    return wanted or (style == job.reader and _is_reading(job))


def _is_reading(job: _Job) -> bool:
    return job.wants("story_perplexity", "story_order", "prompt_found", "prompt_gain")


# The work, one model in memory at a time.


def _predict_and_write(job: _Job, style: int) -> None:
    """Let one model read people's stories and write its own, as far as that is not done."""
    waiting = [
        (number, document)
        for number, document in list_references(job.documents)
        if _is_predicting(job, style) and make_heldout_key(style, number) not in job.ledger
    ]
    orders = list(_list_orders(job, style))
    if not waiting and all(order.key in job.ledger for order in orders):
        return
    network = _load(job, style)
    _read_all(
        job,
        _make_reader(job, style, network),
        [(make_heldout_key(style, number), document) for number, document in waiting],
        ranking=job.wants("prompt_ranking", "prompt_found", "prompt_gain"),
        order=job.wants("coherence", "story_order"),
        work="predicting",
        style=style,
    )
    _write_all(job, style, network, orders)


def _list_orders(job: _Job, style: int) -> Iterator[StoryOrder]:
    """Yield every story that a model is to write, those too that it wrote in an earlier start."""
    from trainer.judging.writing import StoryOrder, make_seed

    for key, settings, prompt, sample in list_story_keys(job.request, len(job.documents), style):
        asked = job.documents[prompt].prompt
        seed = make_seed(job.request.seed, asked, sample)
        yield StoryOrder(key, asked, job.request.settings[settings], seed)


def _load(job: _Job, style: int) -> TunedNetwork:
    from trainer.tuning.network import load_network, move_network

    job.control.raise_if_stopping()
    network = load_network(job.bases[style].weights, Hyperparameters())
    move_network(network, job.device.torch)
    return network


def _make_reader(job: _Job, style: int, network: TunedNetwork) -> StoryReader:
    from trainer.judging.reading import StoryReader

    base = job.bases[style]
    return StoryReader(
        network,
        load_tokenizer(base.weights),
        base.template,
        base.shape.end_token_id,
        base.shape.positions,
        job.device.torch,
        job.request.seed,
    )


def _read_all(
    job: _Job,
    reader: StoryReader,
    waiting: Sequence[tuple[str, Document]],
    *,
    ranking: bool,
    order: bool,
    work: str,
    style: int,
) -> None:
    """Read stories a few at a time and write down what the model makes of each."""
    prompts = [document.prompt for document in job.documents]
    for start in range(0, len(waiting), _READ_AT_ONCE):
        job.control.raise_if_stopping()
        some = waiting[start : start + _READ_AT_ONCE]
        readings = reader.read(
            [document for _, document in some],
            prompts,
            ranking=ranking,
            order=order,
            check=job.control.raise_if_stopping,
        )
        for (key, _), reading in zip(some, readings, strict=True):
            job.ledger.add(key, **reading.as_record())
            job.progress.advance(work, job.request.styles[style].name)


def _write_all(job: _Job, style: int, network: TunedNetwork, orders: list[StoryOrder]) -> None:
    """Write stories many at once, each on disk as soon as it is whole; fewer at once where memory runs short.

    ``orders`` are all of a model's, so that those which share a batch are the same at every start.
    """
    from trainer.tuning.devices import share_processor

    if all(order.key in job.ledger for order in orders):
        return
    writer = _make_writer(job, style, network)
    # Prompts of like length share a batch, so that little is padded.
    orders.sort(key=lambda order: len(order.prompt))
    at_once = _STORIES_AT_ONCE.get(job.device.torch.type, _STORIES_AT_ONCE["cpu"])
    waiting = [orders[start : start + at_once] for start in range(0, len(orders), at_once)][::-1]
    with share_processor(job.bases[style].weight_count, job.device.torch):
        while waiting:
            batch = [order for order in waiting.pop() if order.key not in job.ledger]
            try:
                for story in writer.write(batch, tokens=job.request.tokens, check=job.control.raise_if_stopping):
                    job.ledger.add(story.key, text=story.text, tokens=story.tokens, ended=story.ended)
                    job.progress.advance("writing", job.request.styles[style].name)
            except (RuntimeError, MemoryError) as error:
                if len(batch) < 2 or not is_memory_full(error):
                    raise
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]


def _make_writer(job: _Job, style: int, network: TunedNetwork) -> Writer:
    import torch

    from trainer.judging.drawing import find_words
    from trainer.judging.writing import Writer

    base = job.bases[style]
    tokenizer = load_tokenizer(base.weights)
    words = find_words(tokenizer, base.shape.vocabulary)
    shape = base.shape
    if job.device.bf16:
        # Read it was in float32; for writing, half the numbers are enough and go through memory twice as fast.
        torch.nn.Module.to(network, torch.bfloat16)
    return Writer(network, tokenizer, base.template, words, shape.end_token_id, shape.positions, job.device.torch)


def _read_stories(job: _Job) -> None:
    """Let the reader read everything that was written."""
    if not _is_reading(job):
        return
    waiting = []
    for style in range(len(job.bases)):
        for key, _, prompt, _ in list_story_keys(job.request, len(job.documents), style):
            reading = make_reading_key(key)
            if reading not in job.ledger:
                asked = job.documents[prompt].prompt
                waiting.append((reading, Document(story=str(job.ledger.get(key)["text"]), prompt=asked)))
    if not waiting:
        return
    reader = _make_reader(job, job.reader, _load(job, job.reader))
    _read_all(
        job,
        reader,
        waiting,
        ranking=job.wants("prompt_found", "prompt_gain"),
        order=job.wants("story_order"),
        work="reading",
        style=job.reader,
    )


def _report(job: _Job) -> int:
    """Measure the words of everything, write the report and return how many stories it rests on."""
    from trainer.judging.findings import gather_cells, measure_cells
    from trainer.judging.judgement import judge_findings
    from trainer.judging.report import Circumstances, write_report

    job.control.raise_if_stopping()
    job.reporter.report(JudgingAdvanced("reporting", "", job.progress.done, job.progress.total))
    cells = gather_cells(job.request, job.documents, job.ledger, job.reader)
    findings, equal = measure_cells(
        job.request, job.metrics, job.documents, cells, job.ledger, job.training, job.control.raise_if_stopping
    )
    found = judge_findings(findings, read_ratings(job.request.ratings))
    circumstances = Circumstances(
        device=job.device.name,
        reader=job.request.styles[job.reader].name,
        training_known=job.training_known,
        learned=job.material.learned,
        kept_learned=job.material.kept_learned,
        equal_words=equal,
        bases={style.name: base.name for style, base in zip(job.request.styles, job.bases, strict=True)},
    )
    out = Path(job.request.out) if job.request.out else job.folder
    return write_report(out, job.request, findings, found, circumstances, job.training)
