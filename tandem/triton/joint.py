"""A Python model's `execute` where the network takes all items of a batch in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tandem.errors import StepError
from tandem.triton.failures import CancelledError, FailureCounter, describe, log_unexpected
from tandem.triton.responder import Arrays, stack_padded

IsCancelled: TypeAlias = Callable[[int], bool]
#: Gives the items' outputs, in order, without the batch dimension.
AnswerAll: TypeAlias = Callable[[Sequence[Arrays], IsCancelled], Sequence[Arrays]]
_Outcome: TypeAlias = Sequence[Arrays] | Exception


class JointResponder:
    """Turns a batch's requests into responses; one that fails is tried alone, so that it harms no other.

    Args:
        pb_utils: the module `triton_python_backend_utils`, which exists only inside the server.
        model_name: name of the model, the label of its error counter.
        inputs: names of the tensors that the network needs.
    """

    def __init__(self, pb_utils: Any, *, model_name: str, inputs: Sequence[str]) -> None:
        self._pb_utils = pb_utils
        self._model_name = model_name
        self._inputs = tuple(inputs)
        self._failures = FailureCounter(pb_utils, model_name)

    def respond(self, requests: Sequence[Any], answer: AnswerAll) -> list[Any]:
        """One response a request, in order.

        Args:
            requests: `pb_utils.InferenceRequest` each, of one item or several.
            answer: gets every item of every request; whether somebody still waits for an item, it may ask by
                the item's place. A `StepError` answers with its code and message, any other exception with
                INTERNAL and no message of its own.
        """
        items = [self._items_of(request) for request in requests]
        waiting = [place for place, request in enumerate(requests) if not request.is_cancelled()]
        outcomes: list[_Outcome] = [CancelledError("the client cancelled the request")] * len(requests)
        for place, outcome in zip(waiting, self._together(requests, items, waiting, answer), strict=True):
            outcomes[place] = outcome
        return [self._response(outcome) for outcome in outcomes]

    def close(self) -> None:
        """Gives back what the server lent: to be called from a model's `finalize`."""
        self._failures.close()

    def _together(
        self,
        requests: Sequence[Any],
        items: Sequence[Sequence[Arrays]],
        places: Sequence[int],
        answer: AnswerAll,
    ) -> list[_Outcome]:
        """The outcomes of the requests at `places`."""
        flat = [(place, item) for place in places for item in items[place]]
        try:
            answers = answer([item for _, item in flat], lambda i: requests[flat[i][0]].is_cancelled())
        except Exception as error:
            if len(places) > 1:
                return [self._together(requests, items, [place], answer)[0] for place in places]
            if not isinstance(error, StepError):
                log_unexpected(error, self._model_name)
            return [error for _ in places]
        owned = zip((place for place, _ in flat), answers, strict=True)
        by_place: dict[int, list[Arrays]] = {place: [] for place in places}
        for place, own in owned:
            by_place[place].append(own)
        return [by_place[place] for place in places]

    def _items_of(self, request: Any) -> list[Arrays]:
        arrays = {
            name: self._pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs
        }
        count = len(next(iter(arrays.values())))
        return [{name: array[i] for name, array in arrays.items()} for i in range(count)]

    def _response(self, outcome: _Outcome) -> Any:
        if isinstance(outcome, Exception):
            code, message = describe(outcome, self._model_name)
            self._failures.count(code)
            error_class = self._pb_utils.TritonError
            error = error_class(message, getattr(error_class, code))
            return self._pb_utils.InferenceResponse(output_tensors=[], error=error)
        tensors = [
            self._pb_utils.Tensor(name, np.ascontiguousarray(stack_padded([item[name] for item in outcome])))
            for name in outcome[0]
        ]
        return self._pb_utils.InferenceResponse(output_tensors=tensors)
