"""Triton's adapter for `id_card.text.parse`: what the recogniser read in, the result's JSON out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from tandem.services.id_card.identity import read_picture
from tandem.services.id_card.text.parse import read_dictionary
from tandem.triton.last_step import LastStep
from tandem.triton.responder import model_parameters

_INPUTS = ("CHARACTERS", "PROBABILITIES", "CARDS", "SEGMENTS", "TITLES", "KINDS", "VIEW_QUADS")
_DEFAULTS = {"characters": "../text_recognizer/characters.txt"}
_CHINA = timezone(timedelta(hours=8))  # where it is decided on which day a card expires


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the recogniser's character list, whose path is relative to this model's folder."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        self._dictionary = read_dictionary(Path(args["model_repository"]) / parameters["characters"])
        self._step = LastStep(pb_utils, model_name=args["model_name"], inputs=_INPUTS, answer=self._read)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch."""
        return self._step.respond(requests)

    def finalize(self) -> None:
        """Ends the plumbing."""
        self._step.close()

    def _read(self, *inputs: NDArray[Any]) -> dict[str, Any]:
        """One picture's result."""
        return read_picture(*inputs, dictionary=self._dictionary, today=datetime.now(_CHINA).date())
