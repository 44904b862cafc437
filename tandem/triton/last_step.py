"""Around the last step of every picture's ensemble: it tells who leaves, and packs the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from tandem.triton.company import Departures
from tandem.triton.notes import NOTE, take_ticket, unpack_note
from tandem.triton.responder import Arrays, Responder


class LastStep:
    """Answers requests with one JSON object an item, to which the item's note is added.

    Args:
        pb_utils: the module `triton_python_backend_utils`.
        model_name: name of the model.
        inputs: names of the tensors that `answer` takes, in its order; `NOTE` comes beside them.
        answer: one item's result, from its arrays without the batch dimension.
        workers: where to answer requests side by side; without it they take turns.
    """

    def __init__(
        self,
        pb_utils: Any,
        *,
        model_name: str,
        inputs: Sequence[str],
        answer: Callable[..., Mapping[str, Any]],
        workers: Executor | None = None,
    ) -> None:
        self._inputs, self._of, self._workers = tuple(inputs), answer, workers
        self._responder = Responder(pb_utils, model_name=model_name, inputs=(*inputs, NOTE))
        self._departures = Departures()

    def respond(self, requests: Sequence[Any]) -> list[Any]:
        """One response a request, in order."""
        return self._responder.respond_to_items(requests, self._answer, self._workers)

    def close(self) -> None:
        """Gives back the socket, and what the server lent."""
        self._departures.close()
        self._responder.close()

    def _answer(self, inputs: Arrays) -> Arrays:
        said = unpack_note(inputs[NOTE])
        self._departures.tell(take_ticket(said))  # first: it leaves even if what follows fails
        answer = {**self._of(*(inputs[name] for name in self._inputs)), **said}
        result = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        return {"RESULT": np.array([result.encode()], np.object_)}
