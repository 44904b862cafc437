"""A stand-in for speech and text: texts of different lengths, padded to the longest of their batch.

A batch of b texts, the longest of n characters, takes ALPHA_MS + CHARACTER_MS x n x (1 + EXTRA x (b - 1)),
spent waiting: with EXTRA = 1 padding costs as much as text, with 0 the rest of the batch is free.
"""

from __future__ import annotations

import json
import time

import triton_python_backend_utils as pb_utils

# The kernel wakes a sleeper late by tens of microseconds; the rest of the wait is spent watching the clock.
WATCH_S = 0.0002


class TritonPythonModel:
    """See the module."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the times from the model's config."""
        parameters = json.loads(args["model_config"])["parameters"]
        names = ("ALPHA_MS", "CHARACTER_MS", "EXTRA")
        self._alpha_ms, self._character_ms, self._extra = (
            float(parameters[name]["string_value"]) for name in names
        )

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Wait as long as the batch should take; the output is the input."""
        begin = time.perf_counter()
        tensors = [pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy() for request in requests]
        texts = [text for tensor in tensors for text in tensor.ravel()]
        longest = max(map(len, texts))
        took_ms = self._alpha_ms + self._character_ms * longest * (1 + self._extra * (len(texts) - 1))
        end = begin + took_ms / 1e3
        time.sleep(max(end - WATCH_S - time.perf_counter(), 0.0))
        while time.perf_counter() < end:
            pass
        return [pb_utils.InferenceResponse([pb_utils.Tensor("SAME", tensor)]) for tensor in tensors]
