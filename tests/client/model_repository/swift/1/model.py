"""Answers "no card" to everything, 0.3 ms an item: 3,333 a second, however they are batched."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

ITEM_S = 0.0003
LATE_S = 0.01  # more is no lateness: nobody asked


class TritonPythonModel:
    def initialize(self, args):
        self.free_s = 0.0

    def execute(self, requests):
        counts = [pb_utils.get_input_tensor_by_name(each, "IMAGE").shape()[0] for each in requests]
        # From when the model was due to be free: what a sleep lasts too long is taken off the next one.
        self.free_s = max(self.free_s, time.monotonic() - LATE_S) + sum(counts) * ITEM_S
        time.sleep(max(0.0, self.free_s - time.monotonic()))
        return [_respond(count) for count in counts]


def _respond(count):
    result = np.full((count, 1), b'{"cards":[]}', np.object_)
    return pb_utils.InferenceResponse([pb_utils.Tensor("RESULT", result)])
