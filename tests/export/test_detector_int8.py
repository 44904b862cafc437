"""The card detector in 8-bit integers: agreement with float32, what stays float, and refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from export.detector_int8 import RANGES, integer_convolutions, make_for_cpu, quantized
from export.detector_set_up import make_detector
from export.errors import ExportError
from export.for_cpu import CPU_FILE
from export.integers import read_ranges
from tandem.media.letterbox import letterbox
from tandem.runtime.processor import NEEDS, has_fast_integers
from tandem.runtime.setup import CHECKOUT, REPOSITORY

MODEL = REPOSITORY / "card_detector" / "1" / "model.onnx"
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


@pytest.fixture(scope="module")
def plain() -> onnx.ModelProto:
    return onnx.load(str(MODEL))


@pytest.fixture(scope="module")
def small(plain: onnx.ModelProto) -> onnx.ModelProto:
    return quantized(plain, read_ranges(RANGES))


@pytest.mark.skipif(not has_fast_integers(), reason="this CPU has no VNNI: 8-bit sums overflow")
def test_it_sees_the_same_cards(plain: onnx.ModelProto, small: onnx.ModelProto) -> None:
    for (quads, scores, emblem), (now, surely, side) in zip(
        detections(plain), detections(small), strict=True
    ):
        assert abs(scores[0] - surely[0]) < 0.1
        if scores[0] > 0.4:
            assert np.abs(quads[0] - now[0]).max() < CORNERS_PX
            assert (emblem[0] > 0.5) == (side[0] > 0.5)
    assert sum(scores[0] > 0.4 for _, scores, _ in detections(small)) >= 4


def test_all_but_the_first_and_the_last_convolution_are_integers(
    plain: onnx.ModelProto, small: onnx.ModelProto, tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(small.SerializeToString(), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node]
    wanted = len(integer_convolutions(plain))
    assert kinds.count("QLinearConv") == wanted
    assert sum(node.op_type == "Conv" for node in plain.graph.node) - wanted == 2


def test_a_model_that_was_not_calibrated_is_refused(plain: onnx.ModelProto) -> None:
    ranges = dict(read_ranges(RANGES))
    ranges.popitem()
    with pytest.raises(ExportError, match="calibrate this model"):
        quantized(plain, ranges)


def test_without_fast_integers_the_float_model_serves(
    plain: onnx.ModelProto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "model.onnx"
    shutil.copyfile(MODEL, copy)
    monkeypatch.setattr("export.for_cpu.has_fast_integers", lambda: True)
    assert make_for_cpu(copy) == tmp_path / CPU_FILE
    assert (tmp_path / (CPU_FILE + NEEDS)).exists()
    monkeypatch.setattr("export.for_cpu.has_fast_integers", lambda: False)
    make_for_cpu(copy)
    assert onnx.load(str(tmp_path / CPU_FILE)).graph == plain.graph
    assert not (tmp_path / (CPU_FILE + NEEDS)).exists()


def test_it_is_made_once_and_again_when_the_model_changes(tmp_path: Path) -> None:
    version = tmp_path / "card_detector" / "1"
    version.mkdir(parents=True)
    shutil.copyfile(MODEL, version / "model.onnx")
    lines: list[str] = []
    make_detector(lines.append, tmp_path)
    make_detector(lines.append, tmp_path)
    assert len(lines) == 1
    other = onnx.load(str(MODEL))
    other.doc_string = "another"
    onnx.save(other, str(version / "model.onnx"))
    make_detector(lines.append, tmp_path)
    assert len(lines) == 2
