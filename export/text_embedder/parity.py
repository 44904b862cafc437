"""Whether the ONNX graph computes what the weights say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime

from export.text_embedder.blob import Embedder
from export.text_embedder.graph import INPUT, OUTPUT
from export.text_embedder.reference import embeddings

_SEED = 20_261


def largest_difference(model: Embedder, graph: bytes, shapes: Sequence[tuple[int, int, int]]) -> float:
    """The largest difference of a coordinate between ONNX Runtime and `reference`, over random rows.

    Args:
        model: the weights.
        graph: the serialised ONNX model.
        shapes: (batch, rows, length) each; in every item one row is half filling and, if there are several,
            one nothing else.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(_SEED)
    worst = 0.0
    for batch, rows, length in shapes:
        tokens = random.integers(4, model.shape.vocabulary, (batch, rows, length)).astype(np.int32)
        tokens[:, 0, length // 2 :] = model.vocabulary.pad
        if rows > 1:
            tokens[:, -1] = model.vocabulary.pad
        (found,) = session.run([OUTPUT], {INPUT: tokens})
        expected = embeddings(model, tokens.reshape(-1, length)).reshape(found.shape)
        worst = max(worst, float(np.abs(found - expected).max()))
    return worst
