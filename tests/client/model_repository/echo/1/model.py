"""Answers "no card" to everything, at once."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [_respond(request) for request in requests]


def _respond(request):
    count = pb_utils.get_input_tensor_by_name(request, "IMAGE").shape()[0]
    result = np.full((count, 1), b'{"cards":[]}', np.object_)
    return pb_utils.InferenceResponse([pb_utils.Tensor("RESULT", result)])
