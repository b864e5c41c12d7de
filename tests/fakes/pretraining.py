"""A folder of short stories of ours, for what learns from nothing."""

from __future__ import annotations

import json
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"


def write_stories(folder: Path, voices: str = "*") -> Path:
    """Write each sample story of the voices to a file of its own, in folders, and return the folder."""
    for table in sorted(SAMPLES.glob(f"{voices}.jsonl")):
        (folder / table.stem).mkdir(parents=True)
        for number, line in enumerate(table.read_text(encoding="utf-8").splitlines()):
            story = json.loads(line)["story"]
            (folder / table.stem / f"tale number {number}.txt").write_text(story, encoding="utf-8")
    return folder
