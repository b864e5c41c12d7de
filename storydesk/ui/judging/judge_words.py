"""What a judging job does and found, in a writer's words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from storydesk.domain.judgement import (
    Agreeing,
    JudgedCorrelation,
    JudgedFigure,
    JudgedMetric,
    JudgeReport,
    JudgeState,
    RankedSettings,
    Settings,
    Work,
)
from storydesk.ui.figures import say_duration, say_number


def say_work(state: JudgeState) -> str:
    """Return what goes on, and for which model."""
    known = {
        str(Work.STARTING): _tr("Getting ready"),
        str(Work.PREDICTING): _tr("Reading stories that people wrote"),
        str(Work.WRITING): _tr("Writing stories"),
        str(Work.READING): _tr("Reading what was written"),
        str(Work.REPORTING): _tr("Putting the report together"),
    }
    said = known.get(state.work, state.work)
    return _tr("{work}: {model}").format(work=said, model=state.model) if state.model else said


def say_progress(state: JudgeState) -> str:
    """Return how much is done and how long it takes yet."""
    if not state.total:
        return ""
    done = _tr("{done} of {total} steps").format(done=say_number(state.done), total=say_number(state.total))
    if state.seconds_left <= 0:
        return done
    return _tr("{done}, {time} left").format(done=done, time=say_duration(state.seconds_left))


def say_job(state: JudgeState) -> str:
    """Return an earlier job in a line: what was judged, on how much, when, and what came of it."""
    if state.report is not None:
        end = _tr("finished")
    else:
        end = _tr("broken off, {progress}").format(progress=say_progress(state) or _tr("nothing done yet"))
    card = state.card
    prompts = QCoreApplication.translate("Judging", "%Ln prompts", "", card.prompts) if card.prompts else ""
    settings = QCoreApplication.translate("Judging", "%Ln choices of settings", "", card.settings)
    parts = (say_job_name(state), prompts, settings if card.settings > 1 else "", _say_time(card.begun), end)
    return " · ".join(part for part in parts if part)


def say_job_name(state: JudgeState) -> str:
    """Return what a job is called: its title, or the models that it is about."""
    return state.card.title or ", ".join(state.card.models) or state.folder.name


def _say_time(seconds: float) -> str:
    if not seconds:
        return ""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(seconds)), QLocale.FormatType.ShortFormat)


def say_figure(metric: JudgedMetric, figure: JudgedFigure | None) -> str:
    """Return a figure with the interval that holds the true one 95 times in 100."""
    if figure is None or figure.value is None:
        return "–"
    value = _say_value(figure.value, metric.form)
    if figure.low is None or figure.high is None:
        return value
    return _tr("{value} ({low} to {high})").format(
        value=value, low=_say_value(figure.low, metric.form), high=_say_value(figure.high, metric.form)
    )


def say_metric(report: JudgeReport, metric: JudgedMetric, *, cut: bool) -> str:
    """Return a metric's name, and whether stories were cut to one length."""
    if not cut:
        return metric.title
    return _tr("{metric}, first {count} words").format(metric=metric.title, count=say_number(report.equal_words))


def say_direction(metric: JudgedMetric) -> str:
    """Return which way is better."""
    return {
        "higher": _tr("high"),
        "lower": _tr("low"),
        "nearer": _tr("near to people's"),
    }.get(metric.direction, "–")


def say_distance(rank: RankedSettings, *, is_first: bool) -> str:
    """Return what a choice of settings' distance from people's stories tells."""
    if rank.value is None:
        return _tr("could not be measured")
    if is_first:
        return _tr("nearest to people's stories")
    return _tr("surely further away") if rank.told_apart else _tr("can't be told apart from the nearest")


def say_setting(name: str) -> str:
    """Return what a setting is called."""
    return {
        "temperature": _tr("temperature"),
        "top_p": _tr("top-p"),
        "top_k": _tr("top-k"),
        "min_p": _tr("min-p"),
        "typical_p": _tr("typical"),
        "repetition_penalty": _tr("repetition"),
        "frequency_penalty": _tr("frequency"),
        "presence_penalty": _tr("presence"),
        "no_repeat_ngram": _tr("rows never repeated"),
    }.get(name, name)


def say_settings(settings: Settings) -> str:
    """Return settings with their values; the usual ones where nothing is set."""
    said = (f"{say_setting(name)} {QLocale().toString(float(value), 'g', 4)}" for name, value in settings.items())
    return ", ".join(said) or _tr("the usual settings")


def say_settings_of(report: JudgeReport, number: int) -> str:
    """Return one choice of a report's settings, by its name in the report where that has no values."""
    values = report.values_of(number)
    return report.settings[number] if values is None else say_settings(values)


def say_agreeing(correlation: JudgedCorrelation) -> str:
    """Return how a figure goes with people's judgement, the stories' length taken out."""
    turned = (correlation.surest[0] or 0) < 0
    said = {
        Agreeing.STRONGLY: _tr("strongly, the other way round") if turned else _tr("strongly"),
        Agreeing.CLEARLY: _tr("clearly, the other way round") if turned else _tr("clearly"),
        Agreeing.WEAKLY: _tr("weakly, the other way round") if turned else _tr("weakly"),
    }
    return said.get(correlation.agreeing, _tr("can't tell yet"))


def say_correlation(value: float | None, low: float | None, high: float | None) -> str:
    """Return a correlation, from -1 to 1, with its interval."""
    if value is None:
        return "–"
    if low is None or high is None:
        return say_number(value, 2)
    return _tr("{value} ({low} to {high})").format(
        value=say_number(value, 2), low=say_number(low, 2), high=say_number(high, 2)
    )


def _say_value(value: float, form: str) -> str:
    if form == "percent":
        return _tr("{value} %").format(value=say_number(100 * value, 1))
    size = abs(value)
    return say_number(value, 0 if size >= 100 else 1 if size >= 20 else 2 if size >= 1 or size == 0 else 3)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Judging", text)
