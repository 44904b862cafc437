"""The recogniser's own weights: into the published graph, out of torch, and refusals."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from export.errors import ExportError
from export.recognizer import export_recognizer
from export.recognizer_parity import sample_lanes
from export.recognizer_tuned import (
    RECTIFIED,
    Pair,
    Tuned,
    read_tuned,
    slots,
    weights_of,
    with_tuned,
    write_tuned,
)
from export.recognizer_weights import published_weights


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    folder = tmp_path_factory.mktemp("published")
    export_recognizer(published_weights(), folder / "model.onnx", folder / "characters.txt")
    return onnx.load(str(folder / "model.onnx"))


def read(model: onnx.ModelProto) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    classes, probabilities = session.run(["CHARACTERS", "PROBABILITIES"], {"LANES": sample_lanes(1, 2, 320)})
    return classes, probabilities


def written_lanes(lines: list[str], width: int, seed: int) -> NDArray[np.uint8]:
    """(1, L, 48, W, 3) uint8: the lines on paper with grain, a lane each."""
    rng = np.random.default_rng(seed)
    lanes = rng.normal(225, 6, (len(lines), 48, width, 3)).clip(0, 255).astype(np.uint8)
    for lane, line in zip(lanes, lines, strict=True):
        cv2.putText(lane, line, (8, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (40, 40, 40), 2, cv2.LINE_AA)
    return lanes[np.newaxis]


def said(model: onnx.ModelProto, lanes: NDArray[np.uint8], names: list[str]) -> list[str]:
    """The texts of lanes (1, L, 48, W, 3), dashes as the keyboard has them."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    best = session.run(["CHARACTERS"], {"LANES": lanes})[0][0, :, :, 0]
    texts = ("".join(names[a] for a, b in pairwise([*lane, 0]) if a and a != b) for lane in best.tolist())
    return [text.replace("–", "-").replace(" ", "") for text in texts]


def test_its_own_weights_change_nothing_but_the_curve(published: onnx.ModelProto) -> None:
    own = Tuned(layers=tuple(weights_of(published.graph)), added=())
    same = with_tuned(published, own)
    for (weight, bias), (expected, other) in zip(weights_of(same.graph), own.layers, strict=True):
        np.testing.assert_array_equal(weight, expected)
        np.testing.assert_array_equal(bias, other)
    before, after = (
        [node.op_type for node in model.graph.node if node.op_type in ("Erf", "Relu")]
        for model in (published, same)
    )
    assert before.count("Erf") == 13
    assert before.count("Relu") + RECTIFIED == after.count("Relu")
    assert read(same)[1].shape == read(published)[1].shape


def test_what_is_written_is_read_back(published: onnx.ModelProto, tmp_path: Path) -> None:
    write_tuned(weights_of(published.graph), "〇垅", tmp_path / "tuned.npz")
    tuned = read_tuned(tmp_path / "tuned.npz")
    assert tuned.added == ("〇", "垅")
    for (weight, bias), (kept, kept_bias) in zip(weights_of(published.graph), tuned.layers, strict=True):
        np.testing.assert_allclose(kept, weight, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(kept_bias, bias, rtol=1e-3, atol=1e-6)


def test_the_committed_ones_fit_and_add_classes(published: onnx.ModelProto, tmp_path: Path) -> None:
    tuned = read_tuned()
    assert tuned.added
    out, characters = tmp_path / "model.onnx", tmp_path / "characters.txt"
    known = export_recognizer(published_weights(), out, characters, tuned)
    names = characters.read_text(encoding="utf-8").split("\n")[:-1]
    assert len(names) == len(known) + len(tuned.added) == len(set(names))
    assert tuple(names[len(known) :]) == tuned.added
    assert weights_of(onnx.load(str(out)).graph)[-1][0].shape[0] == len(names)
    # What cards print of digits and Latin letters is read as before; lower-case ones are not among it.
    lines = ["11010519491231002X", "2006.08.26-2026.08.26", "0123456789", "ABCDEFGX"]
    for seed in range(4):
        lanes = written_lanes(lines, 480, seed)
        now, before = (said(model, lanes, names) for model in (onnx.load(str(out)), published))
        assert now == before == lines


def changed(pairs: list[Pair], index: int, pair: Pair) -> Tuned:
    return Tuned(layers=(*pairs[:index], pair, *pairs[index + 1 :]), added=())


def test_weights_of_another_recogniser_are_refused(published: onnx.ModelProto) -> None:
    own = weights_of(published.graph)
    fitting = Tuned(layers=tuple(own), added=())
    with pytest.raises(ExportError, match="another recogniser"):
        with_tuned(published, replace(fitting, added=("〇",)))
    with pytest.raises(ExportError, match="another recogniser"):
        with_tuned(published, replace(fitting, layers=fitting.layers[1:]))
    with pytest.raises(ExportError, match="another recogniser"):
        with_tuned(published, changed(own, 0, (own[0][0][:-1], own[0][1][:-1])))
    with pytest.raises(ExportError, match="another recogniser"):
        with_tuned(published, changed(own, 0, (own[0][0], own[0][1][:-1])))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="holds no trained recogniser"):
        read_tuned(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(ExportError, match="holds no trained recogniser"):
        read_tuned(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    with pytest.raises(ExportError, match="holds no trained recogniser"):
        read_tuned(tmp_path / "other.npz")


def test_every_layer_has_its_slot(published: onnx.ModelProto) -> None:
    assert len({slot.weight for slot in slots(published.graph)}) == len(slots(published.graph))
