"""Every number a tuning run can be told, checked before anything starts; ``protocol.hyperparameters`` declares them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.hyperparameters import DECLARATIONS, RunSettings
from trainer.protocol.messages import Parameter


@dataclass(frozen=True, slots=True)
class Hyperparameters(RunSettings):
    """The settings of one run, each within its limits."""

    def __post_init__(self) -> None:
        """Check every value; raise TrainerError(BAD_REQUEST) with the setting's name."""
        for declared in DECLARATIONS:
            try:
                declared.accept(getattr(self, declared.name))
            except ValueError as error:
                raise _refuse(str(error)) from error

    @classmethod
    def from_settings(cls, settings: Mapping[str, Parameter]) -> Hyperparameters:
        """Return the defaults with ``settings`` in their place; raise TrainerError(BAD_REQUEST) for what can't be."""
        known = {declared.name: declared for declared in DECLARATIONS}
        values: dict[str, Parameter] = {}
        for name, value in settings.items():
            if name not in known:
                raise _refuse(f"no setting is called {name}")
            try:
                values[name] = known[name].accept(value)
            except ValueError as error:
                raise _refuse(str(error)) from error
        return dataclasses.replace(cls(), **values)  # type: ignore[arg-type]  # each was brought to its field's kind


def _refuse(detail: str) -> TrainerError:
    return TrainerError(TrainerFailure.BAD_REQUEST, detail=detail)
