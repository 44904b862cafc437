"""Triton's adapter for the language model that translates: sentences in, drafts out, two as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from tandem.services.text_translation.engine import ModelSettings
from tandem.services.text_translation.engines import load_engine
from tandem.services.text_translation.languages import Direction
from tandem.services.text_translation.prompts import Wanted
from tandem.triton.joint import JointResponder
from tandem.triton.responder import Arrays, model_parameters

_INPUTS = ("SENTENCE", "DIRECTION", "ATTEMPT")
_DEFAULTS = {"folder": "model", "compute_type": "int8", "threads": "0"}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the model, whose folder is relative to the version's."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        gpu = args["model_instance_kind"] == "GPU"
        settings = ModelSettings(
            device="cuda" if gpu else "cpu",
            device_index=int(args["model_instance_device_id"]) if gpu else 0,
            compute_type=parameters["compute_type"],
            threads=int(parameters["threads"]),
        )
        folder = Path(args["model_repository"]) / args["model_version"] / parameters["folder"]
        self._engine = load_engine(folder, settings)
        self._responder = JointResponder(pb_utils, model_name=args["model_name"], inputs=_INPUTS)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch together."""
        return self._responder.respond(requests, self._translate)

    def finalize(self) -> None:
        """Gives back what the server lent."""
        self._responder.close()

    def _translate(self, items: Sequence[Arrays], is_cancelled: Any) -> list[Arrays]:
        """The drafts of the batch's sentences."""
        drafts = self._engine.translate([_wanted(item) for item in items], is_cancelled)
        return [
            {
                "TRANSLATION": np.array([draft.text.encode()], np.object_),
                "CUT": np.array([draft.cut]),
                "TOKENS": np.array([draft.tokens], np.int32),
            }
            for draft in drafts
        ]


def _wanted(item: Arrays) -> Wanted:
    """One sentence, as `text_translation` asks for it."""
    return Wanted(
        text=item["SENTENCE"][0].decode(),
        direction=Direction.parse(item["DIRECTION"][0].decode()),
        attempt=int(item["ATTEMPT"][0]),
    )
