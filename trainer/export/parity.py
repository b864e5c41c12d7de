"""Exported graphs beside their reference on real text: differences of log-probabilities, and perplexities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.corpus.rows import Row
from trainer.evaluation.figures import bound_perplexity
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.manifest import Graph
from trainer.protocol.messages import GraphCompared

LogProbabilities = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Ids of one row to [tokens, vocabulary] log-probabilities of what follows each token."""

LARGEST_DIFFERENCE = 1e-3
"""Nats by which a float32 graph may differ from its reference anywhere."""

LARGEST_LOSS = 0.005
"""The share by which the 8-bit graph's perplexity may be worse before writing goes by float32."""

LARGEST_SMALL_LOSS = 0.02
"""The share by which the 4-bit graph's perplexity may be worse before it is built with more care.

Other texts lose half as much again at times: the starter's 2.0 % on ours were 3.0 % on real fiction. 3 % is the limit.
"""

_MOST_TOKENS = 6000


def compare_graphs(
    reference: LogProbabilities,
    graphs: Mapping[str, LogProbabilities],
    rows: Sequence[Row],
    *,
    reference_name: str,
    check: Callable[[], None] = lambda: None,
) -> list[GraphCompared]:
    """Return a comparison for each graph over rows of about 6,000 tokens; ``check`` may raise between rows."""
    largest = dict.fromkeys(graphs, 0.0)
    nats = dict.fromkeys(graphs, 0.0)
    reference_nats, counted = 0.0, 0
    for row in _choose_rows(rows):
        check()
        ids = np.asarray(row.ids, np.int64)
        expected = reference(ids)
        reference_nats += _sum_nats(expected, row)
        counted += row.counted
        for name, graph in graphs.items():
            found = graph(ids)
            nats[name] += _sum_nats(found, row)
            difference = float(np.abs(found - expected).max())
            # A comparison with NaN is false, so NaN is caught by asking the other way round.
            largest[name] = max(largest[name], difference if difference == difference else float("inf"))
    counted = max(counted, 1)
    return [
        GraphCompared(
            graph=name,
            reference=reference_name,
            largest_difference=min(largest[name], 1e9),
            perplexity=bound_perplexity(nats[name] / counted),
            reference_perplexity=bound_perplexity(reference_nats / counted),
        )
        for name in graphs
    ]


def require_agreement(comparisons: Sequence[GraphCompared]) -> None:
    """Raise TrainerError(GRAPH_DISAGREES) where a float32 graph is off."""
    for comparison in comparisons:
        if comparison.graph in ("fp32", "portable") and comparison.largest_difference > LARGEST_DIFFERENCE:
            raise TrainerError(
                TrainerFailure.GRAPH_DISAGREES,
                graph=comparison.graph,
                difference=round(comparison.largest_difference, 6),
            )


def measure_loss(comparison: GraphCompared) -> float:
    """Return the share by which a graph's perplexity is worse than its reference's; infinite for no number."""
    loss = comparison.perplexity / max(comparison.reference_perplexity, 1e-9) - 1
    return loss if loss == loss else float("inf")


def choose_default(comparisons: Sequence[GraphCompared]) -> str:
    """Return the graph to write with: ``int8``, unless its perplexity is more than 0.5 % worse than float32's."""
    perplexities = {comparison.graph: comparison.perplexity for comparison in comparisons}
    references = {comparison.graph: comparison.reference_perplexity for comparison in comparisons}
    full = perplexities.get("fp32", references.get("int8", float("inf")))
    return "int8" if "int8" in perplexities and perplexities["int8"] <= full * (1 + LARGEST_LOSS) else "fp32"


def as_graph(comparison: GraphCompared, path: str, kernel: str = "") -> Graph:
    """Return a comparison as the manifest's entry for the graph at ``path``."""
    return Graph(
        precision=comparison.graph,
        path=path,
        reference=comparison.reference,
        largest_difference=comparison.largest_difference,
        perplexity=comparison.perplexity,
        reference_perplexity=comparison.reference_perplexity,
        kernel=kernel,
    )


def _choose_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the first rows that come to about 6,000 tokens, one at least."""
    chosen: list[Row] = []
    tokens = 0
    for row in rows:
        if chosen and tokens + len(row.ids) > _MOST_TOKENS:
            break
        chosen.append(row)
        tokens += len(row.ids)
    return chosen


def _sum_nats(log_probabilities: NDArray[np.float32], row: Row) -> float:
    """Return the negative log-likelihood of the row's counted tokens."""
    targets = np.arange(row.counted_from, len(row.ids))
    wanted = np.asarray(row.ids, np.int64)[targets]
    return -float(log_probabilities[targets - 1, wanted].astype(np.float64).sum())
