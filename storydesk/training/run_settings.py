"""The trainer's settings as the app knows them: read from the wire's own table, so that there is no second one."""

from __future__ import annotations

from storydesk.domain.run_settings import RunSetting
from trainer.protocol.hyperparameters import DECLARATIONS, Group

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
