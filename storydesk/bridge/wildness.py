"""The Careful to Wild slider in the sampler's terms. No Qt in here."""

from __future__ import annotations

from storydesk.domain.generation import SamplingSettings

_CAREFUL, _WILD = (0.4, 0.90), (1.2, 1.0)
"""Temperature and top-p at the two ends; halfway are SamplingSettings' own defaults."""


def settings_for(wildness: float) -> SamplingSettings:
    """Return the sampling for a place (0..1) on the slider."""
    share = min(1.0, max(0.0, wildness))
    temperature, top_p = (low + (high - low) * share for low, high in zip(_CAREFUL, _WILD, strict=True))
    return SamplingSettings(temperature=round(temperature, 3), top_p=round(top_p, 4))
