"""What came of learning from choices, in a writer's words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from storydesk.domain.tuning import ChoicePrediction, RunState
from storydesk.ui.figures import say_number


def say_choices(choices: Sequence[ChoicePrediction]) -> str:
    """Return how well choices that were kept aside are told, before and after; "" before both are measured."""
    moments = {choice.moment: choice for choice in choices}
    before, after = moments.get("before"), moments.get("after")
    if before is None or after is None:
        return ""
    said = QCoreApplication.translate(
        "choices",
        "Of {count} choices that were kept aside, it finds the text you preferred likelier in {after} of all cases; "
        "before, it was {before}. How surprised it is by your choices: {loss} before, {now} now.",
    )
    return said.format(
        count=say_number(after.pairs),
        before=f"{before.accuracy:.0%}",
        after=f"{after.accuracy:.0%}",
        loss=say_number(before.loss, 3),
        now=say_number(after.loss, 3),
    )


def say_choice_reason(state: RunState, *, adopted: bool) -> str:
    """Return why a model that learned from choices is in use or not."""
    after = state.choices_after
    better = after is not None and after.loss < math.log(2)
    holds = state.keeps_stories
    if adopted and better and holds:
        return QCoreApplication.translate(
            "choices",
            "It was taken because it foresees your choices better and still foresees stories about as well as before.",
        )
    if adopted:
        return QCoreApplication.translate("choices", "It was taken because you asked for it.")
    if better and holds:
        return QCoreApplication.translate("choices", "It was not taken because you asked to keep the old one.")
    if better or "choices_too_costly" in {notice.code for notice in state.notices}:
        return QCoreApplication.translate(
            "choices",
            "It was not taken because learning your taste made stories surprise it more than five percent more, over "
            "all generations: it would have forgotten how to write. Tune it on your stories, then improve it again.",
        )
    return QCoreApplication.translate(
        "choices",
        "It was not taken because it foresees the choices that were kept aside no better. More choices help: a "
        "hundred say much more than twenty.",
    )
