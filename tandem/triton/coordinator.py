"""A Python model that answers items on threads of its own and asks other models for the steps between.

An ensemble can't do what a long text needs: many steps of one network, a batch of them at a time, none of
them holding up who comes behind. So the model's `execute` hands each request to a thread and returns; the
thread asks the network for one piece after the other (a BLS call each) and sends the response itself. No item
ever has more pieces under way than the network's instances take as one batch each, so a newcomer waits for
one batch at most, and pieces of different callers share batches.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tandem.errors import StepError
from tandem.triton.failures import CancelledError, FailureCounter, describe, log_unexpected
from tandem.triton.other_models import ask_model

#: Pieces of one item under way at a time, for a network of one instance: two, so that an item alone fills a
#: batch.
IN_FLIGHT = 2

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")
Arrays = Mapping[str, NDArray[Any]]
_log = logging.getLogger(__name__)


class Item:
    """One item under way: what it sent, and how it asks other models.

    Attributes:
        data: the first input's bytes.
        options: the optional input's bytes, None if it was not sent.
    """

    def __init__(
        self, coordinator: Coordinator, data: bytes, options: bytes | None, cancelled: Callable[[], bool]
    ) -> None:
        self.data = data
        self.options = options
        self._coordinator = coordinator
        self._cancelled = cancelled

    def ask(self, model: str, outputs: Sequence[str], pieces: Sequence[Arrays]) -> Iterator[Arrays]:
        """The model's outputs for each piece, in order; how many are under way at a time: see `Coordinator`.

        Args:
            model: name of a model of the same server.
            outputs: names of its outputs.
            pieces: each the inputs of one item of that model, without the batch dimension.

        Raises:
            CancelledError: the caller has gone; what is under way is waited for, the rest dropped.
            StepFailedError: the model answered with an error; its code is kept.
        """

        def submit(piece: Arrays) -> Future[Arrays]:
            self.check_wanted()
            return self._coordinator.submit(model, outputs, piece)

        return in_flight(pieces, submit, self._coordinator.pieces)

    def check_wanted(self) -> None:
        """Return if somebody still waits for the answer.

        Raises:
            CancelledError: the caller has gone.
        """
        if self._cancelled():
            raise CancelledError("the client cancelled the request")


class Coordinator:
    """Answers requests on threads, each item's failure its own.

    Args:
        pb_utils: the module `triton_python_backend_utils`, which exists only inside the server.
        model_name: the model's name, the label of its error counter.
        input_name: its input, BYTES [1] an item.
        answer: gives an item's result, as JSON's types; raises `StepError` for what it refuses.
        items: how many items are worked on at a time; more wait in the order they came.
        pieces: of one item under way at a time: a batch for each instance of the network that it asks.

    Raises:
        ValueError: `items` or `pieces` is below 1.
    """

    def __init__(
        self,
        pb_utils: Any,
        *,
        model_name: str,
        input_name: str,
        answer: Callable[[Item], Any],
        items: int,
        pieces: int = IN_FLIGHT,
    ) -> None:
        if items < 1 or pieces < 1:
            raise ValueError(f"{model_name}: {items} items of {pieces} pieces; at least one is needed")
        self._pb_utils = pb_utils
        self._model_name = model_name
        self._input_name = input_name
        self._answer = answer
        self._failures = FailureCounter(pb_utils, model_name)
        self._items = ThreadPoolExecutor(items, thread_name_prefix=model_name)
        self.pieces = pieces
        self._calls = ThreadPoolExecutor(items * pieces, thread_name_prefix=f"{model_name}-calls")

    def start(self, requests: Sequence[Any]) -> None:
        """Take the requests and return; each gets its response when it is ready."""
        for request in requests:
            data = self._bytes(request, self._input_name)
            options = self._bytes(request, "OPTIONS") or [None] * len(data)
            self._items.submit(self._respond, request.get_response_sender(), data, options)

    def close(self) -> None:
        """Finish what is under way and end the threads."""
        self._items.shutdown()
        self._calls.shutdown()
        self._failures.close()

    def submit(self, model: str, outputs: Sequence[str], piece: Arrays) -> Future[Arrays]:
        """One item of another model under way."""
        return self._calls.submit(self._call, model, outputs, piece)

    def _call(self, model: str, outputs: Sequence[str], piece: Arrays) -> Arrays:
        inputs = {name: array[np.newaxis] for name, array in piece.items()}
        answer = ask_model(self._pb_utils, model, outputs, inputs)
        return {name: array[0] for name, array in answer.items()}

    def _respond(self, sender: Any, data: Sequence[Any], options: Sequence[Any]) -> None:
        """Send the response of one request; runs on a thread, so nothing may escape."""
        try:
            response = self._response(sender, data, options)
        except Exception as error:  # the sender must get an answer, whatever happens
            response = self._failure(*describe(error, self._model_name))
        try:
            sender.send(response, flags=self._pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        except Exception:
            _log.exception("%s could not send a response", self._model_name)

    def _response(self, sender: Any, data: Sequence[Any], options: Sequence[Any]) -> Any:
        several = len(data) > 1
        results = []
        for one, chosen in zip(data, options, strict=True):
            item = Item(self, one, chosen, sender.is_cancelled)
            try:
                result = self._answer(item)
            except Exception as error:
                if not isinstance(error, StepError):
                    log_unexpected(error, self._model_name)
                code, message = describe(error, self._model_name)
                if not several or code == CancelledError.code:
                    return self._failure(code, message)
                # Triton has one status for the whole request: this item says so in its own place.
                self._failures.count(code)
                result = {"error": {"code": code, "message": message}}
            results.append([json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()])
        tensor = self._pb_utils.Tensor("RESULT", np.array(results, np.object_))
        return self._pb_utils.InferenceResponse(output_tensors=[tensor])

    def _failure(self, code: str, message: str) -> Any:
        self._failures.count(code)
        error_class = self._pb_utils.TritonError
        error = error_class(message, getattr(error_class, code))
        return self._pb_utils.InferenceResponse(output_tensors=[], error=error)

    def _bytes(self, request: Any, name: str) -> list[Any]:
        """The items of a BYTES input [n, 1]; an empty list if it was not sent."""
        tensor = self._pb_utils.get_input_tensor_by_name(request, name)
        return [] if tensor is None else [row[0] for row in tensor.as_numpy()]


def in_flight(
    pieces: Sequence[Piece], submit: Callable[[Piece], Future[Answer]], width: int = IN_FLIGHT
) -> Iterator[Answer]:
    """The pieces' answers in order, at most `width` of them under way, the next one sent when any is done.

    If one fails or the caller stops, those under way are waited for: they hold the item's memory.
    """
    waiting: deque[Future[Answer]] = deque()
    try:
        for piece in pieces:
            while len(under_way := [future for future in waiting if not future.done()]) >= width:
                wait(under_way, return_when=FIRST_COMPLETED)
            while waiting and waiting[0].done():
                yield waiting.popleft().result()
            waiting.append(submit(piece))
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.exception()
