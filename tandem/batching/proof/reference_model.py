"""A model whose service time is known: a batch of b items takes ALPHA_MS + BETA_MS b, spent waiting.

Its config's parameters say ALPHA_MS and BETA_MS. Waiting costs no processor, so that a server on a small
machine can play the part of one with GPUs: what is judged is the batcher, not the model.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import triton_python_backend_utils as pb_utils

# The kernel wakes a sleeper late by tens of microseconds; the rest of the wait is spent watching the clock.
WATCH_S = 0.0002


@dataclass(frozen=True, kw_only=True)
class Times:
    """alpha and beta, seconds."""

    alpha_s: float
    beta_s: float


class TritonPythonModel:
    """See the module."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read alpha and beta from the model's config."""
        parameters = json.loads(args["model_config"])["parameters"]
        alpha, beta = (float(parameters[name]["string_value"]) / 1e3 for name in ("ALPHA_MS", "BETA_MS"))
        self._times = Times(alpha_s=alpha, beta_s=beta)

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Wait as long as the batch should take; the output is the input."""
        end = time.perf_counter() + self._times.alpha_s
        tensors = [pb_utils.get_input_tensor_by_name(request, "ITEM").as_numpy() for request in requests]
        end += self._times.beta_s * sum(len(tensor) for tensor in tensors)
        time.sleep(max(end - WATCH_S - time.perf_counter(), 0.0))
        while time.perf_counter() < end:
            pass
        return [pb_utils.InferenceResponse([pb_utils.Tensor("SAME", tensor)]) for tensor in tensors]
