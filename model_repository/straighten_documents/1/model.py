"""Triton's adapter for `tandem.media.documents`: pictures and detections in, documents' views out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from tandem.media.documents import straighten_documents
from tandem.media.picture import Picture
from tandem.triton.notes import NOTE
from tandem.triton.responder import Arrays, Responder, model_parameters

_INPUTS = ("PICTURE", "PICTURE_SIZE", "QUADS", "SCORES", NOTE)
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
        return self._responder.respond_to_items(
            requests, self._straighten, self._workers, instead=self._blank
        )

    def finalize(self) -> None:
        """Ends the workers."""
        self._workers.shutdown()
        self._responder.close()

    def _straighten(self, inputs: Arrays) -> Arrays:
        """One picture's tensors."""
        picture = Picture.unpacked(inputs["PICTURE"], inputs["PICTURE_SIZE"])
        views, found = straighten_documents(
            picture, inputs["QUADS"], inputs["SCORES"], threshold=self._threshold
        )
        return {"VIEWS": views, "FOUND": found, NOTE: inputs[NOTE]}

    def _blank(self, note: NDArray[Any]) -> Arrays:
        """The tensors of a picture without documents, for one that failed beside others."""
        quads, scores = np.zeros((0, 4, 2), np.float32), np.zeros(0, np.float32)
        views, found = straighten_documents(Picture.blank(), quads, scores, threshold=self._threshold)
        return {"VIEWS": views, "FOUND": found, NOTE: note}
