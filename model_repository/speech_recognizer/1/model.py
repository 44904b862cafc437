"""Triton's adapter for Whisper: windows of speech in, tokens out, two windows as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from tandem.services.speech_to_text.recognizer import Recognizer, RecognizerConfig
from tandem.services.speech_to_text.tensors import LISTEN_TENSORS, pack_heard, unpack_listen
from tandem.triton.joint import JointResponder
from tandem.triton.responder import Arrays, model_parameters

_DEFAULTS = {"folder": "model", "compute_type": "int8", "threads": "0", "beam": "5"}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the model, whose folder is relative to the version's."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        gpu = args["model_instance_kind"] == "GPU"
        config = RecognizerConfig(
            device="cuda" if gpu else "cpu",
            device_index=int(args["model_instance_device_id"]) if gpu else 0,
            compute_type=parameters["compute_type"],
            threads=int(parameters["threads"]),
            beam=int(parameters["beam"]),
        )
        folder = Path(args["model_repository"]) / args["model_version"] / parameters["folder"]
        self._recognizer = Recognizer(folder, config)
        self._responder = JointResponder(pb_utils, model_name=args["model_name"], inputs=LISTEN_TENSORS)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch together."""
        return self._responder.respond(requests, self._recognize)

    def finalize(self) -> None:
        """Gives back what the server lent."""
        self._responder.close()

    def _recognize(self, items: Sequence[Arrays], _is_cancelled: Any) -> list[Arrays]:
        """What is heard in the batch's windows."""
        asked = [unpack_listen(item) for item in items]
        for one in asked:
            self._recognizer.check(one)
        return [pack_heard(heard) for heard in self._recognizer.recognize(asked)]
