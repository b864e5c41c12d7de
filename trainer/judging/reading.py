"""What a model makes of a story: how likely its words are, whether it finds the prompt, and what order is worth to it.

Works on stories of people (held-out pairs) and on those that models wrote. One thread.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer

from trainer.corpus.document import Document
from trainer.corpus.rows import Row, make_heldout_rows
from trainer.corpus.tokens import tokenise_documents
from trainer.evaluation.likelihood import RowFigures, measure_rows
from trainer.evaluation.ranking import rank_prompts
from trainer.text.template import Template
from trainer.tuning.network import TunedNetwork

MOST_PARAGRAPHS = 3
"""At so many places of a story the order of what stands before is tried."""

FEWEST_BEFORE = 3
"""Fewer paragraphs than this have hardly an order."""


@dataclass(frozen=True, slots=True)
class StoryReading:
    """What a model makes of one story; counts are of its tokens, sizes of its text.

    ``order_nats`` is how much less likely the next paragraph became over ``order_tokens`` tokens where the paragraphs
    before it were shuffled. ``place`` is the rank of the story's own prompt among ``choices``, 0 where there was
    nothing to choose; ``gain`` is nats per token that the own prompt makes it likelier by.
    """

    tokens: int
    nats: float
    first: int
    among: int
    words: int
    bytes: int
    order_nats: float = 0.0
    order_tokens: int = 0
    place: int = 0
    choices: int = 0
    gain: float = 0.0

    def as_record(self) -> dict[str, Any]:
        """Return the figures as a unit keeps them."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class StoryReader:
    """A network that reads stories, in float32."""

    network: TunedNetwork
    tokenizer: Tokenizer
    template: Template
    end_token: int
    positions: int
    device: torch.device
    seed: int

    def read(
        self,
        documents: Sequence[Document],
        prompts: Sequence[str],
        *,
        ranking: bool = True,
        order: bool = True,
        check: Callable[[], None] = lambda: None,
    ) -> list[StoryReading]:
        """Return what the model makes of each story; ``prompts`` are where other prompts are drawn from."""
        likely = self._measure(documents, check)
        shuffled = self._measure_order(documents, check) if order else [(0.0, 0)] * len(documents)
        ranked = self._rank(documents, prompts, check) if ranking else [None] * len(documents)
        return [
            dataclasses.replace(
                reading,
                order_nats=nats,
                order_tokens=tokens,
                place=found.place if found else 0,
                choices=found.choices if found else 0,
                gain=found.gain if found else 0.0,
            )
            for reading, (nats, tokens), found in zip(likely, shuffled, ranked, strict=True)
        ]

    def _rank(self, documents: Sequence[Document], prompts: Sequence[str], check: Callable[[], None]) -> Any:
        return rank_prompts(
            self.network,
            self.tokenizer,
            self.template,
            documents,
            device=self.device,
            end_token=self.end_token,
            positions=self.positions,
            prompts=prompts,
            seed=self.seed,
            check=check,
        )

    def _measure(self, documents: Sequence[Document], check: Callable[[], None]) -> list[StoryReading]:
        tokenised = tokenise_documents(
            documents, self.tokenizer, self.template, end_token=self.end_token, positions=self.positions
        )
        rows = [make_heldout_rows([document], positions=self.positions) for document in tokenised]
        figures = iter(measure_rows(self.network, [row for of in rows for row in of], device=self.device, check=check))
        readings = []
        for document, of in zip(tokenised, rows, strict=True):
            whole = _add_up([next(figures) for _ in of])
            readings.append(
                StoryReading(whole.tokens, whole.nats, whole.first, whole.among, document.words, document.bytes)
            )
        return readings

    def _measure_order(self, documents: Sequence[Document], check: Callable[[], None]) -> list[tuple[float, int]]:
        """Return for each story the nats that shuffling costs, and over how many tokens."""
        rows: list[Row] = []
        parts = []
        for document in documents:
            made = self._make_order_rows(document)
            rows += made
            parts.append(len(made))
        figures = iter(measure_rows(self.network, rows, device=self.device, check=check))
        found = []
        for count in parts:
            of = [next(figures) for _ in range(count)]
            true, shuffled = _add_up(of[::2]), _add_up(of[1::2])
            found.append((shuffled.nats - true.nats, true.tokens))
        return found

    def _make_order_rows(self, document: Document) -> list[Row]:
        """Return pairs of rows, the true order first; the same paragraph is counted in both."""
        paragraphs = [part for part in document.story.split("\n\n") if part.strip()]
        places = list(range(FEWEST_BEFORE, len(paragraphs)))
        chooser = random.Random(f"{self.seed} {document.story}")
        rows = []
        for place in sorted(chooser.sample(places, min(MOST_PARAGRAPHS, len(places)))):
            piece = self._encode("\n\n" + paragraphs[place])[: self.positions // 4]
            before = self._choose_before(paragraphs[:place], self.positions - len(piece) - 1)
            if len(before) < FEWEST_BEFORE:
                continue
            shuffled = _shuffle(before, chooser)
            for order in (before, shuffled):
                head = [self.end_token, *self._encode("\n\n".join(order))][: self.positions - len(piece)]
                rows.append(Row(ids=(*head, *piece), counted_from=len(head)))
        return rows

    def _choose_before(self, paragraphs: Sequence[str], room: int) -> list[str]:
        """Return as many of the last paragraphs as go into the window."""
        chosen: list[str] = []
        for paragraph in reversed(paragraphs):
            room -= len(self._encode("\n\n" + paragraph)) + 1
            if room < 0:
                break
            chosen.insert(0, paragraph)
        return chosen

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def _shuffle(paragraphs: Sequence[str], chooser: random.Random) -> list[str]:
    """Return the paragraphs in another order; the last one moves, since it is what tells most about the next."""
    while True:
        order = chooser.sample(range(len(paragraphs)), len(paragraphs))
        if order[-1] != len(paragraphs) - 1:
            return [paragraphs[index] for index in order]


def _add_up(figures: Sequence[RowFigures]) -> RowFigures:
    return RowFigures(
        tokens=sum(each.tokens for each in figures),
        nats=sum(each.nats for each in figures),
        first=sum(each.first for each in figures),
        among=sum(each.among for each in figures),
    )
