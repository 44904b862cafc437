"""The recogniser without work that changes nothing: what CPUs serve.

Three things are left out, each the graph's own decision about what it is given:

- **Plain ends.** A lane's paper behind its last row is one colour. It is cut off, but for `MARGIN` px; its
  time steps are answered as blanks.
- **Sure blanks.** Four time steps of five lie between characters. A gate (`export.recognizer_gate`) sees that
  in the features, and the product with 16,000 classes is computed for the others only.
- **Sorting.** Of blocks of `BLOCK` classes only the five with the best best are searched for the best five,
  which is exact: what is in none of them has five better ones before it.

GPUs serve the plain graph: there a whole batch in one shape is faster.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, numpy_helper

from export.errors import ExportError
from export.recognizer_gate import Gate
from export.recognizer_graph import HEIGHT, IR_VERSION, OPSET, RUNNERS_UP, STEP

#: px of plain paper that stays behind a row, and what widths are a multiple of: few shapes, little to plan.
MARGIN, GRAIN = 128, 64
BLOCK = 128
_OWN = "lean."  # before the names of what is added
_NEVER = -1e4  # the bias of a class that does not exist

_HEADER = f'<ir_version: {IR_VERSION}, opset_import: ["" : {OPSET}], producer_name: "tandem">'

_FRONT = f"""{_HEADER}
front (float[n, 3, {HEIGHT}, width] pixels) => (float[n, 3, {HEIGHT}, kept] kept_pixels)
<int64[1] across = {{3}}, int64[1] last = {{-1}}, int64[1] end = {{{2**31 - 1}}}, int64[1] first = {{0}},
 int64[3] others = {{0, 1, 2}}, float nothing = {{0.0}}, int64 one = {{1}}, int64[1] only = {{0}},
 int64[1] room = {{{MARGIN + GRAIN - 1}}}, int64[1] grain = {{{GRAIN}}}>
{{
    last_column = Slice(pixels, last, end, across)
    difference = Sub(pixels, last_column)
    distance = Abs(difference)
    most = ReduceMax<keepdims: int = 0>(distance, others)
    differs = Greater(most, nothing)
    marks = Cast<to: int = 7>(differs)
    whole_width = Shape(marks)
    width_scalar = Squeeze(whole_width, only)
    behind = Add(width_scalar, one)
    numbers = Range(one, behind, one)
    marked = Mul(marks, numbers)
    used = ReduceMax<keepdims: int = 1>(marked, only)
    wanted = Add(used, room)
    grains = Div(wanted, grain)
    rounded = Mul(grains, grain)
    kept_width = Min(rounded, whole_width)
    kept_pixels = Slice(pixels, first, kept_width, across)
}}"""

_TAIL = f"""{_HEADER}
tail (float[n, t, c] features, uint8[batch, lanes, {HEIGHT}, width, 3] LANES) => (
    int32[batch, lanes, steps, {RUNNERS_UP}] CHARACTERS,
    float[batch, lanes, steps, {RUNNERS_UP}] PROBABILITIES)
<int64[1] best = {{{RUNNERS_UP}}}, int64[1] at0 = {{0}}, int64[1] at1 = {{1}}, int64[1] at2 = {{2}},
 int64[1] block = {{{BLOCK}}}, int64[1] step = {{{STEP}}}, float[1] threshold = {{THRESHOLD}},
 float[{RUNNERS_UP}] sure = {{1.0{", 0.0" * (RUNNERS_UP - 1)}}},
 int32[{RUNNERS_UP}] blank = {{0{", 0" * (RUNNERS_UP - 1)}}},
 int64[2] rows_by_best = {{-1, {RUNNERS_UP}}}, int64[2] rows_by_candidates = {{-1, {RUNNERS_UP * BLOCK}}},
 int64[3] rows_by_blocks = {{-1, BLOCKS, {BLOCK}}}, int64[2] rows_by_channels = {{-1, CHANNELS}}>
{{
    kept_steps = Shape<start: int = 1, end: int = 2>(features)
    flat = Reshape(features, rows_by_channels)
    hidden_sum = MatMul(flat, gate_weight_1)
    hidden_biased = Add(hidden_sum, gate_bias_1)
    hidden = Relu(hidden_biased)
    score_sum = MatMul(hidden, gate_weight_2)
    score = Add(score_sum, gate_bias_2)
    says = Greater(score, threshold)
    speaks = Squeeze(says, at1)
    speaking = NonZero(speaks)
    index = Squeeze(speaking, at0)
    spoken = Gather<axis: int = 0>(flat, index)
    logits = Gemm(spoken, weight, bias)

    blocks = Reshape(logits, rows_by_blocks)
    block_best = ReduceMax<keepdims: int = 0>(blocks, at2)
    best_blocks_value, best_blocks = TopK<axis: int = 1>(block_best, best)
    best_blocks_at = Unsqueeze(best_blocks, at2)
    candidate_blocks = GatherND<batch_dims: int = 1>(blocks, best_blocks_at)
    candidates = Reshape(candidate_blocks, rows_by_candidates)
    top_logits, top_candidates = TopK<axis: int = 1>(candidates, best)
    in_which = Div(top_candidates, block)
    in_block = Mod(top_candidates, block)
    from_block = GatherElements<axis: int = 1>(best_blocks, in_which)
    block_begins = Mul(from_block, block)
    top_classes = Add(block_begins, in_block)
    classes = Cast<to: int = 6>(top_classes)

    highest = Slice(top_logits, at0, at1, at1)
    below = Sub(logits, highest)
    exponentials = Exp(below)
    total = ReduceSum<keepdims: int = 1>(exponentials, at1)
    top_below = Sub(top_logits, highest)
    top_exponentials = Exp(top_below)
    likelihood = Div(top_exponentials, total)

    lane_width = Shape<start: int = 3, end: int = 4>(LANES)
    all_steps = Div(lane_width, step)
    rows = Shape<start: int = 0, end: int = 1>(flat)
    lane = Div(index, kept_steps)
    in_lane = Mod(index, kept_steps)
    lane_begins = Mul(lane, all_steps)
    place = Add(lane_begins, in_lane)
    places = Unsqueeze(place, at1)
    lane_count = Div(rows, kept_steps)
    all_rows = Mul(lane_count, all_steps)
    answer_shape = Concat<axis: int = 0>(all_rows, best)
    sure_everywhere = Expand(sure, answer_shape)
    blank_everywhere = Expand(blank, answer_shape)
    probabilities = ScatterND(sure_everywhere, places, likelihood)
    characters = ScatterND(blank_everywhere, places, classes)

    lanes_first = Shape<start: int = 0, end: int = 2>(LANES)
    as_lanes = Concat<axis: int = 0>(lanes_first, rows_by_best)
    PROBABILITIES = Reshape(probabilities, as_lanes)
    CHARACTERS = Reshape(characters, as_lanes)
}}"""


def lean(model: onnx.ModelProto, gate: Gate) -> onnx.ModelProto:
    """The served recogniser with less work to do; the same tensors.

    Args:
        model: as `export.recognizer` makes it for GPUs.
        gate: tells sure blanks by the features.

    Raises:
        ExportError: the graph is not that recogniser's.
    """
    leaned = onnx.ModelProto()
    leaned.CopyFrom(model)
    nodes = list(leaned.graph.node)
    flat = _made_by(nodes, lambda node: list(node.output) == ["flat"])
    pixels = _made_by(nodes, lambda node: list(node.output) == ["pixels"])
    product = _made_by(nodes, lambda node: node.op_type == "Gemm")
    weight, bias = _classes_of(leaned, product)
    features = flat.input[0]
    body = nodes[nodes.index(pixels) + 1 : nodes.index(flat)]
    for node in body:
        node.input[:] = ["kept_pixels" if name == "pixels" else name for name in node.input]
    # What of the old tail stands before its first node, and is made anew in the new one.
    body = [node for node in body if node.output[0] not in ("leading", "shape")]
    front, tail = (_part(text) for text in (_FRONT, _tail_text(weight, gate)))
    for node in tail.graph.node:
        node.input[:] = [features if name == "features" else name for name in node.input]
    del leaned.graph.node[:], leaned.graph.value_info[:]
    leaned.graph.node.extend([*nodes[: nodes.index(pixels) + 1], *front.graph.node, *body, *tail.graph.node])
    _give_constants(leaned.graph, {"weight": weight, "bias": bias, **gate.constants()}, front, tail)
    onnx.checker.check_model(leaned, full_check=True)
    return leaned


def _part(text: str) -> onnx.ModelProto:
    """A parsed part of a graph; what it makes on its way to its outputs has names of its own."""
    model = onnx.parser.parse_model(text)
    part: onnx.ModelProto = compose.add_prefix(model, _OWN, rename_inputs=False, rename_outputs=False)
    return part


def _made_by(nodes: list[onnx.NodeProto], wanted: Callable[[onnx.NodeProto], bool]) -> onnx.NodeProto:
    found = next((node for node in nodes if wanted(node)), None)
    if found is None:
        raise ExportError("the graph is not the recogniser that `export.recognizer` writes")
    return found


def _classes_of(
    model: onnx.ModelProto, product: onnx.NodeProto
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight (channels, classes) and bias of the last product, filled up to whole blocks of classes."""
    constants = {entry.name: entry for entry in model.graph.initializer}
    weight, bias = (numpy_helper.to_array(constants[name]) for name in product.input[1:])
    if any(entry.name == "transB" and entry.i for entry in product.attribute):
        weight = weight.T
    missing = -len(bias) % BLOCK
    return (
        np.pad(weight, ((0, 0), (0, missing))).astype(np.float32),
        np.pad(bias, (0, missing), constant_values=_NEVER).astype(np.float32),
    )


def _tail_text(weight: NDArray[np.float32], gate: Gate) -> str:
    channels, classes = weight.shape
    return (
        _TAIL.replace("BLOCKS", str(classes // BLOCK))
        .replace("CHANNELS", str(channels))
        .replace("THRESHOLD", repr(gate.threshold))
    )


def _give_constants(
    graph: onnx.GraphProto, named: dict[str, NDArray[np.float32]], *parts: onnx.ModelProto
) -> None:
    """Gives the graph all constants that its nodes use, and no others."""
    constants = {entry.name: entry for entry in graph.initializer}
    for part in parts:
        constants |= {entry.name: entry for entry in part.graph.initializer}
    constants |= {
        name: numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in named.items()
    }
    used = {name for node in graph.node for name in node.input}
    kept = [entry for name, entry in constants.items() if name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
