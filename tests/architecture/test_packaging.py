"""What packaging promises: a standard-library start, pins for everything, no addresses, one command for CI."""

from __future__ import annotations

import ast
import os
import re
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
SCRIPTS = sorted(PACKAGING.glob("*.py"))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pins() -> dict[str, str]:
    lines = (PACKAGING / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {
        _canonical(line.partition("==")[0]): line.partition("==")[2] for line in lines if line and line[0] not in "#"
    }


def test_packaging_is_no_package() -> None:
    assert not (PACKAGING / "__init__.py").exists()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_start_needs_the_standard_library_alone(script: Path) -> None:
    allowed = sys.stdlib_module_names | {path.stem for path in SCRIPTS} | {"msvcrt", "fcntl"}
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert {name.partition(".")[0] for name in names} <= allowed


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_shell_and_no_address_stands_in_set_up(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    assert "shell=True" not in source
    assert not re.search(r"https?://\w", source)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_an_old_python_can_at_least_read_the_scripts(script: Path) -> None:
    oldest = (3, 7) if script.name == "start.py" else (3, 9)
    ast.parse(script.read_text(encoding="utf-8"), feature_version=oldest)


def test_every_dependency_is_pinned_and_by_version_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {_canonical(re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]) for requirement in wanted}
    assert names - _pins().keys() == set()
    assert all(re.fullmatch(r"[\w.+]+( ; .+)?", version) for version in _pins().values())


def test_gpu_packages_of_linux_stay_on_linux() -> None:
    for name, version in _pins().items():
        if name.startswith(("nvidia-", "cuda-", "triton")):
            assert version.endswith("; sys_platform == 'linux'"), name


def test_languagetool_comes_without_databases_and_in_the_client_s_version() -> None:
    from language_tool_python.download_lt import LTP_DOWNLOAD_VERSION

    tree = ET.parse(PACKAGING / "languagetool" / "pom.xml")
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    excluded = {element.text for element in tree.iterfind(".//m:exclusion/m:artifactId", space)}
    assert {"language-all", "mariadb-java-client", "lettuce-core"} <= excluded
    assert tree.findtext(".//m:languagetool.version", namespaces=space) == LTP_DOWNLOAD_VERSION


def test_ci_runs_the_readme_s_command() -> None:
    script = ROOT / ".ci" / "run"
    assert "packaging/start.py test" in script.read_text(encoding="utf-8")
    assert os.name != "posix" or os.access(script, os.X_OK)
    assert "packaging/start.py test" in (ROOT / "README.md").read_text(encoding="utf-8")
