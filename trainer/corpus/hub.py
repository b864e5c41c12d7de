"""A data set of the Hugging Face Hub by its name, through ``datasets``; only where the writer asked for one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainer.corpus.document import Document
from trainer.corpus.tables import documents_from_records, find_columns
from trainer.corpus.watching import Unwatched, Watch
from trainer.protocol.failures import TrainerError, TrainerFailure

# Where a data set has several splits, the writer means the one that is there to learn from.
_SPLITS = ("train", "training", "all")
_PATIENCE_SECONDS = 15
_LOOK_EVERY_SECONDS = 0.25


def read_dataset(name: str, watch: Watch | None = None) -> Iterator[Document]:
    """Yield the documents of ``owner/name``; raise TrainerError(HUB_NOT_REACHED, DATA_NOT_FOUND, DATA_NOT_READABLE).

    Nothing of the data set is executed: ``datasets`` 4 and later knows data files only. ``watch`` hears how many bytes
    have come, then how many rows are read.
    """
    watch = watch or Unwatched()
    source = f"hub:{name}"
    table = _load(name, watch)
    if find_columns(list(table.column_names))[1] is None:
        raise TrainerError(
            TrainerFailure.DATA_NOT_READABLE, path=source, detail="columns: " + ", ".join(table.column_names)[:200]
        )

    def rows() -> Iterator[Any]:
        for number, row in enumerate(table):
            watch.progress(number, len(table), name)
            yield row

    yield from documents_from_records(rows(), source)


def _load(name: str, watch: Watch) -> Any:
    """Return one split of the data set, which a thread fetches, so that a stop is heard meanwhile."""
    done: list[Any] = []
    failed: list[BaseException] = []
    sizes: list[int] = []

    def fetch() -> None:
        try:
            done.append(_fetch(name, sizes))
        except Exception as error:  # noqa: BLE001 - it is raised again in the thread that waits
            failed.append(error)

    # A daemon: where someone asked for the end, the process doesn't wait for a download.
    thread = threading.Thread(target=fetch, name="hub", daemon=True)
    thread.start()
    folder = _find_cache(name)
    while thread.is_alive():
        thread.join(_LOOK_EVERY_SECONDS)
        watch.progress(_measure(folder), sum(sizes), name)
    if failed:
        raise failed[0]
    return done[0]


def _fetch(name: str, sizes: list[int]) -> Any:
    import datasets
    from huggingface_hub import HfApi

    datasets.disable_progress_bars()
    try:
        # Asked first since it is asked once: datasets tries for half a minute where there is no connection.
        about = HfApi().dataset_info(name, timeout=_PATIENCE_SECONDS, files_metadata=True)
        sizes.extend(file.size or 0 for file in about.siblings or ())
        splits = datasets.load_dataset(name)
    except datasets.exceptions.DatasetNotFoundError as error:
        # An unknown name and an unreachable host look alike until the cause is asked.
        raise _explain(name, error) from error
    except datasets.exceptions.DatasetGenerationError as error:
        raise TrainerError(TrainerFailure.DATA_NOT_READABLE, path=f"hub:{name}", detail=str(error)) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise _explain(name, error) from error
    chosen = next((split for split in _SPLITS if split in splits), None) or next(iter(splits))
    return splits[chosen]


def _find_cache(name: str) -> Path:
    """Return the folder that the files of a data set come into."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE) / f"datasets--{name.replace('/', '--')}" / "blobs"


def _measure(folder: Path) -> int:
    """Return how many bytes lie in a folder, unfinished ones as well."""
    total = 0
    try:
        for file in folder.iterdir():
            total += file.stat().st_size
    except OSError:
        return total
    return total


def _explain(name: str, error: Exception) -> TrainerError:
    """Return the failure behind an exception: no connection, no such data set, or one that can't be read."""
    seen: BaseException | None = error
    chain: list[str] = []
    while seen is not None and len(chain) < 12:
        chain.append(type(seen).__name__)
        seen = seen.__cause__ or seen.__context__
    offline = ("ConnectionError", "ConnectError", "Timeout", "OfflineModeIsEnabled", "LocalEntryNotFoundError")
    if any(mark in kind for kind in chain for mark in offline):
        return TrainerError(TrainerFailure.HUB_NOT_REACHED, name=name)
    if any("NotFound" in kind for kind in chain):
        return TrainerError(TrainerFailure.DATA_NOT_FOUND, path=f"hub:{name}")
    return TrainerError(TrainerFailure.DATA_NOT_READABLE, path=f"hub:{name}", detail=str(error)[:200])
