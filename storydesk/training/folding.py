"""A run's state as a pure fold over its events; no I/O, any thread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from storydesk.domain.failures import Failure
from storydesk.domain.tuning import (
    ChoicePrediction,
    GraphParity,
    MachineFigures,
    PlannedRun,
    PromptRanking,
    RunState,
    RunStatus,
    SampleDuring,
    Series,
    StoryFigures,
)
from trainer.protocol import messages

_CURVE_POINTS = 1000
"""More losses than a curve can show are thinned out, so that a long run stays as quick as a short one."""


def fold(state: RunState, event: messages.Event) -> RunState:
    """Return the state after one more event; unknown events change nothing."""
    match event:
        case messages.RunStarted():
            return _start(state, event)
        case messages.StageEntered():
            return replace(state, stage=event.stage.value)
        case messages.CorpusPrepared():
            return replace(
                state,
                training_documents=event.training_documents,
                heldout_documents=event.heldout_documents,
                words=event.words,
                changed=event.changed,
                dropped=event.dropped,
            )
        case messages.PlanMade():
            return replace(state, planned=_read_plan(event, state.words))
        case messages.HeldoutMeasured():
            return _measure(state, event)
        case messages.StepTaken():
            return _step(state, event)
        case messages.MachineMeasured():
            return _look_at_machine(state, event)
        case messages.CheckpointSaved():
            return replace(state, checkpoint_step=event.step)
        case messages.SampleWritten(moment="before"):
            return replace(state, samples_before=(*state.samples_before, (event.prompt, event.text)))
        case messages.SampleWritten(moment="during"):
            sample = SampleDuring(event.step, event.prompt, event.text)
            return replace(state, samples_during=(*state.samples_during, sample))
        case messages.PromptsRanked():
            return _rank(state, event)
        case messages.ChoicesMeasured():
            found = ChoicePrediction(
                event.moment, event.step, event.pairs, event.accuracy, event.loss, event.most_perplexity
            )
            return replace(state, choices=(*state.choices, found))
        case messages.SampleWritten():
            return replace(state, samples=(*state.samples, (event.prompt, event.text)))
        case messages.StoriesMeasured():
            return replace(state, stories=(*state.stories, _read_figures(event)))
        case messages.GraphCompared():
            return _compare(state, event)
        case messages.NoticeGiven():
            return replace(state, notices=(*state.notices, Failure(event.code, event.parameters)))
        case _:
            return _end(state, event)


def _start(state: RunState, event: messages.RunStarted) -> RunState:
    """A resumed run does the steps after its checkpoint again, so what was known of them goes."""
    return replace(
        state,
        status=RunStatus.RUNNING,
        device=event.device,
        step=event.resumed_step,
        losses=_keep(state.losses, event.resumed_step),
        heldout=_keep(state.heldout, event.resumed_step),
        speeds=_keep(state.speeds, event.resumed_step),
        rates=_keep(state.rates, event.resumed_step),
        gradient_norms=_keep(state.gradient_norms, event.resumed_step),
        memories=_keep(state.memories, event.resumed_step),
        temperatures=_keep(state.temperatures, event.resumed_step),
        machine=MachineFigures(),
        samples=(),
        samples_before=(),
        samples_during=tuple(sample for sample in state.samples_during if sample.step <= event.resumed_step),
        prompt_rankings=(),
        stories=(),
        parity=(),
        notices=(),
        failure=None,
        process_id=event.process_id,
    )


def _keep(series: Series, step: int) -> Series:
    return tuple(point for point in series if point[0] <= step)


def _step(state: RunState, event: messages.StepTaken) -> RunState:
    step = event.step
    norms = state.gradient_norms
    return replace(
        state,
        step=step,
        total_steps=event.total_steps,
        loss=event.loss,
        losses=_append(state.losses, step, event.loss),
        speeds=_append(state.speeds, step, event.tokens_per_second),
        rates=_append(state.rates, step, event.learning_rate),
        gradient_norms=_append(norms, step, event.gradient_norm) if event.gradient_norm else norms,
        learning_rate=event.learning_rate,
        gradient_norm=event.gradient_norm,
        tokens_per_second=event.tokens_per_second,
        seconds_left=event.seconds_left,
    )


def _look_at_machine(state: RunState, event: messages.MachineMeasured) -> RunState:
    memory, heat = event.device_memory or event.process_memory, event.temperature
    return replace(
        state,
        machine=MachineFigures(
            event.process_memory,
            event.process_memory_peak,
            event.memory_free,
            event.memory_total,
            event.device_memory,
            event.device_memory_peak,
            event.device_memory_total,
            event.temperature,
            event.power,
        ),
        memories=_append(state.memories, event.step, float(memory)) if memory else state.memories,
        temperatures=_append(state.temperatures, event.step, heat) if heat else state.temperatures,
    )


def _rank(state: RunState, event: messages.PromptsRanked) -> RunState:
    others = tuple(ranking for ranking in state.prompt_rankings if ranking.moment != event.moment)
    ranking = PromptRanking(event.moment, event.stories, event.choices, event.accuracy, event.low, event.high)
    return replace(state, prompt_rankings=(*others, ranking))


def _measure(state: RunState, event: messages.HeldoutMeasured) -> RunState:
    others = tuple(point for point in state.heldout if point[0] != event.step)
    state = replace(state, heldout=(*others, (event.step, event.perplexity)))
    if event.moment == "before":
        return replace(state, perplexity_before=event.perplexity)
    if event.moment == "after":
        return replace(state, perplexity_after=event.perplexity)
    return state


def _read_plan(event: messages.PlanMade, words: int) -> PlannedRun:
    return PlannedRun(
        event.device,
        event.method == "adapters",
        event.weights,
        event.steps,
        event.epochs,
        event.seconds,
        words,
        event.memory_needed,
        event.memory_free,
        event.disk_needed,
        event.disk_free,
        precision=event.precision,
        batch_tokens=event.batch_tokens,
        learning_rate=event.learning_rate,
        context=event.context,
        seconds_per_step=event.seconds_per_step,
    )


def _read_figures(event: messages.StoriesMeasured) -> StoryFigures:
    return StoryFigures(
        event.moment,
        event.distinct_2,
        event.repetition_3,
        event.longest_copy,
        event.longest_passage,
        event.copied_share,
    )


def _compare(state: RunState, event: messages.GraphCompared) -> RunState:
    others = tuple(parity for parity in state.parity if parity.graph != event.graph)
    parity = GraphParity(
        event.graph, event.reference, event.largest_difference, event.perplexity, event.reference_perplexity
    )
    return replace(state, parity=(*others, parity))


def _end(state: RunState, event: messages.Event) -> RunState:
    match event:
        case messages.RunCompleted():
            return replace(
                state,
                status=RunStatus.COMPLETED,
                bundle=Path(event.bundle),
                perplexity_before=event.perplexity_before or state.perplexity_before,
                perplexity_after=event.perplexity_after or state.perplexity_after,
                seconds_left=0.0,
            )
        case messages.RunStopped():
            return replace(state, status=RunStatus.STOPPED, checkpoint_step=event.step, seconds_left=0.0)
        case messages.RunFailed():
            return replace(state, status=RunStatus.FAILED, failure=Failure(event.code, event.parameters))
        case _:
            return state


def _append(series: Series, step: int, value: float) -> Series:
    """Return the series with one more point; steps that are done again after a lower rate stand there once."""
    if series and series[-1][0] > step:
        series = _keep(series, step - 1)
    longer = (*series, (step, value))
    if len(longer) <= _CURVE_POINTS:
        return longer
    # The newest half of the points stays as it is, and every second one of the older half.
    half = len(longer) // 2
    return longer[:half:2] + longer[half:]
