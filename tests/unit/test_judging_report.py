"""What a report says of stories whose truth is known, and how the page shows it."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storydesk.domain.judgement import JudgedMetric, JudgedVerdict
from storydesk.domain.judging import fingerprint
from storydesk.services.judge_job import MetricWords
from storydesk.services.verdict_words import VerdictWords
from storydesk.training.judge_reports import load_report, load_stories
from tests.fakes.judge_jobs import make_report
from trainer.corpus.document import Document
from trainer.judging.cells import PEOPLE, Cell, JudgedStory, Yardsticks, make_story_id, measure_cell, measure_heldout
from trainer.judging.judgement import AS_WRITTEN, NO_SETTINGS, Findings, Key, judge_findings
from trainer.judging.metrics import METRICS
from trainer.judging.plots import Mark, draw_intervals, list_ticks, show
from trainer.judging.quantities import StoryValues
from trainer.judging.reading import StoryReading
from trainer.judging.report import Circumstances, write_report
from trainer.judging.verdicts import SENTENCES, VerdictFound, list_verdicts, say_verdict
from trainer.judging.wording import ContentWords
from trainer.protocol.judging import JudgedStyle, JudgeRequest

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = 14
BAD_NAME = '<b>"bad" & =1+1</b>'
SETTINGS: tuple[Mapping[str, float], ...] = ({}, {"temperature": 2.0})


def _write(random: np.random.Generator, vocabulary: int, words: int = 60) -> str:
    return " ".join(f"w{number}" for number in random.integers(vocabulary, size=words)) + "."


def _read(random: np.random.Generator, nats: float) -> StoryReading:
    return StoryReading(100, 100 * (nats + 0.05 * random.normal()), 30, 60, 80, 400, 2.0, 50, 1, 10, 0.2)


@pytest.fixture(scope="module")
def findings() -> Findings:
    """Return findings: people use 60 words, the first model 60 and, with the second settings, 5; the other one 5."""
    random = np.random.default_rng(5)
    documents = [Document(story=_write(random, 60), prompt=f"w{number} and w{number + 1}") for number in range(PROMPTS)]
    people = Cell(
        PEOPLE,
        NO_SETTINGS,
        tuple(
            JudgedStory(at, 0, each.story, ended=True, reading=_read(random, 3)) for at, each in enumerate(documents)
        ),
    )
    cells = [people]
    for style, settings, vocabulary, nats in ((0, 0, 60, 3.0), (0, 1, 5, 1.0), (1, 0, 5, 1.0), (1, 1, 5, 1.0)):
        stories = tuple(
            JudgedStory(at, 0, _write(random, vocabulary), ended=False, reading=_read(random, nats))
            for at in range(PROMPTS)
        )
        cells.append(Cell(style, settings, stories))
    values: dict[str, dict[Key, StoryValues]] = {}
    yardsticks = Yardsticks(documents, None, ContentWords(each.story for each in documents))
    for cell in cells:
        for name, of in measure_cell(cell, yardsticks).items():
            values.setdefault(name, {})[cell.style, cell.settings, AS_WRITTEN] = of
    for style, nats in ((0, 3.0), (1, 3.5)):
        for name, of in measure_heldout([(at, _read(random, nats)) for at in range(PROMPTS)]).items():
            values.setdefault(name, {})[style, NO_SETTINGS, AS_WRITTEN] = of
    return Findings(["first", BAD_NAME], SETTINGS, documents, cells, METRICS, values, seed=7)


@pytest.fixture(scope="module")
def ratings(findings: Findings) -> dict[str, dict[str, float]]:
    """Return ratings that love variety."""
    found = {}
    for cell in findings.cells[1:]:
        values = findings.values["distinct_1"][cell.style, cell.settings, AS_WRITTEN]
        for at, story in enumerate(cell.stories):
            name = fingerprint(findings.documents[story.prompt].prompt, story.text)
            found[name] = {"overall": 1 + 4 * values.value_of(at), "grammar": 3.0}
    return found


@pytest.fixture(scope="module")
def found(findings: Findings, ratings: dict[str, dict[str, float]]) -> dict[str, Any]:
    return judge_findings(findings, ratings)


def _find(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    return next(row for row in rows if all(row[name] == value for name, value in wanted.items()))


def test_held_out_figures_are_sums_over_all_stories(findings: Findings, found: dict[str, Any]) -> None:
    value = _find(found["values"], metric="bits_per_byte", style="first")
    nats = findings.quantities["bits_per_byte"][0, NO_SETTINGS, AS_WRITTEN].sums[:, 0].sum() * math.log(2)
    assert value["value"] == pytest.approx(nats / math.log(2) / (PROMPTS * 400))
    perplexity = _find(found["values"], metric="perplexity", style="first")
    assert perplexity["value"] == pytest.approx(math.exp(nats / (PROMPTS * 100)))
    assert perplexity["low"] < perplexity["value"] < perplexity["high"]
    assert _find(found["values"], metric="first_guess", style="first")["value"] == pytest.approx(0.3)
    assert _find(found["values"], metric="coherence", style="first")["value"] == pytest.approx(2 / 50)


def test_better_is_lower_higher_or_nearer_as_the_metric_has_it(found: dict[str, Any]) -> None:
    assert _find(found["differences"], metric="perplexity")["better"] == "first"
    assert _find(found["differences"], metric="distinct_1", settings=0)["better"] == "first"
    # With the second settings both write from five words.
    assert _find(found["differences"], metric="distinct_1", settings=1)["better"] == ""
    assert _find(found["differences"], metric="prompt_ranking")["better"] == ""
    # Overlap is weak for stories and makes none better, however it differs.
    assert {row["better"] for row in found["differences"] if row["metric"] in ("bleu", "chrf", "ended")} == {""}


def _differ(metric: str, better: str) -> dict[str, Any]:
    bounds = {"value": 0.2, "low": 0.1, "high": 0.3}
    return {
        "metric": metric,
        "first": "a",
        "second": "b",
        "settings": 0,
        "control": "written",
        **bounds,
        "better": better,
    }


@pytest.mark.parametrize(("low", "says_nothing"), [(0.05, True), (0.3, False)])
def test_nearer_is_not_better_and_prompts_that_nobody_can_tell_make_nobody_better(
    low: float, says_nothing: bool
) -> None:
    people = {"metric": "prompt_found", "style": "", "control": "written", "value": 0.4, "low": low, "high": 0.5}
    record = {
        "metrics": [
            {"name": each.name, "group": each.group.value, "direction": each.direction.value} for each in METRICS
        ],
        "differences": [_differ("distinct_2", "a"), _differ("longest_copy", "a"), _differ("prompt_found", "b")],
        "settings": [{"label": "usual settings"}],
        "values": [people],
        "sweep": [],
        "prompts": 20,
    }
    said = {
        verdict.code: verdict.parameters for verdict in list_verdicts(record) if verdict.parameters.get("better") != "b"
    }
    nearer = [
        verdict.parameters["metrics"] for verdict in list_verdicts(record) if verdict.parameters.get("better") == "b"
    ]
    assert said["stories_nearer"]["metrics"] == ["distinct_2"]
    assert said["stories_better"]["metrics"] == ["longest_copy"]
    assert nearer == ([] if says_nothing else [["prompt_found"]])
    if says_nothing:
        assert said["prompts_unheard"] == {"value": 40, "low": 5, "high": 50, "chance": 10}
    else:
        assert "prompts_unheard" not in said


def test_settings_are_put_in_the_order_of_their_distance_from_people(found: dict[str, Any]) -> None:
    first, second = found["sweep"]
    assert [row["settings"] for row in first["ranking"]] == [0, 1]
    assert [row["told_apart"] for row in first["ranking"]] == [False, True]
    assert first["ranking"][0]["value"] < first["ranking"][1]["value"]
    assert first["ranking"][1]["parts"]["distinct_2"] < -1
    # More is not better: dull prose is as far away as nonsense would be.
    assert first["ranking"][1]["parts"]["story_perplexity"] < -1
    assert not any(row["told_apart"] for row in second["ranking"])


def test_metrics_are_held_against_ratings(found: dict[str, Any]) -> None:
    row = _find(found["correlations"], metric="distinct_1", criterion="overall")
    assert row["stories"] == 4 * PROMPTS
    assert row["value"] == pytest.approx(1.0)
    assert _find(found["correlations"], metric="repetition_1", criterion="overall")["value"] == pytest.approx(-1.0)
    assert _find(found["correlations"], metric="distinct_1", criterion="grammar")["value"] is None


def test_a_story_has_the_name_that_ratings_know_it_by() -> None:
    assert make_story_id("A  bell\n", "It “rang”.\n\nOnce.") == fingerprint("A bell", "It “rang”. Once.")


class _Page(HTMLParser):
    """Counts open elements and keeps what is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def report(findings: Findings, found: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "new" / "folder"
    request = JudgeRequest("night", (JudgedStyle("first", "/m"), JudgedStyle(BAD_NAME, "/n")), settings=SETTINGS)
    circumstances = Circumstances("cpu", "first", [], 0, False, 0, {})
    assert write_report(out, request, findings, found, circumstances, None) == 4 * PROMPTS
    return out


def test_the_page_is_whole_and_shows_no_markup_of_names(report: Path) -> None:
    html = (report / "report.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(html)
    assert page.open == ["html"] or page.open == []
    assert BAD_NAME in page.text
    assert "<b>" not in html
    kinds = [tag for tag, _ in page.tags]
    assert "script" not in kinds
    assert not re.search(r"(?:src|href)=|url\(", html)
    assert all(attributes.get("aria-label") for tag, attributes in page.tags if tag == "svg")
    assert kinds.count("table") == kinds.count("caption") > 3
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th")
    assert "prefers-color-scheme:dark" in html
    values = json.loads((report / "report.json").read_text(encoding="utf-8"))["values"]
    measured = {value["metric"] for value in values}
    assert {metric.name for metric in METRICS if metric.title in page.text} == measured


def test_the_page_says_in_sentences_what_can_be_told(report: Path) -> None:
    verdicts = " ".join(load_report(report).verdicts)
    assert "first predicts people's stories better" in verdicts
    assert "can't be told apart" in verdicts
    assert "14 prompts only" in verdicts


def test_the_table_has_every_figure_and_no_formula(report: Path, found: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO((report / "report.csv").read_text(encoding="utf-8"))))
    assert len(rows) == len(found["values"])
    assert {row["model"] for row in rows} == {"people", "first", BAD_NAME}
    assert float(_find(rows, metric="perplexity", model="first")["value"]) == pytest.approx(
        _find(found["values"], metric="perplexity", style="first")["value"], rel=1e-5
    )


def test_the_app_reads_it_back(report: Path, found: dict[str, Any]) -> None:
    read = load_report(report)
    assert read.models == ("first", BAD_NAME)
    assert read.settings == ("usual settings", "temperature 2")
    assert (read.settings_values, read.job_id) == (({}, {"temperature": 2}), "night")
    assert len(read.shown_prompts) == 1
    assert len(read.figures) == len(found["values"])
    figure = read.find_figure("perplexity", "first", NO_SETTINGS)
    assert figure is not None
    assert figure.value == _find(found["values"], metric="perplexity", style="first")["value"]
    assert [row.settings for row in read.sweeps["first"]] == [0, 1]
    stories = load_stories(report)
    assert len(stories) == 5 * PROMPTS
    assert stories[0].model == ""
    assert stories[0].id == fingerprint(stories[0].prompt, stories[0].text)


def test_the_apps_words_are_the_trainers() -> None:
    table = tomllib.loads((ROOT / "resources" / "i18n" / "en.toml").read_text(encoding="utf-8"))["metric"]
    ours = {each.name: {"title": each.title, "tells": each.tells, "misses": each.misses} for each in METRICS}
    assert table == ours
    assert all(each.tells[-1] in ".?" and each.misses.endswith(".") for each in METRICS)


def test_words_are_translated_and_what_is_missing_stays(tmp_path: Path, report: Path) -> None:
    path = tmp_path / "xx.toml"
    path.write_text('[metric.perplexity]\ntitle = "Überraschung"\n', encoding="utf-8")
    metric = load_report(report).metrics[0]
    translated = MetricWords(path).translate(metric)
    assert (translated.title, translated.tells) == ("Überraschung", metric.tells)
    assert MetricWords(tmp_path / "none.toml").translate(metric) == metric


def test_the_apps_verdicts_are_the_trainers_and_other_languages_say_them_anew(tmp_path: Path, report: Path) -> None:
    english = ROOT / "resources" / "i18n" / "en.toml"
    assert tomllib.loads(english.read_text(encoding="utf-8"))["verdict"] == SENTENCES
    said = load_report(report)
    assert {verdict.code for verdict in said.verdict_codes} >= {"predicts_better", "few_prompts"}
    assert VerdictWords(english).translate(said) == said.verdicts
    path = tmp_path / "xx.toml"
    few, better = "Nur {prompts} Aufgaben.", "{better} sagt besser voraus als {other}, um {by} ({low} bis {high})."
    path.write_text(f'[verdict]\nfew_prompts = "{few}"\npredicts_better = "{better}"\n', encoding="utf-8")
    words = VerdictWords(path, lambda value, decimals: f"{value:.{decimals}f}".replace(".", ","))
    other = words.translate(said)
    assert other[-1] == "Nur 14 Aufgaben."
    place = [verdict.code for verdict in said.verdict_codes].index("predicts_better")
    assert re.search(r"first sagt besser voraus als .*, um \d+,\d+ \(\d+,\d+ bis \d+,\d+\)\.", other[place])
    # A report of an older version, or of a newer one with other codes, keeps its own sentences.
    assert words.translate(replace(said, verdict_codes=())) == said.verdicts
    strange = JudgedVerdict("predicts_better", {"metrics": ("no such", 99)})
    assert words.translate(replace(said, verdicts=("Well.",), verdict_codes=(strange,))) == ("Well.",)


VERDICT_RECORD = {
    "metrics": [{"name": f"m{number}", "title": f"Measure {number}"} for number in range(10)],
    "settings": [{"label": "usual settings"}, {"label": "temperature 0.7"}],
}


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (
            VerdictFound("predicts_level", {"first": "a", "second": "{b}", "low": -0.5, "high": 12.345}),
            (
                "a and {b} predict people's stories equally well, as far as can be told (their perplexities differ by "
                "−0.500 to +12.35, 95 % interval)."
            ),
        ),
        (
            VerdictFound(
                "stories_better_with",
                {"better": "a", "other": "b", "settings": 1, "metrics": [f"m{number}" for number in range(10)]},
            ),
            (
                "The stories of a are better than those of b (with temperature 0.7) in: Measure 0, "
                "Measure 1, Measure 2, Measure 3, Measure 4, Measure 5, Measure 6, Measure 7 and 2 more."
            ),
        ),
        (
            VerdictFound("settings_some", {"model": "a", "settings": 1, "level": [0]}),
            (
                "For a, the stories nearest to people's are those with temperature 0.7; these can't be told apart from "
                "it: usual settings."
            ),
        ),
    ],
)
def test_trainer_and_app_say_a_verdict_alike(verdict: VerdictFound, sentence: str) -> None:
    assert say_verdict(verdict, VERDICT_RECORD) == sentence
    words = VerdictWords(ROOT / "resources" / "i18n" / "en.toml")
    metrics = [JudgedMetric(each["name"], "", each["title"], "", "", "", "") for each in VERDICT_RECORD["metrics"]]
    parameters = {
        name: tuple(value) if isinstance(value, list) else value for name, value in verdict.parameters.items()
    }
    report = replace(
        make_report(Path()),
        metrics=tuple(metrics),
        settings=tuple(each["label"] for each in VERDICT_RECORD["settings"]),
        verdicts=("",),
        verdict_codes=(JudgedVerdict(verdict.code, parameters),),
    )
    assert words.translate(report) == (sentence,)


def test_plots_keep_their_marks_inside_and_tell_them_in_words() -> None:
    plot = draw_intervals(
        [Mark("a & b", 0.5, 0.4, 0.6), Mark("none", math.nan, None, None)], "Share", guide=0.9, percent=True
    )
    assert "a &amp; b: 50.0 % (40.0 % to 60.0 %)" in plot
    places = [float(place) for place in re.findall(r'(?:x1|x2|cx)="([\d.]+)"', plot)]
    assert all(0 <= place <= 480 for place in places)
    assert draw_intervals([], "Nothing") == ""
    long = [Mark(f"a model with a long name, temperature {heat}", 1.0, None, None) for heat in (0.7, 0.9)]
    labels = re.findall(r'class="label"[^>]*>([^<]+)<', draw_intervals(long, "Long"))
    assert len(set(labels)) == 2
    assert all(len(label) <= 28 and "…" in label for label in labels)
    assert list_ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert list_ticks(-0.01, 0.03) == [-0.01, 0.0, 0.01, 0.02, 0.03]
    assert [show(value) for value in (None, 123.4, 12.345, 0.12345, -1.5)] == ["–", "123", "12.35", "0.123", "−1.50"]
