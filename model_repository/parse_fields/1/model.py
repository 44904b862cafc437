"""Triton's adapter for `id_card.text.parse`: what the recogniser read in, the result's JSON out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from tandem.services.id_card.identity import read_picture
from tandem.services.id_card.text.parse import read_dictionary
from tandem.triton.company import Departures
from tandem.triton.notes import NOTE, take_ticket, unpack_note
from tandem.triton.responder import Arrays, Responder, model_parameters

_INPUTS = ("CHARACTERS", "PROBABILITIES", "CARDS", "SEGMENTS", "TITLES", "KINDS", "VIEW_QUADS")
_DEFAULTS = {"characters": "../text_recognizer/characters.txt"}
_CHINA = timezone(timedelta(hours=8))  # where it is decided on which day a card expires


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the recogniser's character list, whose path is relative to this model's folder."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        self._dictionary = read_dictionary(Path(args["model_repository"]) / parameters["characters"])
        self._responder = Responder(pb_utils, model_name=args["model_name"], inputs=(*_INPUTS, NOTE))
        self._departures = Departures()

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch."""
        return self._responder.respond_to_items(requests, self._parse)

    def finalize(self) -> None:
        """Ends the plumbing."""
        self._departures.close()

    def _parse(self, inputs: Arrays) -> Arrays:
        """One picture's result."""
        said = unpack_note(inputs[NOTE])
        self._departures.tell(take_ticket(said))
        answer = read_picture(
            *(inputs[name] for name in _INPUTS),
            dictionary=self._dictionary,
            today=datetime.now(_CHINA).date(),
        )
        answer |= said
        result = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        return {"RESULT": np.array([result.encode()], np.object_)}
