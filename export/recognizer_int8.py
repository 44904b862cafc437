"""The recogniser in 8-bit integers: the same reading in little more than half the time on a CPU.

    python -m export.recognizer_int8 calibrate --model model.onnx
    python -m export.recognizer_int8 quantize --model model.onnx --out model.int8.onnx

Nine tenths of the recogniser's work are its heavy convolutions and the last product. Those compute on
8-bit integers; everything else, and every sum between layers, stays float32. The ranges of the convolutions'
inputs and outputs were measured on drawn cards (`calibrate`) and lie beside this file, so that quantising
takes a second and needs neither pictures nor torch. The last product measures its own range each time.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper, version_converter

from export.errors import ExportError
from export.files import write_atomically

RANGES = Path(__file__).with_name("recognizer_ranges.json")
OPSET = 20  # the first with Gelu, without which each Gelu is five passes over the activations
# Channels in and out of a convolution worth quantising: below, the conversions cost more than they save. One
# over several pixels does more with each value that is converted.
_LEAST_CHANNELS, _LEAST_CHANNELS_OVER_SEVERAL = 96, 24
# All of int8: one bit less costs 2 % of the rare hanzi. So a CPU must add 8-bit products without overflow
# (VNNI); on others the float32 model serves (`export.recognizer`).
_WEIGHT_LIMIT = 127
_ACTIVATION_LIMIT = 255
_OUTLIERS = 1e-4  # share of a photograph's values at each end that may be cut: finer steps for all others

Ranges = Mapping[str, tuple[float, float]]
_log = logging.getLogger(__name__)


def quantized(model: onnx.ModelProto, ranges: Ranges) -> onnx.ModelProto:
    """The served recogniser with 8-bit convolutions and last product.

    Args:
        model: as `export.recognizer` makes it.
        ranges: least and largest value of every input and output of the convolutions, by tensor name.

    Raises:
        ExportError: a range is missing: the model is another one than was calibrated.
    """
    model = version_converter.convert_version(model, OPSET)
    graph = _Graph(model)
    graph.fuse_gelu()
    for node in heavy_convolutions(model):
        graph.quantize_convolution(node, ranges)
    graph.quantize_last_product()
    graph.write_back()
    onnx.checker.check_model(model, full_check=True)
    return model


def heavy_convolutions(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The convolutions with many channels in and out that work on every pixel."""
    shapes = {entry.name: list(entry.dims) for entry in model.graph.initializer}
    pooled = {node.output[0] for node in model.graph.node if node.op_type == "ReduceMean"}
    gates = {node.input[0] for node in model.graph.node if node.op_type == "HardSigmoid"}
    found = []
    for node in model.graph.node:
        if node.op_type != "Conv" or node.input[0] in pooled or node.output[0] in gates:
            continue
        out, channels, height, width = shapes[node.input[1]]  # channels: 1 in one that works on each alone
        least = _LEAST_CHANNELS if (height, width) == (1, 1) else _LEAST_CHANNELS_OVER_SEVERAL
        if min(out, channels) >= least:
            found.append(node)
    return found


def measured_ranges(model: onnx.ModelProto, lanes: Iterable[NDArray[np.uint8]]) -> Ranges:
    """The ranges that `quantized` needs: the widest over all `lanes`, each `(B, L, 48, W, 3)` uint8."""
    convolutions = heavy_convolutions(model)
    names = sorted({name for node in convolutions for name in (node.input[0], node.output[0])})
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges = dict.fromkeys(names, (0.0, 0.0))
    for batch in lanes:
        for name, values in zip(names, session.run(names, {"LANES": batch}), strict=True):
            low, high = ranges[name]
            least, most = np.quantile(values, (_OUTLIERS, 1 - _OUTLIERS))
            ranges[name] = (min(low, float(least)), max(high, float(most)))
    return ranges


class _Graph:
    """A model's graph while it is being rewritten."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self._nodes = list(model.graph.node)
        self._constants = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}

    def write_back(self) -> None:
        """Puts nodes and the constants they use into the model."""
        used = {name for node in self._nodes for name in node.input}
        del self._graph.node[:], self._graph.initializer[:], self._graph.value_info[:]
        self._graph.node.extend(self._nodes)
        self._graph.initializer.extend(
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in self._constants.items()
            if name in used
        )

    def fuse_gelu(self) -> None:
        """Makes one Gelu of each x * (1 + erf(x / sqrt 2)) / 2."""
        made = {node.output[0]: node for node in self._nodes}
        users = {name: node for node in self._nodes for name in node.input}
        for erf in [node for node in self._nodes if node.op_type == "Erf"]:
            divide = made[erf.input[0]]
            add = users[erf.output[0]]
            times = users[add.output[0]]
            half = users[times.output[0]]
            if [node.op_type for node in (divide, add, times, half)] != ["Div", "Add", "Mul", "Mul"]:
                raise ExportError("an Erf is not part of a Gelu: is it another recogniser?")
            gelu = helper.make_node("Gelu", [divide.input[0]], [half.output[0]])
            self._nodes[self._nodes.index(half)] = gelu
            for node in (divide, erf, add, times):
                self._nodes.remove(node)

    def quantize_convolution(self, convolution: onnx.NodeProto, ranges: Ranges) -> None:
        """Puts a quantise/dequantise pair around a convolution and before its weight and bias."""
        node = next(other for other in self._nodes if other.output[0] == convolution.output[0])
        source, weight, bias = node.input
        result = node.output[0]
        pair_in, scale_in = self._pair(source, f"{result}.in", f"{result}.x", ranges)
        weights, scales = _per_channel(self._constants[weight], axis=0)
        self._constants |= {
            f"{weight}.int8": weights,
            f"{weight}.scale": scales,
            f"{weight}.zero": np.zeros(len(scales), np.int8),
            f"{bias}.int32": np.round(self._constants[bias] / (scales * scale_in)).astype(np.int32),
            f"{bias}.scale": (scales * scale_in).astype(np.float32),
            f"{bias}.zero": np.zeros(len(scales), np.int32),
        }
        stored = [
            helper.make_node(
                "DequantizeLinear",
                [f"{name}.{kind}", f"{name}.scale", f"{name}.zero"],
                [f"{result}.{role}"],
                axis=0,
            )
            for name, kind, role in ((weight, "int8", "w"), (bias, "int32", "b"))
        ]
        pair_out, _ = self._pair(f"{result}.y", f"{result}.out", result, ranges)
        node.input[:] = [f"{result}.x", f"{result}.w", f"{result}.b"]
        node.output[:] = [f"{result}.y"]
        place = self._nodes.index(node)
        self._nodes[place : place + 1] = [*pair_in, *stored, node, *pair_out]

    def _pair(
        self, source: str, name: str, result: str, ranges: Ranges
    ) -> tuple[list[onnx.NodeProto], np.float32]:
        """Quantise and dequantise `source` to `result`; and the scale."""
        measured = result if name.endswith(".out") else source
        if measured not in ranges:
            raise ExportError(f"no range was measured for {measured}: calibrate this model")
        low, high = ranges[measured]
        scale = np.float32((high - low) / _ACTIVATION_LIMIT)
        self._constants[f"{name}.scale"] = scale
        self._constants[f"{name}.zero"] = np.uint8(np.clip(round(-low / float(scale)), 0, _ACTIVATION_LIMIT))
        how = [f"{name}.scale", f"{name}.zero"]
        return [
            helper.make_node("QuantizeLinear", [source, *how], [f"{name}.uint8"]),
            helper.make_node("DequantizeLinear", [f"{name}.uint8", *how], [result]),
        ], scale

    def quantize_last_product(self) -> None:
        """Makes the product with the classes an integer one, its input's range measured as it runs."""
        product = next(node for node in self._nodes if node.op_type == "Gemm")
        features, weight, bias = product.input
        axis = int(any(entry.name == "transB" and entry.i for entry in product.attribute))
        matrix = self._constants[weight].T if axis else self._constants[weight]
        weights, scales = _per_channel(matrix, axis=1)
        self._constants |= {"head.int8": weights, "head.scales": scales}
        place = self._nodes.index(product)
        self._nodes[place : place + 1] = [
            helper.make_node("DynamicQuantizeLinear", [features], ["head.uint8", "head.scale", "head.zero"]),
            helper.make_node("MatMulInteger", ["head.uint8", "head.int8", "head.zero"], ["head.sums"]),
            helper.make_node("Cast", ["head.sums"], ["head.floats"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", ["head.scale", "head.scales"], ["head.unit"]),
            helper.make_node("Mul", ["head.floats", "head.unit"], ["head.product"]),
            helper.make_node("Add", ["head.product", bias], [product.output[0]]),
        ]


def _per_channel(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """The weight in integers, and its scale for each entry along `axis`."""
    others = tuple(i for i in range(weight.ndim) if i != axis)
    scales = np.maximum(np.abs(weight).max(others) / _WEIGHT_LIMIT, np.finfo(np.float32).tiny).astype(
        np.float32
    )
    spread = np.expand_dims(scales, others)
    return np.round(weight / spread).astype(np.int8), scales


def read_ranges(path: Path = RANGES) -> Ranges:
    """The measured ranges."""
    return {name: (low, high) for name, (low, high) in json.loads(path.read_text("utf-8")).items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    calibrate = commands.add_parser(
        "calibrate", help="measure ranges on drawn cards (needs the extra 'training')"
    )
    calibrate.add_argument("--photos", type=int, default=24, help="photographs to draw")
    calibrate.add_argument("--seed", type=int, default=7)
    quantize = commands.add_parser("quantize", help="write the recogniser in 8-bit integers")
    quantize.add_argument("--out", type=Path, required=True)
    for command in (calibrate, quantize):
        command.add_argument(
            "--model", type=Path, required=True, help="recogniser as export.recognizer makes it"
        )
        command.add_argument("--ranges", type=Path, default=RANGES)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = onnx.load(str(options.model))
    if options.command == "quantize":
        write_atomically(options.out, quantized(model, read_ranges(options.ranges)).SerializeToString())
        return
    from export.recognizer_lanes import drawn_lanes  # noqa: PLC0415  # needs the training extra

    ranges = measured_ranges(model, drawn_lanes(options.photos, options.seed))
    lines = ",\n".join(f'"{name}": [{low:.4f}, {high:.4f}]' for name, (low, high) in ranges.items())
    write_atomically(options.ranges, f"{{\n{lines}\n}}\n".encode())
    _log.info("%d ranges measured", len(ranges))


if __name__ == "__main__":
    main()
