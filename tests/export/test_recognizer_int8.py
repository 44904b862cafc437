"""The recogniser in 8-bit integers: agreement with float32, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from export.errors import ExportError, ParityError
from export.for_cpu import CPU_FILE
from export.recognizer import export_for_cpu, export_recognizer
from export.recognizer_int8 import (
    integer_convolutions,
    integer_tensors,
    measured_ranges,
    quantized,
    read_ranges,
)
from export.recognizer_parity import LEAST_AGREEMENT, check_agreement, sample_lanes
from export.recognizer_tuned import read_tuned
from export.recognizer_weights import published_weights
from tandem.runtime.processor import NEEDS, has_fast_integers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recogniser")
    export_recognizer(published_weights(), folder / "model.onnx", folder / "characters.txt", read_tuned())
    return folder / "model.onnx"


@pytest.fixture(scope="module")
def small(model: Path) -> onnx.ModelProto:
    return quantized(onnx.load(str(model)), read_ranges())


def test_the_file_for_the_cpu_reads_the_same(model: Path) -> None:
    assert check_agreement(model, export_for_cpu(model)) >= LEAST_AGREEMENT


@pytest.mark.skipif(not has_fast_integers(), reason="this CPU has no VNNI: 8-bit sums overflow")
def test_probabilities_stay_close(model: Path, small: onnx.ModelProto) -> None:
    lanes = np.concatenate([sample_lanes(2, 2, 320, seed=seed) for seed in range(8)])
    wanted, got = (
        onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(
            ["CHARACTERS", "PROBABILITIES"], {"LANES": lanes}
        )
        for content in (model.read_bytes(), small.SerializeToString())
    )
    same = wanted[0][..., 0] == got[0][..., 0]
    assert same.mean() >= LEAST_AGREEMENT
    assert np.abs(wanted[1][..., 0] - got[1][..., 0])[same].mean() < 0.02


def operators(model: onnx.ModelProto, folder: Path) -> list[str]:
    """What ONNX Runtime makes of a graph."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node]


def test_the_body_stays_in_integers(model: Path, small: onnx.ModelProto, tmp_path: Path) -> None:
    count = len(integer_convolutions(onnx.load(str(model))))
    assert count == 45  # four of the stem, three a block, two that lead out of the body
    stored = {entry.name: numpy_helper.to_array(entry).dtype for entry in small.graph.initializer}
    assert sum(dtype == np.int8 and name.endswith(".int8") for name, dtype in stored.items()) == count + 1
    kinds = operators(small, tmp_path)
    assert kinds.count("QLinearConv") == count
    assert kinds.count("QLinearAdd") == 11  # a block that goes round its bottleneck
    assert kinds.count("QLinearMul") == 5  # one with weighted channels
    assert kinds.count("Gelu") == 2


def test_what_only_integer_operators_make_is_told_apart(model: Path) -> None:
    tensors = integer_tensors(onnx.load(str(model)))
    graph = onnx.load(str(model)).graph
    first = next(node.output[0] for node in graph.node if node.op_type == "Relu")
    gates = [node.output[0] for node in graph.node if node.op_type == "HardSigmoid"]
    assert next(name for name, made in tensors.items() if not made) == first
    assert all(tensors[name] is False for name in gates)
    assert sum(tensors.values()) == 45 + 11 + 5


def test_the_largest_of_four_takes_floats(small: onnx.ModelProto) -> None:
    """As an integer operator it would take a quarter of the recogniser's time."""
    (largest,) = [node for node in small.graph.node if node.op_type == "MaxPool"]
    (maker,) = [node for node in small.graph.node if largest.input[0] in node.output]
    assert maker.op_type == "Relu"


def test_a_model_that_was_not_calibrated_is_refused(model: Path) -> None:
    ranges = dict(read_ranges())
    ranges.popitem()
    with pytest.raises(ExportError, match="calibrate this model"):
        quantized(onnx.load(str(model)), ranges)


def test_the_stored_ranges_cover_what_is_measured(model: Path) -> None:
    stored = read_ranges()
    measured = measured_ranges(onnx.load(str(model)), [sample_lanes(1, 2, 320)])
    assert measured.keys() == stored.keys()
    widths = [(high - low, stored[name][1] - stored[name][0]) for name, (low, high) in measured.items()]
    assert np.median([width / room for width, room in widths]) < 1


def test_disagreement_is_noticed(model: Path, tmp_path: Path) -> None:
    changed = onnx.load(str(model))
    bias = next(i for i in changed.graph.initializer if i.name == "bias")
    values = numpy_helper.to_array(bias).copy()
    values[0] += 20
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    onnx.save(changed, str(tmp_path / "changed.onnx"))
    with pytest.raises(ParityError, match="time steps agree"):
        check_agreement(model, tmp_path / "changed.onnx")


@pytest.mark.parametrize(
    ("flags", "fast"),
    [("flags : avx2 avx512_vnni", True), ("flags : avx_vnni", True), ("flags : avx2", False)],
)
def test_fast_integers_are_seen_in_the_cpu_s_flags(tmp_path: Path, flags: str, *, fast: bool) -> None:
    (tmp_path / "cpuinfo").write_text(flags)
    assert has_fast_integers(tmp_path / "cpuinfo") is fast
    assert not has_fast_integers(tmp_path / "none")


def test_without_fast_integers_the_float_model_serves(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.for_cpu.has_fast_integers", lambda: False)
    copy = tmp_path / "model.onnx"
    copy.write_bytes(model.read_bytes())
    assert export_for_cpu(copy) == tmp_path / CPU_FILE
    kinds = {node.op_type for node in onnx.load(str(tmp_path / CPU_FILE)).graph.node}
    assert not kinds & {"QuantizeLinear", "DequantizeLinear", "MatMulInteger"}
    assert check_agreement(model, tmp_path / CPU_FILE) > 0.99  # the gate
    assert not (tmp_path / (CPU_FILE + NEEDS)).exists()
