"""A tuning run on the terminal: live words and a bar, and Ctrl+C that saves before it stops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from storydesk.cli.console import Console, Report
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.tuning import RunState
from storydesk.services.following import FollowedRun, State, wait_for

INTERRUPTED = 130
"""The exit code after Ctrl+C."""
STOPPING = "Stopping: what was learned so far is being saved."

STAGES = {
    "": "Starting the trainer",
    "reading": "Reading your stories",
    "cleaning": "Cleaning them up",
    "packing": "Cutting them into pieces",
    "measuring_before": "Measuring the model before",
    "tuning": "Tuning",
    "measuring_after": "Measuring the model after",
    "sampling": "Writing samples",
    "exporting": "Making the graphs",
    "comparing": "Comparing them with the original",
    "bundling": "Packing the model",
}


class RunView:
    """Shows the states of a run as they come; belongs to the main thread."""

    def __init__(self, console: Console, report: Report) -> None:
        """Show on a bar, or as one line a stage where nobody watches."""
        self._console = console
        self._report = report
        self._stage: str | None = None
        self._notices = 0

    def show(self, state: RunState) -> None:
        """Show what changed."""
        for notice in state.notices[self._notices :]:
            self._console.note_failure(notice)
        self._notices = len(state.notices)
        done, total = (state.step, state.total_steps) if state.stage == "tuning" else (0, 0)
        self._report(_describe(state), done, total)
        if state.stage != self._stage and not self._console.lively and not self._console.as_json:
            self._console.note(f"{STAGES.get(state.stage, state.stage)} ...")
        self._stage = state.stage


def wait_for_run(
    run: FollowedRun[State], console: Console, show: Callable[[State], None], stopping: str = STOPPING
) -> tuple[State, bool]:
    """Return the last state and whether the user interrupted.

    The first Ctrl+C asks the trainer to save and stop, which ``stopping`` tells; the second ends it at once.
    """
    interrupted = False
    while True:
        try:
            return wait_for(run, show), interrupted
        except KeyboardInterrupt:
            if interrupted:
                run.kill()
                continue
            interrupted = True
            console.note(f"{stopping} Ctrl+C again ends it at once.")
            run.stop()
        except BaseException:
            # A terminal that went away must not leave a trainer behind.
            run.stop()
            raise


def tell_interrupted(state: RunState, folder: Path, console: Console, code: int = INTERRUPTED) -> int:
    """Say that a run was stopped and how to go on; return the exit code."""
    console.give({"error": console.describe(Failure(FailureCode.CANCELLED)), "run": folder.name})
    saved = f"saved at step {state.checkpoint_step}" if state.checkpoint_step else "nothing was learned yet"
    console.note(f"Stopped, as you asked ({saved}). `storydesk tune --resume {folder.name}` goes on.")
    return code


def describe_parity(state: RunState) -> list[dict[str, Any]]:
    """Return the compared graphs as JSON has them."""
    return [
        {
            "graph": item.graph,
            "reference": item.reference,
            "largest_difference": item.largest_difference,
            "perplexity": item.perplexity,
            "reference_perplexity": item.reference_perplexity,
        }
        for item in state.parity
    ]


def describe_time(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _describe(state: RunState) -> str:
    words = STAGES.get(state.stage, state.stage)
    if state.stage != "tuning" or not state.total_steps:
        return words
    parts = [f"{words}: step {state.step} of {state.total_steps}", f"loss {state.loss:.2f}"]
    if state.heldout:
        parts.append(f"held-out perplexity {state.heldout[-1][1]:.1f}")
    if state.seconds_left > 0:
        parts.append(f"{describe_time(state.seconds_left)} left")
    return ", ".join(parts)
