"""A judging job of the real trainer: killed in the middle it goes on without doing anything twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from storydesk.domain.judging import make_pairs
from storydesk.domain.tuning import RunStatus
from storydesk.services.judge_sheets import choose_contenders, make_duel
from storydesk.training.judge import TrainerJudgeLauncher
from storydesk.training.judge_reports import load_report, load_stories
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.control import Control, StopRequested
from trainer.judging.job import judge
from trainer.judging.ledger import LEDGER_NAME, Ledger
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.judging import JudgedPair, JudgedStyle, JudgeRequest, encode_judge_request
from trainer.reporter import JOURNAL_NAME, Reporter

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
PROMPTS, SAMPLES = 3, 2
RATED = 12
SETTINGS: tuple[Mapping[str, float], ...] = ({}, {"temperature": 1.3, "min_p": 0.0})
PARAGRAPHS = "\n\n".join(f"The bell rang {number} times before the fog came in." for number in range(5))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("judged")
    return [make_tiny_gpt2(folder / f"tiny{seed}", seed=seed) for seed in range(3)]


def _ask(models: list[Path], folder: Path, **more: Any) -> Path:
    """Write a request for all models and return the job's folder."""
    pairs = tuple(JudgedPair(f"A keeper hears bell {number}.", f"{PARAGRAPHS} {number}") for number in range(PROMPTS))
    request = JudgeRequest(
        **{
            "job_id": "night",
            "styles": tuple(JudgedStyle(model.name, str(model)) for model in models),
            "pairs": pairs,
            "stories": SAMPLES,
            "tokens": 40,
            "settings": SETTINGS,
            "device": "cpu",
            **more,
        }
    )
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(encode_judge_request(request), encoding="utf-8")
    return folder


def _judge_here(folder: Path) -> None:
    """Do the job in this process: a trainer's start takes seconds."""
    with Path(os.devnull).open("wb") as nowhere:
        reporter = Reporter(nowhere, folder / JOURNAL_NAME)
        try:
            judge(folder, reporter, Control(folder))
        finally:
            reporter.close()


def _read_units(folder: Path) -> list[dict[str, Any]]:
    path = folder / LEDGER_NAME
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _count(units: list[dict[str, Any]], kind: str) -> Counter[str]:
    return Counter(unit["unit"] for unit in units if unit["unit"].startswith(kind))


@pytest.fixture(scope="module")
def killed(models: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Return a job that was killed while the first of three models wrote, with its units, and then went on."""
    folder = _ask(models, tmp_path_factory.mktemp("killed") / "job")
    with (folder / "stdout.log").open("wb") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-m", "trainer", "judge", str(folder), "--detached"],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not _count(_read_units(folder), "story/") and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            process.kill()
            process.wait()
    before = _read_units(folder)
    # As if the power had gone in the middle of a line, too.
    with (folder / LEDGER_NAME).open("ab") as stream:
        stream.write(b'{"unit":"story/0/0/0/')
    _judge_here(folder)
    return folder, before


def test_a_killed_job_goes_on_and_does_nothing_twice(killed: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, before = killed
    after = _read_units(folder)
    stories = 3 * PROMPTS * SAMPLES * len(SETTINGS)
    assert 0 < len(_count(before, "story/")) < stories
    assert after[: len(before)] == before
    for kind, expected in (("story/", stories), ("reading/", stories), ("heldout/", 3 * PROMPTS)):
        counts = _count(after, kind)
        assert len(counts) == expected
        assert set(counts.values()) == {1}
    events = [json.loads(line) for line in (folder / JOURNAL_NAME).read_text(encoding="utf-8").splitlines()]
    starts = [event["resumed_step"] for event in events if event["kind"] == "run_started"]
    assert starts == [0, len(before) - 1]
    assert events[-1]["kind"] == "report_written"
    # Every unit was reported by one start or the other, but for what the kill came between.
    advanced = [event for event in events if event["kind"] == "judging_advanced"]
    reported = [event["done"] for event in advanced if event["work"] != "reporting"]
    assert len(reported) == len(set(reported))
    assert max(reported) == 2 * stories + 3 * PROMPTS


def test_its_report_is_of_all_stories(killed: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, _ = killed
    report = load_report(folder)
    assert report.models == ("tiny0", "tiny1", "tiny2")
    assert (report.prompts, report.references) == (PROMPTS, PROMPTS)
    stories = load_stories(folder)
    assert len(stories) == PROMPTS + 3 * PROMPTS * SAMPLES * len(SETTINGS)
    for model in report.models:
        figure = report.find_figure("distinct_2", model, 1)
        assert figure is not None
        assert (figure.stories, figure.prompts) == (PROMPTS * SAMPLES, PROMPTS)
        # Random weights find nothing likely: the vocabulary has 384 tokens.
        perplexity = report.find_figure("perplexity", model, -1)
        assert perplexity is not None
        assert perplexity.value is not None
        assert 250 < perplexity.value < 600
    assert set(report.sweeps) == set(report.models)
    # What the writer can choose between, and take over.
    assert report.settings_values == SETTINGS
    nearest, other = choose_contenders(report)
    assert {nearest.settings, other.settings} == {0, 1}
    entries = make_duel(report, stories, (nearest, other))
    pairs = make_pairs(entries, seed=1)
    assert len(pairs) == (PROMPTS - 1) * SAMPLES, "all but the prompt that the report shows with names"
    assert not {pair.prompt for pair in pairs} & set(report.shown_prompts)


def test_a_job_is_the_same_whether_it_was_killed_or_not(
    killed: tuple[Path, list[dict[str, Any]]], models: list[Path], tmp_path: Path
) -> None:
    folder, _ = killed
    # Other stories share its batches here, and no other model is there.
    alone = _ask(models[1:2], tmp_path / "job", settings=SETTINGS[1:], stories=1)
    _judge_here(alone)
    of_killed = {unit["unit"]: unit for unit in _read_units(folder)}
    texts = {unit["unit"]: unit["text"] for unit in _read_units(alone) if unit["unit"].startswith("story/")}
    assert len(set(texts.values())) == PROMPTS
    assert texts == {f"story/0/0/{prompt}/0": of_killed[f"story/1/1/{prompt}/0"]["text"] for prompt in range(PROMPTS)}


def test_what_only_the_report_depends_on_may_change(
    killed: tuple[Path, list[dict[str, Any]]], models: list[Path], tmp_path: Path
) -> None:
    folder, _ = killed
    before = (folder / LEDGER_NAME).read_bytes()
    stories = [story for story in load_stories(folder) if story.model]
    launcher = TrainerJudgeLauncher(folder.parent, tmp_path / "runs")
    launcher.put_ratings(folder, {story.id: {"overall": place % 5} for place, story in enumerate(stories[:RATED])})
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    changed = {**request, "out": str(tmp_path / "report"), "title": "Rated"}
    (folder / "request.json").write_text(json.dumps(changed), encoding="utf-8")
    _judge_here(folder)
    assert (folder / LEDGER_NAME).read_bytes() == before
    report = load_report(tmp_path / "report")
    assert report.title == "Rated"
    assert max(row.stories for row in report.correlations) == RATED
    length = next(row for row in report.correlations if row.metric == "words")
    assert length.value is not None
    assert length.value_apart is None, "nothing is left of length without length"
    assert any(row.value_apart is not None for row in report.correlations)
    assert {row.criterion for row in report.correlations} == {"overall"}
    # Other prompts make it another job.
    (folder / "prompts.json").unlink()
    (folder / "request.json").write_text(json.dumps({**changed, "prompts": 2}), encoding="utf-8")
    with pytest.raises(TrainerError) as refused:
        _judge_here(folder)
    assert refused.value.code is TrainerFailure.BAD_REQUEST


def test_a_stopped_job_ends_at_once_and_keeps_what_is_done(models: list[Path], tmp_path: Path) -> None:
    folder = _ask(models[:1], tmp_path / "job")
    control = Control(folder)
    with Path(os.devnull).open("wb") as nowhere:
        reporter = Reporter(nowhere, folder / JOURNAL_NAME)
        report = reporter.report

        def stop_after_some(event: Any) -> None:
            report(event)
            if getattr(event, "done", 0) == PROMPTS + 2:
                control.request_stop()

        reporter.report = stop_after_some  # type: ignore[method-assign]
        with pytest.raises(StopRequested):
            judge(folder, reporter, control)
        reporter.close()
    assert PROMPTS + 2 <= len(_read_units(folder)) - 1 <= PROMPTS + 8
    assert not (folder / "report.json").exists()
    launcher = TrainerJudgeLauncher(tmp_path, tmp_path / "runs")
    assert launcher.read(folder).done == len(_read_units(folder)) - 1
    assert [state.status for state in launcher.list_jobs()] == [RunStatus.RUNNING]


def test_stories_that_a_model_learned_from_are_left_out(models: list[Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    learned = {"story": f"{PARAGRAPHS} 0", "prompt": "x", "source": "", "whole": ""}
    (run / "corpus.json").write_text(json.dumps({"training": [learned]}), encoding="utf-8")
    others = (JudgedPair(f"Two {number}.", f"Not at all the same {number}.") for number in (1, 2))
    pairs = (JudgedPair("One.", f"{PARAGRAPHS} 0"), *others)
    styles = (JudgedStyle("mine", str(models[0]), (str(run),)),)
    folder = _ask(models, tmp_path / "job", styles=styles, pairs=pairs, settings=({},), metrics=("copied_share",))
    _judge_here(folder)
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert (record["prompts"], record["learned_left_out"]) == (2, 1)
    assert record["styles"][0]["training_known"]
    assert {value["metric"] for value in record["values"]} == {"copied_share"}
    events = (folder / JOURNAL_NAME).read_text(encoding="utf-8")
    assert '"learned_left_out"' in events
    assert not _count(_read_units(folder), "reading/")


def test_prompts_without_stories_tell_what_they_can(models: list[Path], tmp_path: Path) -> None:
    pairs = tuple(JudgedPair(f"Bell {number}.") for number in range(3))
    folder = _ask(models[:2], tmp_path / "job", pairs=pairs, stories=1, tokens=8)
    _judge_here(folder)
    report = load_report(folder)
    assert report.references == 0
    found = {figure.metric for figure in report.figures}
    assert {"distinct_1", "story_perplexity", "words"} <= found
    assert not {"perplexity", "bleu", "chrf"} & found
    # Nobody knows what people would have written: no settings are nearer to it.
    assert not report.sweeps
    assert '"judged_without_stories"' in (folder / JOURNAL_NAME).read_text(encoding="utf-8")


def test_a_ledger_keeps_what_is_whole_and_refuses_another_job(tmp_path: Path) -> None:
    path = tmp_path / LEDGER_NAME
    ledger = Ledger(path, "one")
    ledger.add("story/0", text="It rang.\u2028Twice.")
    with pytest.raises(ValueError, match="before"):
        ledger.add("story/0", text="Again.")
    ledger.close()
    path.write_bytes(path.read_bytes() + b"{damaged\n" + b'{"unit":"story/1","text":"ok"}\n{"unit":"torn')
    again = Ledger(path, "one")
    assert ("story/0" in again, "story/1" in again, len(again)) == (True, True, 2)
    assert again.get("story/0")["text"] == "It rang.\u2028Twice."
    again.add("story/2", text="Whole.")
    again.close()
    assert path.read_bytes().endswith(b'{"unit":"story/2","text":"Whole."}\n')
    with pytest.raises(TrainerError):
        Ledger(path, "other")
