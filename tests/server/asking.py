"""How the tests of this folder ask the server: plain tritonclient, nothing of ours."""

from __future__ import annotations

import json
from concurrent.futures import Future
from typing import Any

import numpy as np
from tritonclient import grpc


def image_input(pictures: list[bytes]) -> grpc.InferInput:
    """The request's input: [n, 1] BYTES."""
    image = grpc.InferInput("IMAGE", [len(pictures), 1], "BYTES")
    image.set_data_from_numpy(np.array([[picture] for picture in pictures], np.object_))
    return image


def ask(client: grpc.InferenceServerClient, *pictures: bytes, model: str = "id_card") -> list[dict[str, Any]]:
    """One request with these pictures; their answers."""
    result = client.infer(model, [image_input(list(pictures))])
    return [json.loads(answer) for answer in result.as_numpy("RESULT").reshape(-1)]


def ask_later(client: grpc.InferenceServerClient, picture: bytes) -> Future[dict[str, Any]]:
    """A request under way; its future raises what the server answered if that was an error."""
    future: Future[dict[str, Any]] = Future()

    def done(result: Any, error: Any) -> None:
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(json.loads(result.as_numpy("RESULT").reshape(-1)[0]))

    client.async_infer("id_card", [image_input([picture])], done)
    return future
