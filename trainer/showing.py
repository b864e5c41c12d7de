"""What a run shows of its model: stories before, on the way and after, and whether it tells prompts from others."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trainer.corpus.preparation import Corpus
from trainer.corpus.tokens import load_tokenizer
from trainer.protocol.messages import PromptsRanked, SampleWritten
from trainer.resources import is_memory_full
from trainer.run import Run

if TYPE_CHECKING:
    from trainer.tuning.network import TunedNetwork

_SAMPLES_BEFORE = "samples_before"
_RANKED_BEFORE = "ranked_before"

SAMPLE_PACE = "sample_pace"
"""Under this name a run remembers the seconds that a token of a sample takes."""


def rank_before(run: Run, network: TunedNetwork, corpus: Corpus) -> PromptsRanked | None:
    """See whether the base minds prompts, or report what was found when this run was started first."""
    kept = run.state.get(_RANKED_BEFORE)
    if isinstance(kept, dict):
        ranked = PromptsRanked(**kept) if kept else None
    else:
        ranked = _rank(run, network, corpus, "before", run.settings.ranking_stories)
        run.remember(**{_RANKED_BEFORE: dataclasses.asdict(ranked) if ranked else {}})
    if ranked:
        run.reporter.report(ranked)
    return ranked


def rank_after(run: Run, network: TunedNetwork, corpus: Corpus, before: PromptsRanked | None) -> PromptsRanked | None:
    """See whether the tuned model minds prompts, on the very stories that its base was asked about."""
    ranked = _rank(run, network, corpus, "after", before.stories) if before else None
    if ranked:
        run.reporter.report(ranked)
    return ranked


def _rank(run: Run, network: TunedNetwork, corpus: Corpus, moment: str, stories: int) -> PromptsRanked | None:
    from trainer.evaluation.prompt_figures import rank_heldout

    found: list[PromptsRanked | None] = [None]
    with _doing_without_memory(run, "memory_no_ranking"):
        found[0] = rank_heldout(
            network,
            load_tokenizer(run.base.weights),
            run.base,
            corpus.split.heldout,
            moment=moment,
            most=stories,
            # What was found before is to be compared: afterwards the same stories are read, however long it takes.
            seconds=run.settings.ranking_seconds if moment == "before" else None,
            device=run.device.torch,
            seed=run.request.seed,
            check=run.control.raise_if_stopping,
        )
    return found[0]


@contextlib.contextmanager
def _doing_without_memory(run: Run, code: str) -> Iterator[None]:
    """Let the run go on without something that it can do without, where memory is too short for it."""
    from trainer.tuning.devices import free_memory

    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_memory_full(error):
            raise
        error.__traceback__ = None
        free_memory(run.device.torch)
        run.notice(code)


def write_before(run: Run, network: TunedNetwork, corpus: Corpus) -> list[str]:
    """Let the base write on held-out prompts, or report what it wrote when this run was started first."""
    kept = run.state.get(_SAMPLES_BEFORE)
    if isinstance(kept, list):
        for prompt, text in kept:
            run.reporter.report(SampleWritten(str(prompt), str(text), "before"))
        return [str(text) for _, text in kept]
    began = time.monotonic()
    prompts = list(dict.fromkeys(document.prompt for document in corpus.split.heldout))
    written = write_samples(run, network, prompts, "before")
    tokens = max(1, len(written) * run.settings.sample_tokens)
    run.remember(**{_SAMPLES_BEFORE: written, SAMPLE_PACE: (time.monotonic() - began) / tokens})
    return [text for _, text in written]


def write_samples(run: Run, network: TunedNetwork, prompts: Sequence[str], moment: str) -> list[tuple[str, str]]:
    """Let the network write on held-out prompts, with the same seeds at every moment."""
    written: list[tuple[str, str]] = []
    settings = run.settings
    with _doing_without_memory(run, "memory_no_samples"):
        for number, prompt in enumerate(prompts[: settings.sample_stories]):
            text = _write_sample(run, network, prompt, number, settings.sample_tokens)
            run.reporter.report(SampleWritten(prompt, text, moment))
            written.append((prompt, text))
    return written


def write_during(run: Run, network: TunedNetwork, prompts: Sequence[str], step: int) -> None:
    """Let the network begin stories on the first held-out prompts, with the seeds that they are written with after."""
    for number, prompt in enumerate(prompts[: run.settings.samples_during]):
        text = _write_sample(run, network, prompt, number, run.settings.sample_during_tokens)
        run.reporter.report(SampleWritten(prompt, text, "during", step))


def _write_sample(run: Run, network: TunedNetwork, prompt: str, number: int, tokens: int) -> str:
    from trainer.tuning.samples import write_sample

    return write_sample(
        network,
        load_tokenizer(run.base.weights),
        run.base.template,
        prompt,
        settings=run.settings,
        device=run.device,
        end_token=run.base.shape.end_token_id,
        seed=run.request.seed + number,
        most_tokens=tokens,
        check=run.control.raise_if_stopping,
    )
