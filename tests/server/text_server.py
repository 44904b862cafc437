"""What the tests of the text services share: a server with their models alone, and how they ask it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient import grpc

from tandem.runtime.setup import REPOSITORY

KEYWORDS, EMBEDDER = "text_keywords", "text_embedder"
TRANSLATION, TRANSLATOR = "text_translation", "translator"
MODELS = (KEYWORDS, EMBEDDER, TRANSLATION, TRANSLATOR)


def missing_weights() -> str:
    """What to do for the weights that are not there; empty if all are."""
    if not (REPOSITORY / EMBEDDER / "1" / "model.onnx").exists():
        return "no embedder (91 MB to download): python -m export.text_embedder.set_up"
    if not (REPOSITORY / TRANSLATOR / "1" / "model" / "model.bin").exists():
        return "no translator (478 MB to download): python -m export.translator.set_up"
    return ""


def repository_of(models: tuple[str, ...], folder: Path) -> Path:
    """A model repository with these of ours alone."""
    for model in models:
        (folder / model).symlink_to(REPOSITORY / model)
    return folder


def inputs_of(*items: bytes, options: str | None = None) -> list[grpc.InferInput]:
    """A request's inputs: [n, 1] BYTES each."""
    inputs = [("TEXT", list(items))]
    if options is not None:
        inputs.append(("OPTIONS", [options.encode()] * len(items)))
    tensors = []
    for name, values in inputs:
        tensor = grpc.InferInput(name, [len(items), 1], "BYTES")
        tensor.set_data_from_numpy(np.array([[value] for value in values], np.object_))
        tensors.append(tensor)
    return tensors


def ask(
    client: grpc.InferenceServerClient, model: str, *items: bytes, options: str | None = None
) -> list[Any]:
    """One request with these texts; their answers."""
    answer = client.infer(model, inputs_of(*items, options=options)).as_numpy("RESULT")
    return [json.loads(one) for one in answer.reshape(-1)]
