"""A run's state as a pure fold over its events; no I/O, any thread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from storydesk.domain.failures import Failure
from storydesk.domain.tuning import GraphParity, PlannedRun, RunState, RunStatus, StoryFigures
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
            return replace(
                state,
                step=event.step,
                total_steps=event.total_steps,
                loss=event.loss,
                losses=_thin_out((*state.losses, (event.step, event.loss))),
                tokens_per_second=event.tokens_per_second,
                seconds_left=event.seconds_left,
            )
        case messages.CheckpointSaved():
            return replace(state, checkpoint_step=event.step)
        case messages.SampleWritten(moment="before"):
            return replace(state, samples_before=(*state.samples_before, (event.prompt, event.text)))
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
        losses=tuple(point for point in state.losses if point[0] <= event.resumed_step),
        heldout=tuple(point for point in state.heldout if point[0] <= event.resumed_step),
        samples=(),
        samples_before=(),
        stories=(),
        parity=(),
        notices=(),
        failure=None,
        process_id=event.process_id,
    )


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


def _thin_out(losses: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    """Keep the newest half of the points as they are and every second one of the older half."""
    if len(losses) <= _CURVE_POINTS:
        return losses
    half = len(losses) // 2
    return losses[:half:2] + losses[half:]
