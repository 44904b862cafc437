"""Triton's adapter for `id_card.geometry.rectify`: pictures and detections in, lanes of text rows out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from tandem.media.document_kinds import KINDS
from tandem.media.documents import card_views
from tandem.media.picture import Picture, decode_original
from tandem.services.id_card.geometry.rectify import RectifyConfig, rectify
from tandem.services.id_card.geometry.titles import place_titles
from tandem.services.id_card.records import pack_cards, pack_segments
from tandem.triton.notes import NOTE
from tandem.triton.remote_model import RemoteModel, RemoteModelError
from tandem.triton.responder import Arrays, Responder, model_parameters

_log = logging.getLogger(__name__)
FloatArray = NDArray[np.float32]
_INPUTS = ("PICTURE", "PICTURE_SIZE", "QUADS", "SCORES", "EMBLEM", "IMAGE", NOTE)
_DEFAULTS = {
    "workers": "2",
    "score_threshold": "0.4",
    "detector": "card_detector",
    "calls": "document_classifier",
}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the parameters and starts the workers: OpenCV runs without Python's lock."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        cv2.setNumThreads(1)
        self._config = RectifyConfig(score_threshold=float(parameters["score_threshold"]))
        self._detector = RemoteModel(
            pb_utils,
            name=parameters["detector"],
            input_name="THUMBNAIL",
            output_names=("QUADS", "SCORES", "EMBLEM"),
        )
        self._detector_is_there = False
        self._classifier = RemoteModel(
            pb_utils, name=parameters["calls"], input_name="VIEWS", output_names=("KINDS",)
        )
        self._workers = ThreadPoolExecutor(int(parameters["workers"]), thread_name_prefix="rectify")
        self._responder = Responder(pb_utils, model_name=args["model_name"], inputs=_INPUTS)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch together."""
        return self._responder.respond_to_items(requests, self._rectify, self._workers, instead=self._blank)

    def finalize(self) -> None:
        """Ends the workers."""
        self._workers.shutdown()

    def _detect(self, thumbnails: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The detector's second look; nothing where it does not answer."""
        try:
            quads, scores, emblem = self._detector(thumbnails)
        except RemoteModelError as error:
            # At warm-up the detector may not be loaded yet: only one that has answered before is missed.
            level = logging.WARNING if self._detector_is_there else logging.INFO
            _log.log(level, "no second look: %s", error)
            nothing = np.zeros((len(thumbnails), 0), np.float32)
            return np.zeros((len(thumbnails), 0, 4, 2), np.float32), nothing, nothing
        self._detector_is_there = True
        return quads, scores, emblem

    def _rectify(self, inputs: Arrays) -> Arrays:
        """One picture's tensors."""
        picture = Picture.unpacked(inputs["PICTURE"], inputs["PICTURE_SIZE"])
        rectified = rectify(
            picture.pixels,
            picture.sent_size,
            inputs["QUADS"],
            inputs["SCORES"],
            inputs["EMBLEM"],
            self._config,
            detect=self._detect,
            original=lambda: decode_original(inputs["IMAGE"][0]),
        )
        lanes, titles = place_titles(picture, rectified.cards, rectified.segments, rectified.lanes)
        views, view_quads = card_views(picture, [card.quad for card in rectified.cards])
        # Asked from here and not as a step beside the recogniser: Triton 24.10 ends when a caller gives up on
        # an ensemble two of whose steps run at once (docs/decisions/0016-ensembles-are-chains.md).
        (kinds,) = self._classifier(views[np.newaxis]) if inputs["IMAGE"][0] else [_no_kinds(views)]
        return {
            "LANES": lanes,
            "CARDS": pack_cards(rectified.cards),
            "SEGMENTS": pack_segments(rectified.segments),
            "TITLES": titles,
            "KINDS": kinds[0],
            "VIEW_QUADS": view_quads,
            NOTE: inputs[NOTE],
        }

    def _blank(self, note: NDArray[Any]) -> Arrays:
        """The tensors of a picture without cards, for one that failed beside others."""
        picture = Picture.blank()
        nothing = np.zeros(0, np.float32)
        tensors = {
            "PICTURE": picture.pixels.reshape(-1),
            "PICTURE_SIZE": picture.packed_size(),
            "IMAGE": np.array([b""], np.object_),
        }
        detected = {"QUADS": np.zeros((0, 4, 2), np.float32), "SCORES": nothing, "EMBLEM": nothing}
        return self._rectify({**tensors, **detected, NOTE: note})


def _no_kinds(views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What nobody was asked: at warm-up, when the classifier may not be there yet, and of a blank picture."""
    return np.zeros((1, len(views), len(KINDS)), np.float32)
