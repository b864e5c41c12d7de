"""What is loaded when: the app never loads torch, commands never load Qt, and help loads next to nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRAINING = {"torch", "transformers", "accelerate", "datasets", "optimum"}
QT = {"PySide6", "shiboken6", "qtawesome", "pyqtgraph"}
HEAVY = {
    "numpy",
    "onnx",
    "onnxruntime",
    "tokenizers",
    "docx",
    "lxml",
    "rich",
    "huggingface_hub",
    "sqlite3",
    "platformdirs",
}


def _list_loaded(code: str, home: Path) -> set[str]:
    """Run code in a fresh interpreter and return the top-level modules that it loaded."""
    program = (
        f"import json, sys\n{code}\nprint('\\n' + json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    )
    environment = {**os.environ, "STORYDESK_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("library", [True, False])
def test_the_desk_loads_neither_torch_nor_qt_nor_the_engine(tmp_path: Path, library: bool) -> None:
    code = f"from storydesk.bootstrap import build_desk\nbuild_desk(library={library}).close()"
    loaded = _list_loaded(code, tmp_path)
    assert not loaded & (TRAINING | QT)
    assert not loaded & {"onnxruntime", "tokenizers", "onnx", "harper", "language_tool_python", "rich"}


def test_help_loads_next_to_nothing(tmp_path: Path) -> None:
    code = "from storydesk.__main__ import main\ntry:\n    main(['write', '--help'])\nexcept SystemExit:\n    pass"
    loaded = _list_loaded(code, tmp_path)
    assert not loaded & (TRAINING | QT | HEAVY)
    assert list(tmp_path.iterdir()) == []


def test_no_module_of_the_app_loads_torch_nor_what_draws_runs(tmp_path: Path) -> None:
    code = """
import importlib, pkgutil, storydesk
for module in pkgutil.walk_packages(storydesk.__path__, "storydesk."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
    assert not _list_loaded(code, tmp_path) & (TRAINING | {"pyqtgraph"})


def test_no_module_outside_the_window_loads_qt(tmp_path: Path) -> None:
    files = [path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / "storydesk").rglob("*.py"))]
    names = [".".join(path.parts) for path in files if path.parts[1] not in ("ui", "bridge", "__main__")]
    code = f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"
    assert not _list_loaded(code, tmp_path) & QT


def test_onnxruntime_is_told_not_to_report_before_it_is_loaded(tmp_path: Path) -> None:
    """Its telemetry opens a database in the user's cache as soon as it is imported."""
    code = "import os\nos.environ.pop('ORT_DISABLE_TELEMETRY', None)\nimport storydesk.inference.devices"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.rglob("*onnxruntime*")) == []
