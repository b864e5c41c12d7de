"""A complete GPT-2 folder in miniature, made without torch: real file formats, a network of some thousand weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

END_OF_TEXT = "<|endoftext|>"

_TRAINING_TEXT = """\
Prompt: A keeper hears a bell under the sea.

Story:
The bell rang twice before the fog came in. Mara put down her cup and listened.

"Did you hear it?" she said. Nobody answered; the kettle was cold.

Prompt: A letter comes thirty years late.

Story:
The postman was young and the envelope was not. It smelled of salt and of somebody's pipe -- her father's, she
thought, though he never wrote...

She walked along the harbour wall. The boats were in, and the gulls were loud, and the water was as black as slate.
When the lamp went out she didn't turn round. There was nothing to see there, and there never had been.
"""


def make_tiny_gpt2(
    folder: Path,
    *,
    layers: int = 2,
    heads: int = 2,
    width: int = 32,
    positions: int = 128,
    vocabulary: int = 384,
    seed: int = 0,
) -> Path:
    """Write config, weights (random, float32) and tokenizer of a small GPT-2 into ``folder`` and return it.

    ``vocabulary`` counts the end-of-text token, which is id 0, and has to be 257 at least: every byte has a token.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder, vocabulary, positions)
    _write_config(folder, layers, heads, width, positions, vocabulary)
    weights = _draw_weights(layers, width, positions, vocabulary, np.random.default_rng(seed))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _write_tokenizer(folder: Path, vocabulary: int, positions: int) -> None:
    """Train a byte-level BPE on a few lines of ours and pad it with unused tokens up to ``vocabulary``."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=1,
        show_progress=False,
    )
    tokenizer.train_from_iterator([_TRAINING_TEXT], trainer)
    missing = vocabulary - tokenizer.get_vocab_size()
    tokenizer.add_tokens([AddedToken(f"<unused{number}>", normalized=False) for number in range(missing)])
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "add_prefix_space": False,
            "bos_token": END_OF_TEXT,
            "eos_token": END_OF_TEXT,
            "unk_token": END_OF_TEXT,
            "model_max_length": positions,
            "tokenizer_class": "GPT2Tokenizer",
        },
    )
    names = ("bos_token", "eos_token", "unk_token")
    _write_json(folder / "special_tokens_map.json", dict.fromkeys(names, END_OF_TEXT))


def _write_config(folder: Path, layers: int, heads: int, width: int, positions: int, vocabulary: int) -> None:
    """Write ``config.json`` with the fields that GPT-2 folders on the Hub have."""
    config = {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1,
        "bos_token_id": 0,
        "dtype": "float32",
        "embd_pdrop": 0.1,
        "eos_token_id": 0,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_ctx": positions,
        "n_embd": width,
        "n_head": heads,
        "n_inner": None,
        "n_layer": layers,
        "n_positions": positions,
        "resid_pdrop": 0.1,
        "scale_attn_by_inverse_layer_idx": False,
        "scale_attn_weights": True,
        "use_cache": True,
        "vocab_size": vocabulary,
    }
    _write_json(folder / "config.json", config)
    _write_json(folder / "generation_config.json", {"bos_token_id": 0, "eos_token_id": 0})


def _draw_weights(
    layers: int, width: int, positions: int, vocabulary: int, random: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Return weights by Hugging Face's names; projections are stored [in, out], as GPT-2's Conv1D has them."""

    def draw(*shape: int, scale: float = 0.08) -> NDArray[np.float32]:
        return (random.standard_normal(shape) * scale).astype(np.float32)

    weights = {
        "transformer.wte.weight": draw(vocabulary, width),
        "transformer.wpe.weight": draw(positions, width, scale=0.02),
        "transformer.ln_f.weight": 1 + draw(width, scale=0.02),
        "transformer.ln_f.bias": draw(width, scale=0.02),
    }
    for layer in range(layers):
        prefix = f"transformer.h.{layer}"
        for norm in ("ln_1", "ln_2"):
            weights[f"{prefix}.{norm}.weight"] = 1 + draw(width, scale=0.02)
            weights[f"{prefix}.{norm}.bias"] = draw(width, scale=0.02)
        for name, inputs, outputs in (
            ("attn.c_attn", width, 3 * width),
            ("attn.c_proj", width, width),
            ("mlp.c_fc", width, 4 * width),
            ("mlp.c_proj", 4 * width, width),
        ):
            weights[f"{prefix}.{name}.weight"] = draw(inputs, outputs)
            weights[f"{prefix}.{name}.bias"] = draw(outputs, scale=0.02)
    return weights


def _write_json(path: Path, content: object) -> None:
    """Write ``content`` as indented UTF-8 JSON."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
