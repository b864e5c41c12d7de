"""The benchmark's page says what was measured and what is missing, and stays as it is around that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bench.report import BEGIN, END, format_report, write_report

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def make_results(**ours: float) -> dict[str, Any]:
    """Return what the benchmark joins, with two engines."""
    figures = {"load": 400.0, "prefill 512": 200.0, "prefill 900": 400.0, "memory": 300.0, "decode x1": 200.0}
    figures |= {"decode x4": 500.0, "score 1000": 900.0, "edit": 20.0, "cancel, worst": 3.0, **ours}
    other = {"load": 800.0, "prefill 512": 250.0, "prefill 900": 500.0, "memory": 500.0, "decode x1": 80.0}
    bound = {"weights": 126.0, "cache": 19.0, "floor": 240.0, "file": 290.0, "whole cache": 75.0}
    return {
        "model": "124M",
        "machine": "a processor, 2 threads",
        "rounds": 2,
        "bandwidth": 35e9,
        "bounds": {"storydesk int8": bound},
        "engines": {"storydesk int8": figures, "ctranslate2 int8": other},
        "foreign": 0.01,
    }


def test_targets_are_reached_or_not() -> None:
    report = format_report(make_results())
    assert "| decode, 8 bits: 2x ctranslate2 int8 | 2.50x | yes |" in report
    assert "| decode, 8 bits: 85 % of what memory allows | 83% | **no** |" in report
    assert "| ctranslate2 int8 | 800 (2.00x) | 250 (1.25x) |" in report
    assert "llama.cpp" not in report
    assert "| prefill of 512: 1x ctranslate2 int8 | 0.50x | **no** |" in format_report(
        make_results(**{"prefill 512": 500})
    )


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        write_report([make_results(), {**make_results(), "model": "starter"}], page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert [line for line in text.splitlines() if line.startswith("### ")] == ["### 124M", "### starter"]


def test_a_page_without_a_place_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="no place"):
        write_report([make_results()], page)
    assert page.read_text(encoding="utf-8") == "nothing"


def test_the_page_in_docs_has_its_place() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)
