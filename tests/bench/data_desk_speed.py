"""Say how long the list of pairs takes with very many of them: milliseconds until the window has painted.

python -m tests.bench.data_desk_speed [--pairs 100000]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from storydesk.domain.dataset import (
    DatasetCard,
    DatasetFinding,
    DatasetView,
    FindingKind,
    PairCard,
    PromptOrigin,
    Remedy,
)
from storydesk.ui.theme import apply_theme
from storydesk.ui.tuning.pair_list import PairList


def make_view(count: int) -> DatasetView:
    """Return a dataset of so many pairs, a third of them with a finding."""
    opening = "It was a dark night and the door was warm. " * 5
    pairs = tuple(
        PairCard(f"p{n}", f"Title {n}", f"A prompt, number {n}", opening, 300, "a.csv", PromptOrigin.COLUMN)
        for n in range(count)
    )
    ids = tuple(pair.id for pair in pairs[::3])
    finding = DatasetFinding("markup", FindingKind.MARKUP, Remedy.MEND, ids, len(ids))
    card = DatasetCard("d", "Tales", "", (), Path("d"), is_read=True)
    return DatasetView(card, pairs, (finding,), places={pair.id: place for place, pair in enumerate(pairs)})


def main() -> None:
    """Do what a writer does and say how long each took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100_000)
    app = QApplication([])
    apply_theme(app, "light")
    view = make_view(parser.parse_args().pairs)
    changed = replace(view.pairs[5], left_out=True)
    left_out = replace(view, pairs=(*view.pairs[:5], changed, *view.pairs[6:]))
    shown = PairList()
    shown.resize(500, 700)
    shown.show()
    app.processEvents()

    def search(words: str) -> Callable[[], None]:
        def type_and_look() -> None:
            shown.search.setText(words)
            shown.search_now()

        return type_and_look

    acts: dict[str, Callable[[], None]] = {
        "open": lambda: shown.show_view(view),
        "leave one out": lambda: shown.show_view(left_out),
        "search": search("number 77"),
        "show all": search(""),
        "show a finding's": lambda: shown.show_finding("markup"),
        "go to the last": lambda: shown.go_to(view.pairs[-1].id),
        "select all": shown.table.selectAll,
    }
    for name, act in acts.items():
        begun = time.perf_counter()
        act()
        app.processEvents()
        print(f"{name:18} {(time.perf_counter() - begun) * 1000:7.0f} ms")
    shown.hide()


if __name__ == "__main__":
    main()
