"""Writing the stories that are judged: many at once, each with settings and a seed of its own.

A story's seed comes from the job's seed, its prompt and its number, so it does not matter which stories share a batch,
nor which model or settings: the same draws meet each of them, and differences between them are those of the models.
Numbers that a batch makes differ in their last bits from those that another makes, which can change a story only where
two tokens are all but equally likely.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from tokenizers import Tokenizer
from transformers import DynamicCache

from trainer.corpus.tokens import PROMPT_SHARE, encode_head
from trainer.judging.drawing import Logits, TokenDrawer, WordTokens
from trainer.text.template import Template
from trainer.tuning.network import TunedNetwork


@dataclass(frozen=True, slots=True)
class StoryOrder:
    """One story to be written; ``key`` is its unit."""

    key: str
    prompt: str
    settings: Mapping[str, float]
    seed: int


@dataclass(frozen=True, slots=True)
class WrittenStory:
    """A story as text in the model's form; ``ended`` tells whether the model ended it itself."""

    key: str
    text: str
    tokens: int
    ended: bool


@dataclass(slots=True)
class _Page:
    """A story that is being written."""

    order: StoryOrder
    head: list[int]
    room: int
    drawer: TokenDrawer
    written: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Writer:
    """A network, in the numbers it writes in, with what it needs to write. One thread."""

    network: TunedNetwork
    tokenizer: Tokenizer
    template: Template
    words: WordTokens
    end_token: int
    positions: int
    device: torch.device

    def write(
        self, orders: Sequence[StoryOrder], *, tokens: int, check: Callable[[], None] = lambda: None
    ) -> Iterator[WrittenStory]:
        """Yield each story as soon as it is whole, written all at once; ``check`` may raise between tokens.

        A story has at most ``tokens`` tokens and ends where the model's window does.
        """
        yield from self._write_pages([self._open(order, tokens) for order in orders], check)

    def _open(self, order: StoryOrder, tokens: int) -> _Page:
        room = int(self.positions * PROMPT_SHARE) - 1
        head = [self.end_token, *encode_head(order.prompt, self.tokenizer, self.template, room)]
        drawer = TokenDrawer(order.settings, order.seed, self.words)
        return _Page(order, head, min(tokens, self.positions - len(head)), drawer)

    def _write_pages(self, pages: list[_Page], check: Callable[[], None]) -> Iterator[WrittenStory]:
        if not pages:
            return
        self.network.train(False)
        cache = DynamicCache()
        longest = max(len(page.head) for page in pages)
        ids, mask = _pad_left([page.head for page in pages], longest, self.end_token)
        places = (mask.cumsum(1) - 1).clamp(min=0)
        while pages:
            check()
            logits = self._step(ids, mask, places, cache)
            keep: list[int] = []
            for number, page in enumerate(pages):
                done = self._draw(page, logits[number])
                if done is None:
                    keep.append(number)
                else:
                    yield done
            if len(keep) < len(pages):
                pages = [pages[number] for number in keep]
                if not pages:
                    return
                chosen = torch.tensor(keep, device=self.device)
                cache.batch_select_indices(chosen)
                mask, places = mask[keep], places[keep]
            ids = torch.tensor([[page.written[-1]] for page in pages])
            mask = torch.cat([mask, torch.ones(len(pages), 1, dtype=mask.dtype)], 1)
            places = places[:, -1:] + 1

    def _step(self, ids: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, cache: DynamicCache) -> list[Logits]:
        """Return [vocabulary] float32 logits of what follows each row."""
        with torch.inference_mode():
            hidden = self.network.transformer(
                ids.to(self.device),
                attention_mask=mask.to(self.device),
                position_ids=places.to(self.device),
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state[:, -1]
            logits = self.network.lm_head(hidden).float().cpu().numpy()
        return list(logits)

    def _draw(self, page: _Page, logits: Logits) -> WrittenStory | None:
        """Add a token to a story; return the story where that ends it."""
        token = page.drawer.draw(logits, [*page.head[1:], *page.written], page.written)
        ended = token == self.end_token
        if not ended:
            page.written.append(token)
        if not ended and len(page.written) < page.room:
            return None
        text = str(self.tokenizer.decode(page.written, skip_special_tokens=True)).strip()
        return WrittenStory(page.order.key, text, len(page.written), ended)


def make_seed(seed: int, prompt: str, number: int) -> int:
    """Return the seed of story ``number`` on a prompt."""
    digest = hashlib.sha256(f"{seed}\x00{number}\x00{prompt}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def _pad_left(heads: Sequence[Sequence[int]], longest: int, padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask, [rows, longest]; rows end together, so that what follows each is in the last place."""
    ids = torch.full((len(heads), longest), padding, dtype=torch.long)
    mask = torch.zeros(len(heads), longest, dtype=torch.long)
    for row, head in enumerate(heads):
        ids[row, longest - len(head) :] = torch.tensor(head, dtype=torch.long)
        mask[row, longest - len(head) :] = 1
    return ids, mask
