"""What a run takes of the machine: memory of the process and the GPU, the GPU's temperature and power."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import torch

from trainer.protocol.failures import TrainerError
from trainer.protocol.messages import MachineMeasured
from trainer.reporter import Reporter
from trainer.tuning.devices import Device

LOOK_SECONDS = 5.0
"""How often the machine is looked at."""

_ANSWER_SECONDS = 5.0
_PCI_DEVICES = Path("/sys/bus/pci/devices")


@contextlib.contextmanager
def watch_machine(device: Device, reporter: Reporter, *, every: float = LOOK_SECONDS) -> Iterator[None]:
    """Report what the run takes now, every few seconds and at the end, from a thread of its own.

    Nothing that can't be read, and no journal that can't be written, disturbs the run.
    """
    gauge = Gauge(device)
    ended = threading.Event()

    def look() -> None:
        while True:
            over = ended.is_set()
            # A full disk ends the run by its next step, which is the better place for it.
            with contextlib.suppress(TrainerError, OSError, ValueError):
                reporter.report(gauge.read(reporter.step))
            if over:
                return
            ended.wait(every)

    thread = threading.Thread(target=look, name="machine", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(2 * _ANSWER_SECONDS)


class Gauge:
    """Reads the machine's figures; one thread. What can't be read is not asked for again."""

    def __init__(self, device: Device) -> None:
        """Read what ``device`` has, besides the process."""
        self._device = device
        self._process = psutil.Process()
        self._peak = 0
        self._ways: list[Callable[[], tuple[float, float]]] = _list_ways(device)

    def read(self, step: int) -> MachineMeasured:
        """Return the figures of this moment."""
        held, peak = self._read_process()
        memory = psutil.virtual_memory()
        now, most, whole = read_device_memory(self._device.torch)
        heat, power = self._read_heat()
        return MachineMeasured(
            step=step,
            process_memory=held,
            process_memory_peak=peak,
            memory_free=int(memory.available),
            memory_total=int(memory.total),
            device_memory=now,
            device_memory_peak=most,
            device_memory_total=whole,
            temperature=heat,
            power=power,
        )

    def _read_process(self) -> tuple[int, int]:
        """Return the bytes held now and at most; where the system keeps no peak, the most that was seen."""
        figures = self._process.memory_info()
        self._peak = max(self._peak, int(figures.rss), int(getattr(figures, "peak_wset", 0)), _read_peak())
        return int(figures.rss), self._peak

    def _read_heat(self) -> tuple[float, float]:
        """Return degrees Celsius and watts by the first way that works, 0 where none does."""
        while self._ways:
            try:
                return self._ways[0]()
            except Exception:  # noqa: BLE001 - drivers' libraries raise classes of their own
                self._ways.pop(0)
        return 0.0, 0.0


def read_device_memory(device: torch.device) -> tuple[int, int, int]:
    """Return the bytes that this process holds on its GPU, the most it held, and all there are; zeros without one."""
    try:
        if device.type in ("cuda", "xpu"):
            backend: Any = torch.cuda if device.type == "cuda" else torch.xpu
            whole = int(backend.get_device_properties(device).total_memory)
            return int(backend.memory_reserved(device)), int(backend.max_memory_reserved(device)), whole
        if device.type == "mps":
            # torch keeps no peak there.
            return int(torch.mps.driver_allocated_memory()), 0, int(torch.mps.recommended_max_memory())
    except (RuntimeError, AttributeError):
        pass
    return 0, 0, 0


def _read_peak() -> int:
    """Return the most bytes this process ever held, as POSIX systems count them; 0 elsewhere."""
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def _list_ways(device: Device) -> list[Callable[[], tuple[float, float]]]:
    """Return the ways to a card's temperature and power, the quickest first."""
    if device.torch.type == "cuda":
        ways = [lambda: _ask_torch(device.torch), lambda: _read_sensors(_find_card_folder(device.torch))]
        return ways if torch.version.hip else [ways[0], lambda: _ask_driver(device.torch)]
    if device.torch.type == "xpu":
        return [lambda: _read_sensors(_find_card_folder(device.torch))]
    return []


def _ask_torch(device: torch.device) -> tuple[float, float]:
    """Ask through NVIDIA's or AMD's library, where Python has it."""
    return float(torch.cuda.temperature(device)), float(torch.cuda.power_draw(device)) / 1000


def _ask_driver(device: torch.device) -> tuple[float, float]:
    """Ask the program that comes with NVIDIA's driver; raise OSError, ValueError where it has no answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        raise FileNotFoundError("nvidia-smi")
    # torch and the driver number cards differently; the card's own name is the same.
    card = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    answer = subprocess.run(
        [program, "--query-gpu=temperature.gpu,power.draw", "--format=csv,noheader,nounits", "-i", card],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_ANSWER_SECONDS,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    heat, _, power = answer.stdout.partition(",")
    with contextlib.suppress(ValueError):  # some cards say "[N/A]" for their power
        return float(heat), float(power)
    return float(heat), 0.0


def _find_card_folder(device: torch.device) -> Path:
    """Return the folder in which Linux shows the card on the bus."""
    backend: Any = torch.cuda if device.type == "cuda" else torch.xpu
    card = backend.get_device_properties(device)
    return _PCI_DEVICES / f"{card.pci_domain_id:04x}:{card.pci_bus_id:02x}:{card.pci_device_id:02x}.0"


def _read_sensors(card: Path) -> tuple[float, float]:
    """Return what the kernel's sensors of a card say; raise OSError, ValueError where there are none."""
    sensors = next(iter(sorted((card / "hwmon").iterdir())))
    heat = int((sensors / "temp1_input").read_text(encoding="ascii")) / 1000  # millidegrees
    for name in ("power1_average", "power1_input"):
        with contextlib.suppress(OSError, ValueError):
            return heat, int((sensors / name).read_text(encoding="ascii")) / 1_000_000  # microwatts
    return heat, 0.0
