"""The embedder computed with numpy, straight from the paper's formulas: what the ONNX graph must equal."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from export.text_embedder.blob import Embedder, Floats

_erf = np.vectorize(math.erf, otypes=[np.float32])


def embeddings(model: Embedder, tokens: NDArray[np.int32]) -> Floats:
    """The unit vectors of rows of tokens.

    A BERT encoder (Devlin et al. 2019) whose outputs are averaged over the tokens that are no filling and
    scaled to length 1 (Wang et al. 2024, "Multilingual E5", section 3).
    A row of nothing but filling gives zeros.

    Args:
        model: the weights.
        tokens: (rows, length) ids, each row filled behind with the pad id.

    Returns:
        (rows, hidden) float32.
    """
    mask = tokens != model.vocabulary.pad  # (rows, length)
    weights, hidden = model.tensors, model.shape.hidden
    scales = np.repeat(model.word_scales[tokens].astype(np.float32), 32, axis=-1)
    state = model.word_values[tokens] * scales
    state = state + weights["emb.pos"][: tokens.shape[1]] + weights["emb.type"][0]
    state = _norm(model, state, "emb.ln")
    for layer in range(model.shape.layers):
        state = _layer(model, state, mask, f"l{layer}")
    summed = (state * mask[..., None]).sum(axis=1)
    lengths = np.linalg.norm(summed, axis=1, keepdims=True)
    return np.asarray((summed / np.maximum(lengths, 1e-12)).reshape(-1, hidden), np.float32)


def _layer(model: Embedder, state: Floats, mask: NDArray[np.bool_], name: str) -> Floats:
    attended = _linear(model, _attention(model, state, mask, name), f"{name}.ao")
    state = _norm(model, state + attended, f"{name}.aln")
    inner = _linear(model, state, f"{name}.fi")
    inner = inner * 0.5 * (1 + _erf(inner / np.sqrt(2, dtype=np.float32)))
    return _norm(model, state + _linear(model, inner, f"{name}.fo"), f"{name}.oln")


def _attention(model: Embedder, state: Floats, mask: NDArray[np.bool_], name: str) -> Floats:
    rows, length, hidden = state.shape
    heads = model.shape.heads
    query, key, value = (
        _linear(model, state, f"{name}.{part}").reshape(rows, length, heads, -1).swapaxes(1, 2)
        for part in "qkv"
    )
    scores = query @ key.swapaxes(2, 3) / np.sqrt(hidden // heads)
    scores = np.where(mask[:, None, None, :], scores, -1e9)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(
        (powers / powers.sum(axis=-1, keepdims=True) @ value).swapaxes(1, 2).reshape(state.shape), np.float32
    )


def _linear(model: Embedder, state: Floats, name: str) -> Floats:
    return np.asarray(state @ model.tensors[f"{name}.w"].T + model.tensors[f"{name}.b"], np.float32)


def _norm(model: Embedder, state: Floats, name: str) -> Floats:
    centred = state - state.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + model.epsilon)
    return np.asarray(scaled * model.tensors[f"{name}.w"] + model.tensors[f"{name}.b"], np.float32)
