"""Sheets from a judging report: who meets whom, what stays hidden, and what is asked about first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from storydesk.domain.judgement import JudgeReport, RankedSettings, WrittenStory
from storydesk.domain.judging import ContenderKind, fingerprint, make_pairs
from storydesk.services.judge_sheets import (
    Contender,
    choose_contenders,
    count_pairs,
    list_rows,
    make_duel,
    make_rating_entries,
)
from tests.fakes.judge_jobs import make_report

VALUES = ({"temperature": 0.7}, {"temperature": 0.9}, {"temperature": 1.1})


def make_sweep(models: tuple[str, ...] = ("starter", "mine")) -> JudgeReport:
    ranks = tuple(RankedSettings(number, 0.1 * place, 0.0, 1.0, False, {}) for place, number in enumerate((2, 0, 1)))
    labels = tuple(f"temperature {values['temperature']}" for values in VALUES)
    sweeps = dict.fromkeys(models, ranks)
    return replace(make_report(Path("/j/1"), models), settings=labels, settings_values=VALUES, sweeps=sweeps)


def write(model: str, settings: int, prompt: str, sample: int = 0, text: str = "") -> WrittenStory:
    text = text or f"{model} with {settings} on {prompt}, {sample}"
    return WrittenStory(fingerprint(prompt, text), model, settings, prompt, sample, text)


def write_all(report: JudgeReport, prompts: int = 5, samples: int = 2) -> list[WrittenStory]:
    return [
        write(model, settings, f"prompt {prompt}", sample)
        for model in ("", *report.models)
        for settings in range(len(report.settings))
        for prompt in range(prompts)
        for sample in range(samples)
    ]


def test_the_nearest_settings_meet_the_chosen_ones_of_the_same_model() -> None:
    report = make_sweep()
    assert list_rows(report)[:3] == [Contender("starter", number) for number in (2, 0, 1)]
    assert choose_contenders(report) == (Contender("starter", 2), Contender("starter", 0))
    assert choose_contenders(report, Contender("mine", 2)) == (Contender("mine", 2), Contender("mine", 0))
    assert choose_contenders(report, Contender("mine", 1)) == (Contender("mine", 2), Contender("mine", 1))


def test_without_peoples_stories_settings_meet_as_they_were_tried() -> None:
    report = replace(make_sweep(("starter",)), sweeps={})
    assert [row.settings for row in list_rows(report)] == [0, 1, 2]
    assert choose_contenders(report) == (Contender("starter", 0), Contender("starter", 1))


def test_models_meet_where_one_choice_of_settings_was_tried() -> None:
    report = make_report(Path("/j/1"))
    assert not list_rows(report)
    assert choose_contenders(report) == (Contender("starter", 0), Contender("mine", 0))
    assert choose_contenders(replace(report, models=("starter",))) == ()
    assert count_pairs(choose_contenders(report)) == 12
    assert count_pairs([Contender(str(number), 0) for number in range(5)]) == 30


def test_pairs_are_of_one_prompt_and_of_what_the_report_did_not_show() -> None:
    report = replace(make_sweep(), shown_prompts=("prompt 0",))
    contenders = choose_contenders(report)
    entries = make_duel(report, write_all(report), contenders)
    pairs = make_pairs(entries, seed=3)
    assert len(pairs) == 4 * 2
    assert {pair.prompt for pair in pairs} == {f"prompt {number}" for number in range(1, 5)}
    names = {entry.contender for pair in pairs for entry in pair.entries}
    assert names == {"starter, temperature 0.7", "starter, temperature 1.1"}
    made_by = json.loads(pairs[0].first.made_by)
    assert made_by["settings"] in ({"temperature": 0.7}, {"temperature": 1.1})
    assert {entry.kind for entry in entries} == {ContenderKind.SETTINGS}
    shown_only = replace(report, shown_prompts=tuple(f"prompt {number}" for number in range(5)))
    assert len(make_duel(shown_only, write_all(report), contenders)) == 20  # better than nothing


def test_two_that_wrote_the_same_have_nothing_to_be_chosen_between() -> None:
    report = make_report(Path("/j/1"))
    stories = [write("starter", 0, "a", text="The  bell rang."), write("mine", 0, "a", text="The bell rang.")]
    assert make_duel(report, stories, choose_contenders(report)) == []


def test_what_nobody_rated_yet_is_asked_about_first_and_all_contenders_as_often() -> None:
    report = make_sweep(("starter",))
    stories = write_all(report, prompts=6)
    rated = {story.id for story in stories if story.prompt < "prompt 3"}
    entries = make_rating_entries(report, stories, rated, most=12)
    assert not {fingerprint(entry.prompt, entry.text) for entry in entries} & rated
    names = [entry.contender for entry in entries]
    assert {name: names.count(name) for name in names} == dict.fromkeys(
        (f"starter, temperature {values['temperature']}" for values in VALUES), 4
    )
