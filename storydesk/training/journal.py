"""Reading a run's journal while the trainer writes it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from storydesk.domain.failures import StorydeskError
from storydesk.domain.tuning import RunState
from storydesk.training.folding import fold
from trainer.protocol.codec import decode_event
from trainer.protocol.failures import TrainerError
from trainer.protocol.messages import Event, UnknownEvent

JOURNAL_NAME = "events.jsonl"
_LOG = logging.getLogger(__name__)


class JournalReader:
    """Yields the events of a journal that were not yielded before; one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Start at the journal's beginning; it may not exist yet."""
        self._path = path
        self._offset = 0

    def read(self) -> Iterator[Event]:
        """Yield the events of whole lines; a torn last line waits for its rest, a damaged one is passed over.

        Raises StorydeskError for a protocol that is too new and for a journal that can't be read.
        """
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                raw = stream.read()
        except FileNotFoundError:
            return
        except OSError as error:
            detail = error.strerror or str(error)
            raise StorydeskError("file_not_readable", path=str(self._path), detail=detail) from error
        whole = raw[: raw.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.decode("utf-8", "replace").split("\n"):
            if line.strip():
                event = _decode(line)
                if not isinstance(event, UnknownEvent):
                    yield event


def fold_journal(run_id: str, folder: Path) -> RunState:
    """Return the state that the journal in a run folder gives; raise StorydeskError as JournalReader does."""
    state = RunState(run_id, folder)
    for event in JournalReader(folder / JOURNAL_NAME).read():
        state = fold(state, event)
    return state


def _decode(line: str) -> Event:
    try:
        event = decode_event(line)
    except TrainerError as error:
        raise StorydeskError(error.code.value, **error.parameters) from error
    except (ValueError, RecursionError):
        event = UnknownEvent(original_kind="damaged line")
    if isinstance(event, UnknownEvent):
        _LOG.warning("an event was passed over: %s", event.original_kind)
    return event
