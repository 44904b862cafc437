"""A GGUF file with a small random Qwen2 network, and the same network in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGUFWriter
from numpy.typing import NDArray

HIDDEN, LAYERS, HEADS, KV_HEADS, INNER = 64, 2, 4, 2, 96
BASE, EPSILON = 10_000.0, 1e-6
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
Floats = NDArray[np.float32]


def byte_letters() -> list[str]:
    """The 256 letters of a byte-level vocabulary, by byte."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


@dataclass(frozen=True, kw_only=True)
class SmallQwen:
    tokens: tuple[str, ...]
    weights: dict[str, Floats]

    def logits(self, ids: list[int]) -> Floats:
        """(length, vocabulary), by Qwen2's formulas: pre-norm, RMS, rotary halves, grouped heads, SwiGLU."""
        weights = self.weights
        state = weights["token_embd"][ids]
        for layer in range(LAYERS):
            name = f"blk.{layer}."
            state = state + self._attention(_rms(state, weights[name + "attn_norm"]), name)
            normed = _rms(state, weights[name + "ffn_norm"])
            gate = normed @ weights[name + "ffn_gate"].T
            inner = gate / (1 + np.exp(-gate)) * (normed @ weights[name + "ffn_up"].T)
            state = state + inner @ weights[name + "ffn_down"].T
        return np.asarray(_rms(state, weights["output_norm"]) @ weights["token_embd"].T, np.float32)

    def _attention(self, state: Floats, name: str) -> Floats:
        length, size = len(state), HIDDEN // HEADS
        query, key, value = (
            (state @ self.weights[f"{name}attn_{part}"].T + self.weights[f"{name}attn_{part}.bias"])
            .reshape(length, -1, size)
            .swapaxes(0, 1)
            for part in "qkv"
        )
        query, key = _rotated(query), _rotated(key)
        key, value = (np.repeat(one, HEADS // KV_HEADS, axis=0) for one in (key, value))
        scores = query @ key.swapaxes(1, 2) / np.sqrt(size)
        scores = np.where(np.tri(length, dtype=bool), scores, -np.inf)
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (powers / powers.sum(axis=-1, keepdims=True)) @ value
        return np.asarray(mixed.swapaxes(0, 1).reshape(length, HIDDEN) @ self.weights[f"{name}attn_output"].T)


def _rms(state: Floats, gamma: Floats) -> Floats:
    return np.asarray(state / np.sqrt((state**2).mean(axis=-1, keepdims=True) + EPSILON) * gamma)


def _rotated(heads: Floats) -> Floats:
    _, length, size = heads.shape
    angles = np.outer(np.arange(length), BASE ** (-np.arange(0, size, 2) / size))
    cos, sin = np.cos(np.tile(angles, 2)), np.sin(np.tile(angles, 2))
    turned = np.concatenate([-heads[..., size // 2 :], heads[..., : size // 2]], axis=-1)
    return np.asarray(heads * cos + turned * sin, np.float32)


def small_qwen(seed: int = 3) -> SmallQwen:
    letters = byte_letters()
    tokens = (*letters, letters[ord("a")] + letters[ord("b")], *SPECIAL)
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> Floats:
        return random.normal(0, 0.3, (rows, columns)).astype(np.float32)

    size = HIDDEN // HEADS * KV_HEADS
    weights = {"token_embd": matrix(len(tokens) + 4, HIDDEN), "output_norm": 1 + matrix(1, HIDDEN)[0]}
    for layer in range(LAYERS):
        name = f"blk.{layer}."
        for part, rows in (("q", HIDDEN), ("k", size), ("v", size)):
            weights[f"{name}attn_{part}"] = matrix(rows, HIDDEN)
            weights[f"{name}attn_{part}.bias"] = matrix(1, rows)[0]
        weights |= {
            name + "attn_output": matrix(HIDDEN, HIDDEN),
            name + "attn_norm": 1 + matrix(1, HIDDEN)[0],
            name + "ffn_norm": 1 + matrix(1, HIDDEN)[0],
            name + "ffn_gate": matrix(INNER, HIDDEN),
            name + "ffn_up": matrix(INNER, HIDDEN),
            name + "ffn_down": matrix(HIDDEN, INNER),
        }
    return SmallQwen(tokens=tokens, weights=weights)


def write_gguf(model: SmallQwen, path: Path, architecture: str = "qwen2") -> None:
    writer = GGUFWriter(path, architecture)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(list(model.tokens))
    writer.add_token_types([3 if token in SPECIAL else 1 for token in model.tokens])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(model.tokens.index(SPECIAL[0]))
    writer.add_eos_token_id(model.tokens.index(SPECIAL[2]))
    for name, values in model.weights.items():
        writer.add_tensor(name if name.endswith(".bias") else f"{name}.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
