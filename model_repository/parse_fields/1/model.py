"""Triton's adapter for `id_card.text.parse`: what the recogniser read in, the result's JSON out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from tandem.services.id_card.identity import read_picture
from tandem.services.id_card.second_reading import read_again
from tandem.services.id_card.text.ctc import Row
from tandem.services.id_card.text.parse import read_dictionary
from tandem.triton.last_step import LastStep
from tandem.triton.remote_model import RemoteModel, RemoteModelError
from tandem.triton.responder import model_parameters

_log = logging.getLogger(__name__)
_INPUTS = ("LANES", "CHARACTERS", "PROBABILITIES", "CARDS", "SEGMENTS", "TITLES", "KINDS", "VIEW_QUADS")
_DEFAULTS = {
    "characters": "../text_recognizer/characters.txt",
    "recognizer": "text_recognizer",
    "workers": "2",
}
_CHINA = timezone(timedelta(hours=8))  # where it is decided on which day a card expires


class TritonPythonModel:
    """What Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the recogniser's character list, whose path is relative to this model's folder."""
        parameters = model_parameters(args["model_config"], _DEFAULTS)
        self._dictionary = read_dictionary(Path(args["model_repository"]) / parameters["characters"])
        outputs = ("CHARACTERS", "PROBABILITIES")
        name = parameters["recognizer"]
        self._recognizer = RemoteModel(pb_utils, name=name, input_name="LANES", output_names=outputs)
        self._workers = ThreadPoolExecutor(int(parameters["workers"]), thread_name_prefix="parse")
        self._step = LastStep(
            pb_utils,
            model_name=args["model_name"],
            inputs=_INPUTS,
            answer=self._read,
            workers=self._workers,
        )

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answers all requests of a batch."""
        return self._step.respond(requests)

    def finalize(self) -> None:
        """Ends the workers and the plumbing."""
        self._workers.shutdown()
        self._step.close()

    def _read(self, lanes: NDArray[np.uint8], *inputs: NDArray[Any]) -> dict[str, Any]:
        """One picture's result."""
        today = datetime.now(_CHINA).date()
        again = partial(self._read_again, lanes)
        return read_picture(*inputs, dictionary=self._dictionary, today=today, again=again)

    def _read_again(self, lanes: NDArray[np.uint8], rows: Sequence[Row]) -> Sequence[Row]:
        """The rows with the doubtful ones read again; where the recogniser doesn't answer, as they are."""
        try:
            return read_again(rows, lanes, self._recognize, self._dictionary)
        except RemoteModelError as error:
            _log.warning("doubtful rows are not read again: %s", error)
            return rows

    def _recognize(self, lanes: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        characters, probabilities = self._recognizer(lanes[np.newaxis])
        return characters[0], probabilities[0]
