"""Triton's backend `onnxruntime` for the embedded server: an adapter over `tandem.runtime.onnx_backend`.

A Python-based backend: Triton runs this file for every model whose config says `backend: "onnxruntime"`. On
NVIDIA's container the native backend of that name serves the same repository instead.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from tandem.runtime.onnx_backend.session import OnnxSession, Outcome, describe
from tandem.runtime.onnx_backend.settings import parse_settings
from tandem.runtime.onnx_backend.signature import parse_signature

# ONNX Runtime's exceptions that mean "these tensors don't fit", by name: it has no importable class for them.
_CALLERS_FAULT = {"InvalidArgument", "UnicodeDecodeError"}


class TritonPythonModel:
    """One instance of an ONNX model."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model; what is wrong with it is said in one line."""
        config = json.loads(args["model_config"])
        settings = parse_settings(
            config, kind=args["model_instance_kind"], device_id=int(args["model_instance_device_id"])
        )
        self._signature = parse_signature(config)
        path = Path(args["model_repository"]) / args["model_version"] / settings.filename
        self._session = OnnxSession(path, settings, self._signature)
        pb_utils.Logger.log_info(describe(config, settings))

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response a request, in order."""
        wanted = [list(request.requested_output_names()) for request in requests]
        outputs = [
            spec.name for spec in self._signature.outputs if any(spec.name in names for names in wanted)
        ]
        outcomes = self._session.run_all([self._inputs(request) for request in requests], outputs)
        return [_response(outcome, names) for outcome, names in zip(outcomes, wanted, strict=True)]

    def _inputs(self, request: Any) -> dict[str, Any]:
        return {
            spec.name: pb_utils.get_input_tensor_by_name(request, spec.name).as_numpy()
            for spec in self._signature.inputs
        }


def _response(outcome: Outcome, names: list[str]) -> Any:
    if isinstance(outcome, Exception):
        fault = type(outcome).__name__ in _CALLERS_FAULT
        code = pb_utils.TritonError.INVALID_ARG if fault else pb_utils.TritonError.INTERNAL
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(outcome), code))
    return pb_utils.InferenceResponse([pb_utils.Tensor(name, outcome[name]) for name in names])
