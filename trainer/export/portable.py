"""The portable graph: exported by Optimum, for the tools that know Hugging Face's folders. Needs torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TASK = "text-generation-with-past"


def export_portable(weights: Path, out: Path) -> None:
    """Write ``model.onnx`` (float32, with cache) and its configuration into the folder ``out``."""
    from optimum.exporters.onnx import main_export

    main_export(
        str(weights),
        out,
        task=_TASK,
        device="cpu",
        dtype="fp32",
        framework="pt",
        local_files_only=True,
        do_validation=False,  # the parity check compares it on real text instead
    )
    for leftover in out.glob("__pycache__"):
        shutil.rmtree(leftover)


class PortableRunner:
    """The portable graph as other tools load it: through Optimum's ORTModelForCausalLM. Lives on one thread."""

    def __init__(self, folder: Path) -> None:
        """Load the graph on the CPU."""
        from optimum.onnxruntime import ORTModelForCausalLM

        self._network: Any = ORTModelForCausalLM.from_pretrained(folder, local_files_only=True)

    def log_probabilities(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return [tokens, vocabulary] log-probabilities of what follows each token."""
        import torch

        tokens = torch.from_numpy(np.asarray(ids, np.int64).reshape(1, -1))
        output = self._network(input_ids=tokens, attention_mask=torch.ones_like(tokens))
        result: NDArray[np.float32] = torch.log_softmax(output.logits[0].float(), -1).numpy()
        return result
