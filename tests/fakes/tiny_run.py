"""A run that takes seconds: a tiny GPT-2 with random weights, and stories that it can learn something of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.protocol.codec import encode_request
from trainer.protocol.messages import Parameter, Request

# Few stories, few steps: what is looked at is the process, not the prose.
QUICK: dict[str, Parameter] = {
    "epochs": 2,
    "batch_tokens": 512,
    "sample_stories": 2,
    "sample_tokens": 12,
    "checkpoint_steps": 3,
    "patience": 50,
    "learning_rate": 0.003,
}


def write_stories(path: Path, count: int = 24) -> Path:
    """Write stories that a tiny model can learn something of: the same few words in many orders."""
    words = ["bell", "rang", "Mara", "heard", "sea", "below", "wall", "boat", "had", "been", "since", "fog", "came"]
    generator = np.random.default_rng(3)
    records = []
    for number in range(count):
        sentences = [" ".join(generator.choice(words, 8)).capitalize() + "." for _ in range(9)]
        records.append({"prompt": f"Bell number {number}", "story": "“" + " ".join(sentences) + "”"})
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return path


def make_run(tmp_path: Path, name: str = "run", *, portable: bool = False, **settings: Parameter) -> Path:
    """Return a run folder with its request, base and data."""
    folder = tmp_path / name
    folder.mkdir()
    base = make_tiny_gpt2(tmp_path / "base")
    data = write_stories(tmp_path / "stories.jsonl")
    request = Request(
        run_id=name,
        base=str(base),
        data=(str(data),),
        name="My voice",
        bundle=str(tmp_path / "bundles" / name),
        portable=portable,
        settings={**QUICK, **settings},
    )
    (folder / "request.json").write_text(encode_request(request), encoding="utf-8")
    return folder
