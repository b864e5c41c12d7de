"""Engines behind one face, to be measured in turn: ours, transformers, Optimum, CTranslate2, llama.cpp.

Each is imported and loaded only where it is measured, in a process of its own. All of them get token numbers, use two
threads, and compute no more logits than the task asks for, where they can.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.export.weights import read_shape

THREADS = int(os.environ.get("STORYDESK_BENCH_THREADS", "2"))


class Peer(ABC):
    """One engine with one kind of weights. Lives on one thread."""

    def __init__(self, folder: Path, kind: str) -> None:
        """``folder`` is what ``prepare`` made; ``kind`` names the precision in the engine's own words."""
        self.folder = folder
        self.kind = kind
        self.shape = read_shape(folder / "weights")

    @abstractmethod
    def import_parts(self) -> None:
        """Import what the engine needs: memory and time are counted from here."""

    @abstractmethod
    def load(self) -> None:
        """Load the model."""

    @abstractmethod
    def prefill(self, tokens: Sequence[int]) -> None:
        """Read tokens from nothing and compute the logits after the last."""

    @abstractmethod
    def begin(self, tokens: Sequence[int], rows: int) -> None:
        """Read tokens for ``rows`` texts that will be stepped together."""

    @abstractmethod
    def step(self, tokens: Sequence[int]) -> None:
        """Read one token for each row and compute the logits after it."""

    def decode_whole(self, tokens: Sequence[int], rows: int, steps: int) -> bool:
        """Write ``steps`` tokens for each row in one call where the engine has no steps; return whether it did."""
        return False

    def prepare_scoring(self) -> None:
        """Load what turns text into tokens: loading is not what is measured."""
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(self.folder / "weights" / "tokenizer.json"))

    def score_text(self, text: str, most_seconds: float) -> int | None:
        """Compute the nats of a text's tokens and return of how many; None where the engine can't.

        Past ``most_seconds`` no further window is begun.
        """
        return self.score([self.shape.end_token_id, *self._tokenizer.encode(text).ids], most_seconds)

    def score(self, tokens: Sequence[int], most_seconds: float) -> int | None:
        """Compute the nats of all tokens after the first, in windows half of which overlap; return of how many."""
        ends = time.perf_counter() + most_seconds
        scored = 0
        for start, end, first in self.list_windows(len(tokens)):
            if not self.score_window(tokens, start, end, first):
                return None
            scored += end + 1 - first
            if time.perf_counter() > ends:
                break
        return scored

    def score_window(self, tokens: Sequence[int], start: int, end: int, first: int) -> bool:
        """Read tokens from ``start`` to ``end`` and compute the nats from ``first`` on; return whether it can."""
        return False

    def list_windows(self, count: int) -> list[tuple[int, int, int]]:
        """Return start, end and first scored target of the windows that our own scoring reads too."""
        size = self.shape.positions
        windows, scored = [], 1
        while scored < count:
            start = 0 if scored <= size else -(-(scored - size) // (size // 2)) * (size // 2)
            end = min(start + size, count - 1)
            windows.append((start, end, scored))
            scored = end + 1
        return windows


class Storydesk(Peer):
    """This project's engine."""

    def import_parts(self) -> None:
        """Import the engine and its libraries."""
        import storydesk.inference.generator
        import storydesk.inference.rows
        import storydesk.inference.scoring  # noqa: F401

    def load(self) -> None:
        """Load the graph by the app's own door."""
        from storydesk.inference.cancellation import Cancellation
        from storydesk.inference.session import GraphSession
        from tests.bench.prepare import describe_graph

        self._cancellation = Cancellation()
        self.session = GraphSession(describe_graph(self.folder, self.kind))
        self.cache = self.session.open_cache()
        self._rows: Any = None

    def prefill(self, tokens: Sequence[int]) -> None:
        """Read into an empty cache."""
        self.cache.truncate(0)
        self.cache.read(tokens, self._cancellation)

    def begin(self, tokens: Sequence[int], rows: int) -> None:
        """One prefill for all rows."""
        self.prefill(tokens)
        room = min(len(tokens) + 400, self.shape.positions)
        self._rows = self.session.open_rows(self.cache, rows, room) if rows > 1 else None

    def step(self, tokens: Sequence[int]) -> None:
        """Step one text or the batch."""
        if self._rows is None:
            self.cache.extend(tokens, self._cancellation)
        else:
            self._rows.step(tokens, self._cancellation)

    def prepare_scoring(self) -> None:
        """Load the tokenizer as the app does."""
        from storydesk.inference.tokenizer import TextTokenizer

        model = self.session.model
        self._tokenizer = TextTokenizer(model.tokenizer, model.name, model.vocabulary)

    def score_text(self, text: str, most_seconds: float) -> int | None:
        """Score the whole text as the heat map does, ranks and entropies included."""
        from storydesk.inference.scoring import TextScorer

        scorer = TextScorer(self.session, self._tokenizer, "ascii-1")
        return len(scorer.score(text, "", self._cancellation).tokens)


class Transformers(Peer):
    """transformers in PyTorch; ``kind`` is ``fp32`` or ``bf16``."""

    def import_parts(self) -> None:
        """Import torch and the network's class."""
        import torch
        from transformers import GPT2LMHeadModel  # noqa: F401

        torch.set_num_threads(THREADS)
        torch.set_grad_enabled(False)

    def load(self) -> None:
        """Load the network."""
        import torch
        from transformers import GPT2LMHeadModel

        kind = torch.bfloat16 if self.kind == "bf16" else torch.float32
        self._network: Any = GPT2LMHeadModel.from_pretrained(self.folder / "weights", dtype=kind).eval()
        self._past: Any = None

    def _run(self, ids: Any, past: Any, keep: int = 1) -> Any:
        return self._network(input_ids=ids, past_key_values=past, use_cache=True, logits_to_keep=keep)

    def prefill(self, tokens: Sequence[int]) -> None:
        """One forward pass."""
        self.begin(tokens, 1)

    def begin(self, tokens: Sequence[int], rows: int) -> None:
        """One forward pass with all rows."""
        import torch

        self._past = self._run(torch.tensor([list(tokens)] * rows), None).past_key_values

    def step(self, tokens: Sequence[int]) -> None:
        """One forward pass with one token each."""
        import torch

        self._past = self._run(torch.tensor(tokens)[:, None], self._past).past_key_values

    def score_window(self, tokens: Sequence[int], start: int, end: int, first: int) -> bool:
        """One forward pass, logits for what is scored only."""
        import torch

        targets = torch.tensor(tokens[first : end + 1])
        ids = torch.tensor([list(tokens[start:end])])
        output = self._network(input_ids=ids, use_cache=False, logits_to_keep=len(targets))
        float(torch.nn.functional.cross_entropy(output.logits[0].float(), targets, reduction="sum"))
        return True


class Optimum(Transformers):
    """Optimum's own export, run by its own class on ONNX Runtime."""

    def import_parts(self) -> None:
        """Import Optimum."""
        from optimum.onnxruntime import ORTModelForCausalLM  # noqa: F401

    def load(self) -> None:
        """Load the portable graph."""
        import onnxruntime
        from optimum.onnxruntime import ORTModelForCausalLM

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self._network = ORTModelForCausalLM.from_pretrained(
            self.folder / "portable", local_files_only=True, session_options=options
        )
        self._past = None

    def _run(self, ids: Any, past: Any, keep: int = 1) -> Any:
        import torch

        length = ids.shape[1] + (past[0][0].shape[2] if past is not None else 0)
        mask = torch.ones((len(ids), length), dtype=torch.int64)
        return self._network(input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=True)

    def score_window(self, tokens: Sequence[int], start: int, end: int, first: int) -> bool:
        """Not measured: its logits are those of every token, which no writer would wait for."""
        return False


class CTranslate2(Peer):
    """CTranslate2; ``kind`` is ``int8`` or ``float32``."""

    def import_parts(self) -> None:
        """Import the library."""
        import ctranslate2  # noqa: F401

    def load(self) -> None:
        """Load the converted folder."""
        import ctranslate2
        from tokenizers import Tokenizer

        self._generator = ctranslate2.Generator(
            str(self.folder / "ctranslate2"), compute_type=self.kind, inter_threads=1, intra_threads=THREADS
        )
        words = Tokenizer.from_file(str(self.folder / "weights" / "tokenizer.json"))
        self._words = [words.id_to_token(number) for number in range(self.shape.vocabulary)]

    def _write(self, tokens: Sequence[int], rows: int, steps: int) -> None:
        prompt = [self._words[token] for token in tokens]
        options: Any = {"max_length": steps, "min_length": steps, "sampling_topk": 1, "beam_size": 1}
        self._generator.generate_batch([prompt] * rows, include_prompt_in_result=False, **options)

    def prefill(self, tokens: Sequence[int]) -> None:
        """Write one token."""
        self._write(tokens, 1, 1)

    def begin(self, tokens: Sequence[int], rows: int) -> None:
        """Do nothing: it writes in one call."""

    def step(self, tokens: Sequence[int]) -> None:
        """Never called."""
        raise NotImplementedError

    def decode_whole(self, tokens: Sequence[int], rows: int, steps: int) -> bool:
        """Write in one call."""
        self._write(tokens, rows, steps)
        return True

    def score_window(self, tokens: Sequence[int], start: int, end: int, first: int) -> bool:
        """Score the window; it computes the overlap's logits too, because it can't leave them out."""
        words = [self._words[token] for token in tokens[start : min(end + 1, start + self.shape.positions)]]
        float(np.sum(self._generator.score_batch([words])[0].log_probs[first - start - 1 :]))
        return True


class LlamaCpp(Peer):
    """llama.cpp through its C interface; ``kind`` is ``q8_0`` or ``q4_0``."""

    def import_parts(self) -> None:
        """Import the library and silence it."""
        import llama_cpp

        self._silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self._silent, ctypes.c_void_p(0))

    def load(self) -> None:
        """Load the quantised file, without repacked buffers: GPT-2's odd vocabulary does not go into them."""
        import llama_cpp

        self._api: Any = llama_cpp
        llama_cpp.llama_backend_init()
        options = llama_cpp.llama_model_default_params()
        options.use_extra_bufts = self.kind.endswith("repacked")
        path = self.folder / f"{self.kind.split()[0]}.gguf"
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), options)
        if not self._model:
            raise RuntimeError("llama.cpp could not load the file")
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx, settings.n_batch, settings.n_ubatch = self.shape.positions * 8, 1024, 512
        settings.n_seq_max, settings.kv_unified = 8, True
        settings.n_threads = settings.n_threads_batch = THREADS
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        self._batch = llama_cpp.llama_batch_init(1024, 0, 8)

    def _decode(self, tokens: Sequence[int], places: Sequence[int], rows: Sequence[int], *, last_only: bool) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, (token, place, row) in enumerate(zip(tokens, places, rows, strict=True)):
            batch.token[index], batch.pos[index] = int(token), place
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, row
            batch.logits[index] = not last_only or index == len(tokens) - 1
        if self._api.llama_decode(self._context, batch):
            raise RuntimeError("llama.cpp could not read the tokens")
        self._api.llama_get_logits_ith(self._context, -1)[0]

    def prefill(self, tokens: Sequence[int]) -> None:
        """Read in one batch."""
        self.begin(tokens, 1)

    def begin(self, tokens: Sequence[int], rows: int) -> None:
        """Read once and let all rows share it."""
        memory = self._api.llama_get_memory(self._context)
        self._api.llama_memory_clear(memory, True)
        self._decode(tokens, range(len(tokens)), [0] * len(tokens), last_only=True)
        for row in range(1, rows):
            self._api.llama_memory_seq_cp(memory, 0, row, -1, -1)
        self._length = len(tokens)

    def step(self, tokens: Sequence[int]) -> None:
        """Read one token for each row."""
        self._decode(tokens, [self._length] * len(tokens), range(len(tokens)), last_only=False)
        self._length += 1


@dataclasses.dataclass(frozen=True, slots=True)
class Contender:
    """An engine in the table; ``long`` ones score 20,000 words too."""

    name: str
    peer: type[Peer]
    kind: str
    long: bool = False


CONTENDERS = (
    Contender("storydesk int8", Storydesk, "int8", long=True),
    Contender("storydesk int4", Storydesk, "int4"),
    Contender("storydesk fp32", Storydesk, "fp32"),
    Contender("transformers fp32", Transformers, "fp32"),
    Contender("transformers bf16", Transformers, "bf16", long=True),
    Contender("optimum fp32", Optimum, "fp32"),
    Contender("ctranslate2 int8", CTranslate2, "int8", long=True),
    Contender("llama.cpp q8_0", LlamaCpp, "q8_0"),
    Contender("llama.cpp q4_0", LlamaCpp, "q4_0"),
    Contender("llama.cpp q4_0 repacked", LlamaCpp, "q4_0 repacked"),
)
