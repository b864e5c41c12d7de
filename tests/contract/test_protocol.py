"""The wire between app and trainer: everything sent arrives, and newer or damaged lines do no harm."""

from __future__ import annotations

import json

import pytest

from trainer.protocol.codec import decode_event, decode_journal, decode_request, encode_event, encode_request
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import (
    CorpusPrepared,
    Event,
    GraphCompared,
    HeldoutMeasured,
    NoticeGiven,
    PlanMade,
    Request,
    RunCompleted,
    RunFailed,
    RunStarted,
    SampleWritten,
    Stage,
    StageEntered,
    StepTaken,
    StoriesMeasured,
    UnknownEvent,
)

EVENTS: list[Event] = [
    RunStarted("r1", "cpu", "bf16", 0, 4711),
    StageEntered(Stage.TUNING),
    CorpusPrepared(9, 8, 2400, {"markup": 2}, {"duplicate": 1}, 6, 2, 3000, 900, {"duplicate": "The door"}),
    PlanMade("cpu", "bf16", "full", 14_000_000, 90, 3, 2048, 2.5e-4, 512, 0.4, 41.0, 10**9, 9 * 10**9, 10**9, 10**11),
    HeldoutMeasured("before", 0, 39.8, 3.68, 5.1, 1.42, 900),
    StepTaken(3, 90, 3.5, 1e-4, 5200.0, 61.5),
    SampleWritten("Ein Tür – 扉", "“Open,”\nshe said \U0001f6aa."),
    SampleWritten("The door", "It stood open.", "before"),
    StoriesMeasured("after", 3, 420, 0.91, 0.02, 9, "the bell rang and rang over the wall again", 0.004),
    GraphCompared("int8", "torch", 0.02, 39.9, 39.8),
    NoticeGiven("checkpoint_damaged", {"path": "a"}),
    RunCompleted("/b", 39.8, 31.0, 90, 77.0),
    RunFailed("disk_full", {"path": "/b"}),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_events_arrive_as_they_were_sent(event: Event) -> None:
    line = encode_event(event, seconds=1.5)
    assert "\n" not in line
    assert decode_event(line) == event


def test_requests_arrive_as_they_were_sent() -> None:
    request = Request("r1", "/models/starter", ("/a b/ü.txt", "hub:o/n"), "mine", "/b", 3.0, 9, True, {"epochs": 2})
    assert decode_request(encode_request(request)) == request


def test_a_newer_event_is_passed_over_and_a_newer_major_version_refused() -> None:
    assert decode_event('{"v":"1.7","kind":"colour_seen"}') == UnknownEvent("colour_seen")
    assert decode_event('{"v":"1.7","kind":"stage_entered","stage":"dreaming"}') == UnknownEvent("stage_entered")
    with pytest.raises(TrainerError) as caught:
        decode_event('{"v":"2.0","kind":"stage_entered","stage":"tuning"}')
    assert caught.value.code is TrainerFailure.PROTOCOL_TOO_NEW


def test_a_field_of_a_newer_minor_version_is_passed_over() -> None:
    record = json.loads(encode_event(EVENTS[4], seconds=0))
    record["mood"] = "calm"
    assert decode_event(json.dumps(record)) == EVENTS[4]


def test_a_torn_last_line_and_a_damaged_one_are_survived() -> None:
    whole = encode_event(EVENTS[1], seconds=0) + "\n"
    lines = [whole, "garbage\n", '{"v":"1.0","kind":"step_taken"}\n', whole, whole[:20]]
    kinds = [type(event) for event in decode_journal(lines)]
    assert kinds == [StageEntered, UnknownEvent, UnknownEvent, StageEntered]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"v":"1.0"}', '{"v":"1.0","data":3}', "\x00"])
def test_a_damaged_request_is_refused(text: str) -> None:
    with pytest.raises(TrainerError):
        decode_request(text)
