"""Why a run can fail, as codes; the sentences are the reader's business."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from trainer.protocol.messages import Parameter


class TrainerFailure(StrEnum):
    """Every expected way a trainer job ends without a model. Parameters stand behind each."""

    BAD_REQUEST = "bad_request"  # detail
    BASE_NOT_USABLE = "base_not_usable"  # path, detail
    DATA_NOT_FOUND = "data_not_found"  # path
    DATA_NOT_READABLE = "data_not_readable"  # path, detail
    DATA_FORMAT_UNKNOWN = "data_format_unknown"  # path
    FILE_TOO_LARGE = "file_too_large"  # path, megabytes, limit
    TOO_LITTLE_TEXT = "too_little_text"  # stories, words, needed_stories
    FEEDBACK_NOT_READABLE = "feedback_not_readable"  # path, detail
    TOO_LITTLE_FEEDBACK = "too_little_feedback"  # choices, needed, kept_aside, needed_aside
    HUB_NOT_REACHED = "hub_not_reached"  # name
    DISK_FULL = "disk_full"  # path
    MEMORY_FULL = "memory_full"  # detail
    TORCH_MISSING = "torch_missing"
    LOSS_DIVERGED = "loss_diverged"  # step
    GRAPH_DISAGREES = "graph_disagrees"  # graph, difference
    RUN_IN_USE = "run_in_use"  # path
    CHECKPOINT_DAMAGED = "checkpoint_damaged"  # path
    PROTOCOL_TOO_NEW = "protocol_too_new"  # version
    UNEXPECTED = "trainer_unexpected"  # detail


class TrainerError(Exception):
    """An expected failure inside the trainer: a code and its parameters."""

    def __init__(self, code: TrainerFailure, **parameters: Parameter) -> None:
        """Keep the code and the parameters that its sentence needs."""
        super().__init__(f"{code.value}: {parameters}")
        self.code = code
        self.parameters: Mapping[str, Parameter] = parameters
