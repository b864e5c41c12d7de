"""The Careful to Wild slider in the sampler's terms. No Qt in here."""

from __future__ import annotations

from storydesk.domain.generation import SamplingSettings
from storydesk.domain.writing_controls import BALANCED


def settings_for(wildness: float) -> SamplingSettings:
    """Return the sampling for a place (0..1) on the slider."""
    return BALANCED.with_wildness(wildness).sampling()
