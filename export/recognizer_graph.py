"""Surgery on the recogniser's ONNX graph: classes left out, UINT8 in front, the five likeliest behind.

The network itself is untouched. It takes `(N, 3, 48, W)` float32 in [-1, 1] (`x / 127.5 - 1`, BGR, as
RapidOCR feeds it) and ends in a product `(N, W / 8, 120) x (120, classes)`, a bias and a softmax.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, numpy_helper, version_converter

from export.errors import ExportError

OPSET = 18  # the oldest that torch writes well; every release of Triton in use knows it
IR_VERSION = 8
HEIGHT = 48  # px, of a text row
STEP = 8  # px of a row a time step covers
LANES, CHARACTERS, PROBABILITIES = "LANES", "CHARACTERS", "PROBABILITIES"  # Triton's tensors
RUNNERS_UP = 5  # classes a time step reports, best first

_HEADER = f'<ir_version: {IR_VERSION}, opset_import: ["" : {OPSET}], producer_name: "tandem">'

# Lanes are folded into the network's batch; what was folded travels on to the tail as `leading`.
_FRONT = f"""{_HEADER}
front (uint8[batch, lanes, {HEIGHT}, width, 3] LANES) => (
    float[n, 3, {HEIGHT}, width] pixels, int64[2] leading)
<float scale = {{0.00784313725490196}}, float one = {{1.0}}>
{{
    leading = Shape<start: int = 0, end: int = 2>(LANES)
    width = Shape<start: int = 3, end: int = 4>(LANES)
    rows = Constant<value_ints: ints = [-1, {HEIGHT}]>()
    bgr = Constant<value_ints: ints = [3]>()
    folded_shape = Concat<axis: int = 0>(rows, width, bgr)
    folded = Reshape(LANES, folded_shape)
    planes = Transpose<perm: ints = [0, 3, 1, 2]>(folded)
    floats = Cast<to: int = 1>(planes)
    scaled = Mul(floats, scale)
    pixels = Sub(scaled, one)
}}"""

# One plain product over all time steps of all lanes: a batched one with a transposed operand, which the
# original ends in, takes a quarter longer on ONNX Runtime.
_TAIL = f"""{_HEADER}
tail (float[n, t, c] features, int64[2] leading) => (
    int32[batch, lanes, steps, {RUNNERS_UP}] CHARACTERS,
    float[batch, lanes, steps, {RUNNERS_UP}] PROBABILITIES)
<int64[1] best = {{{RUNNERS_UP}}}>
{{
    flat_shape = Constant<value_ints: ints = [-1, CHANNELS]>()
    flat = Reshape(features, flat_shape)
    logits = Gemm(flat, weight, bias)
    likelihood = Softmax<axis: int = 1>(logits)
    top_values, top_classes = TopK<axis: int = 1, largest: int = 1, sorted: int = 1>(likelihood, best)
    steps = Constant<value_ints: ints = [-1, {RUNNERS_UP}]>()
    shape = Concat<axis: int = 0>(leading, steps)
    PROBABILITIES = Reshape(top_values, shape)
    classes = Cast<to: int = 6>(top_classes)
    CHARACTERS = Reshape(classes, shape)
}}"""


def dictionary_of(model: onnx.ModelProto) -> list[str]:
    """The characters that the model carries in its metadata, class 1 first.

    Raises:
        ExportError: the model carries none.
    """
    for entry in model.metadata_props:
        if entry.key == "character":
            return list(entry.value.split("\n"))
    raise ExportError("the recogniser carries no character list in its metadata")


def serving_graph(model: onnx.ModelProto, classes: Sequence[int]) -> onnx.ModelProto:
    """The recogniser as Triton serves it: UINT8 lanes in, the five likeliest of `classes` out.

    Args:
        model: the recogniser as published: one float input, softmax over all classes at the end.
        classes: the classes to keep, ascending, the blank (0) first; new class i is `classes[i]`.

    Returns:
        A new model. Input `LANES` UINT8 `(B, L, 48, W, 3)`, BGR, W a multiple of 8. Outputs `CHARACTERS`
        INT32 and `PROBABILITIES` FP32, both `(B, L, W / 8, 5)`, best first.

    Raises:
        ExportError: the graph does not end in product, bias and softmax.
    """
    body = version_converter.convert_version(model, OPSET)
    body.ir_version = IR_VERSION
    features, weight, bias = _cut_head(body)
    kept = np.asarray(classes)
    tail = _tail(weight[:, kept], bias[kept])
    front = onnx.parser.parse_model(_FRONT)
    pixels = compose.merge_models(front, body, [("pixels", body.graph.input[0].name)])
    served = compose.merge_models(pixels, tail, [(features, "features"), ("leading", "leading")])
    del served.metadata_props[:]
    del served.graph.value_info[:]
    onnx.checker.check_model(served, full_check=True)
    return served


def _cut_head(body: onnx.ModelProto) -> tuple[str, NDArray[np.float32], NDArray[np.float32]]:
    """Takes the last product, its bias and the softmax away; gives the features, weight and bias."""
    graph = body.graph
    nodes = [node for node in graph.node if node.op_type != "Identity"]
    renamed = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    for node in nodes:
        for i, name in enumerate(node.input):
            node.input[i] = _origin(name, renamed)
    product, add, softmax = nodes[-3:]
    if [product.op_type, add.op_type, softmax.op_type] != ["MatMul", "Add", "Softmax"]:
        raise ExportError("the recogniser does not end in MatMul, Add, Softmax: is it another version?")
    constants = {i.name: i for i in graph.initializer}
    weight, bias = (numpy_helper.to_array(constants[node.input[1]]) for node in (product, add))
    features = product.input[0]
    _replace(graph.node, nodes[:-3])
    _replace(
        graph.initializer, [i for i in graph.initializer if i.name not in (product.input[1], add.input[1])]
    )
    _replace(graph.output, [onnx.helper.make_tensor_value_info(features, onnx.TensorProto.FLOAT, [None] * 3)])
    return features, weight, bias


def _origin(name: str, renamed: dict[str, str]) -> str:
    while name in renamed:
        name = renamed[name]
    return name


def _replace(field: Any, values: Sequence[Any]) -> None:
    """Gives a repeated protobuf field new content."""
    kept = list(values)
    del field[:]
    field.extend(kept)


def _tail(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> onnx.ModelProto:
    tail = onnx.parser.parse_model(_TAIL.replace("CHANNELS", str(len(weight))))
    tail.graph.initializer.extend(
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")]
    )
    return tail
