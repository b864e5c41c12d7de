"""Ratings and reports: a finished job is held against those of now, and a figure's worth is said in a word."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judgement import FEWEST_RATED, Agreeing, JudgedCorrelation, JudgePlan
from storydesk.services.judge_job import JudgeJobService
from storydesk.training.judge import TrainerJudgeLauncher
from tests.fakes.services import FakeModels
from trainer.judging import statistics
from trainer.protocol import messages
from trainer.protocol.codec import encode_event
from trainer.protocol.judging import decode_judge_request

PATIENCE_SECONDS = 60
DYING = (sys.executable, "-c", "raise SystemExit(9)")


def test_a_finished_job_is_started_again_with_the_ratings_of_now_and_keeps_its_report(tmp_path: Path) -> None:
    launcher = TrainerJudgeLauncher(tmp_path / "judgements", tmp_path / "runs", DYING)
    service = JudgeJobService(launcher, FakeModels(tmp_path / "staging"))
    folder = service.prepare(JudgePlan(("starter",), (("A bell.", "It rang."),)))
    before = decode_judge_request((folder / "request.json").read_text(encoding="utf-8"))
    assert before.ratings == ""
    written = encode_event(messages.ReportWritten(str(folder), 1, 1.0), seconds=1.0)
    (folder / "events.jsonl").write_text(written + "\n", encoding="utf-8")
    run = service.start_again(folder.name, {"abc": {"overall": 4.0}})
    request = decode_judge_request((folder / "request.json").read_text(encoding="utf-8"))
    assert replace(request, ratings="") == before
    assert json.loads(Path(request.ratings).read_text(encoding="utf-8")) == {"stories": {"abc": {"overall": 4.0}}}
    ended = time.monotonic() + PATIENCE_SECONDS
    while not (state := run.poll()).ended:
        assert time.monotonic() < ended
    with pytest.raises(StorydeskError):
        service.read_report(state)
    refused = encode_event(messages.RunFailed("bad_request", {"detail": "another model"}), seconds=2.0)
    with (folder / "events.jsonl").open("a", encoding="utf-8") as journal:
        journal.write(refused + "\n")
    [kept] = service.list_finished()
    assert kept.report == folder, "a start that failed takes no report away"
    (folder / "request.json").write_text("[", encoding="utf-8")
    with pytest.raises(StorydeskError) as damaged:
        launcher.put_ratings(folder, {})
    assert damaged.value.failure.code == FailureCode.FILE_DAMAGED


@pytest.mark.parametrize(
    ("value", "low", "high", "agreeing"),
    [
        (0.6, 0.2, 0.8, Agreeing.STRONGLY),
        (-0.4, -0.6, -0.1, Agreeing.CLEARLY),
        (0.2, 0.1, 0.3, Agreeing.WEAKLY),
        (0.6, -0.1, 0.9, Agreeing.UNKNOWN),
        (0.6, None, None, Agreeing.UNKNOWN),
        (None, None, None, Agreeing.STRONGLY),  # length itself: as it is
    ],
)
def test_how_figures_go_with_ratings_is_a_word(
    value: float | None, low: float | None, high: float | None, agreeing: Agreeing
) -> None:
    found = JudgedCorrelation("distinct_1", "overall", 20, 0.9, 0.8, 1.0, value, low, high)
    assert found.agreeing is agreeing
    assert JudgedCorrelation("distinct_1", "overall", 3, *[None] * 6).agreeing is Agreeing.UNKNOWN


def test_the_app_asks_for_as_many_ratings_as_the_report_needs() -> None:
    assert statistics.FEWEST_RATED == FEWEST_RATED
