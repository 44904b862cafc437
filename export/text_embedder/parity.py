"""Whether the ONNX graph computes what the weights say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from export.text_embedder.blob import Embedder
from export.text_embedder.graph import INPUTS, OUTPUT
from export.text_embedder.reference import embeddings
from tandem.services.text_keywords.lanes import Lane, pack

_SEED = 20_261
_TEXT_LENGTHS = (3, 12)  # tokens of a random text


def largest_difference(model: Embedder, graph: bytes, shapes: Sequence[tuple[int, int]]) -> float:
    """The largest difference of a coordinate between ONNX Runtime and `reference`, over random texts.

    The graph gets the texts side by side on lanes, the reference each one alone.

    Args:
        model: the weights.
        graph: the serialised ONNX model.
        shapes: (lanes of a batch, tokens of a lane) each.
    """
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(_SEED)
    worst = 0.0
    for batch, length in shapes:
        texts = [_random_text(model, random) for _ in range(batch * length // _TEXT_LENGTHS[1])]
        lanes = pack(texts, pad=model.vocabulary.pad, length=length)
        for begin in range(0, len(lanes), batch):
            own = lanes[begin : begin + batch]
            (found,) = session.run([OUTPUT], _feeds(own))
            for lane, vectors in zip(own, found, strict=True):
                for place, vector in zip(lane.places, vectors, strict=False):
                    expected = embeddings(model, np.array([texts[place]], np.int32))[0]
                    worst = max(worst, float(np.abs(vector - expected).max()))
                worst = max(worst, float(np.abs(vectors[len(lane.places) :]).max(initial=0.0)))
    return worst


def _feeds(lanes: Sequence[Lane]) -> dict[str, NDArray[np.int32]]:
    tensors = [lane.tensors() for lane in lanes]
    return {name: np.stack([one[name] for one in tensors]) for name in INPUTS}


def _random_text(model: Embedder, random: np.random.Generator) -> list[int]:
    words = random.integers(4, model.shape.vocabulary, int(random.integers(*_TEXT_LENGTHS)))
    return [model.vocabulary.bos, *map(int, words), model.vocabulary.eos]
