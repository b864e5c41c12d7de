"""Noticing that a text goes round in circles: the same phrase again and again, or little else than said before."""

from __future__ import annotations

from collections import Counter, deque

LONGEST_PHRASE = 30
"""Tokens of the longest phrase whose repetition is noticed."""
TIMES = 3
"""How often a phrase has to stand there, word for word, to be a loop."""

# "No, no, no!" and "ha ha ha ha" are no loops: short phrases have to fill as many tokens as this.
_FEWEST_TOKENS = 16
# So many tokens in step with what stands a phrase's length before may be chance; more are held back.
_CHANCE = 4
_GRAM = 4
_SPAN = 120
# Human stories repeat 3 % of their trigrams; a text that says two thirds of its last 120 tokens again is stuck.
_MOST_SHARE = 0.66


class LoopGuard:
    """Watches the tokens of one text. One thread; one guard for one text.

    What comes after the ``certain`` tokens may belong to a loop: not shown yet, it can be taken back.
    """

    def __init__(self) -> None:
        """Start before the first token."""
        self._clear()

    def _clear(self) -> None:
        self._tokens: list[int] = []
        # For each phrase length: how many of the last tokens equal those that stand so far before them.
        self._runs = [0] * (LONGEST_PHRASE + 1)
        self._seen: Counter[tuple[int, ...]] = Counter()
        self._repeated: deque[bool] = deque(maxlen=_SPAN)

    def add(self, token: int) -> None:
        """Take one more token."""
        tokens = self._tokens
        tokens.append(token)
        last = len(tokens) - 1
        for length in range(1, min(LONGEST_PHRASE, last) + 1):
            self._runs[length] = self._runs[length] + 1 if tokens[last - length] == token else 0
        gram = tuple(tokens[-_GRAM:])
        self._repeated.append(len(gram) == _GRAM and self._seen[gram] > 0)
        self._seen[gram] += 1

    def rewind(self, length: int) -> None:
        """Forget all tokens after the first ``length``."""
        tokens = self._tokens[:length]
        self._clear()
        for token in tokens:
            self.add(token)
        # A new beginning gets as much text again to prove itself.
        self._repeated.clear()

    @property
    def certain(self) -> int:
        """How many tokens from the start may be shown: those after them may be the beginning of a loop."""
        run = max(self._runs)
        return len(self._tokens) - max(run - _CHANCE, 0)

    @property
    def loops(self) -> bool:
        """Whether the text goes round in circles now."""
        if any(
            run >= max((TIMES - 1) * length, _FEWEST_TOKENS - length)
            for length, run in enumerate(self._runs[1:], start=1)
        ):
            return True
        return len(self._repeated) == _SPAN and sum(self._repeated) > _MOST_SHARE * _SPAN
