"""Rules of the house that no linter knows: names, packages, and what must never stand in the tree."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("storydesk", "trainer")
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "core", "misc"}


def _modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_modules_are_nouns_that_say_what_they_hold() -> None:
    assert [path for path in _modules() if set(path.stem.split("_")) & BANNED_NAMES] == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in _modules()}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
    assert not (ROOT / "packaging" / "__init__.py").exists()


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_says_what_it_is_for(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if source.strip():
        assert ast.get_docstring(ast.parse(source)), "a module without a docstring"


def test_nothing_unpickles() -> None:
    loads = re.compile(r"\bpickle\b|torch\.load\((?![^)]*weights_only=True)|allow_pickle=True")
    offenders = [
        f"{path.name}:{number}"
        for path in _modules()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if loads.search(line.split("#")[0]) and '"""' not in line and "``" not in line
    ]
    assert offenders == []


def test_no_package_registry_is_named_by_address() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    address = re.compile(rb"https?://[^\s\"'<>]*(?:/simple/|/maven2/|files\.pythonhosted|registry\.npmjs)")
    names = [name for name in tracked.decode().split("\0") if name]
    if not names:
        pytest.skip("not a git checkout")
    assert [name for name in names if (ROOT / name).is_file() and address.search((ROOT / name).read_bytes())] == []
