"""Triton's backend `onnxruntime` for the embedded server: thin, see `tandem.runtime.onnx_backend`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """One instance of an ONNX model."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model."""
        config = json.loads(args["model_config"])
        path = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        options = onnxruntime.SessionOptions()
        threads = config.get("parameters", {}).get("intra_op_thread_count", {}).get("string_value", "0")
        options.intra_op_num_threads = int(threads)
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._inputs = [entry["name"] for entry in config["input"]]
        self._outputs = [entry["name"] for entry in config["output"]]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Run all requests as one batch."""
        feeds = {
            name: [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
            for name in self._inputs
        }
        sizes = [len(array) for array in feeds[self._inputs[0]]]
        batch = {
            name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays) for name, arrays in feeds.items()
        }
        results = self._session.run(self._outputs, batch)
        ends = np.cumsum(sizes)
        return [
            pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor(name, result[end - size : end])
                    for name, result in zip(self._outputs, results, strict=True)
                ]
            )
            for size, end in zip(sizes, ends, strict=True)
        ]
