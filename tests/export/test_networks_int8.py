"""The small networks in 8-bit integers: agreement with float32, what stays float, and refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from export.errors import ExportError
from export.for_cpu import CPU_FILE
from export.half_weights import stored_in_float
from export.integers import read_ranges
from export.networks_int8 import (
    NETWORKS,
    calibrated,
    integer_convolutions,
    make_for_cpu,
    quantized,
    ranges_of,
)
from export.networks_set_up import make_classifier, make_detector
from tandem.media.letterbox import letterbox
from tandem.runtime.processor import NEEDS, has_fast_integers
from tandem.runtime.setup import CHECKOUT, REPOSITORY

MAKES = {"card_detector": make_detector, "document_classifier": make_classifier}
FAST = pytest.mark.skipif(not has_fast_integers(), reason="this CPU has no VNNI: 8-bit sums overflow")
#: Thumbnail px. The edges are found in the picture itself; a corner may be 10 % of the width off.
CORNERS_PX = 3.0


def sample_thumbnails() -> NDArray[np.uint8]:
    """(8, 320, 320, 3) uint8: the sample, turned and mirrored."""
    sample = cv2.imread(str(CHECKOUT / "docs" / "images" / "sample.jpg"))
    turned = [np.ascontiguousarray(np.rot90(sample, turn)) for turn in range(4)]
    return np.stack([letterbox(one) for one in (*turned, *(cv2.flip(one, 1) for one in turned))])


def detections(model: onnx.ModelProto) -> list[tuple[NDArray[np.float32], ...]]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [
        tuple(output[0] for output in session.run(["QUADS", "SCORES", "EMBLEM"], {"THUMBNAIL": one[None]}))
        for one in sample_thumbnails()
    ]


def served(network: str) -> Path:
    return REPOSITORY / network / "1" / "model.onnx"


def plain(network: str) -> onnx.ModelProto:
    return onnx.load(str(served(network)))


def small(network: str) -> onnx.ModelProto:
    return quantized(plain(network), read_ranges(ranges_of(network)))


@FAST
def test_it_sees_the_same_cards() -> None:
    found = detections(small("card_detector"))
    for (quads, scores, emblem), (now, surely, side) in zip(
        detections(plain("card_detector")), found, strict=True
    ):
        assert abs(scores[0] - surely[0]) < 0.1
        if scores[0] > 0.4:
            assert np.abs(quads[0] - now[0]).max() < CORNERS_PX
            assert (emblem[0] > 0.5) == (side[0] > 0.5)
    assert sum(scores[0] > 0.4 for _, scores, _ in found) >= 4


@FAST
def test_it_names_the_same_kinds() -> None:
    pytest.importorskip("torch", reason="drawing documents is training's, which needs torch")
    from export.document_classifier.__main__ import drawn_views  # noqa: PLC0415 - as torch is

    views = drawn_views(60, seed=8, documents=2)[:, np.newaxis]
    before, now = (
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, {"VIEWS": views}
        )[0][:, 0]
        for model in (plain("document_classifier"), small("document_classifier"))
    )
    assert np.abs(before - now).max() < 0.1
    assert (before.argmax(1) == now.argmax(1)).mean() > 0.98
    assert len(set(now.argmax(1))) > 9  # of the 18 kinds: what always says the same would agree with itself


@pytest.mark.parametrize("network", NETWORKS)
def test_all_but_the_first_and_the_last_convolution_are_integers(network: str, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(
        small(network).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    kinds = [node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node]
    wanted = len(integer_convolutions(plain(network)))
    assert kinds.count("QLinearConv") == wanted
    assert sum(node.op_type == "Conv" for node in plain(network).graph.node) - wanted == 2


@pytest.mark.parametrize("network", NETWORKS)
def test_a_model_that_was_not_calibrated_is_refused(network: str) -> None:
    ranges = dict(read_ranges(ranges_of(network)))
    ranges.popitem()
    with pytest.raises(ExportError, match="calibrate this model"):
        quantized(plain(network), ranges)


def test_weights_in_half_are_calibrated_as_they_compute() -> None:
    model = plain("document_classifier")
    assert any(tensor.name.endswith(".half") for tensor in model.graph.initializer)
    floats = stored_in_float(model)
    assert not any(tensor.name.endswith(".half") for tensor in floats.graph.initializer)
    view = np.random.default_rng(3).integers(0, 256, (1, 1, 160, 256, 3), np.uint8)
    one, other = (
        onnxruntime.InferenceSession(kept.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, {"VIEWS": view}
        )[0]
        for kept in (model, floats)
    )
    assert np.array_equal(one, other)
    ranges = calibrated(model, [{"VIEWS": view}])
    assert set(ranges) == set(read_ranges(ranges_of("document_classifier")))
    assert all(low <= 0 <= high and high > low for low, high in ranges.values())


@pytest.mark.parametrize("network", NETWORKS)
def test_without_fast_integers_the_float_model_serves(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / network / "1"
    folder.mkdir(parents=True)
    shutil.copyfile(served(network), folder / "model.onnx")
    monkeypatch.setattr("export.for_cpu.has_fast_integers", lambda: True)
    assert make_for_cpu(network, tmp_path) == folder / CPU_FILE
    assert (folder / (CPU_FILE + NEEDS)).exists()
    monkeypatch.setattr("export.for_cpu.has_fast_integers", lambda: False)
    make_for_cpu(network, tmp_path)
    assert onnx.load(str(folder / CPU_FILE)).graph == plain(network).graph
    assert not (folder / (CPU_FILE + NEEDS)).exists()


@pytest.mark.parametrize("network", NETWORKS)
def test_it_is_made_once_and_again_when_the_model_changes(network: str, tmp_path: Path) -> None:
    version = tmp_path / network / "1"
    version.mkdir(parents=True)
    shutil.copyfile(served(network), version / "model.onnx")
    lines: list[str] = []
    MAKES[network](lines.append, tmp_path)
    MAKES[network](lines.append, tmp_path)
    assert len(lines) == 1
    other = plain(network)
    other.doc_string = "another"
    onnx.save(other, str(version / "model.onnx"))
    MAKES[network](lines.append, tmp_path)
    assert len(lines) == 2
