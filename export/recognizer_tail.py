"""The fine-tuned end of the recogniser: what training changed, and how it is put into the published network.

Training leaves the convolutional body alone (`tandem.training.fit.recognizer`). So the repository keeps
only what lies behind it, in half precision, and set-up takes the rest from the wheel, without torch. The last
layer may have more classes than the published one: characters that the recogniser did not know.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from export.errors import ExportError
from export.files import write_atomically

TAIL = Path(__file__).parent / "weights" / "text_recognizer_tail.npz"
# reduce, local, two times (norm, qkv, proj, norm, fc1, fc2), norm, skip, head.
LAYERS = 17

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Tail:
    """Weights behind the body.

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
        if node.op_type in ("Conv", "LayerNormalization"):
            found.append(Slot(weight=node.input[1], bias=node.input[2], turned=False))
        elif node.op_type == "MatMul" and node.input[1] in constants:
            found.append(Slot(weight=node.input[1], bias=added[node.output[0]], turned=True))
        elif node.op_type == "Gemm":
            found.append(Slot(weight=node.input[1], bias=node.input[2], turned=True))
    return found


def weights_of(graph: onnx.GraphProto) -> list[Pair]:
    """Weight and bias of every layer, in the graph's order; linear weights as torch has them."""
    constants = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    return [
        (constants[slot.weight].T if slot.turned else constants[slot.weight], constants[slot.bias])
        for slot in slots(graph)
    ]


def with_tail(model: onnx.ModelProto, tail: Tail) -> onnx.ModelProto:
    """The served recogniser with the tail's weights in place of its own.

    Args:
        model: as `export.recognizer` makes it of the published one.
        tail: made from the same published recogniser.

    Raises:
        ExportError: the layers' shapes differ: it was made from another one.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    entries = {entry.name: entry for entry in changed.graph.initializer}
    places = slots(changed.graph)[-LAYERS:]
    for index, (slot, (weight, bias)) in enumerate(zip(places, tail.layers, strict=True)):
        more = len(tail.added) if index == LAYERS - 1 else 0
        wanted = tuple(entries[slot.weight].dims)
        now = weight.T if slot.turned else weight
        shape = (*now.shape[:-1], now.shape[-1] - more) if more else now.shape
        if shape != wanted:
            raise ExportError(
                f"the fine-tuned layer {index} has shape {shape}, the published one {wanted}: "
                "it belongs to another recogniser"
            )
        entries[slot.weight].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(now), slot.weight))
        entries[slot.bias].CopyFrom(numpy_helper.from_array(bias, slot.bias))
    return changed


def write_tail(pairs: Sequence[Pair], added: Sequence[str], path: Path) -> None:
    """Writes a network's last layers, in half precision.

    Args:
        pairs: weight and bias of every layer of the network, in the graph's order.
        added: see `Tail`.
        path: the `.npz` file.
    """
    arrays: dict[str, NDArray[np.generic]] = {"added": np.array(list(added), np.str_)}
    for index, (weight, bias) in enumerate(pairs[-LAYERS:]):
        arrays[f"weight{index}"], arrays[f"bias{index}"] = weight.astype(np.float16), bias.astype(np.float16)
    write_atomically(path, _packed(arrays))


def _packed(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read_tail(path: Path = TAIL) -> Tail:
    """The tail in a file.

    Raises:
        ExportError: there is none, or it is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            layers = tuple(
                (stored[f"weight{i}"].astype(np.float32), stored[f"bias{i}"].astype(np.float32))
                for i in range(LAYERS)
            )
            return Tail(layers=layers, added=tuple(str(character) for character in stored["added"]))
    except (OSError, KeyError, ValueError) as error:
        raise ExportError(f"{path} holds no fine-tuned recogniser: {error}") from error
