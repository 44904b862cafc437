"""Triton's adapter for `find_cards.objects`: classified documents in, the result's JSON out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from tandem.services.find_cards.objects import list_objects
from tandem.triton.company import Departures
from tandem.triton.notes import NOTE, take_ticket, unpack_note
from tandem.triton.responder import Arrays, Responder

_INPUTS = ("FOUND", "KINDS", NOTE)


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Nothing to set up but the plumbing."""
        self._responder = Responder(pb_utils, model_name=args["model_name"], inputs=_INPUTS)
        self._departures = Departures()

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch."""
        return self._responder.respond_to_items(requests, self._answer)

    def finalize(self) -> None:
        """Ends the plumbing."""
        self._departures.close()

    def _answer(self, inputs: Arrays) -> Arrays:
        """One picture's result."""
        said = unpack_note(inputs[NOTE])
        self._departures.tell(take_ticket(said))
        answer = {**list_objects(inputs["FOUND"], inputs["KINDS"]), **said}
        result = json.dumps(answer, separators=(",", ":"))
        return {"RESULT": np.array([result.encode()], np.object_)}
