"""Inputs to measure a model with: made up from its metadata, or given where the content matters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import CalibrationError
from tandem.batching.measure.live_model import LiveModel, Tensor

Sample = dict[str, NDArray[np.generic]]

# Types that numpy has; BF16 is sent as it is stored, and BYTES must be given.
_NUMPY = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64,
}  # fmt: skip


def make_samples(
    model: LiveModel, files: Sequence[bytes], shapes: dict[str, tuple[int, ...]]
) -> list[Sample]:
    """One item's inputs for every file; a single item where no file is given. Arrays have the item's shape.

    Args:
        model: whose inputs.
        files: contents for the BYTES input.
        shapes: shapes of inputs that vary, by name.

    Raises:
        CalibrationError: a BYTES input without a file, two BYTES inputs, or a shape that varies and is not
            given.
    """
    texts = [tensor for tensor in model.inputs if tensor.datatype == "BYTES"]
    if texts and not files:
        raise CalibrationError(
            f"{model.name} takes BYTES ({texts[0].name}), whose content decides its time; give a sample "
            "with --data"
        )
    if len(texts) > 1:
        raise CalibrationError(f"{model.name} has {len(texts)} BYTES inputs; only one can be filled")
    if not texts:
        return [{tensor.name: _made_up(model, tensor, shapes) for tensor in model.inputs}]
    others = [tensor for tensor in model.inputs if tensor.datatype != "BYTES"]
    samples = []
    for content in files:
        shape = shapes.get(texts[0].name, texts[0].shape)
        text = np.full([1 if size < 0 else size for size in shape], content, dtype=np.object_)
        samples.append(
            {texts[0].name: text, **{tensor.name: _made_up(model, tensor, shapes) for tensor in others}}
        )
    return samples


def _made_up(model: LiveModel, tensor: Tensor, shapes: dict[str, tuple[int, ...]]) -> NDArray[np.generic]:
    """Zeros of the tensor's type and shape."""
    shape = shapes.get(tensor.name, tensor.shape)
    if -1 in shape:
        raise CalibrationError(
            f"the shape of {model.name}'s input {tensor.name} varies ({list(tensor.shape)}); give one with "
            f"--shape {tensor.name}=…"
        )
    if tensor.datatype not in _NUMPY:
        raise CalibrationError(
            f"{model.name}'s input {tensor.name} has type {tensor.datatype}; it can't be made up"
        )
    return np.zeros(shape, _NUMPY[tensor.datatype])
