"""The plan of a tuning in plain words; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication

from storydesk.domain.base_choice import BaseOption, Fit, Kind, Obstacle, PassedOver, Room, find_offer
from storydesk.domain.run_settings import Value
from storydesk.domain.tuning import PlannedRun
from storydesk.ui.figures import say_device, say_duration, say_number, say_size

AROUND_SECONDS = 90
"""Measuring before and after, samples, the quick form and its check: measured on the starter with two cores."""
TIMES_WORTH_SAYING = 1.3


def say_base(option: BaseOption) -> str:
    """Return a base as the list offers it."""
    if option.is_here:
        return option.name
    return _tr("{name}, to be fetched ({size})").format(name=option.name, size=say_size(option.fetch_bytes))


def say_fit(option: BaseOption, fit: Fit, measured: tuple[BaseOption, PlannedRun] | None) -> str:
    """Return what starting from a base would mean: what it knows, how long it takes, whether it fits."""
    kinds = {
        Kind.STARTER: _tr("Comes with Storydesk: small, and the quickest to learn."),
        Kind.GPT2: _tr("Has read far more English than the starter, writes better, and takes longer."),
        Kind.OWN: _tr("Your own voice already; it goes on learning from there."),
        Kind.OTHER: _tr("A model that you added."),
    }
    said = [kinds[option.kind]]
    if measured is not None and measured[0].name != option.name and measured[0].weights:
        times = option.weights / measured[0].weights
        if times >= TIMES_WORTH_SAYING:
            more = _tr("It takes about {times} times as long as {other}.")
            said.append(more.format(times=say_number(times, 0 if times >= 3 else 1), other=measured[0].name))
    if measured is not None and measured[0].name == option.name:
        return " ".join(said)  # what it takes was measured, and stands above
    rooms = {
        Room.WHOLE: _tr("It needs about {memory} of memory."),
        Room.ADDITIONS: _tr(
            "There is too little memory to change it as a whole, so small additions learn (LoRA); that needs about "
            "{memory}."
        ),
        Room.NO_MEMORY: _tr("It does not fit: it needs about {memory} of memory, and {free} are free."),
        Room.NO_DISK: _tr("It does not fit: it needs about {disk} of disk, and {disk_free} are free."),
    }
    figures = {"memory": say_size(fit.memory), "disk": say_size(fit.disk), "free": "", "disk_free": ""}
    if measured is not None:
        figures |= {"free": say_size(measured[1].memory_free), "disk_free": say_size(measured[1].disk_free)}
    said.append(rooms[fit.room].format(**figures))
    return " ".join(said)


def say_why(
    base: str, options: Sequence[BaseOption], passed_over: Sequence[PassedOver], *, by_hand: bool, can_carry: bool
) -> str:
    """Return why this base, where that wants saying: GPT-2 was passed over, or is not here.

    ``can_carry`` says whether the GPT-2 to offer fits, as far as is known.
    """
    if by_hand:
        return ""
    if passed_over:
        return " ".join(_say_obstacle(each) for each in passed_over)
    kinds = {option.name: option.kind for option in options}
    offer = find_offer(options)
    if kinds.get(base) is not Kind.STARTER or offer is None:
        return ""
    if not can_carry:
        return _tr("GPT-2 would not fit into this computer, so the starter learns.")
    said = _tr(
        "GPT-2, which knows more English, is not on this computer, so the starter learns. You can fetch GPT-2 below: "
        "{name} has {size}."
    )
    return said.format(name=offer.name, size=say_size(offer.fetch_bytes))


def _say_obstacle(passed: PassedOver) -> str:
    if passed.obstacle is Obstacle.TIME:
        said = _tr("{name} is here too, but to read everything once with it takes {needed} and you give it {there}.")
        figures = {"needed": say_duration(passed.needed), "there": say_duration(passed.there)}
        return said.format(name=passed.name, **figures)
    if not passed.needed:
        return _tr("{name} is here too, but there is not enough memory for it.").format(name=passed.name)
    said = (
        _tr("{name} is here too, but needs about {needed} of memory, and {there} are free.")
        if passed.obstacle is Obstacle.MEMORY
        else _tr("{name} is here too, but needs about {needed} of disk, and {there} are free.")
    )
    return said.format(name=passed.name, needed=say_size(round(passed.needed)), there=say_size(round(passed.there)))


def say_where(planned: PlannedRun | None, base: str) -> str:
    """Return on what it works and what it changes."""
    if planned is None:
        return _tr(
            "It works on your graphics card where one can be used, else on the processor; nothing leaves this computer."
        )
    if planned.adapters:
        said = _tr(
            "It works on {device}, where {base} is too large to be changed as a whole, so small additions learn "
            "(LoRA). Nothing leaves this computer."
        )
    else:
        said = _tr("It works on {device} and changes {base} as a whole. Nothing leaves this computer.")
    return said.format(device=say_device(planned.device), base=base)


def say_time(planned: PlannedRun | None, minutes: int) -> str:
    """Return how long it takes: by what was measured, else by what was given (0 for as long as it helps)."""
    most = say_duration(minutes * 60 + AROUND_SECONDS)
    if planned is None:
        if minutes:
            return _tr("It takes {duration} at most, and you can pause it and write meanwhile.").format(duration=most)
        return _tr("It ends by itself once it gets no better. You can pause it and write meanwhile.")
    figures = {
        "duration": say_duration(planned.seconds + AROUND_SECONDS),
        "passes": say_number(planned.epochs),
        "most": most,
    }
    if minutes and planned.seconds > minutes * 60:
        said = _tr(
            "To read everything {passes} times takes {duration} on this computer; it ends after {most}, as you "
            "chose. You can pause it and write meanwhile."
        )
    else:
        said = _tr(
            "To read everything {passes} times takes {duration} on this computer, less where it gets no better "
            "before. You can pause it and write meanwhile."
        )
    return said.format(**figures)


def say_needs(planned: PlannedRun) -> str:
    """Return what it takes of memory and disk, what there is, and what to do where that is too little."""
    said = [
        _tr(
            "It needs about {memory} of memory ({memory_free} free) and, while it runs, {disk} of disk ({disk_free} "
            "free)."
        ).format(
            memory=say_size(planned.memory_needed),
            disk=say_size(planned.disk_needed),
            memory_free=say_size(planned.memory_free) if planned.memory_free else _tr("an unknown amount"),
            disk_free=say_size(planned.disk_free) if planned.disk_free else _tr("an unknown amount"),
        )
    ]
    if not planned.memory_suffices:
        said.append(_tr("There is too little memory: close other programs, or choose a smaller base."))
    if not planned.disk_suffices:
        said.append(_tr("There is too little room on the disk: make some first, or choose a smaller base."))
    return " ".join(said)


def list_choices(planned: PlannedRun, base: str, changed: Mapping[str, Value]) -> list[str]:
    """Return what was chosen for the run, a sentence each."""
    batches = _whole(changed.get("accumulation", 1))
    said = [
        _tr("It starts from {base}, which has about {count} million numbers to change.").format(
            base=base, count=say_number(max(1, planned.weights / 1e6))
        ),
        _tr("Small additions beside them learn (LoRA) and become part of the model at the end.")
        if planned.adapters
        else _tr("All of them are changed."),
        _tr("It reads all your words {count} times, in {steps} steps.").format(
            count=say_number(planned.epochs), steps=say_number(planned.steps)
        ),
    ]
    if planned.batch_tokens:
        step = _tr("One step reads {tokens} tokens at once; a token is about three quarters of a word.")
        if batches > 1:
            step = _tr("One step reads {batches} times {tokens} tokens; a token is about three quarters of a word.")
        said.append(step.format(tokens=say_number(planned.batch_tokens), batches=say_number(batches)))
    if planned.context:
        longest = _tr("It looks at up to {tokens} tokens of a story together.")
        said.append(longest.format(tokens=say_number(planned.context)))
    if planned.learning_rate:
        rate = _tr("The learning rate rises to {rate} and then falls.")
        said.append(rate.format(rate=f"{planned.learning_rate:.2g}"))
    precisions = {
        "bf16": _tr("It computes with numbers of 16 bits (bf16), which this device is quick at."),
        "fp16": _tr("It computes with numbers of 16 bits (fp16), which this device is quick at."),
        "fp32": _tr("It computes with numbers of 32 bits; this device has no quicker kind that is exact enough."),
    }
    if planned.precision in precisions:
        said.append(
            _tr("It computes with numbers of 32 bits, as you set it.")
            if planned.precision == changed.get("precision") == "fp32"
            else precisions[planned.precision]
        )
    if planned.seconds_per_step:
        step_time = _tr("A step was measured here: {seconds} seconds.")
        said.append(step_time.format(seconds=say_number(planned.seconds_per_step, 2)))
    return said


def _whole(value: Value) -> int:
    return int(value) if isinstance(value, (int, float)) else 1


def _tr(text: str) -> str:
    return QCoreApplication.translate("plan", text)
