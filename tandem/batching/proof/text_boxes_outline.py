"""Last step of `text_boxes`: the detector's map of probabilities, as boxes around what is text."""

from __future__ import annotations

import json

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

# PaddleOCR's defaults: a pixel is text from this probability on, and a box is at least so many pixels wide.
THRESHOLD = 0.3
NARROWEST = 3


class TritonPythonModel:
    """See the module."""

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """BOXES of every request: JSON, a list of four corners `[x, y]` each, pixels of the square."""
        responses = []
        for request in requests:
            maps = pb_utils.get_input_tensor_by_name(request, "MAP").as_numpy()
            boxes = np.array([[_boxes(each[0]).encode()] for each in maps], np.object_)
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("BOXES", boxes)]))
        return responses


def _boxes(probabilities: NDArray[np.float32]) -> str:
    text = (probabilities > THRESHOLD).astype(np.uint8)
    outlines, _ = cv2.findContours(text, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    around = [cv2.minAreaRect(outline) for outline in outlines]
    return json.dumps([cv2.boxPoints(box).tolist() for box in around if min(box[1]) >= NARROWEST])
