"""What the tests of the speech services share: recordings, and how a server is asked about them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient import grpc

from tandem.evaluation.speech import FOLDER, Recording, read_recordings
from tandem.runtime.setup import REPOSITORY

SPEECH, RECOGNIZER, TRANSLATION = "speech_to_text", "speech_recognizer", "speech_translation"
MODELS = (SPEECH, RECOGNIZER)


def missing() -> str:
    """What to do for the weights or recordings that are not there; empty if all are."""
    if not (REPOSITORY / RECOGNIZER / "1" / "model" / "model.bin").exists():
        return "no recogniser (133 MB to download): python -m export.whisper.set_up"
    if not (REPOSITORY / SPEECH / "1" / "voice.onnx").exists():
        return "no voice activity network (11 MB to download): python -m export.voice_activity.set_up"
    if not (recordings_folder() / "index.json").exists():
        return "no recordings with an index.json: TANDEM_RECORDINGS=FOLDER names some"
    return ""


def recordings_folder() -> Path:
    """Where the recordings are: beside the checkout, or where TANDEM_RECORDINGS says."""
    return Path(os.environ.get("TANDEM_RECORDINGS", FOLDER))


def recordings() -> list[Recording]:
    return read_recordings(recordings_folder())


def inputs_of(*items: bytes, options: str | None = None) -> list[grpc.InferInput]:
    """A request's inputs: [n, 1] BYTES each."""
    inputs = [("AUDIO", list(items))]
    if options is not None:
        inputs.append(("OPTIONS", [options.encode()] * len(items)))
    tensors = []
    for name, values in inputs:
        tensor = grpc.InferInput(name, [len(items), 1], "BYTES")
        tensor.set_data_from_numpy(np.array([[value] for value in values], np.object_))
        tensors.append(tensor)
    return tensors


def ask(
    client: grpc.InferenceServerClient, *items: bytes, options: str | None = None, model: str = SPEECH
) -> list[Any]:
    """One request with these recordings; their answers."""
    answer = client.infer(model, inputs_of(*items, options=options)).as_numpy("RESULT")
    return [json.loads(one) for one in answer.reshape(-1)]
