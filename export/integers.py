"""A network's convolutions in 8-bit integers, and what passes between them: tools for the exports.

Quantising puts a quantise/dequantise pair behind every tensor that becomes integers; ONNX Runtime makes
integer operators of what stands between such pairs. Ranges of the tensors are measured once, on real inputs,
and kept beside the exports, so that quantising takes a second and needs neither pictures nor torch.

Weights use all 8 bits, one scale a channel: a CPU must add products of 8-bit integers without overflow
(VNNI); on others float32 serves (`tandem.runtime.processor`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.errors import ExportError
from export.files import write_atomically

_WEIGHT_LIMIT = 127
_ACTIVATION_LIMIT = 255
_PAIR = ".integers"  # behind the name of what float operators take as it was
_OUTLIERS = 1e-4  # share of an input's values at each end that may be cut: finer steps for all others

Ranges = Mapping[str, tuple[float, float]]


def integer_tensors(model: onnx.ModelProto, convolutions: Collection[str]) -> dict[str, bool]:
    """What enters or leaves integer operators, in the graph's order; whether it leaves one.

    Those are the convolutions, sums and products of what leaves them, each with its ReLU.

    Args:
        model: before quantising.
        convolutions: names of what the convolutions make that are to compute in integers.
    """
    rectified = {node.input[0]: node.output[0] for node in model.graph.node if node.op_type == "Relu"}
    gates = {node.output[0] for node in model.graph.node if node.op_type == "HardSigmoid"}
    left = {rectified.get(name, name) for name in convolutions}
    found: dict[str, bool] = {}
    for node in model.graph.node:
        result = node.output[0]
        combines = node.op_type in ("Add", "Mul") and all(name in left | gates for name in node.input)
        if combines:
            left.add(rectified.get(result, result))
        for name in node.input if combines else node.input[:1] if result in convolutions else ():
            found[name] = name in left
        if result in left:
            found[result] = True
    return found


def measured_ranges(
    model: onnx.ModelProto, names: Iterable[str], inputs: Iterable[Mapping[str, NDArray[Any]]]
) -> Ranges:
    """Least and largest value of each tensor, the widest over all inputs; 0 is always in between.

    Args:
        model: before quantising.
        names: of the tensors.
        inputs: what the model is fed, by name.
    """
    names = sorted(names)
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges = dict.fromkeys(names, (0.0, 0.0))
    for feed in inputs:
        for name, values in zip(names, session.run(names, dict(feed)), strict=True):
            low, high = ranges[name]
            least, most = np.quantile(values, (_OUTLIERS, 1 - _OUTLIERS))
            ranges[name] = (min(low, float(least)), max(high, float(most)))
    return ranges


def read_ranges(path: Path) -> Ranges:
    """The measured ranges in a file."""
    return {name: (low, high) for name, (low, high) in json.loads(path.read_text("utf-8")).items()}


def write_ranges(ranges: Ranges, path: Path) -> None:
    """Writes measured ranges, a line a tensor."""
    lines = ",\n".join(f'"{name}": [{low:.4f}, {high:.4f}]' for name, (low, high) in ranges.items())
    write_atomically(path, f"{{\n{lines}\n}}\n".encode())


class IntegerGraph:
    """A model's graph while it is being quantised.

    Args:
        model: is changed in place by `write_back`.

    Attributes:
        nodes: the graph's operators, in order.
        constants: its constants by name.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self.nodes = list(model.graph.node)
        self.constants = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
        self._scales: dict[str, np.float32] = {}  # of the tensors that are integers

    def write_back(self) -> None:
        """Puts operators and the constants they use into the model."""
        used = {name for node in self.nodes for name in node.input}
        del self._graph.node[:], self._graph.initializer[:], self._graph.value_info[:]
        self._graph.node.extend(self.nodes)
        self._graph.initializer.extend(
            numpy_helper.from_array(np.asarray(value, order="C"), name)
            for name, value in self.constants.items()
            if name in used
        )

    def quantize(self, tensors: Mapping[str, bool], convolutions: Collection[str], ranges: Ranges) -> None:
        """Makes tensors and convolutions integers.

        Args:
            tensors: as `integer_tensors` gives them.
            convolutions: names of what they make.
            ranges: of each of the tensors.

        Raises:
            ExportError: a range is missing: the model is another one than was calibrated.
        """
        for name, made in tensors.items():
            if name not in ranges:
                raise ExportError(f"no range was measured for {name}: calibrate this model")
            self._quantize_tensor(name, ranges[name], made=made)
        for result in convolutions:
            self._quantize_weights(result)

    def _quantize_tensor(self, name: str, span: tuple[float, float], *, made: bool) -> None:
        """Puts a pair behind what makes a tensor.

        One that an integer operator makes is taken from the pair by all, another by integer operators only.
        """
        low, high = span
        scale = self._scales[name] = np.float32((high - low) / _ACTIVATION_LIMIT)
        self.constants[f"{name}.scale"] = scale
        self.constants[f"{name}.zero"] = np.uint8(np.clip(round(-low / float(scale)), 0, _ACTIVATION_LIMIT))
        maker = next(node for node in self.nodes if node.output[0] == name)
        before, behind = (f"{name}.float", name) if made else (name, f"{name}{_PAIR}")
        maker.output[0] = before
        for node in self.nodes:
            if not made and node.op_type in ("Conv", "Mul", "Add"):
                node.input[:] = [behind if source == name else source for source in node.input]
        how = [f"{name}.scale", f"{name}.zero"]
        place = self.nodes.index(maker) + 1
        self.nodes[place:place] = [
            helper.make_node("QuantizeLinear", [before, *how], [f"{name}.uint8"]),
            helper.make_node("DequantizeLinear", [f"{name}.uint8", *how], [behind]),
        ]

    def _quantize_weights(self, result: str) -> None:
        """Stores weight and bias of the convolution that makes `result` as integers."""
        node = next(node for node in self.nodes if node.output[0] in (result, f"{result}.float"))
        source, weight, bias = node.input
        weights, scales = per_channel(self.constants[weight], axis=0)
        units = (scales * self._scales[source.removesuffix(_PAIR)]).astype(np.float32)
        self.constants |= {
            f"{weight}.int8": weights,
            f"{weight}.scale": scales,
            f"{weight}.zero": np.zeros(len(scales), np.int8),
            f"{bias}.int32": np.round(self.constants[bias] / units).astype(np.int32),
            f"{bias}.scale": units,
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
        node.input[:] = [source, f"{result}.w", f"{result}.b"]
        place = self.nodes.index(node)
        self.nodes[place:place] = stored


def per_channel(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """The weight in integers, and its scale for each entry along `axis`."""
    others = tuple(i for i in range(weight.ndim) if i != axis)
    scales = np.maximum(np.abs(weight).max(others) / _WEIGHT_LIMIT, np.finfo(np.float32).tiny).astype(
        np.float32
    )
    spread = np.expand_dims(scales, others)
    return np.round(weight / spread).astype(np.int8), scales
