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
from tandem.media.picture import Picture, decode_original
from tandem.services.id_card.geometry.rectify import RectifyConfig, rectify
from tandem.services.id_card.geometry.titles import place_titles
from tandem.services.id_card.kinds import classify_cards, seen_quads
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
    "calls": "document_classifier,document_detector,corner_refiner",
}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the parameters and starts the workers: OpenCV runs without Python's lock."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        cv2.setNumThreads(1)
        self._config = RectifyConfig(score_threshold=float(parameters["score_threshold"]))
        called = [name.strip() for name in parameters["calls"].split(",")]
        if len(called) != len(_DEFAULTS["calls"].split(",")):
            raise ValueError(
                f"'calls' names three models, as in {_DEFAULTS['calls']!r}, not {parameters['calls']!r}"
            )
        classifier, documents, refiner = called
        self._detect = _Detector(parameters["detector"], ("QUADS", "SCORES", "EMBLEM"))
        self._find_documents = _Detector(documents, ("QUADS", "SCORES"))
        self._classifier = RemoteModel(pb_utils, name=classifier, input_name="VIEWS", output_names=("KINDS",))
        self._refine = _Refiner(refiner)
        self._workers = ThreadPoolExecutor(int(parameters["workers"]), thread_name_prefix="rectify")
        self._responder = Responder(pb_utils, model_name=args["model_name"], inputs=_INPUTS)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch together."""
        return self._responder.respond_to_items(requests, self._rectify, self._workers, instead=self._blank)

    def finalize(self) -> None:
        """Ends the workers."""
        self._workers.shutdown()
        self._responder.close()

    def _classify(self, views: NDArray[np.uint8]) -> FloatArray:
        (kinds,) = self._classifier(views[np.newaxis])
        return kinds[0]

    def _rectify(self, inputs: Arrays) -> Arrays:
        """One picture's tensors."""
        picture = Picture.unpacked(inputs["PICTURE"], inputs["PICTURE_SIZE"])
        asks = bool(inputs["IMAGE"][0])  # nobody is asked about a blank picture
        rectified = rectify(
            picture.pixels,
            picture.sent_size,
            inputs["QUADS"],
            inputs["SCORES"],
            inputs["EMBLEM"],
            self._config,
            detect=self._detect,
            refine=self._refine if asks else None,
            original=lambda: decode_original(inputs["IMAGE"][0]),
        )
        lanes, titles = place_titles(picture, rectified.cards, rectified.segments, rectified.lanes)
        # Asked from here and not as a step beside the recogniser: Triton 24.10 ends when a caller gives up on
        # an ensemble two of whose steps run at once (docs/decisions/0016-ensembles-are-chains.md).
        kinds, view_quads = classify_cards(
            picture,
            [card.quad for card in rectified.cards],
            seen_quads(picture, inputs["QUADS"], inputs["SCORES"], self._config.score_threshold),
            find_documents=self._find_documents if asks else _no_documents,
            classify=self._classify if asks else _no_kinds,
        )
        return {
            "LANES": lanes,
            "CARDS": pack_cards(rectified.cards),
            "SEGMENTS": pack_segments(rectified.segments),
            "TITLES": titles,
            "KINDS": kinds,
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


class _Detector:
    """A detector of this server, asked by a step of it; where it does not answer, it finds nothing.

    Args:
        name: the model.
        outputs: QUADS and those of which there is one number a detection, as they are given back.
    """

    def __init__(self, name: str, outputs: Sequence[str]) -> None:
        self._model = RemoteModel(pb_utils, name=name, input_name="THUMBNAIL", output_names=outputs)
        self._name, self._outputs = name, tuple(outputs)
        self._is_there = False

    def __call__(self, thumbnails: NDArray[np.uint8]) -> tuple[FloatArray, ...]:
        """What it finds in (n, 320, 320, 3) uint8 BGR thumbnails: quads (n, k, 4, 2), scores (n, k), …."""
        try:
            found = self._model(thumbnails)
        except RemoteModelError as error:
            # At warm-up it may not be loaded yet: only one that has answered before is missed.
            _log.log(
                logging.WARNING if self._is_there else logging.INFO, "%s finds nothing: %s", self._name, error
            )
            count = len(thumbnails)
            return tuple(
                np.zeros((count, 0, 4, 2) if name == "QUADS" else (count, 0), np.float32)
                for name in self._outputs
            )
        self._is_there = True
        return tuple(found)


class _Refiner:
    """The corner refiner of this server; where it does not answer, it corrects nothing.

    Args:
        name: the model.
    """

    def __init__(self, name: str) -> None:
        self._model = RemoteModel(pb_utils, name=name, input_name="VIEWS", output_names=("OFFSETS", "WAYS"))
        self._name = name

    def __call__(self, views: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """Offsets (n, 4, 2) and ways (n, 4) of (n, 128, 176, 3) uint8 BGR views."""
        try:
            offsets, ways = self._model(views)
        except RemoteModelError as error:
            _log.warning("%s corrects nothing: %s", self._name, error)
            return np.zeros((0, 4, 2), np.float32), np.zeros((0, 4), np.float32)
        return offsets, ways


def _no_documents(thumbnails: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
    """What a detector finds that is not asked."""
    return np.zeros((len(thumbnails), 0, 4, 2), np.float32), np.zeros((len(thumbnails), 0), np.float32)


def _no_kinds(views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What nobody was asked: at warm-up, when the classifier may not be there yet, and of a blank picture."""
    return np.zeros((len(views), len(KINDS)), np.float32)
