"""Writes a GPT-2 folder as the file llama.cpp reads, so that it can be measured beside us on the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trainer.export.weights import Weights, read_shape

_HALF = 1  # llama.cpp's number for files of float16 matrices


def write_gguf(weights: Path, out: Path) -> None:
    """Write ``out`` with float16 matrices and no words: tokens go in and come out as numbers."""
    from gguf import GGUFWriter

    shape, tensors = read_shape(weights), Weights(weights)
    writer = GGUFWriter(str(out), "gpt2")
    writer.add_context_length(shape.positions)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_layer_norm_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(_HALF)
    writer.add_tokenizer_model("no_vocab")

    def add(name: str, source: str, *size: int) -> None:
        values = tensors.read(source, *size)
        matrix = len(size) == 2
        if matrix and source.startswith("h."):
            values = values.T
        writer.add_tensor(name, np.ascontiguousarray(values.astype(np.float16 if matrix else np.float32)))

    width, inner = shape.width, shape.inner
    add("token_embd.weight", "wte.weight", shape.vocabulary, width)
    positions = tensors.read("wpe.weight", shape.positions, width)
    writer.add_tensor("position_embd.weight", np.ascontiguousarray(positions))
    for layer in range(shape.layers):
        for ours, theirs in (("ln_1", "attn_norm"), ("ln_2", "ffn_norm")):
            add(f"blk.{layer}.{theirs}.weight", f"h.{layer}.{ours}.weight", width)
            add(f"blk.{layer}.{theirs}.bias", f"h.{layer}.{ours}.bias", width)
        for ours, theirs, size in (
            ("attn.c_attn", "attn_qkv", (width, 3 * width)),
            ("attn.c_proj", "attn_output", (width, width)),
            ("mlp.c_fc", "ffn_up", (width, inner)),
            ("mlp.c_proj", "ffn_down", (inner, width)),
        ):
            add(f"blk.{layer}.{theirs}.weight", f"h.{layer}.{ours}.weight", *size)
            add(f"blk.{layer}.{theirs}.bias", f"h.{layer}.{ours}.bias", size[1])
    add("output_norm.weight", "ln_f.weight", width)
    add("output_norm.bias", "ln_f.bias", width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantise_gguf(source: Path, out: Path, kind: str) -> None:
    """Let llama.cpp itself quantise a file; ``kind`` is ``q8_0`` or ``q4_0``. Raise RuntimeError where it fails."""
    import llama_cpp

    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = {"q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0}[kind]
    parameters.nthread = 2
    if llama_cpp.llama_model_quantize(str(source).encode(), str(out).encode(), parameters):
        raise RuntimeError(f"llama.cpp could not quantise {source.name}")
