"""A picture with a guess in it goes to the recogniser twice, and comes back as the plain calls read it."""

from __future__ import annotations

import json

import cv2
import numpy as np
from tritonclient import grpc

from tandem.evaluation.peer_servers.steps import Steps
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import CHECKOUT, REPOSITORY
from tests.server.asking import ask

SAMPLE = (CHECKOUT / "docs" / "images" / "sample.jpg").read_bytes()
ADDRESS = "住址"


def _sent_on(scale: float, quality: int) -> bytes:
    """The sample smaller and compressed, as chat apps do."""
    image = cv2.imdecode(np.frombuffer(SAMPLE, np.uint8), cv2.IMREAD_COLOR)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _asked(client: grpc.InferenceServerClient) -> int:
    stats = client.get_inference_statistics("text_recognizer", as_json=True)["model_stats"][0]
    return int(stats["inference_stats"]["success"]["count"])


def test_a_doubtful_row_is_read_again(triton_server: TritonServer) -> None:
    doubtful = _sent_on(0.4, 20)
    with grpc.InferenceServerClient(triton_server.grpc_url) as client:

        def questions(picture: bytes) -> tuple[int, dict[str, object]]:
            before = _asked(client)
            (answer,) = ask(client, picture)
            return _asked(client) - before, answer

        assert questions(SAMPLE)[0] == 1
        count, answer = questions(doubtful)
        assert count == 2
    once, twice = (
        json.loads(Steps(REPOSITORY, second_reading=wanted).answer([doubtful])[0]) for wanted in (False, True)
    )
    assert answer == twice
    alone, address = (read["cards"][0]["fields"][ADDRESS] for read in (once, twice))
    assert address.endswith("谭村委会")
    assert alone != address
