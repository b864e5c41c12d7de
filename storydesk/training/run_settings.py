"""The trainer's settings as the app knows them: read from the wire's own table, so that there is no second one."""

from __future__ import annotations

from storydesk.domain.run_settings import RunSetting
from trainer.protocol.hyperparameters import DECLARATIONS, Group, RunSettings
from trainer.protocol.needs import estimate_disk_bytes, estimate_memory_bytes

_ORDER = tuple(Group)


def list_run_settings() -> tuple[RunSetting, ...]:
    """Return every setting, group by group."""
    found = [
        RunSetting(
            each.name, each.group.value, each.default, each.low, each.high, each.choices, zero_chooses=each.zero_chooses
        )
        for each in DECLARATIONS
    ]
    return tuple(sorted(found, key=lambda setting: _ORDER.index(Group(setting.group))))


def estimate_needs(weights: int, vocabulary: int, *, adapters: bool) -> tuple[int, int]:
    """Return the bytes of memory and disk that tuning a network of so many weights takes at least."""
    memory = estimate_memory_bytes(weights, vocabulary, RunSettings().batch_tokens, adapters=adapters)
    return memory, sum(estimate_disk_bytes(weights, portable=True))
