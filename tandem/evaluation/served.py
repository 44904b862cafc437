"""The running server as a reader: whole answers, and what its detector alone says."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from tritonclient import grpc

from tandem.evaluation.readings import Answer, Quads
from tandem.media.letterbox import thumbnail_to_working, working_to_sent

# Weaker detections are noise; the pipeline itself believes stronger ones only.
_LEAST_SCORE = 0.2
# An answer that takes longer does not come.
_TIMEOUT_S = 120.0


def triton_reader(url: str) -> Callable[[bytes], Answer]:
    """A thread-safe function from an encoded picture to the server's answer."""
    read_bytes = triton_bytes_reader(url)

    def read(data: bytes) -> Answer:
        answer: Answer = json.loads(read_bytes(data))
        return answer

    return read


def triton_bytes_reader(url: str) -> Callable[[bytes], bytes]:
    """A thread-safe function from an encoded picture to the server's answer as it comes: JSON in UTF-8."""
    client = grpc.InferenceServerClient(url)

    def read(data: bytes) -> bytes:
        answered = client.infer("id_card", [_image(data)], client_timeout=_TIMEOUT_S)
        result: bytes = answered.as_numpy("RESULT").reshape(-1)[0]
        return result

    return read


def triton_detector(url: str) -> Callable[[bytes], Quads]:
    """A thread-safe function from an encoded picture to where the detector alone sees cards.

    The ensemble's first two steps are models of their own: asked one by one they say what the third one,
    which refines the corners, gets to see. The quads are (K, 4, 2) px of the picture as sent, best first.
    """
    client = grpc.InferenceServerClient(url)

    def detect(data: bytes) -> Quads:
        outputs = [grpc.InferRequestedOutput(name) for name in ("THUMBNAIL", "PICTURE_SIZE")]
        decoded = client.infer("decode_image", [_image(data)], outputs=outputs, client_timeout=_TIMEOUT_S)
        height, width, sent_height, sent_width = (int(side) for side in decoded.as_numpy("PICTURE_SIZE")[0])
        thumbnail = decoded.as_numpy("THUMBNAIL")
        picture = grpc.InferInput("THUMBNAIL", list(thumbnail.shape), "UINT8")
        picture.set_data_from_numpy(thumbnail)
        found = client.infer("card_detector", [picture], client_timeout=_TIMEOUT_S)
        kept: NDArray[np.bool_] = found.as_numpy("SCORES")[0] >= _LEAST_SCORE
        working = thumbnail_to_working(found.as_numpy("QUADS")[0][kept], (height, width))
        return working_to_sent(working, (height, width), (sent_height, sent_width))

    return detect


def _image(data: bytes) -> grpc.InferInput:
    image = grpc.InferInput("IMAGE", [1, 1], "BYTES")
    image.set_data_from_numpy(np.array([[data]], np.object_))
    return image
