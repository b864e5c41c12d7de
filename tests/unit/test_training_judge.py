"""Judging jobs as the app holds them: requests that the trainer understands, journals folded, reports read back."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judgement import JudgePlan, JudgeState, spread_grid
from storydesk.domain.judging import Criterion, Entry, fingerprint
from storydesk.domain.tuning import RunStatus
from storydesk.services.file_lock import FileLock
from storydesk.services.judge_job import JudgeJobService, collect_ratings
from storydesk.training.judge import TrainerJudgeLauncher, fold_judging
from storydesk.training.judge_reports import load_report, load_stories
from storydesk.training.processes import LOCK_NAME
from tests.fakes.services import FakeModels, make_world
from trainer.protocol import messages
from trainer.protocol.codec import encode_event
from trainer.protocol.judging import decode_judge_request

PATIENCE_SECONDS = 60
PLAN = JudgePlan(
    models=("starter", "starter"),
    pairs=(("A bell.", "It rang."),),
    settings=spread_grid({"temperature": (0.7, 1.0), "top_p": (0.9,)}),
    ratings={"abc": {"overall": 4.0}},
    out=Path("report"),
)


def _make_launcher(tmp_path: Path, program: str = "pass") -> TrainerJudgeLauncher:
    return TrainerJudgeLauncher(tmp_path / "judgements", tmp_path / "runs", (sys.executable, "-c", program))


def _prepare(launcher: TrainerJudgeLauncher, tmp_path: Path, plan: JudgePlan = PLAN) -> Path:
    return JudgeJobService(launcher, FakeModels(tmp_path / "staging")).prepare(plan)


def test_the_trainer_understands_what_is_asked(tmp_path: Path) -> None:
    folder = _prepare(_make_launcher(tmp_path), tmp_path)
    request = decode_judge_request((folder / "request.json").read_text(encoding="utf-8"))
    assert [(style.name, style.folder) for style in request.styles] == [("starter", "/models/starter")]
    assert [dict(settings) for settings in request.settings] == [
        {"temperature": 0.7, "top_p": 0.9},
        {"temperature": 1.0, "top_p": 0.9},
    ]
    assert request.pairs[0].story == "It rang."
    assert Path(request.out).is_absolute()
    assert json.loads(Path(request.ratings).read_text(encoding="utf-8")) == {"stories": {"abc": {"overall": 4.0}}}


def test_a_plan_that_cannot_be_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    launcher = _make_launcher(tmp_path)
    for plan in (
        JudgePlan(models=()),
        JudgePlan(models=("starter",)),
        JudgePlan(models=("starter",), pairs=(("A bell.", ""),), reader="other"),
        JudgePlan(models=("starter",), pairs=(("A bell.", ""),), settings=()),
        JudgePlan(models=("starter",), data=(tmp_path / "nothing.csv",)),
    ):
        with pytest.raises(StorydeskError):
            _prepare(launcher, tmp_path, plan)
    assert not (tmp_path / "judgements").exists()


def test_events_become_a_state() -> None:
    state = JudgeState("night", Path("/j/night"))
    for event in (
        messages.RunStarted("night", "cpu", "fp32", 3, 77),
        messages.NoticeGiven("learned_left_out", {"count": 2}),
        messages.JudgingAdvanced("writing", "mine", 4, 9, 12.5),
        messages.CheckpointSaved(5),
    ):
        state = fold_judging(state, event)
    assert (state.status, state.work, state.model, state.done, state.total) == (
        RunStatus.RUNNING, "writing", "mine", 4, 9,
    )  # fmt: skip
    assert state.notices[0].code == "learned_left_out"
    assert fold_judging(state, messages.RunStopped(4)).status is RunStatus.STOPPED
    done = fold_judging(state, messages.ReportWritten("/out", 9, 60.0))
    assert (done.status, done.report, done.ended) == (RunStatus.COMPLETED, Path("/out"), True)
    failed = fold_judging(state, messages.RunFailed("memory_full", {"detail": "x"}))
    assert failed.failure is not None
    assert failed.failure.code == "memory_full"


def test_a_trainer_that_dies_without_a_word_has_failed(tmp_path: Path) -> None:
    launcher = _make_launcher(tmp_path, "import sys; sys.exit(9)")
    folder = _prepare(launcher, tmp_path)
    run = launcher.start(folder)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (state := run.poll()).ended:
        assert time.monotonic() < deadline
    assert state.failure is not None
    assert state.failure.code == FailureCode.TRAINER_ENDED
    assert state.failure.parameters["exit_code"] == 9


def test_jobs_are_found_by_name_and_thrown_away(tmp_path: Path) -> None:
    launcher = _make_launcher(tmp_path)
    service = JudgeJobService(launcher, FakeModels(tmp_path / "staging"))
    first, second = _prepare(launcher, tmp_path), _prepare(launcher, tmp_path)
    line = encode_event(messages.ReportWritten(str(first), 1, 1.0), seconds=1.0)
    (first / "events.jsonl").write_text(line + "\n", encoding="utf-8")
    assert [state.folder for state in service.list_finished()] == [first]
    assert [state.folder for state in service.list_unfinished()] == [second]
    assert service.find_job(first.name) == first
    for name in ("nothing", "..", "../runs"):
        with pytest.raises(StorydeskError):
            service.find_job(name)
    with pytest.raises(StorydeskError):
        service.discard(tmp_path)
    assert tmp_path.exists()


def test_a_job_says_what_it_is_about_and_comes_back_from_the_trash(tmp_path: Path) -> None:
    launcher = _make_launcher(tmp_path)
    folder = _prepare(launcher, tmp_path)
    card = launcher.read(folder).card
    assert (card.title, card.models, card.prompts, card.settings) == ("", ("starter",), 1, 2)
    assert abs(card.begun - time.time()) < PATIENCE_SECONDS
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(StorydeskError) as unknown:
        launcher.restore(folder.name)
    assert unknown.value.failure.code == FailureCode.JOB_NOT_FOUND
    launcher.discard(folder)
    assert not folder.exists()
    assert not launcher.list_jobs()
    with pytest.raises(StorydeskError):
        launcher.restore("../judgements")
    assert launcher.restore(folder.name) == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    # Thirty days later it is gone for good, when the next one goes.
    launcher.discard(folder)
    trashed = tmp_path / "judgements" / ".trash" / folder.name
    os.utime(trashed, (0, 0))
    launcher.discard(_prepare(launcher, tmp_path))
    assert not trashed.exists()


def test_a_job_at_work_is_not_thrown_away_and_damage_is_no_obstacle(tmp_path: Path) -> None:
    launcher = _make_launcher(tmp_path)
    folder = _prepare(launcher, tmp_path)
    lock = FileLock(folder / LOCK_NAME)
    assert lock.acquire()
    try:
        with pytest.raises(StorydeskError) as busy:
            launcher.discard(folder)
    finally:
        lock.release()
    assert busy.value.failure.code == FailureCode.JOB_AT_WORK
    (folder / "prompts.json").write_text('{"pairs": [1, 2, 3]}', encoding="utf-8")
    assert launcher.read(folder).card.prompts == 3
    (folder / "prompts.json").write_text("[", encoding="utf-8")
    assert launcher.read(folder).card.prompts == 1
    (folder / "request.json").write_text("{", encoding="utf-8")
    assert launcher.read(folder).card.models == ()
    launcher.discard(folder)
    assert not launcher.list_jobs()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"v": "1.0"}',
        '{"v": "1.0", "title": 7, "styles": {}}',
        '{"v": "9.0"}',
        '{"v": "1.0", "values": [NaN]}',
    ],
)
def test_a_report_that_somebody_damaged_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content, encoding="utf-8")
    (tmp_path / "stories.jsonl").write_text('{"id": 1}\n', encoding="utf-8")
    with pytest.raises(StorydeskError):
        load_report(tmp_path)
    with pytest.raises(StorydeskError):
        load_stories(tmp_path)


def test_ratings_so_far_go_by_what_reports_call_a_story(tmp_path: Path) -> None:
    judging = make_world(tmp_path / "home").desk.judging
    sheet = judging.add_sheet("Night", [Entry("A bell.", "It rang."), Entry("A ship.", "It sank.")])
    for name, value in (("Ann", 2), ("Bob", 5)):
        rater = judging.add_rater(name)
        seat: Any = judging.sit_down(sheet.id, rater.id)
        item = next(each for each in judging.load_sheet(sheet.id).items if each.first.text == "It rang.")
        assert seat
        judging.rate(sheet.id, rater.id, item.id, Criterion.OVERALL, value)
    assert collect_ratings(judging) == {fingerprint("A bell.", "It rang."): {"overall": 3.5}}
