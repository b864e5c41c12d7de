"""What the window knows of a run at work: memory, temperature, curves, samples, prompt ranking; and after a resume."""

from __future__ import annotations

from pathlib import Path

from storydesk.domain.tuning import MachineFigures, PromptRanking, RunState, SampleDuring
from storydesk.training.folding import fold
from trainer.protocol import messages
from trainer.protocol.codec import decode_event, encode_event


def _fold(*events: messages.Event) -> RunState:
    state = RunState("r", Path())
    for event in events:
        # As it comes over the wire.
        state = fold(state, decode_event(encode_event(event, seconds=1.0)))
    return state


def _step(step: int, **changes: float) -> messages.StepTaken:
    fields = {"loss": 3.0, "learning_rate": 1e-4, "tokens_per_second": 900.0, "seconds_left": 5.0, **changes}
    return messages.StepTaken(step, 9, **fields)


def _machine(step: int, **figures: float) -> messages.MachineMeasured:
    held = {"process_memory": 100, "process_memory_peak": 150, "memory_free": 500, "memory_total": 900}
    return messages.MachineMeasured(step, **{**held, **figures})  # type: ignore[arg-type]  # whole numbers are bytes


def test_every_figure_of_a_step_is_kept_and_drawn() -> None:
    state = _fold(
        _step(1, gradient_norm=2.5), _step(2, learning_rate=2e-4, gradient_norm=0.0, tokens_per_second=1000.0)
    )
    assert (state.learning_rate, state.gradient_norm) == (2e-4, 0.0)
    assert state.rates == ((1, 1e-4), (2, 2e-4))
    assert state.gradient_norms == ((1, 2.5),)  # one that was no number is no point of a curve
    assert state.speeds == ((1, 900.0), (2, 1000.0))


def test_memory_and_temperature_are_those_of_the_gpu_where_there_is_one() -> None:
    state = _fold(_machine(1), _machine(2, device_memory=70, device_memory_total=80, temperature=61.0, power=120.5))
    assert state.memories == ((1, 100.0), (2, 70.0))
    assert state.temperatures == ((2, 61.0),)
    assert state.machine == MachineFigures(100, 150, 500, 900, 70, 0, 80, 61.0, 120.5)


def test_samples_on_the_way_and_the_ranking_of_prompts() -> None:
    state = _fold(
        messages.SampleWritten("p", "before", "before"),
        messages.SampleWritten("p", "soon", "during", 3),
        messages.SampleWritten("p", "later", "during", 6),
        messages.SampleWritten("p", "done"),
        messages.PromptsRanked("before", 20, 10, 0.2, 0.1, 0.4),
        messages.PromptsRanked("after", 20, 10, 0.5, 0.3, 0.7),
    )
    assert state.samples_during == (SampleDuring(3, "p", "soon"), SampleDuring(6, "p", "later"))
    assert (state.samples_before, state.samples) == ((("p", "before"),), (("p", "done"),))
    assert state.prompt_rankings[1] == PromptRanking("after", 20, 10, 0.5, 0.3, 0.7)


def test_what_a_resumed_run_does_again_stands_there_once() -> None:
    started = messages.RunStarted("r", "cpu", "fp32", 2, 1)
    first = [each for step in range(1, 6) for each in (_step(step), _machine(step, temperature=50.0 + step))]
    state = _fold(*first, messages.SampleWritten("p", "t", "during", 4), started, _step(3), _machine(3))
    assert [step for step, _ in state.losses] == [1, 2, 3]
    assert [step for step, _ in state.memories] == [1, 2, 3]
    assert state.samples_during == ()
    # Neither does a curve go back where the run goes back by itself, to learn at a lower rate.
    again = _fold(*first, _step(1), _step(2))
    assert [step for step, _ in again.losses] == [1, 2]
