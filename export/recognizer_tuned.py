"""The recogniser's own weights: what training made of the published ones, and how they get into its graph.

Training changes every layer and puts ReLU in most Gelus' place (`tandem.training.fit.recognizer`,
`rectifying`). The repository keeps the weights in half precision; set-up takes the graph from the wheel and
puts them in, without torch. The last layer may have more classes than the published one: characters that the
recogniser did not know.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.errors import ExportError
from export.files import write_atomically

TUNED = Path(__file__).parent / "weights" / "text_recognizer.npz"
RECTIFIED = 11  # so many Gelus, from the first on, become ReLU
_CURVE = ("Div", "Erf", "Add", "Mul", "Mul")  # a Gelu in the published graph: x (1 + erf(x / sqrt 2)) / 2
_OTHER = "it belongs to another recogniser"

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """Trained weights.

    Attributes:
        layers: weight and bias of each layer in the graph's order, linear weights (out, in) as torch has
            them.
        added: characters of the last layer's classes beyond the published ones.
    """

    layers: tuple[Pair, ...]
    added: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Where a layer's weights are in a graph: names of initializers, and whether the weight lies turned."""

    weight: str
    bias: str
    turned: bool


def slots(graph: onnx.GraphProto) -> list[Slot]:
    """Every layer that has weights, in the graph's order."""
    constants = {entry.name for entry in graph.initializer}
    added = {node.input[0]: node.input[1] for node in graph.node if node.op_type == "Add"}
    found = []
    for node in graph.node:
        if node.op_type in ("Conv", "LayerNormalization", "Gemm"):
            bias, turned = node.input[2], node.op_type == "Gemm"
        elif node.op_type == "MatMul" and node.input[1] in constants:
            bias, turned = added[node.output[0]], True
        else:
            continue
        found.append(Slot(weight=node.input[1], bias=bias, turned=turned))
    return found


def weights_of(graph: onnx.GraphProto) -> list[Pair]:
    """Weight and bias of every layer, in the graph's order; linear weights as torch has them."""
    constants = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    return [
        (constants[slot.weight].T if slot.turned else constants[slot.weight], constants[slot.bias])
        for slot in slots(graph)
    ]


def with_tuned(model: onnx.ModelProto, tuned: Tuned) -> onnx.ModelProto:
    """The served recogniser with the trained weights in place of its own, and ReLU for most Gelus.

    Args:
        model: as `export.recognizer` makes it of the published one.
        tuned: made from the same published recogniser.

    Raises:
        ExportError: the layers' shapes differ: they were made from another one.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    _rectify(changed.graph)
    entries = {entry.name: entry for entry in changed.graph.initializer}
    places = slots(changed.graph)
    if len(places) != len(tuned.layers):
        raise ExportError(f"{len(tuned.layers)} trained layers meet {len(places)} published ones: {_OTHER}")
    for index, (slot, (weight, bias)) in enumerate(zip(places, tuned.layers, strict=True)):
        wanted = list(entries[slot.weight].dims)
        if slot.turned:
            wanted.reverse()
        if slot is places[-1]:
            wanted[0] += len(tuned.added)
        if list(weight.shape) != wanted or bias.shape != (wanted[0],):
            raise ExportError(f"the trained layer {index} has shape {weight.shape}, not {wanted}: {_OTHER}")
        now = np.ascontiguousarray(weight.T if slot.turned else weight)
        entries[slot.weight].CopyFrom(numpy_helper.from_array(now, slot.weight))
        entries[slot.bias].CopyFrom(numpy_helper.from_array(bias, slot.bias))
    return changed


def _rectify(graph: onnx.GraphProto) -> None:
    """Makes ReLUs of the first Gelus."""
    nodes = list(graph.node)
    for curve in gelus(nodes)[:RECTIFIED]:
        relu = helper.make_node("Relu", [curve[0].input[0]], [curve[-1].output[0]])
        nodes[nodes.index(curve[0])] = relu
        for node in curve[1:]:
            nodes.remove(node)
    del graph.node[:]
    graph.node.extend(nodes)


def gelus(nodes: Sequence[onnx.NodeProto]) -> list[list[onnx.NodeProto]]:
    """The operators of every Gelu, from its division to its last product, in the graph's order.

    Raises:
        ExportError: an error function is none's.
    """
    made = {node.output[0]: node for node in nodes}
    users = {name: node for node in nodes for name in node.input}
    found = []
    for erf in [node for node in nodes if node.op_type == "Erf"]:
        curve = [made[erf.input[0]], erf]
        while len(curve) < len(_CURVE) and curve[-1].output[0] in users:
            curve.append(users[curve[-1].output[0]])
        if tuple(node.op_type for node in curve) != _CURVE:
            raise ExportError("an Erf is not part of a Gelu: is it another recogniser?")
        found.append(curve)
    return found


def write_tuned(pairs: Sequence[Pair], added: Sequence[str], path: Path) -> None:
    """Writes a network's layers, in half precision.

    Args:
        pairs: weight and bias of every layer of the network, in the graph's order.
        added: see `Tuned`.
        path: the `.npz` file.
    """
    arrays: dict[str, NDArray[np.generic]] = {"added": np.array(list(added), np.str_)}
    for index, (weight, bias) in enumerate(pairs):
        arrays[f"weight{index}"], arrays[f"bias{index}"] = weight.astype(np.float16), bias.astype(np.float16)
    write_atomically(path, _packed(arrays))


def _packed(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read_tuned(path: Path = TUNED) -> Tuned:
    """The weights in a file.

    Raises:
        ExportError: there is none, or it is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            layers = tuple(
                (stored[f"weight{i}"].astype(np.float32), stored[f"bias{i}"].astype(np.float32))
                for i in range(sum(name.startswith("weight") for name in stored))
            )
            if not layers:
                raise KeyError("weight0")  # noqa: TRY301  # an archive of something else
            return Tuned(layers=layers, added=tuple(str(character) for character in stored["added"]))
    except (OSError, KeyError, ValueError) as error:
        raise ExportError(f"{path} holds no trained recogniser: {error}") from error
