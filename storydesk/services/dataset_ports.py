"""What the data desk needs from the outside, as a Protocol; ``storydesk/training/datasets.py`` implements it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storydesk.domain.dataset import (
    DatasetCard,
    DatasetEdit,
    DatasetProgress,
    DatasetVersion,
    DatasetView,
    DataSource,
    GatheredPair,
    Pair,
)
from storydesk.domain.failures import Failure

ReportProgress = Callable[[DatasetProgress], None]
"""Called several times a second while a job runs; raising from it cancels the job."""


class DataJob(StrEnum):
    """What the trainer can be asked to do with a dataset: read and examine, only examine, write a version."""

    READ = "read"
    EXAMINE = "examine"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Gathering:
    """What the app made of the sources: ``data`` (paths, ``hub:owner/name``) is left for the trainer to read.

    ``pairs`` were read here, out of the files ``taken`` and the library; ``unread`` says what could not be and why.
    """

    data: tuple[str, ...] = ()
    pairs: tuple[GatheredPair, ...] = ()
    taken: tuple[str, ...] = ()
    unread: tuple[Failure, ...] = ()


class DatasetStore(Protocol):
    """Datasets on disk, one folder each. Any thread; one at a time for each dataset."""

    def create(self, name: str, sources: Sequence[DataSource], gathering: Gathering) -> DatasetCard:
        """Make a dataset that is yet to be read by the trainer; raise StorydeskError(DISK_FULL, NOT_WRITABLE)."""

    def gather_again(self, dataset: str, sources: Sequence[DataSource], gathering: Gathering) -> DatasetCard:
        """Give a dataset other sources, or the same ones as they are now; it is then to be read again.

        Its edits and versions stay. Raise DATASET_NOT_FOUND, DISK_FULL, NOT_WRITABLE.
        """

    def list_datasets(self) -> Sequence[DatasetCard]:
        """Return all datasets, newest first; damaged folders are passed over."""

    def find(self, dataset: str) -> DatasetCard:
        """Return a dataset by its id, or by its name where only one has it; raise DATASET_NOT_FOUND."""

    def work(self, dataset: str, job: DataJob, report: ReportProgress) -> str:
        """Let the trainer do a job to its end and return the fingerprint of what it kept, if anything. Slow.

        Raise what the trainer raises, what ``report`` raises (the trainer is then stopped), TRAINER_NOT_STARTED.
        """

    def load(self, dataset: str) -> DatasetView:
        """Return the dataset as it stands; slow where it is large. Raise DATASET_NOT_FOUND, DATASET_NOT_READ."""

    def read_pair(self, dataset: str, pair: str) -> Pair:
        """Return one whole pair as it stands; raise PAIR_NOT_FOUND."""

    def edit(self, dataset: str, edit: DatasetEdit) -> DatasetView:
        """Write an act to the log, on disk when this returns, and return the dataset as it stands then.

        An act that would change nothing is not written. Raise DISK_FULL, NOT_WRITABLE, PAIR_NOT_FOUND.
        """

    def list_versions(self, dataset: str) -> Sequence[DatasetVersion]:
        """Return what was kept, newest first."""

    def delete_version(self, dataset: str, fingerprint: str) -> None:
        """Delete one version; one that is gone already is no failure. Raise DATASET_NOT_FOUND, NOT_WRITABLE."""

    def rename(self, dataset: str, name: str) -> DatasetCard:
        """Give it another name."""

    def delete(self, dataset: str) -> None:
        """Delete it with its versions; raise RUN_IN_USE where the trainer is at work on it."""
