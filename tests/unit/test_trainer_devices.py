"""Where a run computes and how precisely, on machines that we don't have: torch's answers are put in its mouth."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from trainer.config import Hyperparameters
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.tuning import devices
from trainer.tuning.devices import choose_device, free_memory, read_free, rounding_products

GIGABYTE = 2**30


class Machine:
    """A machine whose cards torch claims to see."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        """Begin without any card, on a processor without bf16."""
        self._patch = patch
        patch.setattr("gc.collect", lambda *_: 0)  # takes its time in a process that has loaded torch
        self.chosen: list[int] = []
        self.emptied: list[str] = []
        for kind in ("cuda", "xpu"):
            patch.setattr(getattr(torch, kind), "is_available", lambda: False)
        patch.setattr(torch.backends.mps, "is_available", lambda: False)
        patch.setattr(torch.version, "hip", None)
        patch.setattr(devices, "cpu_computes_bf16", lambda: False)
        patch.delenv("LOCAL_RANK", raising=False)

    def put(self, kind: str, name: str, *, cards: int = 1, generation: tuple[int, int] = (0, 0), bf16: bool) -> None:
        """Put cards into the machine that torch reaches by ``cuda`` or ``xpu``."""
        backend = getattr(torch, kind)
        answers: dict[str, Any] = {
            "is_available": lambda: True,
            "device_count": lambda: cards,
            "set_device": self.chosen.append,
            "get_device_name": lambda _number: name,
            "is_bf16_supported": lambda **_: bf16,
            "mem_get_info": lambda _device: (5 * GIGABYTE, 8 * GIGABYTE),
            "empty_cache": lambda: self.emptied.append(kind),
        }
        if kind == "cuda":
            answers["get_device_capability"] = lambda: generation
        for name_, answer in answers.items():
            self._patch.setattr(backend, name_, answer)

    def put_amd(self, family: str) -> None:
        """Make the card of ``cuda`` one of AMD's, which torch says computes everything."""
        self.put("cuda", "Radeon", generation=(11, 0), bf16=True)
        self._patch.setattr(torch.version, "hip", "7.0")
        self._patch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(gcnArchName=family))

    def put_apple(self) -> None:
        """Make the machine one of Apple's."""
        self._patch.setattr(torch.backends.mps, "is_available", lambda: True)
        self._patch.setattr(torch.mps, "recommended_max_memory", lambda: 12 * GIGABYTE)
        self._patch.setattr(torch.mps, "driver_allocated_memory", lambda: 2 * GIGABYTE)
        self._patch.setattr(torch.mps, "empty_cache", lambda: self.emptied.append("mps"))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine without cards."""
    return Machine(monkeypatch)


@pytest.mark.parametrize(
    ("name", "generation", "bf16", "precision", "tf32"),
    [
        ("RTX 4090", (8, 9), True, "bf16", True),
        ("RTX 2080", (7, 5), False, "fp16", False),
        ("GTX 1080", (6, 1), False, "fp32", False),
    ],
)
def test_nvidia_cards(
    machine: Machine, name: str, generation: tuple[int, int], bf16: bool, precision: str, tf32: bool
) -> None:
    machine.put("cuda", name, generation=generation, bf16=bf16)
    device = choose_device(Hyperparameters())
    assert (str(device.torch), device.name, device.precision, device.tf32) == ("cuda:0", name, precision, tf32)
    assert choose_device(Hyperparameters(tf32=False)).tf32 is False
    assert choose_device(Hyperparameters(precision="fp32")).precision == "fp32"
    assert choose_device(Hyperparameters(precision="fp16")).precision == "fp16"
    assert choose_device(Hyperparameters(device="cpu")).name == "cpu"
    assert read_free(device.torch) == 5 * GIGABYTE
    free_memory(device.torch)
    assert machine.emptied == ["cuda"]


@pytest.mark.parametrize(
    ("family", "precision"), [("gfx942:sramecc+:xnack-", "bf16"), ("gfx1100", "bf16"), ("gfx1030", "fp16")]
)
def test_amd_cards_compute_in_what_their_family_can(machine: Machine, family: str, precision: str) -> None:
    machine.put_amd(family)
    device = choose_device(Hyperparameters())
    assert (device.torch.type, device.name, device.precision, device.tf32) == ("cuda", "Radeon", precision, False)


def test_apples_and_intels_cards(machine: Machine) -> None:
    machine.put("xpu", "Arc", bf16=True)
    arc = choose_device(Hyperparameters())
    assert (str(arc.torch), arc.name, arc.precision) == ("xpu:0", "Arc", "bf16")
    machine.put_apple()
    apple = choose_device(Hyperparameters())
    assert (str(apple.torch), apple.precision, apple.is_gpu) == ("mps", "fp32", True)
    assert read_free(apple.torch) == 10 * GIGABYTE
    free_memory(apple.torch)
    assert machine.emptied == ["mps"]
    assert choose_device(Hyperparameters(device="xpu")).name == "Arc"


def test_each_process_of_a_team_takes_its_own_card(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.put("cuda", "A100", cards=2, generation=(8, 0), bf16=True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert str(choose_device(Hyperparameters()).torch) == "cuda:1"
    assert machine.chosen == [1]


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu"])
def test_a_card_that_is_not_there_is_refused(machine: Machine, kind: str) -> None:
    with pytest.raises(TrainerError) as caught:
        choose_device(Hyperparameters(device=kind))
    assert caught.value.code is TrainerFailure.BAD_REQUEST
    assert kind in str(caught.value.parameters["detail"])


def test_a_processor_takes_no_fp16_and_bf16_where_it_has_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device(Hyperparameters()).precision == "fp32"
    with pytest.raises(TrainerError):
        choose_device(Hyperparameters(precision="fp16"))
    monkeypatch.setattr(devices, "cpu_computes_bf16", lambda: True)
    device = choose_device(Hyperparameters())
    assert (device.precision, device.is_gpu) == ("bf16", False)
    with device.autocast():
        assert torch.is_autocast_enabled("cpu")
    with choose_device(Hyperparameters(precision="fp32")).autocast():
        assert not torch.is_autocast_enabled("cpu")


def test_products_are_rounded_only_inside() -> None:
    assert torch.get_float32_matmul_precision() == "highest"
    with rounding_products(True):
        assert torch.get_float32_matmul_precision() == "high"
        with rounding_products(False):  # as where held-out text is measured
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    assert torch.get_float32_matmul_precision() == "highest"
