"""The recogniser without needless work: the same answers, plain ends and sure blanks left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from export.errors import ExportError
from export.recognizer import export_recognizer
from export.recognizer_gate import Gate, fitted, read_gate, write_gate
from export.recognizer_graph import STEP
from export.recognizer_lean import GRAIN, MARGIN, lean
from export.recognizer_parity import TOLERANCE, sample_lanes
from export.recognizer_tuned import read_tuned
from export.recognizer_weights import published_weights

EVERYTHING = read_gate().opened()
PAPER = 225


def run(model: onnx.ModelProto, lanes: NDArray[np.uint8]) -> tuple[Any, Any]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    characters, probabilities = session.run(["CHARACTERS", "PROBABILITIES"], {"LANES": lanes})
    return characters, probabilities


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    folder = tmp_path_factory.mktemp("recogniser")
    export_recognizer(published_weights(), folder / "model.onnx", folder / "characters.txt", read_tuned())
    return onnx.load(str(folder / "model.onnx"))


def ending(lanes: NDArray[np.uint8], plain_px: int) -> NDArray[np.uint8]:
    """The lanes with so many px of one colour behind."""
    shape = (*lanes.shape[:3], plain_px, 3)
    return np.concatenate([lanes, np.full(shape, PAPER, np.uint8)], axis=3)


@pytest.mark.parametrize("size", [(1, 3, 320), (2, 2, 320), (2, 1, 88)])
def test_the_blocks_five_best_are_the_five_best(plain: onnx.ModelProto, size: tuple[int, int, int]) -> None:
    lanes = sample_lanes(*size, seed=3)
    characters, probabilities = run(plain, lanes)
    lean_characters, lean_probabilities = run(lean(plain, EVERYTHING), lanes)
    np.testing.assert_allclose(lean_probabilities, probabilities, atol=TOLERANCE)
    # Classes whose probabilities are equal to the last digit may change places.
    apart = np.abs(np.diff(probabilities, axis=-1)).min(axis=-1) > TOLERANCE
    assert apart.mean() > 0.01
    np.testing.assert_array_equal(lean_characters[apart], characters[apart])


def test_the_gate_leaves_out_sure_blanks_only(plain: onnx.ModelProto) -> None:
    lanes = sample_lanes(2, 3, 640, seed=5)
    characters, probabilities = run(plain, lanes)
    lean_characters, lean_probabilities = run(lean(plain, read_gate()), lanes)
    out = (lean_characters == 0).all(axis=-1)  # a step that was read has five different classes
    assert out.mean() > 0.4
    np.testing.assert_array_equal(lean_probabilities[out], np.tile([1, 0, 0, 0, 0], (out.sum(), 1)))
    blank = np.where(characters == 0, probabilities, 0).sum(-1)
    assert blank[out].min() > 0.5
    np.testing.assert_allclose(lean_probabilities[~out], probabilities[~out], atol=TOLERANCE)


def test_plain_ends_are_blanks_and_cost_nothing(plain: onnx.ModelProto) -> None:
    written = sample_lanes(1, 1, 320)
    short, long = ending(written, MARGIN + GRAIN), ending(written, 2000)
    model = lean(plain, EVERYTHING)
    kept = (320 + MARGIN + GRAIN - 1) // GRAIN * GRAIN // STEP
    characters, probabilities = run(model, long)
    assert characters.shape[2] == long.shape[3] // STEP
    assert (characters[:, :, kept:] == 0).all()
    assert (probabilities[:, :, kept:, 0] == 1).all()
    same, _ = run(model, short)
    np.testing.assert_array_equal(characters[:, :, :kept], same[:, :, :kept])


def test_of_several_lanes_with_plain_ends_each_gets_its_own_answers(plain: onnx.ModelProto) -> None:
    lanes = ending(sample_lanes(2, 2, 320), 1200)
    model = lean(plain, EVERYTHING)
    together, _ = run(model, lanes)
    for item in range(2):
        for lane in range(2):
            alone, _ = run(model, lanes[item : item + 1, lane : lane + 1])
            assert (alone[..., 0] > 0).sum() > 5  # something is written there
            same = together[item, lane, :, 0] == alone[0, 0, :, 0]
            assert same.mean() > 0.99  # sums of floats may be taken in another order


def test_a_lane_of_nothing_but_paper_is_blank(plain: onnx.ModelProto) -> None:
    characters, probabilities = run(lean(plain, read_gate()), np.full((1, 1, 48, 896, 3), 128, np.uint8))
    assert (characters[..., 0] == 0).all()
    assert (probabilities[..., 0] > 0.5).all()


def test_another_graph_is_refused() -> None:
    other = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> g (float[n] x) => (float[n] y) { y = Abs(x) }'
    )
    with pytest.raises(ExportError, match="not the recogniser"):
        lean(other, read_gate())


def test_a_gate_is_written_and_read(tmp_path: Path) -> None:
    gate = Gate(layers=tuple(layer + 1 for layer in read_gate().layers))  # type: ignore[arg-type]
    write_gate(gate, tmp_path / "gate.npz")
    for one, other in zip(gate.layers, read_gate(tmp_path / "gate.npz").layers, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_that_is_no_gate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gate.npz").write_bytes(b"no gate")
    with pytest.raises(ExportError, match="holds no gate"):
        read_gate(tmp_path / "gate.npz")


def test_fitting_learns_who_is_blank() -> None:
    pytest.importorskip("torch", reason="fitting needs the extra 'training'")
    rng = np.random.default_rng(1)
    features = rng.normal(size=(4000, 8)).astype(np.float32)
    blanks = np.where(features[:, 2] > 0.5, 0.1, 0.999).astype(np.float32)
    gate = fitted(features, blanks)
    read = gate.scores(features) > gate.threshold
    assert read[blanks < 0.5].all()
    assert read[features[:, 2] < -0.5].mean() < 0.2
