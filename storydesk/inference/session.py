"""The network itself: one opened graph, and caches of what it has read.

A cache's buffers are allocated once and bound as past and present alike, so a step copies and grows nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.style_model import StyleModel
from storydesk.inference.cancellation import Cancellation, Cancelled
from storydesk.inference.devices import CPU, PROVIDERS, OpenedGraph, Provider, describe_precision, open_graph

if TYPE_CHECKING:
    from storydesk.inference.rows import RowCache

Logits = NDArray[np.float32]

LAYOUT = "storydesk-gpt2-1"
CHUNK = 256
"""Tokens that a prefill reads at once: fewer wait for each other more, more go less often into the caches."""
PIECE = 32
"""Tokens that a prefill reads at once at its very end, where edits are and are read again."""

_LARGEST = 1 << 20


class GraphSession:
    """One loaded graph. Lives on one thread at a time; caches of one session are used in turn."""

    def __init__(self, model: StyleModel, on_failure: Callable[[str, str], None] | None = None) -> None:
        """Load the model's graph and try it; raise StorydeskError(MODEL_NOT_LOADED, MEMORY_FULL)."""
        self._model = model
        report = on_failure or (lambda _words, _detail: None)
        try:
            self._opened = _open_checked(model, report)
            try:
                self._try_out()
            except StorydeskError as error:
                if self._opened.provider.words == CPU or error.failure.code == FailureCode.MODEL_NOT_LOADED:
                    raise
                # It opened and yet does not run: out of memory, a driver too old for one of the operators ...
                detail = error.failure.parameters.get("detail", "its memory is full")
                report(self._opened.provider.words, str(detail))
                self._opened = _open_checked(model, report, PROVIDERS[-1:])
                self._try_out()
        except MemoryError as error:
            raise StorydeskError(FailureCode.MEMORY_FULL) from error
        except StorydeskError as error:
            if error.failure.code == FailureCode.MODEL_DAMAGED:
                raise _refuse(model, str(error.failure.parameters["detail"])) from error
            raise

    def _try_out(self) -> None:
        self._check_measures()
        try:
            self.open_cache().extend([self._model.end_token_id], Cancellation())
        except (StorydeskError, MemoryError):
            raise
        except Exception as error:  # a device may refuse the cache's memory, each in its own way
            detail = " ".join(str(error).split())[:160]
            raise StorydeskError(FailureCode.MODEL_DAMAGED, name=self._model.name, detail=detail) from error

    @property
    def device(self) -> str:
        """Where it runs and with how many bits, in words."""
        return f"{self._opened.provider.words}, {describe_precision(self._opened.precision)}"

    @property
    def model(self) -> StyleModel:
        """The model whose graph this is."""
        return self._model

    def open_cache(self) -> TokenCache:
        """Return an empty cache with memory of its own for all positions."""
        return TokenCache(self._opened, self._model, self._cache_shape, self._half)

    def open_rows(self, cache: TokenCache, rows: int, capacity: int) -> RowCache:
        """Return a cache of ``rows`` texts that all begin with what ``cache`` holds, for ``capacity`` tokens each."""
        from storydesk.inference.rows import RowCache

        _, heads, _, size = self._cache_shape
        return RowCache(self._opened, self._model, (rows, heads, capacity, size), cache)

    @property
    def token_bytes(self) -> int:
        """Bytes that a cache takes for each token of each text."""
        _, heads, _, size = self._cache_shape
        return self._model.layers * 2 * heads * size * (2 if self._half else 4)

    def _check_measures(self) -> None:
        """Hold the graph against the manifest and its own inputs before any memory is taken on its word."""
        model, session = self._model, self._opened.session
        measures = session.get_modelmeta().custom_metadata_map
        expected = {
            "layout": LAYOUT,
            "layers": str(model.layers),
            "heads": str(model.heads),
            "positions": str(model.positions),
            "vocabulary": str(model.vocabulary),
        }
        if any(measures.get(key) != value for key, value in expected.items()):
            raise _refuse(model, "its graph does not belong to it")
        inputs = {each.name: each for each in session.get_inputs()}
        names = {f"past_{kind}.{layer}" for layer in range(min(model.layers, 4096)) for kind in ("key", "value")}
        wanted = {"token_ids", "positions", "last_index", "total_length", "wanted"}
        outputs = {each.name: each.shape for each in session.get_outputs()}
        if set(inputs) != wanted | names or outputs.get("logits", [0])[-1] != model.vocabulary:
            raise _refuse(model, "its graph has other inputs or outputs")
        first = inputs["past_key.0"]
        head_size = first.shape[-1] if len(first.shape) == 4 else None
        if first.shape[1:2] != [model.heads] or not isinstance(head_size, int):
            raise _refuse(model, "its graph has no usable cache")
        if not 0 < head_size * model.heads < _LARGEST or not 1 < model.positions < _LARGEST:
            raise _refuse(model, "its graph has impossible measures")
        if not 0 <= model.end_token_id < model.vocabulary:
            raise _refuse(model, "its end-of-text token is none of its tokens")
        self._half = first.type == "tensor(float16)"
        self._cache_shape = (1, model.heads, model.positions, head_size)


class TokenCache:
    """The tokens that were read and what attention keeps of them. Lives where its session lives."""

    def __init__(
        self, opened: OpenedGraph, model: StyleModel, shape: tuple[int, int, int, int], half: bool = False
    ) -> None:
        """Allocate and bind the buffers; GraphSession.open_cache calls this."""
        self._session = opened.session
        self._model = model
        self._binding: Any = opened.session.io_binding()
        self._bound_rows = 0
        self._logits = np.empty((1, 0, model.vocabulary), np.float32)
        self.tokens: list[int] = []
        # Where the pieces end in which tokens were read. What a step left behind them is always read again: it
        # differs in the last bits from what a piece leaves.
        self._places: list[int] = []
        kind = np.float16 if half else np.float32
        # In one piece, because numpy asks for large pages where an array has room for some.
        values = np.zeros((2 * model.layers, *shape), kind)
        self._memory = [Memory(each, opened.provider.memory) for each in values]
        bind_memory(self._binding, [each.value for each in self._memory])

    def copy_out(self) -> list[NDArray[np.generic]]:
        """Return what attention kept of the tokens, [1, heads, tokens, size] for each layer's keys, then values."""
        return [each.read()[:, :, : len(self.tokens)] for each in self._memory]

    def truncate(self, length: int) -> None:
        """Forget all tokens after the first ``length``."""
        self._shorten(length)

    def resume(self, tokens: Sequence[int]) -> int:
        """Forget what ``tokens`` does not begin with and return how many of them need not be read again.

        At least one is left to read, because only a read gives logits.
        """
        limit = min(self._places[-1] if self._places else 0, len(tokens) - 1)
        same = 0
        while same < limit and self.tokens[same] == tokens[same]:
            same += 1
        # What was read in other pieces differs in the last bits, and the same request has to give the same text.
        start = 0
        for read, place in zip(self._places, lay_out(len(tokens)), strict=False):
            if read != place or place > same:
                break
            start = place
        self._shorten(start)
        return start

    def read(
        self,
        tokens: Sequence[int],
        cancellation: Cancellation,
        *,
        first_row: int | None = None,
        take: Callable[[int, Logits], None] | None = None,
    ) -> Logits:
        """Bring the cache to exactly ``tokens`` and return the logits after the last, [vocabulary].

        Where ``take`` is given it gets the logits after every token from index ``first_row`` on, in order and in
        pieces: the index of the first and [rows, vocabulary], to be used at once. Reading starts at ``first_row``
        at the latest. Raise Cancelled; the cache then holds what was read so far.
        """
        start = self.resume(tokens)
        places = lay_out(len(tokens))
        if take is not None and first_row is not None and first_row < start:
            start = max(place for place in (0, *places) if place <= first_row)
            self._shorten(start)
        logits: Logits = self._logits[0]
        for begin, end in itertools.pairwise((0, *places)):
            if begin < start:
                continue
            part = tokens[begin:end]
            last = end == len(tokens)
            wanted = (first_row or 0) if take is not None else len(tokens) - 1
            skipped = min(max(wanted - begin, 0), len(part) - 1 if last else len(part))
            logits = self._run(part, skipped, cancellation)
            self._places.append(end)
            if take is not None and skipped < len(part):
                take(begin + skipped, logits)
        final: Logits = logits[-1]
        return final

    def extend(self, tokens: Sequence[int], cancellation: Cancellation) -> Logits:
        """Read a few more tokens, one while writing, and return the logits after the last, [vocabulary]."""
        last: Logits = self._run(tokens, len(tokens) - 1, cancellation)[-1]
        return last

    def _shorten(self, length: int) -> None:
        del self.tokens[length:]
        while self._places and self._places[-1] > length:
            self._places.pop()

    def _run(self, tokens: Sequence[int], first_row: int, cancellation: Cancellation) -> Logits:
        """Read tokens behind those in the cache; return the logits after those from ``first_row`` on, a view."""
        cancellation.check()
        past, total = len(self.tokens), len(self.tokens) + len(tokens)
        if not past < total <= self._model.positions:
            raise ValueError(f"{total} tokens do not fit into {self._model.positions} positions")
        binding = self._binding
        binding.bind_cpu_input("token_ids", np.array([tokens], np.int64))
        binding.bind_cpu_input("positions", np.arange(past, total, dtype=np.int64)[None])
        binding.bind_cpu_input("last_index", np.array([total - 1], np.int32))
        binding.bind_cpu_input("total_length", np.array(total, np.int32))
        binding.bind_cpu_input("wanted", np.arange(first_row, len(tokens), dtype=np.int64))
        self._bind_logits(len(tokens) - first_row)
        run_bound(self._session, binding, self._model.name, cancellation)
        check_numbers(self._logits[0, -1:], self._model.name)
        self.tokens.extend(tokens)
        logits: Logits = self._logits[0]
        return logits

    def _bind_logits(self, rows: int) -> None:
        """Bind memory of ours for the logits; writing asks for one row again and again and rebinds nothing."""
        if rows != self._bound_rows:
            self._logits = np.empty((1, rows, self._model.vocabulary), np.float32)
            self._binding.bind_ortvalue_output("logits", onnxruntime.OrtValue.ortvalue_from_numpy(self._logits))
            self._bound_rows = rows


class Memory:
    """One block of a cache, in the machine's memory or a device's. Lives where its session lives."""

    def __init__(self, values: NDArray[np.generic], device: str) -> None:
        """Take the values over; in the machine's memory they are used as they lie."""
        self._values = values if device == "cpu" else None
        self._device = device
        self.value: Any = onnxruntime.OrtValue.ortvalue_from_numpy(values, device, 0)

    def read(self) -> NDArray[np.generic]:
        """Return the values: themselves in the machine's memory, else a copy."""
        values: NDArray[np.generic] = self.value.numpy() if self._values is None else self._values
        return values

    def write(self, values: NDArray[np.generic]) -> None:
        """Put back what ``read`` gave, after it was changed."""
        if self._values is None:
            self.value.update_inplace(values)


def lay_out(count: int) -> list[int]:
    """Return where the pieces end in which a prefill reads ``count`` tokens: chunks, and ever smaller ones at the end.

    Small pieces cost more for each token. So each is about three quarters of what is left to read: after an edit,
    what is read again is a few times as much as the edit is from the end. A text that grows keeps its places.
    """
    place = max(count - PIECE, 0) // CHUNK * CHUNK
    places = [*range(CHUNK, place + 1, CHUNK)]
    while count - place > PIECE:
        size = CHUNK * 3 // 4
        while 4 * size > 3 * (count - place):
            size //= 2
        place += size
        places.append(place)
    return [*places, count]


def bind_memory(binding: Any, values: Sequence[Any]) -> None:
    """Bind blocks, each layer's keys and values in turn, as past and present alike."""
    for index, value in enumerate(values):
        name = f"{('key', 'value')[index % 2]}.{index // 2}"
        binding.bind_ortvalue_input(f"past_{name}", value)
        binding.bind_ortvalue_output(f"present_{name}", value)


def run_bound(session: Any, binding: Any, name: str, cancellation: Cancellation) -> None:
    """Run a graph; raise Cancelled, StorydeskError(MEMORY_FULL, MODEL_DAMAGED)."""
    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    try:
        with cancellation.breaking(lambda: setattr(options, "terminate", True)):
            session.run_with_iobinding(binding, options)
    except Cancelled:
        raise
    except Exception as error:
        if cancellation.asked:
            raise Cancelled from error
        detail = " ".join(str(error).split())[:160]
        if isinstance(error, MemoryError) or "alloc" in detail.lower():
            raise StorydeskError(FailureCode.MEMORY_FULL) from error
        raise StorydeskError(FailureCode.MODEL_DAMAGED, name=name, detail=detail) from error


def check_numbers(logits: Logits, name: str) -> None:
    """Raise StorydeskError(MODEL_DAMAGED) where logits are no numbers."""
    if not np.isfinite(logits.max(initial=0)):
        raise StorydeskError(FailureCode.MODEL_DAMAGED, name=name, detail="it answers with no number")


def _open_checked(
    model: StyleModel, on_failure: Callable[[str, str], None], providers: Sequence[Provider] | None = None
) -> OpenedGraph:
    path = Path(model.graph)
    if not path.is_file():
        raise _refuse(model, f"there is no {path.name}")
    try:
        return open_graph(path, model.precision, on_failure, others=model.graphs, providers=providers)
    except MemoryError:
        raise
    except Exception as error:
        detail = " ".join(str(error).split())[:160]
        if "bad_alloc" in detail or "Failed to allocate" in detail:
            raise StorydeskError(FailureCode.MEMORY_FULL) from error
        raise _refuse(model, detail) from error


def _refuse(model: StyleModel, detail: str) -> StorydeskError:
    return StorydeskError(FailureCode.MODEL_NOT_LOADED, name=model.name, detail=detail)
