"""Requests and events as JSON: one event a line, UTF-8, unknown fields passed over."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import EVENT_TYPES, PROTOCOL_VERSION, Event, Request, Stage, UnknownEvent

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    _T = TypeVar("_T", bound=DataclassInstance)
else:
    _T = TypeVar("_T")

_TYPES: Mapping[str, type[Event]] = {event_type.kind: event_type for event_type in EVENT_TYPES}


def check_version(version: object) -> None:
    """Refuse another major version of the protocol; raise TrainerError(PROTOCOL_TOO_NEW)."""
    if str(version).split(".")[0] != PROTOCOL_VERSION.split(".")[0]:
        raise TrainerError(TrainerFailure.PROTOCOL_TOO_NEW, version=str(version))


def encode_event(event: Event, *, seconds: float) -> str:
    """Return the event as one line without its line break; ``seconds`` is the wall clock since 1970."""
    fields = dataclasses.asdict(event)
    record = {"v": PROTOCOL_VERSION, "kind": event.kind, "t": round(seconds, 3), **fields}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def decode_event(line: str) -> Event:
    """Return the event of one line; raise ValueError where the line is no event, TrainerError on its version."""
    record = json.loads(line)
    if not isinstance(record, dict) or "kind" not in record:
        raise ValueError("not an event")
    check_version(record.get("v"))
    event_type = _TYPES.get(str(record["kind"]))
    if event_type is None:
        return UnknownEvent(original_kind=str(record["kind"]))
    if "stage" in record:
        try:
            record["stage"] = Stage(record["stage"])
        except ValueError:
            return UnknownEvent(original_kind=str(record["kind"]))
    return _build(event_type, record)


def decode_journal(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a journal; a torn last line (the process was killed while writing) is passed over."""
    for line in lines:
        if not line.endswith("\n"):
            return
        if line.strip():
            try:
                yield decode_event(line)
            except ValueError:
                yield UnknownEvent(original_kind="damaged line")


def encode_request(request: Request) -> str:
    """Return the text of ``request.json``."""
    return json.dumps({"v": PROTOCOL_VERSION, **dataclasses.asdict(request)}, ensure_ascii=False, indent=2)


def decode_request(text: str) -> Request:
    """Return the request; raise TrainerError(BAD_REQUEST or PROTOCOL_TOO_NEW)."""
    try:
        record = json.loads(text)
        if not isinstance(record, dict):
            raise TypeError("a request is a JSON object")
        check_version(record.get("v"))
        record["data"] = tuple(str(item) for item in record.get("data", ()))
        return _build(Request, record)
    except (TypeError, ValueError) as error:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=str(error)) from error


def _build(data_type: type[_T], record: Mapping[str, Any]) -> _T:
    """Return an instance from the fields it knows; raise ValueError where one is missing."""
    names = {field.name for field in dataclasses.fields(data_type)}
    try:
        return data_type(**{name: value for name, value in record.items() if name in names})
    except TypeError as error:
        raise ValueError(str(error)) from error
