"""The running server as a reader of texts, and the passages and sentences that it is judged by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient import grpc

MATERIAL = Path(__file__).parent / "material"

Ask = Callable[[str], dict[str, Any]]


def triton_text_service(url: str, model: str, options: dict[str, Any] | None = None) -> Ask:
    """A thread-safe function from a text to the service's result."""
    client = grpc.InferenceServerClient(url)

    def ask(text: str) -> dict[str, Any]:
        inputs = [_input("TEXT", text)]
        if options:
            inputs.append(_input("OPTIONS", json.dumps(options)))
        answer: dict[str, Any] = json.loads(client.infer(model, inputs).as_numpy("RESULT").reshape(-1)[0])
        return answer

    return ask


def read_material(name: str) -> Any:
    """One of the files in `material`, as JSON."""
    return json.loads((MATERIAL / f"{name}.json").read_text("utf-8"))


def _input(name: str, text: str) -> grpc.InferInput:
    tensor = grpc.InferInput(name, [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[text.encode()]], np.object_))
    return tensor
