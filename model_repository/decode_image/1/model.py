"""Triton's adapter for `tandem.media.picture`: encoded pictures in, working pictures and thumbnails out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from tandem.media.letterbox import letterbox
from tandem.media.picture import Picture, decode
from tandem.triton.company import Company
from tandem.triton.notes import NOTE, pack_note, with_ticket
from tandem.triton.pair_gate import PairGate
from tandem.triton.responder import Arrays, Responder, model_parameters


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Starts the workers: decoding runs without Python's lock, so a batch's pictures share the cores."""
        parameters = model_parameters(args["model_config"], {"workers": "2", "hold_milliseconds": "60"})
        cv2.setNumThreads(1)
        self._company = Company()
        self._gate = PairGate(
            self._company,
            hold_s=float(parameters["hold_milliseconds"]) / 1000,
            final=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL,
        )
        self._workers = ThreadPoolExecutor(int(parameters["workers"]), thread_name_prefix="decode")
        self._responder = Responder(pb_utils, model_name=args["model_name"], inputs=["IMAGE"])

    def execute(self, requests: Sequence[Any]) -> None:
        """Decodes all requests of a batch; their answers go by the gate, perhaps after this returned."""
        responses = self._responder.respond_to_items(requests, self._decode, self._workers, instead=_blank)
        senders = [request.get_response_sender() for request in requests]
        self._gate.pass_on(list(zip(senders, responses, map(_items, responses), strict=True)))

    def finalize(self) -> None:
        """Answers what is held, and ends the workers."""
        self._gate.close()
        self._company.close()
        self._workers.shutdown()
        self._responder.close()

    def _decode(self, inputs: Arrays) -> Arrays:
        """One encoded picture's tensors."""
        picture = decode(inputs["IMAGE"][0])
        unread = {"unread_pages": picture.unread_pages} if picture.unread_pages else {}
        return {**_tensors(picture), NOTE: pack_note(with_ticket(unread, self._company.enter()))}


def _items(response: Any) -> int:
    """Of how many items it is."""
    return 0 if response.has_error() else len(response.output_tensors()[0].as_numpy())


def _blank(note: NDArray[Any]) -> Arrays:
    """The tensors of a picture that can't be read, beside others that can."""
    return {**_tensors(Picture.blank()), NOTE: note}


def _tensors(picture: Picture) -> Arrays:
    return {
        "THUMBNAIL": letterbox(picture.pixels),
        "PICTURE": picture.pixels.reshape(-1),
        "PICTURE_SIZE": picture.packed_size(),
    }
