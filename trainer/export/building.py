"""Graphs from weights, compared and bundled: the end of a tuning run, and all of ``build``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trainer.base import Base, open_base
from trainer.corpus.document import Document
from trainer.corpus.rows import Row, make_heldout_rows
from trainer.corpus.tokens import load_tokenizer, tokenise_documents
from trainer.export.bundle import GRAPH_PATHS, WEIGHTS, Description, finish_bundle, write_beside
from trainer.export.graph import build_graph
from trainer.export.graph_runner import GraphRunner
from trainer.export.parity import LogProbabilities, as_graph, choose_default, compare_graphs, require_agreement
from trainer.export.passage import PROMPT, STORY
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.manifest import Manifest
from trainer.protocol.messages import Stage
from trainer.reporter import Reporter
from trainer.text.normaliser import normalise

FillWeights = Callable[[Path], None]


def build_bundle(
    bundle: Path,
    base: Base,
    description: Description,
    *,
    fill_weights: FillWeights,
    rows: Sequence[Row],
    reference: LogProbabilities | None,
    portable: bool,
    reporter: Reporter,
    check: Callable[[], None],
    enter: Callable[[Stage], None],
) -> Manifest:
    """Write weights and graphs beside ``bundle``, compare them on ``rows`` and rename; return the manifest.

    ``reference`` computes what torch says; without it the float32 graph is what the others are compared with. Raise
    TrainerError(GRAPH_DISAGREES, DISK_FULL, BAD_REQUEST).
    """
    with write_beside(bundle) as partial:
        enter(Stage.EXPORTING)
        fill_weights(partial / WEIGHTS)
        for precision in ("fp32", "int8"):
            check()
            build_graph(partial / WEIGHTS, partial / GRAPH_PATHS[precision], precision)
        if portable:
            check()
            _export_portable(partial)
        enter(Stage.COMPARING)
        runners: dict[str, LogProbabilities] = _load_runners(partial, portable)
        reference_name = "torch"
        if reference is None:
            reference, reference_name = runners.pop("fp32"), "fp32"
        comparisons = compare_graphs(reference, runners, rows, reference_name=reference_name, check=check)
        for comparison in comparisons:
            reporter.report(comparison)
        require_agreement(comparisons)
        graphs = tuple(as_graph(comparison, GRAPH_PATHS[comparison.graph]) for comparison in comparisons)
        if reference_name == "fp32":
            graphs = (as_graph(compare_graphs(reference, {"fp32": reference}, rows[:1], reference_name="fp32")[0],
                               GRAPH_PATHS["fp32"]), *graphs)  # fmt: skip
        enter(Stage.BUNDLING)
        check()
        runners.clear()  # Windows renames no folder with an open graph in it
        del reference
        return finish_bundle(partial, bundle, base, description, graphs, choose_default(comparisons))


def build_model(
    weights: Path,
    bundle: Path,
    *,
    name: str,
    origin: str,
    licence: str,
    portable: bool,
    reporter: Reporter,
    check: Callable[[], None],
    enter: Callable[[Stage], None],
) -> Manifest:
    """Make a bundle of any GPT-2 folder, without torch unless ``portable``; raise TrainerError as named above."""
    base = open_base(weights)
    description = Description(
        name=name, kind="base", licence=licence or base.licence, origin=origin or base.name, lineage=base.lineage
    )
    return build_bundle(
        bundle,
        base,
        description,
        fill_weights=lambda out: _copy(base, out),
        rows=make_passage_rows(base),
        reference=None,
        portable=portable,
        reporter=reporter,
        check=check,
        enter=enter,
    )


def make_passage_rows(base: Base) -> list[Row]:
    """Return the rows of the passage that graphs are compared on where nobody gave a text."""
    story = normalise(STORY, base.normaliser).text.strip()
    documents = [Document(story=story, prompt=PROMPT)]
    shape = base.shape
    tokens = tokenise_documents(
        documents,
        load_tokenizer(base.weights),
        base.template,
        end_token=shape.end_token_id,
        positions=shape.positions,
    )
    return make_heldout_rows(tokens, positions=shape.positions)


def _copy(base: Base, out: Path) -> None:
    from trainer.export.tuned_weights import copy_weights

    copy_weights(base, out)


def _export_portable(partial: Path) -> None:
    """Export through Optimum; raise TrainerError(TORCH_MISSING) where that can't be imported."""
    from trainer.export.portable import export_portable

    try:
        export_portable(partial / WEIGHTS, (partial / GRAPH_PATHS["portable"]).parent)
    except ImportError as error:
        raise TrainerError(TrainerFailure.TORCH_MISSING) from error


def _load_runners(partial: Path, portable: bool) -> dict[str, LogProbabilities]:
    """Return what computes log-probabilities by each graph."""
    runners: dict[str, LogProbabilities] = {
        precision: GraphRunner(partial / GRAPH_PATHS[precision]).log_probabilities for precision in ("fp32", "int8")
    }
    if portable:
        from trainer.export.portable import PortableRunner

        runners["portable"] = PortableRunner((partial / GRAPH_PATHS["portable"]).parent).log_probabilities
    return runners


def describe_settings(settings: Mapping[str, object]) -> dict[str, str | int | float | bool]:
    """Return the settings that a manifest can hold."""
    return {name: value for name, value in settings.items() if isinstance(value, (str, int, float, bool))}
