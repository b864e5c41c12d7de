"""How far each graph of the starter is from float32: ``python -m tests.bench.kernel_quality [--text FILE ...]``.

Prints, for our measured texts or those given, perplexity beside float32's and the mean shift of a token's nats: read by
many tokens at once, by a few, one by one, and as one of four texts that are written side by side.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storydesk.inference.cancellation import Cancellation
from storydesk.inference.session import GraphSession
from tests.bench.prepare import describe_graph, prepare
from trainer.base import open_base
from trainer.export.building import make_passage_rows
from trainer.export.graph import WIDE_FROM
from trainer.export.graph_runner import GraphRunner
from trainer.export.passage import MEASURED

_SIDE_BY_SIDE = 4
_MOST_STEPS = 200

Nats = NDArray[np.float64]
Reader = Callable[[list[int]], Nats]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, nargs="*", default=[], help="plain text files instead of our own texts")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "storydesk-bench")
    options = parser.parse_args(arguments)
    folder = prepare(options.folder, "starter", peers=False)
    texts = [path.read_text(encoding="utf-8") for path in options.text] or MEASURED
    rows = [list(row.ids) for row in make_passage_rows(open_base(folder / "weights"), texts)]
    exact = read_all(rows, read_at_once(folder, "fp32", 128))
    print(f"{sum(map(len, rows)):,} tokens, perplexity {np.exp(exact.mean()):.2f} in float32\n")
    print("| graph, read by | perplexity | mean shift | largest |\n|---|---:|---:|---:|")
    for precision in ("int8", "int4"):
        for words, count in (("many tokens", 128), ("few tokens", WIDE_FROM - 1)):
            _print_row(f"{precision}, {words}", read_all(rows, read_at_once(folder, precision, count)), exact)
    for precision in ("fp32", "int8", "int4"):
        session = GraphSession(describe_graph(folder, precision))
        short = [row[:_MOST_STEPS] for row in rows]
        alone = read_all(short, lambda row, session=session: read_by_steps(session, row, 1))  # type: ignore[misc]
        beside = read_all(short, lambda row, session=session: read_by_steps(session, row, _SIDE_BY_SIDE))  # type: ignore[misc]
        _print_row(f"{precision}, one of four beside one alone", beside, alone)
    return 0


def read_all(rows: Sequence[list[int]], read: Reader) -> Nats:
    """Return the nats of every token after a row's first."""
    return np.concatenate([read(row) for row in rows])


def read_at_once(folder: Path, precision: str, count: int) -> Reader:
    """Return what reads a row in pieces of ``count`` tokens."""
    runner = GraphRunner(folder / "fast" / f"{precision}.onnx", count)

    def read(row: list[int]) -> Nats:
        table = runner.log_probabilities(np.array(row))
        return -table[np.arange(len(row) - 1), row[1:]].astype(np.float64)

    return read


def read_by_steps(session: GraphSession, row: list[int], rows: int) -> Nats:
    """Return the nats of a text that is read token by token as the last of ``rows`` different ones."""
    cancellation = Cancellation()
    cache = session.open_cache()
    cache.read(row[:1], cancellation)
    beside = session.open_rows(cache, rows, len(row)) if rows > 1 else None
    nats = []
    for place, (token, following) in enumerate(zip(row[1:], [*row[2:], 0], strict=True)):
        others = [row[(place * (other + 2)) % len(row)] for other in range(rows - 1)]
        logits = (
            cache.extend([token], cancellation) if beside is None else beside.step([*others, token], cancellation)[-1]
        )
        shifted = logits.astype(np.float64) - float(logits.max())
        nats.append(float(np.log(np.exp(shifted).sum()) - shifted[following]))
    return np.array(nats[:-1])


def _print_row(words: str, found: Nats, expected: Nats) -> None:
    shift = np.abs(found - expected)
    loss = np.expm1(found.mean() - expected.mean())
    print(f"| {words} | {loss:+.2%} | {shift.mean():.4f} nats | {shift.max():.3f} |", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
