"""Triton's adapter for `text_translation`: texts in, translations out, sentences through `translator`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from tandem.services.text_translation.prompts import Wanted
from tandem.services.text_translation.translate import Draft, translate_bytes
from tandem.triton.coordinator import Arrays, Coordinator, Item
from tandem.triton.responder import model_parameters

_DEFAULTS = {"items": "16", "pieces": "2", "calls": "translator"}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the parameters and starts the threads."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        self._network = parameters["calls"]
        self._coordinator = Coordinator(
            pb_utils,
            model_name=args["model_name"],
            input_name="TEXT",
            answer=self._translate,
            items=int(parameters["items"]),
            pieces=int(parameters["pieces"]),
        )

    def execute(self, requests: Sequence[Any]) -> None:
        """Hands the requests to threads, which respond themselves."""
        self._coordinator.start(requests)

    def finalize(self) -> None:
        """Lets what is under way finish."""
        self._coordinator.close()

    def _translate(self, item: Item) -> Any:
        """One text's result."""

        def ask(wanted: Sequence[Wanted]) -> Iterator[Draft]:
            pieces = [_piece(one) for one in wanted]
            for answer in item.ask(self._network, ("TRANSLATION", "CUT"), pieces):
                yield Draft(text=answer["TRANSLATION"][0].decode(), cut=bool(answer["CUT"][0]))

        return translate_bytes(item.data, item.options, ask)


def _piece(wanted: Wanted) -> Arrays:
    return {
        "SENTENCE": np.array([wanted.text.encode()], np.object_),
        "DIRECTION": np.array([str(wanted.direction).encode()], np.object_),
        "ATTEMPT": np.array([wanted.attempt], np.int32),
    }
