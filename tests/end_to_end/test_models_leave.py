"""What leaves the shelf is loaded by the tools it is meant for, and says there what it said here."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.model_shelf import ExportForm
from storydesk.storage.model_library import BundleLibrary
from storydesk.storage.model_shelf import BundleShelf
from tests.end_to_end.commands import Storydesk

TEXT = "Prompt: A bell\n\nStory:\nThe bell rang twice before the fog came in."


@pytest.fixture(scope="module")
def shelf(tiny: Storydesk, tiny_folder: Path) -> BundleShelf:
    models = tiny.home / "models"
    return BundleShelf(BundleLibrary(models, tiny_folder), models)


def test_transformers_loads_the_hugging_face_folder(shelf: BundleShelf, tiny: Storydesk, tmp_path: Path) -> None:
    import torch
    from transformers import GPT2LMHeadModel, GPT2TokenizerFast

    out = shelf.export("tiny", ExportForm.HUGGING_FACE, tmp_path / "out")
    tokenizer = GPT2TokenizerFast.from_pretrained(out, local_files_only=True)
    network: Any = GPT2LMHeadModel.from_pretrained(out, local_files_only=True)
    ours: Any = GPT2LMHeadModel.from_pretrained(tiny.home / "models" / "tiny" / "weights", local_files_only=True)
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    with torch.inference_mode():
        assert torch.equal(network(ids).logits, ours(ids).logits)
    assert tokenizer.decode(ids[0]) == TEXT


def test_the_portable_graph_is_made_by_the_trainer_and_loads(shelf: BundleShelf, tmp_path: Path) -> None:
    import onnx
    import torch
    from transformers import GPT2LMHeadModel, GPT2TokenizerFast

    heard: list[int] = []
    archive = shelf.export("tiny", ExportForm.ONNX, tmp_path / "out.zip", lambda done, _total: heard.append(done))
    assert heard == sorted(heard)
    assert heard[-1] == 1000
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    graph = onnx.load(str(tmp_path / "tiny" / "model.onnx"), load_external_data=False)
    assert {each.domain for each in graph.opset_import} <= {"", "ai.onnx"}
    tokenizer = GPT2TokenizerFast.from_pretrained(tmp_path / "tiny", local_files_only=True)
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    said = torch.from_numpy(ask(tmp_path / "tiny" / "model.onnx", ids.numpy()))
    weights = shelf.folder / "tiny" / "weights"
    with torch.inference_mode():
        ours: Any = GPT2LMHeadModel.from_pretrained(weights, local_files_only=True)
        assert torch.allclose(said, ours(ids).logits, atol=1e-3)


def ask(graph: Path, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what the graph says when it is run by anybody, with nothing before the text."""
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    feed: dict[str, NDArray[Any]] = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    feed["position_ids"] = np.arange(ids.shape[1], dtype=np.int64)[None]
    for each in session.get_inputs():
        if each.name.startswith("past_key_values"):
            _batch, heads, _before, width = each.shape
            feed[each.name] = np.zeros((1, heads, 0, width), np.float32)
    names = {each.name for each in session.get_inputs()}
    said: NDArray[np.float32] = session.run(["logits"], {name: value for name, value in feed.items() if name in names})[
        0
    ]
    return said


def test_a_cancel_ends_the_trainer_and_leaves_nothing(shelf: BundleShelf, tmp_path: Path) -> None:
    def cancel(_done: int, _total: int) -> None:
        raise StorydeskError(FailureCode.CANCELLED)

    with pytest.raises(StorydeskError) as caught:
        shelf.export("tiny", ExportForm.ONNX, tmp_path / "out" / "onnx", cancel)
    assert caught.value.failure.code == FailureCode.CANCELLED
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    assert not list((shelf.folder / ".staging").iterdir())
