"""A bundle is written beside its place, forced to disk, and renamed: it is whole or it isn't there."""

from __future__ import annotations

import contextlib
import datetime
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainer.base import Base
from trainer.export.card import CARD_NAME, write_card
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.manifest import (
    MANIFEST_NAME,
    Graph,
    Manifest,
    ManifestError,
    checksum_tree,
    encode_manifest,
    read_manifest,
)
from trainer.protocol.messages import Parameter, PromptsRanked, StoriesMeasured
from trainer.tuning.checkpoints import sync_file, sync_folder

WEIGHTS = "weights"
GRAPH_PATHS = {
    **{precision: f"fast/{precision}.onnx" for precision in ("fp32", "fp16", "int8", "int4")},
    "portable": "portable/model.onnx",
}


@dataclass(frozen=True, slots=True)
class Description:
    """What a manifest says besides what lies in the folder."""

    name: str
    kind: str
    licence: str
    origin: str
    lineage: tuple[str, ...] = ()
    run_id: str = ""
    heldout: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Parameter] = field(default_factory=dict)
    data: Mapping[str, Parameter] = field(default_factory=dict)
    stories: tuple[StoriesMeasured, ...] = ()
    ranked: tuple[PromptsRanked, ...] = ()
    parent: str = ""


@contextlib.contextmanager
def write_beside(bundle: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``bundle`` to fill; what is not renamed by ``finish_bundle`` goes away.

    Raise TrainerError(BAD_REQUEST) where something is at ``bundle`` already.
    """
    if bundle.exists() and (not bundle.is_dir() or any(bundle.iterdir())):
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=f"{bundle} is there already")
    bundle.parent.mkdir(parents=True, exist_ok=True)
    partial = bundle.with_name(f".{bundle.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def finish_bundle(
    partial: Path, bundle: Path, base: Base, description: Description, graphs: tuple[Graph, ...], default_graph: str
) -> Manifest:
    """Write card and manifest, force every file to disk and rename the folder to ``bundle``."""
    (partial / CARD_NAME).write_text(write_card(description, graphs), encoding="utf-8")
    manifest = Manifest(
        name=description.name,
        kind=description.kind,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        licence=description.licence,
        origin=description.origin,
        architecture=base.architecture,
        text_form=base.text_form,
        graphs=graphs,
        default_graph=default_graph,
        files=checksum_tree(partial),
        lineage=description.lineage,
        run_id=description.run_id,
        heldout=description.heldout,
        settings=description.settings,
        data=description.data,
        parent=description.parent,
    )
    (partial / MANIFEST_NAME).write_text(encode_manifest(manifest), encoding="utf-8")
    for path in partial.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)
    sync_folder(partial)
    if bundle.is_dir():
        bundle.rmdir()  # an empty folder that a caller made; Windows renames over nothing
    partial.rename(bundle)
    sync_folder(bundle.parent)
    return manifest


def find_finished(bundle: Path, run_id: str) -> Manifest | None:
    """Return the manifest of a bundle that this very run finished before it was killed, or None."""
    if not (bundle / MANIFEST_NAME).is_file():
        return None
    try:
        manifest = read_manifest(bundle)
    except ManifestError:
        return None
    return manifest if run_id and manifest.run_id == run_id else None
