"""Many items through one client, a bounded number in flight; and what became of each."""

from __future__ import annotations

import concurrent.futures
import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from tandem_triton.core.errors import CancelledError, OutcomeKind, TandemError
from tandem_triton.core.service import Answer

A = TypeVar("A")


@dataclass(frozen=True, kw_only=True)
class Result(Generic[A]):
    """What became of one item of many: an answer or an error.

    Attributes:
        index: place among the items given, from 0.
        item: as it was given.
        answer: None if there is an error.
        error: None if there is an answer.
    """

    index: int
    item: Any
    answer: Answer[A] | None = None
    error: TandemError | None = None

    @property
    def value(self) -> A:
        """The answer, decoded.

        Raises:
            TandemError: why there is no answer.
        """
        return self._checked().value

    @property
    def json(self) -> dict[str, Any]:
        """The contract's JSON, as parsed.

        Raises:
            TandemError: why there is no answer.
        """
        return self._checked().json

    @property
    def outcome(self) -> OutcomeKind:
        """The kind it is counted as."""
        if self.answer is not None:
            return self.answer.outcome
        return self.error.outcome if self.error else "failed"

    def _checked(self) -> Answer[A]:
        if self.answer is None:
            raise self.error or TandemError("neither an answer nor an error")
        return self.answer


Submit: TypeAlias = "Callable[[Any], Future[Answer[A]]]"
_Started: TypeAlias = "tuple[int, Any, Future[Answer[A]]]"


def checked_window(max_in_flight: int | None, default: int) -> int:
    """How many items may be sent and not yet given out.

    Raises:
        ValueError: `max_in_flight` is below 1.
    """
    window = default if max_in_flight is None else max_in_flight
    if window < 1:
        raise ValueError("max_in_flight must be at least 1")
    return window


def results_in_order(submit: Submit[A], items: Iterable[Any], window: int) -> Iterator[Result[A]]:
    """One result an item, in the items' order.

    Args:
        submit: sends an item; may wait for a place.
        items: taken only as far as the window goes.
        window: items sent and not yet given out, at most.
    """
    waiting: deque[_Started[A]] = deque()
    try:
        for index, item in enumerate(items):
            if len(waiting) == window:
                yield _result(waiting.popleft())
            waiting.append((index, item, _sent(submit, item)))
        while waiting:
            yield _result(waiting.popleft())
    finally:
        for _, _, future in waiting:
            future.cancel()


def results_as_completed(submit: Submit[A], items: Iterable[Any], window: int) -> Iterator[Result[A]]:
    """One result an item, as answers come; see `results_in_order`."""
    waiting: dict[Future[Answer[A]], _Started[A]] = {}
    done: queue.SimpleQueue[Future[Answer[A]]] = queue.SimpleQueue()
    try:
        for index, item in enumerate(items):
            if len(waiting) == window:
                yield _result(waiting.pop(done.get()))
            future = _sent(submit, item)
            waiting[future] = (index, item, future)
            future.add_done_callback(done.put)
        while waiting:
            yield _result(waiting.pop(done.get()))
    finally:
        for future in waiting:
            future.cancel()


def _sent(submit: Submit[A], item: Any) -> Future[Answer[A]]:
    """The item's future; if it could not be sent, one that says why."""
    try:
        return submit(item)
    except TandemError as error:
        failed: Future[Answer[A]] = Future()
        failed.set_exception(error)
        return failed


def _result(started: _Started[A]) -> Result[A]:
    index, item, future = started
    try:
        return Result(index=index, item=item, answer=future.result())
    except TandemError as error:
        return Result(index=index, item=item, error=error)


class CallFuture(Future[A]):
    """A future whose cancellation is a `TandemError`, like everything else that can become of an item."""

    def result(self, timeout: float | None = None) -> A:
        """See `concurrent.futures.Future.result`; cancelled, it raises `CancelledError` of this package."""
        try:
            return super().result(timeout)
        except concurrent.futures.CancelledError as error:
            raise _typed(error) from None

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """See `concurrent.futures.Future.exception`; cancelled, it raises as `result` does."""
        try:
            return super().exception(timeout)
        except concurrent.futures.CancelledError as error:
            raise _typed(error) from None


def _typed(error: concurrent.futures.CancelledError) -> CancelledError:
    return error if isinstance(error, CancelledError) else CancelledError("cancelled by the caller")
