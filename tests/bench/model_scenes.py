"""What take_screenshots shows of the shelf: three generations of a voice, made of the starter's own files."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from storydesk.ui.main_window import MainWindow
from storydesk.ui.models_dialog import ModelsDialog
from trainer.protocol.manifest import (
    MANIFEST_NAME,
    checksum_file,
    encode_manifest,
    fingerprint_weights,
    read_manifest,
)

SCENES = ("models", "models-details", "models-compare", "models-lineage")
Wait = Callable[[QApplication, Callable[[], bool]], None]
SETTINGS: dict[str, str | int | float | bool] = {
    "method": "full",
    "epochs": 3,
    "learning_rate": 3e-4,
    "context": 512,
    "seed": 7,
}


def show_models(app: QApplication, window: MainWindow, scene: str, wait: Wait) -> QWidget:
    """Put three tuned models on the shelf and turn to a page of the dialog."""
    models = window.workroom.desk.models
    make_generation(models.folder, "starter", "Sea tales", 61.4, 47.9, 14200, "2026-11-02T19:20:00+00:00")
    make_generation(models.folder, "Sea tales", "Sea tales two", 47.9, 43.2, 22900, "2026-11-15T08:05:00+00:00")
    make_generation(models.folder, "starter", "Letters", 58.3, 52.6, 8100, "2026-11-19T21:40:00+00:00")
    models.use("Sea tales", "int4")  # of the same weights: two graphs, so that not both write the same
    models.use("Sea tales two")
    window.actions_by_name["models"].trigger()
    dialog = window.findChildren(ModelsDialog)[0]
    wait(app, lambda: len(dialog.cards) == 4)
    if scene == "models-details":
        dialog.show_details("Sea tales two")
        wait(app, dialog.details.isVisible)
    elif scene == "models-lineage":
        dialog.show_lineage()
        wait(app, dialog.lineage.isVisible)
    elif scene == "models-compare":
        dialog.show_compare("Sea tales")
        page = dialog.compare
        wait(app, lambda: bool(page.prompt_box.currentText()) and page.table.rowCount() > 0)
        page.write_button.click()
        wait(app, lambda: page.duel_said.text().startswith("Both began"))
    return dialog


def make_generation(shelf: Path, base: str, name: str, before: float, after: float, words: int, created: str) -> None:
    """Put a model on the shelf that says it was tuned from another."""
    bundle = shelf / name
    if bundle.exists():
        return
    shutil.copytree(shelf / base, bundle)
    older = read_manifest(shelf / base)
    card = bundle / "README.md"
    card.write_text(
        f"# {name}\n\nA GPT-2 model, tuned from {base}.\n\n## Text\n\n- training stories: {words // 700}\n"
        f"- words: {words}\n\n"
        f"## Held-out text (perplexity per token, given the prompts)\n\n- perplexity before: {before}\n"
        f"- perplexity after: {after}\n\n## Settings\n\n"
        + "\n".join(f"- {key.replace('_', ' ')}: {value}" for key, value in SETTINGS.items()),
        encoding="utf-8",
    )
    weights = bundle / "weights" / "generation_config.json"
    weights.write_text("{}\n", encoding="utf-8")
    manifest = dataclasses.replace(
        older,
        name=name,
        kind="tuned",
        created=created,
        licence="CC0-1.0",
        origin=f"tuned from {base}",
        lineage=(base, *older.lineage),
        parent="" if base == "starter" else fingerprint_weights(older.files),
        heldout={"perplexity_before": before, "perplexity_after": after},
        data={"sha256": f"{words:064x}"[::-1], "training_stories": words // 700, "heldout_stories": 3, "words": words},
        settings=SETTINGS | {"epochs": words // 5000},
        files={
            **older.files,
            "README.md": checksum_file(card),
            "weights/generation_config.json": checksum_file(weights),
        },
    )
    (bundle / MANIFEST_NAME).write_text(encode_manifest(manifest), encoding="utf-8")
