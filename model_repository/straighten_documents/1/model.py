"""Triton's adapter for `tandem.media.documents`: pictures and detections in, documents' views out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import triton_python_backend_utils as pb_utils

from tandem.media.documents import straighten_documents
from tandem.media.picture import Picture
from tandem.triton.responder import Arrays, Responder, each_item, model_parameters

_INPUTS = ("PICTURE", "PICTURE_SIZE", "QUADS", "SCORES")
_DEFAULTS = {"workers": "2", "score_threshold": "0.3"}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the parameters and starts the workers: OpenCV runs without Python's lock."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        cv2.setNumThreads(1)
        self._threshold = float(parameters["score_threshold"])
        self._workers = ThreadPoolExecutor(int(parameters["workers"]), thread_name_prefix="straighten")
        self._responder = Responder(pb_utils, model_name=args["model_name"], inputs=_INPUTS)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch together."""
        return self._responder.respond(requests, each_item(self._straighten), self._workers)

    def finalize(self) -> None:
        """Ends the workers."""
        self._workers.shutdown()

    def _straighten(self, inputs: Arrays) -> Arrays:
        """One picture's tensors."""
        picture = Picture.unpacked(inputs["PICTURE"], inputs["PICTURE_SIZE"])
        views, found = straighten_documents(
            picture, inputs["QUADS"], inputs["SCORES"], threshold=self._threshold
        )
        return {"VIEWS": views, "FOUND": found}
