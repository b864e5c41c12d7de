"""Tune my model."""

from storydesk.ui.tuning.tuning_page import TuningPage

__all__ = ["TuningPage"]
