"""The ensemble `id_card` as plain calls in this process: the same steps, networks, threads and answers.

What a step does is in `tandem.services` and `tandem.media`, as for `model_repository`; the networks run in
the embedded server's own ONNX sessions, made from the same configs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from google.protobuf import json_format, text_format
from numpy.typing import NDArray

from tandem.media.letterbox import letterbox
from tandem.media.picture import Picture, decode, decode_original
from tandem.runtime.onnx_backend.session import OnnxSession
from tandem.runtime.onnx_backend.settings import parse_settings
from tandem.runtime.onnx_backend.signature import parse_signature
from tandem.services.id_card.geometry.rectify import RectifyConfig, rectify
from tandem.services.id_card.geometry.titles import place_titles
from tandem.services.id_card.identity import read_picture
from tandem.services.id_card.kinds import classify_cards, seen_quads
from tandem.services.id_card.records import pack_cards, pack_segments
from tandem.services.id_card.second_reading import read_again
from tandem.services.id_card.text.ctc import Row
from tandem.services.id_card.text.parse import read_dictionary

_CHINA = timezone(timedelta(hours=8))  # as model_repository/parse_fields
_DETECTED = ("QUADS", "SCORES", "EMBLEM")
# Pictures of a batch that a step works on side by side: the parameter `workers` of the Python models.
_WORKERS = 2

FloatArray = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]
_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A decoded picture and what the detector says of its thumbnail; may travel to another process.

    Attributes:
        data: the picture as sent, encoded.
        picture: decoded.
        detected: the detector's outputs `QUADS` (8, 4, 2), `SCORES` (8,), `EMBLEM` (8,), float32.
    """

    data: bytes
    picture: Picture
    detected: Tensors


@dataclass(frozen=True, kw_only=True)
class Straightened:
    """A picture's text rows on lanes, and what is known of its cards; may travel to another process.

    Attributes:
        lanes: (L, 48, W, 3) uint8.
        known: the other inputs of `read_picture`, by name.
        unread_pages: how many more pages the file has.
    """

    lanes: NDArray[np.uint8]
    known: Tensors
    unread_pages: int


class Network:
    """A network of the model repository, run as the embedded server runs it on a CPU. Thread-safe.

    Args:
        repository: folder of models.
        name: the model.

    Raises:
        OnnxModelError: its file is missing or does not fit its config.
    """

    def __init__(self, repository: Path, name: str) -> None:
        config = read_config(repository, name)
        settings = parse_settings(config, kind="CPU", device_id=0)
        signature = parse_signature(config)
        self._session = OnnxSession(repository / name / "1" / settings.filename, settings, signature)
        self._input = signature.inputs[0].name
        self._outputs = [output.name for output in signature.outputs]

    def __call__(self, items: Sequence[NDArray[Any]]) -> list[dict[str, NDArray[Any]]]:
        """Each item's outputs; items of equal shape run as one batch.

        Args:
            items: the network's input each, without the batch dimension.
        """
        requests = [{self._input: item[np.newaxis]} for item in items]
        answers = []
        for outcome in self._session.run_all(requests, self._outputs):
            if isinstance(outcome, Exception):
                raise outcome
            answers.append({name: array[0] for name, array in outcome.items()})
        return answers


class Steps:
    """The ensemble's steps, each over a batch of pictures. Thread-safe.

    Args:
        repository: folder of models.
        second_reading: whether rows with a guess in them are read again, as the ensemble does.

    Raises:
        OnnxModelError: a network's file is missing or does not fit its config.
    """

    def __init__(self, repository: Path, *, second_reading: bool = True) -> None:
        cv2.setNumThreads(1)
        self._second_reading = second_reading
        self._detector = Network(repository, "card_detector")
        self._documents = Network(repository, "document_detector")
        self._classifier = Network(repository, "document_classifier")
        self._refiner = Network(repository, "corner_refiner")
        self._recognizer = Network(repository, "text_recognizer")
        self._dictionary = read_dictionary(repository / "text_recognizer" / "characters.txt")
        threshold = read_config(repository, "rectify_cards")["parameters"]["score_threshold"]
        self._rectify_config = RectifyConfig(score_threshold=float(threshold["string_value"]))
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="steps")

    def answer(self, pictures: Sequence[bytes]) -> list[bytes]:
        """Each picture's result, JSON as the ensemble's `RESULT`.

        Args:
            pictures: encoded.

        Raises:
            InputError: one is no picture.
        """
        return self.read(self.straighten(self.find(pictures)))

    def find(self, pictures: Sequence[bytes]) -> list[Found]:
        """The models decode_image and card_detector."""
        decoded = self._side_by_side(_decode, pictures)
        detected = self._detector([thumbnail for _, thumbnail in decoded])
        return [
            Found(data=data, picture=picture, detected=outputs)
            for data, (picture, _), outputs in zip(pictures, decoded, detected, strict=True)
        ]

    def straighten(self, found: Sequence[Found]) -> list[Straightened]:
        """The models rectify_cards and document_classifier."""
        return self._side_by_side(self._straighten, found)

    def read(self, straightened: Sequence[Straightened]) -> list[bytes]:
        """The models text_recognizer and parse_fields."""
        read = self._recognizer([one.lanes for one in straightened])
        return [self._parse(one, outputs) for one, outputs in zip(straightened, read, strict=True)]

    def _side_by_side(self, step: Callable[[_In], _Out], items: Sequence[_In]) -> list[_Out]:
        """As `Responder.respond`: a lone item needs no worker."""
        results: Iterable[_Out] = self._workers.map(step, items) if len(items) > 1 else map(step, items)
        return list(results)

    def _detect(self, thumbnails: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The detector's second look."""
        outputs = self._detector(list(thumbnails))
        quads, scores, emblem = (np.stack([one[name] for one in outputs]) for name in _DETECTED)
        return quads, scores, emblem

    def _refine(self, views: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        outputs = self._refiner(list(views))
        offsets, ways = (np.stack([one[name] for one in outputs]) for name in ("OFFSETS", "WAYS"))
        return offsets, ways

    def _classify(self, views: NDArray[np.uint8]) -> FloatArray:
        (outputs,) = self._classifier([views])
        return outputs["KINDS"]

    def _find_documents(self, thumbnails: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        outputs = self._documents(list(thumbnails))
        quads, scores = (np.stack([one[name] for one in outputs]) for name in ("QUADS", "SCORES"))
        return quads, scores

    def _straighten(self, found: Found) -> Straightened:
        picture = found.picture
        rectified = rectify(
            picture.pixels,
            picture.sent_size,
            found.detected["QUADS"],
            found.detected["SCORES"],
            found.detected["EMBLEM"],
            self._rectify_config,
            detect=self._detect,
            refine=self._refine,
            original=lambda: decode_original(found.data),
        )
        lanes, titles = place_titles(picture, rectified.cards, rectified.segments, rectified.lanes)
        kinds, view_quads = classify_cards(
            picture,
            [card.quad for card in rectified.cards],
            seen_quads(
                picture,
                found.detected["QUADS"],
                found.detected["SCORES"],
                self._rectify_config.score_threshold,
            ),
            find_documents=self._find_documents,
            classify=self._classify,
        )
        known = {
            "cards": pack_cards(rectified.cards),
            "segments": pack_segments(rectified.segments),
            "titles": titles,
            "kinds": kinds,
            "view_quads": view_quads,
        }
        return Straightened(lanes=lanes, known=known, unread_pages=picture.unread_pages)

    def _recognize(self, lanes: NDArray[np.uint8]) -> tuple[NDArray[np.int32], FloatArray]:
        (outputs,) = self._recognizer([lanes])
        return outputs["CHARACTERS"], outputs["PROBABILITIES"]

    def _parse(self, straightened: Straightened, read: Tensors) -> bytes:
        def again(rows: Sequence[Row]) -> list[Row]:
            return read_again(rows, straightened.lanes, self._recognize, self._dictionary)

        answer = read_picture(
            read["CHARACTERS"],
            read["PROBABILITIES"],
            **straightened.known,
            dictionary=self._dictionary,
            today=datetime.now(_CHINA).date(),
            again=again if self._second_reading else None,
        )
        if straightened.unread_pages:
            answer["unread_pages"] = straightened.unread_pages
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def read_config(repository: Path, name: str) -> dict[str, Any]:
    """A model's `config.pbtxt` as the JSON that Triton gives to the model."""
    # gRPC's threads don't outlive a fork, and some servers fork their workers: only workers import it.
    from tritonclient.grpc import model_config_pb2  # noqa: PLC0415

    text = (repository / name / "config.pbtxt").read_text("utf-8")
    parsed = text_format.Parse(text, model_config_pb2.ModelConfig())
    config: dict[str, Any] = json_format.MessageToDict(parsed, preserving_proto_field_name=True)
    return config


def _decode(data: bytes) -> tuple[Picture, NDArray[np.uint8]]:
    picture = decode(data)
    return picture, letterbox(picture.pixels)
