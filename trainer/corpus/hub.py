"""A data set of the Hub, fetched through ``datasets`` because the writer named it."""

from __future__ import annotations

from typing import Any

from trainer.corpus.document import Document
from trainer.corpus.tables import documents_from_records, find_columns
from trainer.protocol.failures import TrainerError, TrainerFailure

# Where a data set has several splits, the writer means the one that is there to learn from.
_SPLITS = ("train", "training", "all")
_PATIENCE_SECONDS = 15


def read_dataset(name: str) -> list[Document]:
    """Return the documents of ``owner/name``; raise TrainerError(HUB_NOT_REACHED, DATA_NOT_FOUND, DATA_NOT_READABLE).

    Nothing of the data set is executed: ``datasets`` 4 and later knows data files only.
    """
    source = f"hub:{name}"
    table = _load(name)
    if find_columns(list(table.column_names))[1] is None:
        raise TrainerError(
            TrainerFailure.DATA_NOT_READABLE, path=source, detail="columns: " + ", ".join(table.column_names)[:200]
        )
    return documents_from_records(table, source)


def _load(name: str) -> Any:
    """Return one split of the data set."""
    import datasets
    from huggingface_hub import HfApi

    datasets.disable_progress_bars()
    try:
        # Asked first since it is asked once: datasets tries for half a minute where there is no connection.
        HfApi().dataset_info(name, timeout=_PATIENCE_SECONDS)
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
