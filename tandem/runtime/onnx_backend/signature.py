"""The tensors that a config promises, and whether the ONNX graph keeps the promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tandem.runtime.errors import OnnxModelError

# ONNX Runtime's type names → Triton's.
_TRITON_TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(uint16)": "TYPE_UINT16",
    "tensor(uint32)": "TYPE_UINT32",
    "tensor(uint64)": "TYPE_UINT64",
    "tensor(int8)": "TYPE_INT8",
    "tensor(int16)": "TYPE_INT16",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(string)": "TYPE_STRING",
}
ANY = -1


class Node(Protocol):
    """An input or output of a graph, as `onnxruntime.NodeArg`."""

    @property
    def name(self) -> str: ...  # noqa: D102 - ONNX Runtime's
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def shape(self) -> Sequence[int | str | None]: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One tensor of a config.

    Attributes:
        name: its name, in the config and in the graph.
        data_type: Triton's, e.g. `TYPE_UINT8`.
        shape: with the batch dimension in front if there is one; -1 = any.
    """

    name: str
    data_type: str
    shape: tuple[int, ...]

    @property
    def is_string(self) -> bool:
        """Whether the elements are byte strings."""
        return self.data_type == "TYPE_STRING"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The inputs and outputs of a model; `batched` tells whether the first dimension counts items."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    batched: bool


def parse_signature(config: Mapping[str, Any]) -> Signature:
    """The tensors of a model's config.

    Args:
        config: Triton's model config as parsed JSON.

    Raises:
        OnnxModelError: there are none, or they use what this backend doesn't do.
    """
    for key in ("batch_input", "batch_output", "sequence_batching"):
        if config.get(key):
            raise OnnxModelError(
                f"the embedded server's ONNX backend doesn't do {key}: remove it from the config"
            )
    batched = config.get("max_batch_size", 0) > 0
    signature = Signature(
        inputs=tuple(_spec(entry, batched) for entry in config.get("input") or []),
        outputs=tuple(_spec(entry, batched) for entry in config.get("output") or []),
        batched=batched,
    )
    if not signature.inputs or not signature.outputs:
        raise OnnxModelError("the config must list the model's inputs and outputs")
    return signature


def check_signature(signature: Signature, inputs: Sequence[Node], outputs: Sequence[Node]) -> None:
    """Return if the graph has the config's tensors.

    Args:
        signature: what the config says.
        inputs: the graph's inputs; the config must name all of them.
        outputs: the graph's outputs; the config may leave some out.

    Raises:
        OnnxModelError: a name, a type or a dimension differs; the message says which and what the graph has.
    """
    for what, specs, nodes in (("input", signature.inputs, inputs), ("output", signature.outputs, outputs)):
        by_name = {node.name: node for node in nodes}
        for spec in specs:
            if spec.name not in by_name:
                raise OnnxModelError(f"the graph has no {what} '{spec.name}', it has: {', '.join(by_name)}")
            _check_tensor(what, spec, by_name[spec.name], signature.batched)
    missing = {node.name for node in inputs} - {spec.name for spec in signature.inputs}
    if missing:
        raise OnnxModelError(f"the config doesn't list the graph's inputs: {', '.join(sorted(missing))}")


def _spec(entry: Mapping[str, Any], batched: bool) -> TensorSpec:
    for key in ("allow_ragged_batch", "optional", "is_shape_tensor"):
        if entry.get(key):
            raise OnnxModelError(f"'{entry['name']}': the embedded server's ONNX backend doesn't do {key}")
    # With `reshape` Triton itself turns the caller's dims into the model's, and back.
    own = entry["reshape"].get("shape") if "reshape" in entry else entry.get("dims")
    dims = tuple(int(dim) for dim in own or ())
    return TensorSpec(
        name=entry["name"], data_type=entry["data_type"], shape=(ANY, *dims) if batched else dims
    )


def _check_tensor(what: str, spec: TensorSpec, node: Node, batched: bool) -> None:
    graph_type = _TRITON_TYPES.get(node.type, node.type)
    if graph_type != spec.data_type:
        raise OnnxModelError(
            f"{what} '{spec.name}' is {spec.data_type} in the config, {graph_type} in the graph"
        )
    graph_shape = tuple(dim if isinstance(dim, int) and dim >= 0 else ANY for dim in node.shape)
    if batched and graph_shape and graph_shape[0] != ANY:
        raise OnnxModelError(
            f"{what} '{spec.name}': the graph's first dimension is fixed to {graph_shape[0]}: export the"
            " model with a dynamic batch, or set max_batch_size: 0 and list all dimensions"
        )
    fits = len(graph_shape) == len(spec.shape) and all(
        ANY in pair or pair[0] == pair[1] for pair in zip(graph_shape, spec.shape, strict=True)
    )
    # A graph without any shape says nothing that could be compared.
    if not fits and graph_shape:
        raise OnnxModelError(
            f"{what} '{spec.name}' has shape {_show(spec.shape)} in the config, {_show(graph_shape)} in the"
            f" graph{' (the first is the batch)' if batched else ''}"
        )


def _show(shape: Sequence[int]) -> str:
    return f"[{','.join(map(str, shape))}]"
