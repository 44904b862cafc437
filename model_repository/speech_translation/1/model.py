"""Triton's adapter for `speech_translation`: recordings in, translations out, through two models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from tandem.services.speech_translation.translate import parse_options, translate_speech
from tandem.triton.coordinator import Coordinator, Item
from tandem.triton.responder import model_parameters

_DEFAULTS = {"items": "64", "calls": "speech_to_text,text_translation"}


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the parameters and starts the threads."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        self._speech_to_text, self._text_translation = parameters["calls"].split(",")
        self._coordinator = Coordinator(
            pb_utils,
            model_name=args["model_name"],
            input_name="AUDIO",
            answer=self._translate,
            items=int(parameters["items"]),
        )

    def execute(self, requests: Sequence[Any]) -> None:
        """Hands the requests to threads, which respond themselves."""
        self._coordinator.start(requests)

    def finalize(self) -> None:
        """Lets what is under way finish."""
        self._coordinator.close()

    def _translate(self, item: Item) -> Any:
        """One recording's result."""

        def transcribe(options: bytes) -> Any:
            (answer,) = item.ask(self._speech_to_text, ["RESULT"], [_inputs("AUDIO", item.data, options)])
            return json.loads(answer["RESULT"][0])

        def translate(parts: Sequence[str], source: str, target: str) -> Iterator[Mapping[str, Any]]:
            options = json.dumps({"source": source, "target": target}).encode()
            pieces = [_inputs("TEXT", part.encode(), options) for part in parts]
            for answer in item.ask(self._text_translation, ["RESULT"], pieces):
                yield json.loads(answer["RESULT"][0])

        return translate_speech(parse_options(item.options), transcribe, translate)


def _inputs(name: str, data: bytes, options: bytes) -> dict[str, Any]:
    return {name: np.array([data], np.object_), "OPTIONS": np.array([options], np.object_)}
