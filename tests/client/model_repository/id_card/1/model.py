"""Answers the client's tests by content: the "picture" is a JSON order that says what to answer.

`{"number": …}` answers one card with that number; `"delay_s"` waits first; `"no_card": true` finds none;
`"error": CODE` fails with that Triton code; `"die": true` ends the process; `"junk": text` answers that
text. A real PNG shows one card. Anything else can't be decoded.
"""

import json
import os
import time

import numpy as np
import triton_python_backend_utils as pb_utils

_PNG = b"\x89PNG"
_QUAD = [[0, 0], [100, 0], [100, 60], [0, 60]]


class TritonPythonModel:
    def execute(self, requests):
        return [_respond(request) for request in requests]


def _respond(request):
    picture = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy()[0, 0]
    if picture.startswith(_PNG):
        picture = b'{"number": "PNG"}'
    try:
        order = json.loads(picture)
    except ValueError:
        return _failure("INVALID_ARG", "the picture can't be decoded")
    time.sleep(order.get("delay_s", 0))
    if order.get("die"):
        os._exit(1)
    if "error" in order:
        return _failure(order["error"], f"ordered to fail with {order['error']}")
    answer = order.get("junk") or json.dumps({"cards": [] if order.get("no_card") else [_card(order)]})
    result = np.array([[answer.encode()]], np.object_)
    return pb_utils.InferenceResponse([pb_utils.Tensor("RESULT", result)])


def _card(order):
    names = ("姓名", "性别", "民族", "出生", "住址", "公民身份号码")
    checks = ("number_checksum", "birth_matches_number", "sex_matches_number", "region_known")
    return {
        "side": "portrait",
        "score": 0.99,
        "quad": _QUAD,
        "fields": {**dict.fromkeys(names, ""), "公民身份号码": order["number"]},
        "confidence": {**dict.fromkeys(names, 0), "公民身份号码": 0.9},
        "boxes": {**dict.fromkeys(names), "公民身份号码": _QUAD},
        "checks": dict.fromkeys(checks),
        "corrected": [],
        "incomplete_fields": [],
        "quality": {**dict.fromkeys(("blurred", "glare", "incomplete", "grey_copy"), 0), "mirrored": False},
    }


def _failure(code, message):
    error = pb_utils.TritonError(message, getattr(pb_utils.TritonError, code))
    return pb_utils.InferenceResponse(output_tensors=[], error=error)
