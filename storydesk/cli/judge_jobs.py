"""The judgings so far on the terminal: what each was about, and the way to the trash and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storydesk.cli.console import Console
from storydesk.domain.judgement import JudgeState
from storydesk.services.judge_job import JudgeJobService


def list_jobs(jobs: JudgeJobService, console: Console, *, only_unfinished: bool) -> int:
    """List judgings, newest first, or only those that can go on."""
    states = list(jobs.list_unfinished()) if only_unfinished else list(jobs.list_jobs())
    console.give({"unfinished" if only_unfinished else "jobs": [_make_record(state) for state in states]})
    for state in states:
        console.say(_describe(state))
    if not states:
        console.say("No judging was broken off." if only_unfinished else "Nothing was judged yet.")
    return 0


def move_job(discarded: str | None, restored: str | None, jobs: JudgeJobService, console: Console) -> int:
    """Put a judging into the trash, or take it out."""
    if discarded:
        jobs.discard(jobs.find_job(discarded))
        console.give({"discarded": discarded})
        console.say(f"In the trash for 30 days. `storydesk judge --restore {discarded}` brings it back.")
    elif restored:
        folder = jobs.restore(restored)
        console.give({"restored": folder.name})
        console.say(f"{folder.name} is back.")
    return 0


def _describe(state: JudgeState) -> str:
    card = state.card
    parts = [
        state.folder.name,
        card.title or ", ".join(card.models),
        f"{card.prompts} {'prompt' if card.prompts == 1 else 'prompts'}" if card.prompts else "",
        f"{card.settings} choices of settings" if card.settings > 1 else "",
        f"{datetime.fromtimestamp(card.begun).astimezone():%Y-%m-%d %H:%M}" if card.begun else "",
        f"report: {state.report}" if state.report else f"{state.done} of {state.total} done",
    ]
    return "  ".join(part for part in parts if part)


def _make_record(state: JudgeState) -> dict[str, Any]:
    card = state.card
    return {
        "job": state.folder.name,
        "title": card.title,
        "models": list(card.models),
        "prompts": card.prompts,
        "settings": card.settings,
        "begun": card.begun,
        "done": state.done,
        "of": state.total,
        "report": str(state.report) if state.report else None,
    }
