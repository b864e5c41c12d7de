"""Graphs from weights, compared and bundled: the end of a tuning run, and all of ``build``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trainer.base import Base, open_base
from trainer.corpus.document import Document
from trainer.corpus.rows import Row, make_heldout_rows
from trainer.corpus.tokens import load_tokenizer, tokenise_documents
from trainer.export.activations import measure_activations
from trainer.export.bundle import GRAPH_PATHS, WEIGHTS, Description, finish_bundle, write_beside
from trainer.export.device import has_gpu
from trainer.export.forms import CARES, Activations, Care
from trainer.export.graph import WIDE_FROM, build_graph
from trainer.export.graph_runner import GraphRunner
from trainer.export.parity import (
    LARGEST_LOSS,
    LARGEST_SMALL_LOSS,
    LogProbabilities,
    as_graph,
    choose_default,
    compare_graphs,
    measure_loss,
    require_agreement,
)
from trainer.export.passage import CALIBRATION, MEASURED
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.manifest import Graph, Manifest
from trainer.protocol.messages import GraphCompared, Stage
from trainer.reporter import Reporter
from trainer.text.normaliser import normalise

FillWeights = Callable[[Path], None]


PRECISIONS = ("fp32", "int8", "int4")
"""What is built where nobody asks for anything else; fp16 comes with it where a GPU would run it."""

_ENOUGH_TOKENS = 2048


def build_bundle(
    bundle: Path,
    base: Base,
    description: Description,
    *,
    fill_weights: FillWeights,
    rows: Sequence[Row],
    calibration: Sequence[Row] = (),
    reference: LogProbabilities | None,
    portable: bool,
    precisions: Sequence[str] = (),
    reporter: Reporter,
    check: Callable[[], None],
    enter: Callable[[Stage], None],
) -> Manifest:
    """Write weights and graphs beside ``bundle``, compare them on ``rows`` and rename; return the manifest.

    ``reference`` computes what torch says; without it the float32 graph is what the others are compared with. What
    activations are like is measured on ``calibration``, and on texts of ours where that is short. Raise
    TrainerError(GRAPH_DISAGREES, DISK_FULL, BAD_REQUEST).
    """
    wanted = ["fp32", *(name for name in precisions or _choose_precisions() if name != "fp32")]
    with write_beside(bundle) as partial:
        enter(Stage.EXPORTING)
        fill_weights(partial / WEIGHTS)
        if sum(len(row.ids) for row in calibration) < _ENOUGH_TOKENS:
            calibration = (*calibration, *make_passage_rows(base, CALIBRATION))
        graphs = _Graphs(partial, calibration, check)
        for precision in wanted:
            graphs.build(precision)
        if portable:
            check()
            _export_portable(partial)
        enter(Stage.COMPARING)
        runners: dict[str, LogProbabilities] = _load_runners(partial, wanted, portable)
        reference_name = "torch"
        if reference is None:
            reference, reference_name = runners.pop("fp32"), "fp32"
        comparisons = compare_graphs(reference, runners, rows, reference_name=reference_name, check=check)
        runners.clear()  # Windows replaces no file that is open
        comparisons = graphs.improve(comparisons, reference, rows)
        for comparison in comparisons:
            reporter.report(comparison)
        require_agreement(comparisons)
        entries = [graphs.describe(comparison) for comparison in comparisons]
        if reference_name == "fp32":
            # Compared with itself: nothing is off, and its perplexity is everyone's reference.
            full = comparisons[0].reference_perplexity if comparisons else _measure_alone(reference, rows)
            entries.insert(0, graphs.describe(GraphCompared("fp32", "fp32", 0.0, full, full)))
        enter(Stage.BUNDLING)
        check()
        del reference  # Windows renames no folder with an open graph in it
        return finish_bundle(partial, bundle, base, description, tuple(entries), choose_default(comparisons))


def _choose_precisions() -> Sequence[str]:
    return (*PRECISIONS, "fp16") if has_gpu() else PRECISIONS


def _measure_alone(reference: LogProbabilities, rows: Sequence[Row]) -> float:
    return compare_graphs(reference, {"fp32": reference}, rows, reference_name="fp32")[0].perplexity


class _Graphs:
    """Builds the graphs of one bundle, and again with truer kernels where the first ones cost too much perplexity."""

    def __init__(self, partial: Path, calibration: Sequence[Row], check: Callable[[], None]) -> None:
        self._partial = partial
        self._check = check
        self._kernels: dict[str, str] = {}
        self._calibration = calibration
        self._activations: Activations | None = None

    def build(self, precision: str, kernel: str = "", care: Care = CARES[0]) -> None:
        """Build one graph; the float32 graph comes first."""
        self._check()
        weights = self._partial / WEIGHTS
        if precision in ("int8", "int4") and self._activations is None:
            full = self._partial / GRAPH_PATHS["fp32"]
            self._activations = measure_activations(weights, full, self._calibration, check=self._check)
        kernel = kernel or ("rows" if precision == "int8" else "blocks" if precision == "int4" else "float")
        build_graph(
            weights,
            self._partial / GRAPH_PATHS[precision],
            precision,
            activations=self._activations,
            by_rows=kernel == "rows",
            care=care,
        )
        self._kernels[precision] = "mixed" if care.eight_bits else kernel

    def improve(
        self, comparisons: list[GraphCompared], reference: LogProbabilities, rows: Sequence[Row]
    ) -> list[GraphCompared]:
        """Return the comparisons after rebuilding what was not true enough: by blocks alone, with more at 8 bits."""

        def compare(precision: str, tokens_at_once: int = 128) -> GraphCompared:
            runner = GraphRunner(self._partial / GRAPH_PATHS[precision], tokens_at_once).log_probabilities
            return compare_graphs(reference, {precision: runner}, rows, reference_name=name, check=self._check)[0]

        improved = []
        for found in comparisons:
            name = found.reference
            if found.graph == "int8":
                # Words are written by the kernel for few tokens, and what was read before them by that for many.
                few = compare("int8", WIDE_FROM - 1)
                if measure_loss(found) > max(LARGEST_LOSS, measure_loss(few)):
                    self.build("int8", "blocks")
                    found = few
                elif few.perplexity > found.perplexity:
                    found = few
            elif found.graph == "int4":
                for care in CARES[1:]:
                    if measure_loss(found) <= LARGEST_SMALL_LOSS:
                        break
                    self.build("int4", care=care)
                    found = compare("int4")
            improved.append(found)
        return improved

    def describe(self, comparison: GraphCompared) -> Graph:
        """Return the manifest's entry of a graph."""
        return as_graph(comparison, GRAPH_PATHS[comparison.graph], self._kernels.get(comparison.graph, ""))


def build_model(
    weights: Path,
    bundle: Path,
    *,
    name: str,
    origin: str,
    licence: str,
    portable: bool,
    precisions: Sequence[str] = (),
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
        rows=make_passage_rows(base, MEASURED),
        reference=None,
        portable=portable,
        precisions=precisions,
        reporter=reporter,
        check=check,
        enter=enter,
    )


def make_passage_rows(base: Base, passages: Sequence[str]) -> list[Row]:
    """Return the rows of texts of ours, for where nobody gave a text or enough of it."""
    documents = [Document(story=normalise(passage, base.normaliser).text.strip()) for passage in passages]
    shape = base.shape
    tokenizer = load_tokenizer(base.weights)
    tokens = tokenise_documents(
        documents, tokenizer, base.template, end_token=shape.end_token_id, positions=shape.positions
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


def _load_runners(partial: Path, precisions: Sequence[str], portable: bool) -> dict[str, LogProbabilities]:
    """Return what computes log-probabilities by each graph."""
    runners: dict[str, LogProbabilities] = {
        precision: GraphRunner(partial / GRAPH_PATHS[precision]).log_probabilities for precision in precisions
    }
    if portable:
        from trainer.export.portable import PortableRunner

        runners["portable"] = PortableRunner((partial / GRAPH_PATHS["portable"]).parent).log_probabilities
    return runners


def describe_settings(settings: Mapping[str, object]) -> dict[str, str | int | float | bool]:
    """Return the settings that a manifest can hold."""
    return {name: value for name, value in settings.items() if isinstance(value, (str, int, float, bool))}
