"""What every test shares: no screen, no network, a home of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "0")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Nothing may leave the machine by accident: a hub that is not a loopback fake does not exist.
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"

# A loaded machine is no defect: speed is looked at in tests/bench alone.
settings.register_profile("storydesk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("storydesk")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty STORYDESK_HOME that this process and its children use."""
    folder = tmp_path / "home"
    monkeypatch.setenv("STORYDESK_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def resources() -> Path:
    """Return the shipped resources."""
    return ROOT / "resources"
