"""A run as it goes: curves that are read by eye, key and ear, and never keep the window from its work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from storydesk.bridge.phrases import Phrases
from storydesk.domain.tuning import MachineFigures, PromptRanking, RunState, RunStatus, SampleDuring
from storydesk.services.tuning import TuningOutcome
from storydesk.ui.theme import apply_theme, current_tokens
from storydesk.ui.tuning.change_step import ChangeStep
from storydesk.ui.tuning.curves import MOST_POINTS, Look, find_bounds, make_curve, thin_out
from storydesk.ui.tuning.run_plots import ALL, LOSS, MEMORY, PERPLEXITY, SPEED, TEMPERATURE
from storydesk.ui.tuning.run_step import RunStep
from tests.fakes.services import FakeSettings, make_model
from tests.gui.conftest import WAIT

MOST_IN_A_PLOT = 2000


@pytest.fixture
def step(phrases: Phrases, qtbot: QtBot, qapp: QApplication) -> Iterator[RunStep]:
    apply_theme(qapp, "light")
    made = RunStep(phrases, FakeSettings())
    qtbot.addWidget(made)
    made.resize(800, 900)
    made.show()
    yield made
    made.close_jobs()
    apply_theme(qapp, "light")


def make_state(folder: Path, steps: int = 40) -> RunState:
    every = range(1, steps + 1)
    return RunState(
        "r",
        folder,
        RunStatus.RUNNING,
        stage="tuning",
        device="cpu",
        step=steps,
        total_steps=100,
        losses=tuple((at, 3.0 + 1 / at) for at in every),
        heldout=((0, 32.0), (20, 25.0), (steps, 21.0)),
        speeds=tuple((at, 3000.0) for at in every),
        memories=tuple((at, 1e9) for at in every),
        tokens_per_second=3000.0,
        machine=MachineFigures(process_memory=1_400_000_000),
        perplexity_before=32.0,
    )


def show_drawn(step: RunStep, state: RunState, qtbot: QtBot) -> None:
    with qtbot.waitSignal(step.plots.drawn, timeout=WAIT):
        step.show_state(state)


def test_what_there_is_is_drawn_and_what_nobody_reads_is_not(step: RunStep, qtbot: QtBot, tmp_path: Path) -> None:
    state = make_state(tmp_path)
    show_drawn(step, state, qtbot)
    assert set(step.plots.plots) == set(ALL) - {TEMPERATURE}
    assert not step.plots.soon.isVisible()
    assert "3000 tokens a second" in step.machine.text().replace(",", "")
    assert "1.4 GB of memory" in step.machine.text()
    assert "card" not in step.machine.text()
    warm = MachineFigures(process_memory=1, device_memory=3 * 10**9, temperature=63.0)
    show_drawn(step, replace(state, temperatures=((1, 40.0), (40, 63.0)), machine=warm), qtbot)
    assert step.plots.plots[TEMPERATURE].isVisible()
    assert step.plots.plots[TEMPERATURE].reading.text() == "63 °C"
    assert "63 °C" in step.machine.text()


def test_curves_show_as_a_picture(step: RunStep, qtbot: QtBot, tmp_path: Path) -> None:
    show_drawn(step, make_state(tmp_path), qtbot)
    plot = step.plots.plots[LOSS]
    image = plot.grab().toImage()
    seen = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert QColor(current_tokens().accent).rgb() in seen
    assert image.pixelColor(image.width() // 2, image.height() - 3).name() != QColor("black").name()


def test_each_plot_has_a_sentence_for_who_can_t_see_it(step: RunStep, qtbot: QtBot, tmp_path: Path) -> None:
    show_drawn(step, make_state(tmp_path), qtbot)
    for plot in step.plots.plots.values():
        assert plot.accessibleName()
        assert plot.accessibleDescription() == plot.summary
        assert plot.summary.endswith(".")
    assert "was 32.0 at first and is 21.0 now" in step.plots.plots[PERPLEXITY].summary
    assert "1.0 GB" in step.plots.plots[MEMORY].summary


def test_the_arrows_move_along_a_curve(step: RunStep, qtbot: QtBot, tmp_path: Path) -> None:
    show_drawn(step, make_state(tmp_path), qtbot)
    plot = step.plots.plots[PERPLEXITY]
    assert plot.focusPolicy() & Qt.FocusPolicy.TabFocus
    plot.setFocus()
    assert plot.reading.text() == "21.0"
    QTest.keyClick(plot, Qt.Key.Key_Left)
    assert plot.reading.text() == "step 20: 25.0"
    assert plot.accessibleDescription() == "step 20: 25.0"
    QTest.keyClick(plot, Qt.Key.Key_Home)
    assert plot.reading.text() == "step 0: 32.0"
    QTest.keyClick(plot, Qt.Key.Key_Left)
    assert plot.reading.text() == "step 0: 32.0"
    QTest.keyClick(plot, Qt.Key.Key_End)
    assert plot.reading.text() == "step 40: 21.0"
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.reading.text() == "21.0"
    assert plot.accessibleDescription() == plot.summary


def test_the_mouse_reads_the_nearest_point(step: RunStep, qtbot: QtBot, tmp_path: Path) -> None:
    show_drawn(step, make_state(tmp_path), qtbot)
    plot = step.plots.plots[PERPLEXITY]
    place = plot.rect()
    QTest.mouseMove(plot, place.center())
    QTest.mouseMove(plot, place.center() + place.topLeft())
    qtbot.waitUntil(lambda: plot.reading.text().startswith("step 20"), timeout=WAIT)


def test_of_many_states_in_a_quarter_of_a_second_few_are_drawn_and_the_last_is(
    step: RunStep, qtbot: QtBot, tmp_path: Path
) -> None:
    state = make_state(tmp_path)
    show_drawn(step, state, qtbot)
    drawn: list[None] = []
    step.plots.drawn.connect(lambda: drawn.append(None))
    for at in range(41, 91):
        state = replace(state, step=at, heldout=(*state.heldout, (at, 20.0 - at / 100)))
        step.show_state(state)
    assert not drawn  # the first was drawn a moment ago
    qtbot.waitUntil(lambda: step.plots.plots[PERPLEXITY].curves[0].points[-1][0] == 90, timeout=WAIT)
    assert len(drawn) == 1


def test_nothing_is_drawn_where_nobody_looks(step: RunStep, qtbot: QtBot, tmp_path: Path) -> None:
    show_drawn(step, make_state(tmp_path), qtbot)
    before = step.plots.plots[PERPLEXITY].curves
    step.hide()
    newer = replace(make_state(tmp_path), heldout=((0, 32.0), (40, 19.0)))
    step.show_state(newer)
    step.plots._due.stop()
    step.plots._draw_if_due()
    assert step.plots.plots[PERPLEXITY].curves == before
    with qtbot.waitSignal(step.plots.drawn, timeout=WAIT):
        step.show()
    assert step.plots.plots[PERPLEXITY].curves != before


def test_long_runs_stay_small(step: RunStep, qtbot: QtBot, tmp_path: Path) -> None:
    long = tuple((at, 3.0) for at in range(20_000))
    show_drawn(step, replace(make_state(tmp_path), losses=long, speeds=long, heldout=long), qtbot)
    for plot in step.plots.plots.values():
        assert sum(len(curve.points) for curve in plot.curves) <= MOST_IN_A_PLOT


def test_plots_take_the_theme_s_colours(step: RunStep, qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    show_drawn(step, make_state(tmp_path), qtbot)
    plot = step.plots.plots[SPEED]
    for theme in ("dark", "contrast", "light"):
        apply_theme(qapp, theme)
        ground = QColor(current_tokens().window).name()
        qtbot.waitUntil(lambda: plot.grab().toImage().pixelColor(20, 60).name() == ground, timeout=WAIT)  # noqa: B023


def test_stories_on_the_way_come_newest_first_and_stay_where_they_are(
    step: RunStep, qtbot: QtBot, tmp_path: Path
) -> None:
    first, second = SampleDuring(20, "A door", "It was the."), SampleDuring(40, "A door", "It was warm.")
    step.show_state(replace(make_state(tmp_path), losses=(), heldout=(), samples_during=(first,)))
    card = step.on_the_way._cards.itemAt(0)
    assert card is not None
    kept = card.widget()
    step.show_state(replace(make_state(tmp_path), losses=(), heldout=(), samples_during=(first, second)))
    texts = [label.text() for label in step.on_the_way.findChildren(QLabel) if label.isVisibleTo(step)]
    assert texts.index("After step 20") < texts.index("It was the.")
    assert [step.on_the_way._cards.itemAt(at).widget() is kept for at in range(2)] == [False, True]  # type: ignore[union-attr]
    step.begin()
    assert not step.on_the_way.isVisible()


# What changed


@pytest.fixture
def change(phrases: Phrases, qtbot: QtBot) -> Iterator[ChangeStep]:
    made = ChangeStep(phrases, FakeSettings(), lambda name: f"# {name}\n\nTuned from starter.")
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close_jobs()


def make_outcome(folder: Path, after: float, *, adopted: bool, certain: bool = True) -> TuningOutcome:
    before = PromptRanking("before", 60, 10, 0.35, 0.25, 0.47)
    now = PromptRanking("after", 60, 10, 0.62, 0.49 if certain else 0.4, 0.73)
    state = RunState(
        "r",
        folder,
        RunStatus.COMPLETED,
        perplexity_before=30.0,
        perplexity_after=after,
        prompt_rankings=(before, now),
    )
    return TuningOutcome(state, make_model("My voice", built_in=False), adopted=adopted)


@pytest.mark.parametrize(
    ("after", "adopted", "said"),
    [
        (20.0, True, "taken because it foresees the pages that were kept aside better"),
        (33.0, False, "not taken because it foresees the pages that were kept aside no better"),
        (20.0, False, "not taken because you asked to keep the old one"),
        (33.0, True, "taken because you asked for it"),
    ],
)
def test_why_it_is_in_use_or_not_is_said(
    change: ChangeStep, tmp_path: Path, after: float, adopted: bool, said: str
) -> None:
    change.show_outcome(make_outcome(tmp_path, after, adopted=adopted))
    assert said in change.why.text()
    assert change.why.isVisible()


def test_whether_it_minds_prompts_is_said_with_its_doubt(change: ChangeStep, tmp_path: Path) -> None:
    change.show_outcome(make_outcome(tmp_path, 20.0, adopted=True))
    assert "Of 10 prompts" in change.ranking.text()
    assert "62%" in change.ranking.text()
    assert "it was 35%, and guessing would be 10%" in change.ranking.text()
    assert "chance" not in change.ranking.text()
    change.show_outcome(make_outcome(tmp_path, 20.0, adopted=True, certain=False))
    assert "With 60 stories that difference may be chance." in change.ranking.text()


def test_the_card_is_read_when_it_is_opened(change: ChangeStep, qtbot: QtBot, tmp_path: Path) -> None:
    change.show_outcome(make_outcome(tmp_path, 20.0, adopted=True))
    assert not change._card.toPlainText()
    change.card.button.click()
    qtbot.waitUntil(lambda: "Tuned from starter." in change._card.toPlainText(), timeout=WAIT)
    assert change._card.toPlainText().startswith("My voice")
    change.show_outcome(make_outcome(tmp_path, 33.0, adopted=False))
    assert not change._card.isVisible()


# The curves themselves

POINTS = st.lists(st.tuples(st.integers(0, 10**6), st.floats()), max_size=60)


@given(POINTS)
def test_curves_hold_what_is_a_number_in_the_order_of_steps(points: list[tuple[int, float]]) -> None:
    curve = make_curve("x", points)
    assert all(math.isfinite(value) for _, value in curve.points)
    assert [at for at, _ in curve.points] == sorted(at for at, value in points if math.isfinite(value))


@given(st.integers(0, 5000))
def test_thinning_keeps_both_ends(count: int) -> None:
    points = [(at, float(at)) for at in range(count)]
    thin = thin_out(points, MOST_POINTS)
    assert len(thin) == min(count, MOST_POINTS)
    assert thin[:1] == points[:1]
    assert thin[-1:] == points[-1:]


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40))
def test_a_scale_has_room_for_every_line(values: list[float]) -> None:
    low, high = find_bounds([make_curve("x", enumerate(values))])
    assert low < min(values) <= max(values) < high


def test_noise_does_not_set_the_scale() -> None:
    noise = [(at, 3.0) for at in range(100)] + [(100, 900.0)]
    low, high = find_bounds([make_curve("steps", noise, Look.FAINT), make_curve("x", [(0, 2.5), (100, 3.5)])])
    assert 2 < low < high < 4
