"""Triton's adapter for `document_kind.ranking`: classified documents in, the result's JSON out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from tandem.services.document_kind.ranking import rank_kinds
from tandem.triton.responder import Arrays, Responder, each_item

_INPUTS = ("FOUND", "KINDS")


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Nothing to set up but the plumbing."""
        self._responder = Responder(pb_utils, model_name=args["model_name"], inputs=_INPUTS)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch."""
        return self._responder.respond(requests, each_item(_answer))


def _answer(inputs: Arrays) -> Arrays:
    """One picture's result."""
    result = json.dumps(rank_kinds(inputs["FOUND"], inputs["KINDS"]), separators=(",", ":"))
    return {"RESULT": np.array([result.encode()], np.object_)}
