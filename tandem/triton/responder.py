"""What every Python model of the repository does around its own step, without importing Triton.

A model's `execute` must give one response a request, let a bad item fail alone, and count its failures
itself (Triton's statistics count an error response as a success). `Responder` does that for any function over
arrays (`respond`) and for one that knows a single item (`respond_to_items`).

A request of several items has one status for all of them, so there an item that fails is answered with its
error as its `RESULT`. Between the steps of an ensemble it travels on: as tensors that stand for nothing, and
a `NOTE` that says what happened (`tandem.triton.notes`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.errors import StepError
from tandem.triton.failures import CancelledError, FailureCounter, describe, log_unexpected
from tandem.triton.notes import NOTE, error_note, is_error

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """An error answer: the name of a Triton error code, and what to say."""

    code: str
    message: str


def error_result(note: NDArray[Any]) -> Arrays:
    """The outputs of a last step for an item that failed: the error is its result."""
    return {"RESULT": note}


class Responder:
    """Turns requests into responses, each request's failure its own.

    Args:
        pb_utils: the module `triton_python_backend_utils`, which exists only inside the server.
        model_name: name of the model, the label of its error counter.
        inputs: names of the tensors that the step needs.
        optional: names of those that a request may leave out; then they are missing among the arrays.
    """

    def __init__(
        self, pb_utils: Any, *, model_name: str, inputs: Sequence[str], optional: Sequence[str] = ()
    ) -> None:
        self._pb_utils = pb_utils
        self._model_name = model_name
        self._inputs = tuple(inputs)
        self._failures = FailureCounter(pb_utils, model_name)
        self._optional = tuple(optional)

    def respond(
        self,
        requests: Sequence[Any],
        answer: Callable[[Arrays], Arrays],
        workers: Executor | None = None,
    ) -> list[Any]:
        """One response a request, in order.

        Args:
            requests: `pb_utils.InferenceRequest` each.
            answer: gives the output arrays (with the batch dimension) from the input arrays (alike). A
                `StepError` answers with its code and message, any other exception with INTERNAL and no
                message of its own, for that could quote what was read.
            workers: where to run `answer` for the requests side by side; without it they take turns.
        """
        inputs = [self._guarded_inputs_of(request) for request in requests]
        outcome = partial(self._outcome, answer)
        outcomes = workers.map(outcome, inputs) if workers and len(inputs) > 1 else map(outcome, inputs)
        return [
            self._response(outcome, request.requested_output_names())
            for outcome, request in zip(outcomes, requests, strict=True)
        ]

    def respond_to_items(
        self,
        requests: Sequence[Any],
        answer: Callable[[Arrays], Arrays],
        workers: Executor | None = None,
        *,
        instead: Callable[[NDArray[Any]], Arrays] = error_result,
    ) -> list[Any]:
        """One response a request, its items answered one by one.

        The items' outputs are stacked, shorter ones padded with zeros behind (see `stack_padded`).

        Args:
            requests: `pb_utils.InferenceRequest` each.
            answer: gives one item's output arrays from its input arrays, both without the batch dimension;
                what it raises, see `respond`.
            workers: where to run the requests side by side; without it they take turns.
            instead: in a request of several items, the outputs of one that failed, from its note.
        """
        return self.respond(requests, partial(self._items, answer, instead), workers)

    def close(self) -> None:
        """Gives back what the server lent: to be called from a model's `finalize`."""
        self._failures.close()

    def _items(
        self,
        answer: Callable[[Arrays], Arrays],
        instead: Callable[[NDArray[Any]], Arrays],
        inputs: Arrays,
    ) -> Arrays:
        count = len(next(iter(inputs.values())))
        items = [{name: array[i] for name, array in inputs.items()} for i in range(count)]
        outputs = [self._item(answer, instead if count > 1 else None, item) for item in items]
        return {name: stack_padded([output[name] for output in outputs]) for name in outputs[0]}

    def _item(
        self,
        answer: Callable[[Arrays], Arrays],
        instead: Callable[[NDArray[Any]], Arrays] | None,
        item: Arrays,
    ) -> Arrays:
        if instead is not None and NOTE in item and is_error(item[NOTE]):
            return instead(item[NOTE])
        try:
            return answer(item)
        except Exception as error:
            if instead is None or isinstance(error, CancelledError):
                raise
            if not isinstance(error, StepError):
                log_unexpected(error, self._model_name)
            code, message = describe(error, self._model_name)
            self._failures.count(code)
            return instead(error_note(code, message))

    def _guarded_inputs_of(self, request: Any) -> Arrays | _Failure:
        """The request's arrays; one that can't be read fails alone."""
        try:
            return self._inputs_of(request)
        except Exception as error:
            log_unexpected(error, self._model_name)
            code, message = describe(error, self._model_name)
            return _Failure(code=code, message=message)

    def _inputs_of(self, request: Any) -> Arrays | _Failure:
        if request.is_cancelled():
            return _Failure(code="CANCELLED", message="the client cancelled the request")
        given = {name: self._array(request, name) for name in self._inputs}
        for name in self._optional:
            tensor = self._pb_utils.get_input_tensor_by_name(request, name)
            if tensor is not None:
                given[name] = tensor.as_numpy()
        return given

    def _outcome(self, answer: Callable[[Arrays], Arrays], inputs: Arrays | _Failure) -> Arrays | _Failure:
        if isinstance(inputs, _Failure):
            return inputs
        try:
            return answer(inputs)
        except Exception as error:  # one bad item must never take down its batch
            if not isinstance(error, StepError):
                log_unexpected(error, self._model_name)
            code, message = describe(error, self._model_name)
            return _Failure(code=code, message=message)

    def _response(self, outcome: Arrays | _Failure, wanted: Collection[str]) -> Any:
        """The response, with the outputs that its request asks for and no other.

        Release 24.10 takes the others out itself, but from a response that is sent later than `execute`
        returns it does so without Python's lock: the process' memory is then corrupt, and after some thousand
        requests it ends or answers nonsense.
        """
        if isinstance(outcome, _Failure):
            return self._failure(outcome.code, outcome.message)
        tensors = [self._pb_utils.Tensor(name, array) for name, array in outcome.items() if name in wanted]
        return self._pb_utils.InferenceResponse(output_tensors=tensors)

    def _array(self, request: Any, name: str) -> NDArray[Any]:
        array: NDArray[Any] = self._pb_utils.get_input_tensor_by_name(request, name).as_numpy()
        return array

    def _failure(self, code: str, message: str) -> Any:
        self._failures.count(code)
        error_class = self._pb_utils.TritonError
        error = error_class(message, getattr(error_class, code))
        return self._pb_utils.InferenceResponse(output_tensors=[], error=error)


def stack_padded(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """`(n, *longest)`: the arrays stacked, each padded behind with zeros to the longest."""
    if len(arrays) == 1:
        return arrays[0][np.newaxis]
    longest = np.max([array.shape for array in arrays], axis=0)
    stacked = np.zeros((len(arrays), *longest), arrays[0].dtype)
    for row, array in zip(stacked, arrays, strict=True):
        row[tuple(slice(size) for size in array.shape)] = array
    return stacked


def model_parameters(model_config: str, known: Mapping[str, str]) -> dict[str, str]:
    """The `parameters` of a model's config, defaults filled in.

    Args:
        model_config: the JSON that Triton gives to `initialize` as `args["model_config"]`.
        known: every parameter the model understands, with its default.

    Raises:
        ValueError: the config has a parameter that the model does not understand.
    """
    given = {name: value["string_value"] for name, value in json.loads(model_config)["parameters"].items()}
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise ValueError(f"unknown parameters {unknown}; known are {sorted(known)}")
    return {**known, **given}
