"""First step of `text_boxes`: an encoded picture, scaled to a square and normalised, for the detector."""

from __future__ import annotations

import json

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

# What PaddleOCR's networks were trained with: pixels from -1 to 1.
MIDDLE = 0.5


class TritonPythonModel:
    """See the module."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the square's side from the model's config."""
        parameters = json.loads(args["model_config"])["parameters"]
        self._side = int(parameters["SIDE"]["string_value"])

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """PIXELS of every request, (n, 3, side, side) float32, -1 to 1."""
        responses = []
        for request in requests:
            encoded = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy().ravel()
            pixels = np.stack([self._pixels(item) for item in encoded])
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("PIXELS", pixels)]))
        return responses

    def _pixels(self, encoded: bytes) -> NDArray[np.float32]:
        picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
        square = cv2.resize(picture, (self._side, self._side)).astype(np.float32)
        return np.ascontiguousarray(((square / 255 - MIDDLE) / MIDDLE).transpose(2, 0, 1))
