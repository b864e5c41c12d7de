"""A graphics card that torch can't use is found by asking its driver."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trainer.tuning import graphics


def _put_driver(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the driver's program is a shell script")
@pytest.mark.parametrize(
    ("script", "card"),
    [
        ("echo NVIDIA GeForce RTX 4060; echo second card", "NVIDIA GeForce RTX 4060"),
        ("echo no devices were found; exit 6", ""),
        ("exit 0", ""),
    ],
)
def test_the_driver_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, card: str) -> None:
    monkeypatch.setattr(graphics, "_AMD_DOOR", tmp_path / "nothing")
    _put_driver(tmp_path, script, monkeypatch)
    assert graphics.find_card() == card


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux names AMD's compute driver by this file")
def test_an_amd_card_is_told_by_its_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = tmp_path / "kfd"
    monkeypatch.setattr(graphics, "_AMD_DOOR", door)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert graphics.find_card() == ""
    door.touch()
    assert graphics.find_card() == "AMD"
