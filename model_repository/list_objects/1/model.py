"""Triton's adapter for `find_cards.objects`: classified documents in, the result's JSON out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triton_python_backend_utils as pb_utils

from tandem.services.find_cards.objects import list_objects
from tandem.triton.last_step import LastStep


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Nothing to set up but the plumbing."""
        self._step = LastStep(
            pb_utils, model_name=args["model_name"], inputs=("FOUND", "KINDS"), answer=list_objects
        )

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch."""
        return self._step.respond(requests)

    def finalize(self) -> None:
        """Ends the plumbing."""
        self._step.close()
