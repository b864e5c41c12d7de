"""``storydesk judge`` over a desk of fakes: the plan it makes, the table it prints, and stopping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storydesk.cli.program import run_command
from storydesk.domain.judgement import JudgePlan
from storydesk.domain.judging import Criterion, Entry, fingerprint
from tests.fakes.judge_jobs import FakeJudgeLauncher, FakeJudgeRun
from tests.fakes.services import FakeWorld, make_world

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    world = make_world(tmp_path / "home")
    world.desk.samples.mkdir(parents=True)
    return world


@pytest.fixture
def launcher(world: FakeWorld) -> FakeJudgeLauncher:
    launcher = world.desk.judge_jobs._launcher
    assert isinstance(launcher, FakeJudgeLauncher)
    return launcher


def _run(world: FakeWorld, *arguments: str | Path) -> int:
    return run_command([str(each) for each in arguments], lambda _notice: world.desk, ROOT / "resources")


def _plan(launcher: FakeJudgeLauncher) -> JudgePlan:
    return launcher.plans[-1][0]


def test_the_table_has_models_and_people_and_the_report_is_named(
    world: FakeWorld, launcher: FakeJudgeLauncher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(world, "judge", "starter", "--samples", "--limit", "12", "--stories", "2") == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0].split() == ["people", "starter", "mine"]
    assert any(line.startswith("Held-out perplexity") and "40.0 (38.0 to 42.0)" in line for line in lines)
    assert any(line.startswith("Different pairs of words") and "91.0 % (88.0 % to 94.0 %)" in line for line in lines)
    assert lines[-1] == "Report: /judgements/1/report.html"
    assert "Writing (starter) ..." in shown.err
    plan = _plan(launcher)
    assert (plan.models, plan.prompts, plan.stories) == (("starter",), 12, 2)
    assert plan.data == (world.desk.samples,)
    assert launcher.plans[-1][1]["starter"] == Path("/models/starter")


def test_json_has_every_figure(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(world, "judge", "--samples", "--json") == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert record["models"] == ["starter", "mine"]
    assert {figure["metric"] for figure in record["figures"]} == {"perplexity", "distinct_2"}
    assert record["differences"][0]["better"] == "mine"


def test_prompts_come_by_lines_or_with_stories(world: FakeWorld, launcher: FakeJudgeLauncher, tmp_path: Path) -> None:
    lines = tmp_path / "prompts.txt"
    lines.write_text("A bell under the sea.\n\nA late letter.\n", encoding="utf-8")
    assert _run(world, "judge", "--prompts", lines) == 0
    assert _plan(launcher).pairs == (("A bell under the sea.", ""), ("A late letter.", ""))
    blocks = tmp_path / "tales.txt"
    blocks.write_text("Prompt: A bell.\n\nStory:\nIt rang.\n", encoding="utf-8")
    assert _run(world, "judge", "--prompts", blocks) == 0
    assert _plan(launcher).data == (blocks,)
    for name, content, has_stories in (
        ("a.csv", "prompt\nA bell, far off\nA text of old\n", False),
        ("b.csv", "prompt,story\nA bell.,It rang.\n", True),
        ("c.jsonl", '{"prompt": "A bell."}\n', False),
        ("d.jsonl", '{"prompt": "A bell.", "story": "It rang."}\n', True),
    ):
        table = tmp_path / name
        table.write_text(content, encoding="utf-8")
        assert _run(world, "judge", "--prompts", table) == 0
        assert (_plan(launcher).data == (table,)) is has_stories, name
        assert bool(_plan(launcher).pairs) is not has_stories


def test_settings_and_sweeps_make_a_grid(world: FakeWorld, launcher: FakeJudgeLauncher) -> None:
    sweep = ("--sweep", "temperature=0.7,1.1", "--sweep", "min-p=0,0.1")
    assert _run(world, "judge", "--samples", *sweep, "--settings", "top_k=40") == 0
    grid = [(temperature, min_p) for temperature in (0.7, 1.1) for min_p in (0.0, 0.1)]
    expected = [{"top_k": 40.0, "temperature": temperature, "min_p": min_p} for temperature, min_p in grid]
    assert [dict(each) for each in _plan(launcher).settings] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("--samples", "--settings", "hot"),
        ("--samples", "--sweep", "temperature="),
        ("--samples", "--sweep", "temperature=" + ",".join(str(1 + number / 100) for number in range(70))),
        ("--samples", "--reader", "nobody"),
        ("--samples", "--stories", "0"),
        (),
        ("--samples", "--prompts", "x.txt"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    world: FakeWorld, launcher: FakeJudgeLauncher, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert _run(world, "judge", *arguments) == 2
    assert "Traceback" not in (shown := capsys.readouterr().err)
    assert shown.count("\n") < 4
    assert not launcher.plans


def test_a_missing_file_or_model_is_named(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(world, "judge", "--prompts", "/nowhere/prompts.csv") == 1
    assert "/nowhere/prompts.csv" in capsys.readouterr().err
    assert _run(world, "judge", "unknown-model", "--samples") == 1
    assert "unknown-model" in capsys.readouterr().err


def test_ctrl_c_stops_the_job_and_says_how_it_goes_on(
    world: FakeWorld,
    launcher: FakeJudgeLauncher,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poll = FakeJudgeRun.poll
    interrupts = [KeyboardInterrupt()]

    def interrupted(self: FakeJudgeRun) -> Any:
        state = poll(self)
        if state.done and interrupts:
            raise interrupts.pop()
        return state

    monkeypatch.setattr(FakeJudgeRun, "poll", interrupted)
    assert _run(world, "judge", "--samples") == 130
    shown = capsys.readouterr().err
    assert "storydesk judge --resume 1` goes on" in shown
    assert _run(world, "judge", "--resume", "nothing") == 1
    assert "nothing" in capsys.readouterr().err


def test_broken_off_jobs_are_listed(
    world: FakeWorld, launcher: FakeJudgeLauncher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(world, "judge", "--resume", "list") == 0
    assert "No judging was broken off." in capsys.readouterr().out
    folder = world.desk.judge_jobs.prepare(JudgePlan(models=("starter",), pairs=(("A bell.", ""),)))
    launcher.states[folder] = launcher.states[folder][:2]
    assert _run(world, "judge", "--resume", "list") == 0
    assert "1  starter  1 prompt  2026-09-21 " in capsys.readouterr().out
    assert world.desk.judge_jobs.list_finished() == []
    launcher.alive.add(folder)
    assert world.desk.judge_jobs.list_left_alone() == [folder]
    assert world.desk.judge_jobs.list_unfinished() == []


def test_a_finished_judging_is_held_against_the_ratings_of_now(world: FakeWorld, launcher: FakeJudgeLauncher) -> None:
    judging = world.desk.judging
    folder = world.desk.judge_jobs.prepare(JudgePlan(("starter",), (("A bell.", ""),)))
    sheet = judging.add_sheet("Night", [Entry("A bell.", "It rang.")])
    [item] = judging.load_sheet(sheet.id).items
    judging.rate(sheet.id, judging.add_rater("Ann").id, item.id, Criterion.OVERALL, 2)
    assert _run(world, "judge", "--resume", "1") == 0
    assert not launcher.ratings
    assert _run(world, "judge", "--resume", "1", "--ratings") == 0
    assert launcher.ratings == {folder: {fingerprint("A bell.", "It rang."): {"overall": 2.0}}}


def test_judgings_are_listed_thrown_away_and_brought_back(
    world: FakeWorld, launcher: FakeJudgeLauncher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(world, "judge", "--list") == 0
    assert "Nothing was judged yet." in capsys.readouterr().out
    folder = world.desk.judge_jobs.prepare(JudgePlan(("starter",), (("A bell.", ""),), title="Bells"))
    assert _run(world, "judge", "--list") == 0
    shown = capsys.readouterr().out
    assert "Bells" in shown
    assert f"report: {folder}" in shown
    assert _run(world, "judge", "--list", "--json") == 0
    [record] = json.loads(capsys.readouterr().out)["jobs"]
    assert (record["job"], record["title"], record["models"]) == ("1", "Bells", ["starter"])
    launcher.alive.add(folder)
    assert _run(world, "judge", "--discard", "1") == 1
    assert "at work" in capsys.readouterr().err
    launcher.alive.clear()
    assert _run(world, "judge", "--discard", "1") == 0
    assert "--restore 1" in capsys.readouterr().out
    assert not world.desk.judge_jobs.list_jobs()
    assert _run(world, "judge", "--discard", "1") == 1
    assert "--list" in capsys.readouterr().err
    assert _run(world, "judge", "--restore", "1") == 0
    assert [state.folder for state in world.desk.judge_jobs.list_jobs()] == [folder]
