"""How surprising a text of any length is to the model, token by token, in the writer's own characters."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.scoring import TextScore, TokenScore, measure_text
from storydesk.inference.cancellation import Cancellation, Cancelled
from storydesk.inference.session import GraphSession, Logits
from storydesk.inference.tokenizer import TextTokenizer, replace_surrogates
from trainer.text.normaliser import normalise


@dataclass(slots=True)
class _Scored:
    """The last text's tokens, the head included, and the nats of each; the first has none and counts as 0."""

    tokens: list[int] = field(default_factory=list)
    nats: list[float] = field(default_factory=list)


class TextScorer:
    """Scores with one session and keeps the last score, so an edit costs only what follows it.

    Lives where its session lives.
    """

    def __init__(self, session: GraphSession, tokenizer: TextTokenizer, normaliser: str) -> None:
        """Share the session with others; the cache is the scorer's own."""
        self._cache = session.open_cache()
        self._positions = session.model.positions
        self._end_token = session.model.end_token_id
        self._tokenizer = tokenizer
        self._normaliser = normaliser
        self._last = _Scored()

    @property
    def stride(self) -> int:
        """Tokens that a full window moves on: each token is seen with at least as many before it as this."""
        return self._positions // 2

    def score(self, text: str, head: str, cancellation: Cancellation) -> TextScore:
        """Return the score of the writer's own text after ``head``, which is in the model's form and not scored.

        The first token follows an end-of-text token. White space at both ends is not scored: it says nothing yet.
        Raise StorydeskError(CANCELLED); what was scored by then is kept.
        """
        normalised = normalise(replace_surrogates(text), self._normaliser)
        offset = len(normalised.text) - len(normalised.text.lstrip())
        stripped = normalised.text.strip()
        # Never joined with the head: the text's tokens have to be the text's own.
        ids = self._tokenizer.encode(stripped)
        context = [self._end_token, *self._tokenizer.encode(head)][-self.stride :]
        try:
            nats = self._measure([*context, *ids], len(context), cancellation)
        except Cancelled as error:
            raise StorydeskError(FailureCode.CANCELLED) from error
        spans = self._tokenizer.measure_spans(stripped, ids)
        sources = (normalised.source_span(start + offset, end + offset) for start, end in spans)
        scores = tuple(TokenScore(start, end, value) for (start, end), value in zip(sources, nats, strict=True))
        words, size = measure_text(text.strip())
        return TextScore(scores, words, size, self.stride)

    def _measure(self, tokens: list[int], first: int, cancellation: Cancellation) -> list[float]:
        """Return the nats of each token from ``first`` on, in windows that start at multiples of the stride."""
        same = 0
        limit = min(len(self._last.tokens), len(self._last.nats), len(tokens))
        while same < limit and self._last.tokens[same] == tokens[same]:
            same += 1
        nats = self._last.nats[:same] if same > first else []
        nats.extend([0.0] * (first - len(nats)))
        self._last = _Scored(tokens, nats)

        while len(nats) < len(tokens):
            # A window of P tokens says how surprising the P - 1 after its first are, and the one that follows it.
            start = 0
            if len(nats) > self._positions:
                start = -(-(len(nats) - self._positions) // self.stride) * self.stride
            window = tokens[start : min(start + self._positions, len(tokens) - 1)]

            def take(begin: int, logits: Logits, start: int = start) -> None:
                targets = tokens[start + begin + 1 : start + begin + 1 + len(logits)]
                nats.extend(measure_nats(logits, targets))

            self._cache.read(window, cancellation, first_row=len(nats) - start - 1, take=take)
        return nats[first:]


def measure_nats(logits: Logits, targets: list[int]) -> list[float]:
    """Return -log of the probability that each row of [rows, vocabulary] logits gives its target."""
    highest = logits.max(-1)
    totals = np.log(np.exp(logits - highest[:, None]).sum(-1)) + highest
    result: list[float] = (totals - logits[np.arange(len(targets)), targets]).astype(np.float64).tolist()
    return [max(value, 0.0) for value in result]
