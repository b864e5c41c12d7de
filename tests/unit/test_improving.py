"""Improve from my feedback: which way is taken, what the run is given, and what is said of it."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from storydesk.cli.program import run_command
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.feedback import Feedback, FeedbackOrigin
from storydesk.domain.improving import FEWEST_ASIDE, FEWEST_CHOICES, FEWEST_EXAMPLES, Way, weigh_feedback
from storydesk.domain.judging import Criterion, Entry, Side
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.tuning import ChoicePrediction, RunState, RunStatus, TuningPlan
from storydesk.services.improving import FEEDBACK_NAME, ImprovingWish
from storydesk.training.launcher import TrainerLauncher
from tests.fakes.services import FakeWorld, make_model, make_world
from trainer.corpus.splitting import NEEDED_STORIES
from trainer.preference.records import FEWEST_HELDOUT, FEWEST_PAIRS
from trainer.protocol.feedback import FEEDBACK_FILE, FeedbackPair, read_feedback
from trainer.protocol.manifest import MANIFEST_NAME, Architecture, Manifest, TextForm, encode_manifest

RESOURCES = Path(__file__).resolve().parents[2] / "resources"


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path / "home")


def know_stories(world: FakeWorld) -> str:
    """Let the model in use have learned from a file that is still there."""
    path = world.home / "tales.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"prompt": "A bell", "story": "It rang."}', encoding="utf-8")
    world.launcher.learned_from = (str(path),)
    return str(path.resolve())


def choose(world: FakeWorld, prompts: int) -> None:
    """Let somebody choose the salty text on so many prompts."""
    judging = world.desk.judging
    entries = [
        Entry(f"Prompt {number}", f"The {word} text of number {number}, told at length.", word)
        for number in range(prompts)
        for word in ("salty", "sweet")
    ]
    sheet, rater = judging.add_pairs("Pairs", entries, seed=1), judging.add_rater("Ada")
    for item in judging.sit_down(sheet.id, rater.id).items:
        side = Side.LEFT if "salty" in item.texts[0] else Side.RIGHT
        judging.choose(sheet.id, rater.id, item.item_id, side)


def rate(world: FakeWorld, texts: int) -> None:
    """Let somebody call so many texts excellent."""
    judging = world.desk.judging
    entries = [
        Entry(
            f"Prompt {number}",
            f"The good text of number {number}, " + "told at length and read aloud by the fire, " * 3,
            "salty",
        )
        for number in range(texts)
    ]
    sheet = judging.add_sheet("Texts", entries, (Criterion.OVERALL,), seed=1)
    rater = judging.add_rater("Ada")
    for item in judging.sit_down(sheet.id, rater.id).items:
        judging.rate(sheet.id, rater.id, item.item_id, Criterion.OVERALL, 5)


def learned(world: FakeWorld, loss: float, perplexity: float) -> RunState:
    """Return the state of a run that learned from choices."""
    choices = (
        ChoicePrediction("before", 0, 8, 0.5, math.log(2)),
        ChoicePrediction("after", 6, 8, 0.75, loss),
    )
    return RunState(
        "r",
        world.home / "runs" / "my-voice",
        RunStatus.COMPLETED,
        perplexity_before=30.0,
        perplexity_after=perplexity,
        choices=choices,
        bundle=world.home / "models" / "found-1",
    )


@pytest.mark.parametrize(("most", "improved"), [(0.0, False), (31.9, False), (32.1, True)])
def test_the_trainer_says_how_perplexing_stories_may_become(world: FakeWorld, most: float, improved: bool) -> None:
    state = learned(world, 0.5, 32.0)
    after = dataclasses.replace(state.choices[-1], most_perplexity=most)
    assert dataclasses.replace(state, choices=(state.choices[0], after)).improved is improved


def improve(world: FakeWorld, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run_command(["improve", *words, "--json"], lambda _: world.desk, RESOURCES) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


def test_what_is_too_little_is_the_same_for_app_and_trainer() -> None:
    assert (FEWEST_CHOICES, FEWEST_ASIDE, FEWEST_EXAMPLES) == (FEWEST_PAIRS, FEWEST_HELDOUT, NEEDED_STORIES)
    assert FEEDBACK_NAME == FEEDBACK_FILE


def test_enough_choices_are_learned_from_and_stories_that_it_knows_are_measured(world: FakeWorld) -> None:
    choose(world, 40)
    known = know_stories(world)
    feedback, chances = world.desk.improving.look()
    assert chances.way is Way.CHOICES
    assert chances.choices + chances.kept_aside == 40
    assert chances.missing == 0
    folder = world.desk.improving.prepare(ImprovingWish(seed=5))
    plan = world.launcher.plans[-1]
    assert (plan.name, plan.seed, plan.data) == ("my-voice", 5, (known,))
    records = list(read_feedback((folder / FEEDBACK_NAME).read_text(encoding="utf-8").splitlines()))
    pairs = [record for record in records if isinstance(record, FeedbackPair)]
    assert len(pairs) == 40
    assert all("salty" in pair.chosen for pair in pairs)
    assert sum(pair.held_out for pair in pairs) == len(feedback.heldout_pairs)


def test_generations_are_counted_by_their_names(world: FakeWorld) -> None:
    assert world.desk.improving.suggest_name() == ""
    for name, after in (("Salt", "Salt 2"), ("Salt 2", "Salt 3"), ("Room 1408", "Room 1408 2")):
        world.models.shelf[name] = make_model(name, built_in=False)
        world.settings.set(ACTIVE_MODEL, name)
        assert world.desk.improving.suggest_name() == after


def test_what_is_held_out_stays_so_from_one_generation_to_the_next(world: FakeWorld) -> None:
    choose(world, 40)
    know_stories(world)

    def read(folder: Path) -> dict[str, bool]:
        records = read_feedback((folder / FEEDBACK_NAME).read_text(encoding="utf-8").splitlines())
        return {record.prompt: record.held_out for record in records if isinstance(record, FeedbackPair)}

    first = read(world.desk.improving.prepare(ImprovingWish("Salt", seed=1)))
    choose(world, 90)  # the same prompts again, and fifty more
    rate(world, 60)
    second = read(world.desk.improving.prepare(ImprovingWish("Salt", seed=2)))
    assert len(first) == 40
    assert len(second) == 90
    assert {prompt: second[prompt] for prompt in first} == first
    assert sum(second.values()) > sum(first.values())


def test_our_samples_are_measured_where_nobody_knows_what_it_learned_from(world: FakeWorld) -> None:
    choose(world, 40)
    samples = world.home / "samples"
    samples.mkdir(parents=True, exist_ok=True)
    (samples / "tales.jsonl").write_text('{"prompt": "A bell", "story": "It rang."}', encoding="utf-8")
    world.desk.improving.prepare(ImprovingWish("By ear"))
    assert world.launcher.plans[-1].name == "By ear"
    assert world.launcher.plans[-1].data == (str(samples.resolve()),)


def test_few_choices_but_good_texts_are_learned_from_as_stories(world: FakeWorld) -> None:
    choose(world, 6)
    rate(world, 30)
    _, chances = world.desk.improving.look()
    assert chances.way is Way.EXAMPLES
    assert chances.missing >= FEWEST_CHOICES - 6
    folder = world.desk.improving.prepare(ImprovingWish())
    assert not (folder / FEEDBACK_NAME).exists()
    (data,) = world.launcher.plans[-1].data
    stories = [json.loads(line) for line in Path(data).read_text(encoding="utf-8").splitlines()]
    assert len(stories) == chances.examples < 30  # what is held out teaches nothing, today or later
    assert all(story["story"].startswith("The good text") for story in stories)


def test_too_little_is_refused_with_how_much_is_needed(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    choose(world, 6)
    with pytest.raises(StorydeskError) as caught:
        world.desk.improving.prepare(ImprovingWish())
    assert caught.value.failure.code == FailureCode.TOO_LITTLE_FEEDBACK
    assert run_command(["improve"], lambda _: world.desk, RESOURCES) == 1
    said = capsys.readouterr()
    assert "more are needed" in said.out
    assert "too few" in said.err
    assert not world.launcher.plans


def test_a_file_that_cant_be_written_leaves_no_run_behind(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(world, 40)
    know_stories(world)

    def fail(*_: object, **__: object) -> int:
        raise StorydeskError(FailureCode.DISK_FULL, path="here")

    monkeypatch.setattr(world.desk.feedback, "_write", fail)
    with pytest.raises(StorydeskError):
        world.desk.improving.prepare(ImprovingWish())
    assert world.launcher.discarded


@pytest.mark.parametrize(
    ("loss", "perplexity", "adopted"), [(0.55, 31.0, True), (0.55, 32.0, False), (math.log(2), 29.0, False)]
)
def test_it_is_used_where_choices_are_told_better_and_stories_hold(
    world: FakeWorld, capsys: pytest.CaptureFixture[str], loss: float, perplexity: float, adopted: bool
) -> None:
    choose(world, 40)
    know_stories(world)
    world.launcher.states = [learned(world, loss, perplexity)]
    record = improve(world, capsys)
    assert record["in_use"] is adopted
    assert record["choices"]["after"]["accuracy"] == 0.75
    assert record["feedback"]["way"] == "choices"


def test_looking_starts_nothing(world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    choose(world, 40)
    record = improve(world, capsys, "--look")
    assert record["origins"] == {"choice": 40}
    assert not world.launcher.plans


def test_what_was_left_out_is_not_counted(world: FakeWorld) -> None:
    choose(world, 40)
    feedback, before = world.desk.improving.look()
    world.desk.feedback.leave_out([feedback.training_pairs[0].key])
    _, after = world.desk.improving.look()
    assert (after.choices, after.left_out) == (before.choices - 1, 1)
    assert after.origins[FeedbackOrigin.CHOICE] == 39


def test_missing_choices_say_at_least_what_is_needed() -> None:
    chances = weigh_feedback(Feedback())
    for choices in range(0, 20, 3):
        for aside in range(6):
            some = dataclasses.replace(chances, choices=choices, kept_aside=aside)
            needed = max(0, FEWEST_CHOICES - choices) + max(0, FEWEST_ASIDE - aside)
            assert some.missing >= needed
            assert (some.missing == 0) is (some.way is Way.CHOICES)


def test_what_a_model_learned_from_is_found_while_it_is_there(tmp_path: Path) -> None:
    launcher = TrainerLauncher(tmp_path / "runs")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    assert launcher.find_data(bundle) == ()
    tale = tmp_path / "tale.txt"
    tale.write_text("It rang.", encoding="utf-8")
    folder = launcher.prepare(TuningPlan("mine", "starter", (str(tale),)), tmp_path / "base", bundle)
    shape = Architecture(1, 1, 8, 32, 64, 0)
    form = TextForm("ascii-1", {"before": "", "between": "\n"})
    made = Manifest("mine", "tuned", "2026", "CC0", "", shape, form, (), "", {}, run_id=folder.name)
    (bundle / MANIFEST_NAME).write_text(encode_manifest(made), encoding="utf-8")
    assert launcher.find_data(bundle) == (str(tale),)
    tale.unlink()
    assert launcher.find_data(bundle) == ()
