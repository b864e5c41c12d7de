"""What a run takes of the machine is read where it can be read, and disturbs nothing where it can't."""

from __future__ import annotations

import io
import json
import mmap
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import Event, StepTaken
from trainer.reporter import Reporter
from trainer.tuning import machine
from trainer.tuning.devices import Device
from trainer.tuning.machine import Gauge, watch_machine

CPU = Device(torch.device("cpu"), "cpu")
CARD = Device(torch.device("cuda", 0), "RTX")


def test_a_process_knows_its_memory() -> None:
    gauge = Gauge(CPU)
    before = gauge.read(3)
    # Pages of their own: what the heap keeps of earlier tests would serve a block without growing.
    with mmap.mmap(-1, 80_000_000) as block:
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
        held = gauge.read(4)
    after = gauge.read(5)
    assert held.process_memory > before.process_memory + 50_000_000
    assert after.process_memory_peak >= held.process_memory
    assert 0 < after.memory_free < after.memory_total
    assert (after.step, after.device_memory, after.temperature, after.power) == (5, 0, 0.0, 0.0)


class Card:
    """A card that torch can ask for its memory, and perhaps for more."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        """Hold 3 of 8 bytes and 5 at most; nothing says how warm it is."""
        answers: dict[str, Any] = {
            "memory_reserved": lambda _: 3,
            "max_memory_reserved": lambda _: 5,
            "get_device_properties": lambda _: SimpleNamespace(
                total_memory=8, uuid="abc", pci_domain_id=0, pci_bus_id=0x2B, pci_device_id=0
            ),
            "temperature": self._ask,
            "power_draw": self._ask,
        }
        for name, answer in answers.items():
            patch.setattr(torch.cuda, name, answer)
        self.asked = 0

    def _ask(self, _device: object) -> float:
        self.asked += 1
        raise ModuleNotFoundError("nvidia-ml-py does not seem to be installed")


def test_a_card_is_asked_through_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch)
    monkeypatch.setattr(torch.cuda, "temperature", lambda _: 64)
    monkeypatch.setattr(torch.cuda, "power_draw", lambda _: 120_500)  # milliwatts
    read = Gauge(CARD).read(1)
    assert (read.device_memory, read.device_memory_peak, read.device_memory_total) == (3, 5, 8)
    assert (read.temperature, read.power) == (64.0, 120.5)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the driver's program is a shell script")
@pytest.mark.parametrize(
    ("answer", "figures"),
    [("echo 71, 230.5", (71.0, 230.5)), ("echo '71, [N/A]'", (71.0, 0.0)), ("exit 9", (0.0, 0.0))],
)
def test_or_through_its_drivers_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, figures: tuple[float, float]
) -> None:
    card = Card(monkeypatch)
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{answer}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    gauge = Gauge(CARD)
    for _ in range(2):
        read = gauge.read(1)
        assert (read.temperature, read.power) == figures
    assert card.asked == 1  # what can't be read is not asked for again
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert len(asked) == (2 if figures[0] else 1)
    assert asked[0].endswith("-i GPU-abc")


def test_amds_cards_have_sensors_in_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch)
    monkeypatch.setattr(torch.version, "hip", "7.0")
    monkeypatch.setattr(machine, "_PCI_DEVICES", tmp_path)
    sensors = tmp_path / "0000:2b:00.0" / "hwmon" / "hwmon3"
    sensors.mkdir(parents=True)
    (sensors / "temp1_input").write_text("58000\n", encoding="ascii")
    (sensors / "power1_average").write_text("95000000\n", encoding="ascii")
    read = Gauge(CARD).read(1)
    assert (read.temperature, read.power) == (58.0, 95.0)


def test_the_watch_reports_at_its_beginning_and_its_end() -> None:
    stdout = io.BytesIO()
    reporter = Reporter(stdout)
    with watch_machine(CPU, reporter, every=3600):
        reporter.report(StepTaken(7, 9, 1.0, 0.1, 1.0, 1.0))
    events = [json.loads(line) for line in stdout.getvalue().splitlines()]
    measured = [event["step"] for event in events if event["kind"] == "machine_measured"]
    assert (len(measured), measured[-1]) == (2, 7)


def test_a_journal_that_is_full_does_not_end_the_watch_with_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(io.BytesIO())

    def refuse(_event: Event) -> None:
        raise TrainerError(TrainerFailure.DISK_FULL, path="journal")

    monkeypatch.setattr(reporter, "report", refuse)
    done = []
    with watch_machine(CPU, reporter, every=3600):
        done.append("work")
    assert done == ["work"]
