"""The recogniser in 8-bit integers: the same reading in half the time on a CPU.

    python -m export.recognizer_int8 calibrate --model model.onnx
    python -m export.recognizer_int8 quantize --model model.onnx --out model.int8.onnx

Nine tenths of the recogniser's work are the convolutions of its body and the last product. Those compute on
8-bit integers, and what passes between convolutions stays in them: sums around bottlenecks, weighted
channels. The first convolution, the last blocks' Gelu, the transformer and the blanks' gate stay float32.
The ranges of the tensors were measured on drawn cards (`calibrate`) and lie beside this file, so that
quantising takes a second and needs neither pictures nor torch. The last product measures its own range each
time.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, version_converter

from export import integers
from export.files import write_atomically
from export.integers import IntegerGraph, Ranges, per_channel, write_ranges
from export.recognizer_graph import LANES
from export.recognizer_tuned import gelus

OPSET = 20  # the first with Gelu, which else is five passes over the activations
RANGES = Path(__file__).with_name("recognizer_ranges.json")
# Channels that a convolution takes if it is worth quantising: the first one takes 3.
_LEAST_CHANNELS = 24

_log = logging.getLogger(__name__)


def quantized(model: onnx.ModelProto, ranges: Ranges) -> onnx.ModelProto:
    """The served recogniser with its body and its last product in 8-bit integers.

    Args:
        model: as `export.recognizer` makes it with the trained weights.
        ranges: least and largest value of every tensor that becomes integers, by name.

    Raises:
        ExportError: a range is missing: the model is another one than was calibrated.
    """
    convolutions, tensors = integer_convolutions(model), integer_tensors(model)
    changed = version_converter.convert_version(model, OPSET)
    graph = IntegerGraph(changed)
    _fuse_gelu(graph)
    graph.quantize(tensors, convolutions, ranges)
    _quantize_last_product(graph)
    graph.write_back()
    onnx.checker.check_model(changed, full_check=True)
    return changed


def integer_convolutions(model: onnx.ModelProto) -> list[str]:
    """What the body's convolutions make, but for the first, which takes the picture, and those of gates."""
    shapes = {entry.name: list(entry.dims) for entry in model.graph.initializer}
    pooled = {node.output[0] for node in model.graph.node if node.op_type == "ReduceMean"}
    gates = {node.input[0] for node in model.graph.node if node.op_type == "HardSigmoid"}
    curves = {node.input[0] for node in model.graph.node if node.op_type == "Sigmoid"}
    found = []
    for node in model.graph.node:
        if node.op_type != "Conv" or node.input[0] in pooled or node.output[0] in gates:
            continue
        out, channels, _, _ = shapes[node.input[1]]  # channels: 1 in one that works on each channel alone
        alone = channels == 1
        # One that works alone and has a Sigmoid behind it is the transformer's.
        if (alone and node.output[0] not in curves) or min(out, channels) >= _LEAST_CHANNELS:
            found.append(node.output[0])
    return found


def integer_tensors(model: onnx.ModelProto) -> dict[str, bool]:
    """See `export.integers.integer_tensors`."""
    return integers.integer_tensors(model, integer_convolutions(model))


def measured_ranges(model: onnx.ModelProto, lanes: Iterable[NDArray[np.uint8]]) -> Ranges:
    """The ranges that `quantized` needs, over all `lanes`, each `(B, L, 48, W, 3)` uint8."""
    return integers.measured_ranges(model, integer_tensors(model), ({LANES: batch} for batch in lanes))


def _fuse_gelu(graph: IntegerGraph) -> None:
    """Makes one operator of each Gelu."""
    for curve in gelus(graph.nodes):
        whole = helper.make_node("Gelu", [curve[0].input[0]], [curve[-1].output[0]])
        graph.nodes[graph.nodes.index(curve[-1])] = whole
        for node in curve[:-1]:
            graph.nodes.remove(node)


def _quantize_last_product(graph: IntegerGraph) -> None:
    """Makes the product with the classes an integer one, its input's range measured as it runs."""
    product = next(node for node in graph.nodes if node.op_type == "Gemm")
    features, weight, bias = product.input
    axis = int(any(entry.name == "transB" and entry.i for entry in product.attribute))
    matrix = graph.constants[weight].T if axis else graph.constants[weight]
    weights, scales = per_channel(matrix, axis=1)
    graph.constants |= {"head.int8": weights, "head.scales": scales}
    place = graph.nodes.index(product)
    graph.nodes[place : place + 1] = [
        helper.make_node("DynamicQuantizeLinear", [features], ["head.uint8", "head.scale", "head.zero"]),
        helper.make_node("MatMulInteger", ["head.uint8", "head.int8", "head.zero"], ["head.sums"]),
        helper.make_node("Cast", ["head.sums"], ["head.floats"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", ["head.scale", "head.scales"], ["head.unit"]),
        helper.make_node("Mul", ["head.floats", "head.unit"], ["head.product"]),
        helper.make_node("Add", ["head.product", bias], [product.output[0]]),
    ]


def read_ranges(path: Path = RANGES) -> Ranges:
    """The measured ranges."""
    return integers.read_ranges(path)


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
    write_ranges(ranges, options.ranges)
    _log.info("%d ranges measured", len(ranges))


if __name__ == "__main__":
    main()
