"""The demonstration once for real: the starter, the samples, every figure of the report."""

from __future__ import annotations

import json
from pathlib import Path

import docx
import pytest

from storydesk.services.demonstration import ends_at_sentence
from tests.end_to_end.commands import Storydesk

pytestmark = pytest.mark.slow


@pytest.mark.timeout(1200)
def test_the_whole_path(storydesk: Storydesk, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    result = storydesk("demo", "--out", out, "--minutes", "1", "--json", timeout=1100)
    assert result.code == 0, result.err
    report = result.json
    assert report["heldout"]["perplexity_after"] < report["heldout"]["perplexity_before"]
    assert 0 <= report["parity"]["fp32_largest_difference"] < 1e-3
    assert abs(report["parity"]["int8_perplexity_excess"]) < 0.005
    portable = [graph for graph in report["parity"]["graphs"] if graph["graph"] == "portable"]
    assert portable
    assert portable[0]["largest_difference"] < 1e-3
    assert report["tokens_per_second"] > 0
    assert ends_at_sentence(report["story"]["text"])
    assert report["story"]["words"] >= 100
    assert report["scores"][report["model"]]["perplexity"] < report["scores"]["starter"]["perplexity"]
    assert "harper" in report["polish"]["engines"]
    names = {Path(path).name for path in report["files"]}
    assert names == {"story.docx", "story.md", "story.txt", "report.md", "report.json"}
    assert all(Path(path).stat().st_size > 0 for path in report["files"])
    assert json.loads((out / "report.json").read_text(encoding="utf-8")) == report
    first = report["story"]["text"].split("\n")[0]
    assert first in "\n".join(paragraph.text for paragraph in docx.Document(str(out / "story.docx")).paragraphs)
    assert first in (out / "story.md").read_text(encoding="utf-8")
    assert storydesk.json("models")["active"] == report["model"] == "demo"
    assert not (storydesk.home / "library.sqlite3").exists()
