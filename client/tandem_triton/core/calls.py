"""What one can ask a client, written once: in general by service, and by name for each service of our own.

A client for threads implements `ThreadCalls._ask` and `._send`, one for coroutines `AsyncCalls._ask`; the
rest is the same for a connection and for a message queue.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from tandem_triton.core.errors import TandemError
from tandem_triton.core.in_flight import (
    Result,
    checked_window,
    results_as_completed,
    results_in_order,
)
from tandem_triton.core.service import Answer, Request, Service
from tandem_triton.media.picture import Picture
from tandem_triton.services import id_card, service_named

A = TypeVar("A")
T = TypeVar("T")


class ThreadCalls(ABC):
    """What threads ask of a client.

    Every method raises a `TandemError` for what can become of an item (see `tandem_triton.core.errors`).
    """

    _max_in_flight: int

    @abstractmethod
    def _ask(self, request: Request[A], shape: Callable[[Answer[A]], T]) -> T:
        """Send an item and wait for `shape(answer)`."""

    @abstractmethod
    def _send(self, request: Request[A], shape: Callable[[Answer[A]], T]) -> Future[T]:
        """Send an item; its future gets `shape(answer)`."""

    def call(self, service: Service[A] | str, item: Any, **options: Any) -> A:
        """The service's answer about an item.

        Args:
            service: a `Service`, or the name of one.
            item: whatever the service's `encode` takes.
            options: the service's own.
        """
        return self._ask(_known(service).request(item, options), _value)

    def call_json(self, service: Service[Any] | str, item: Any, **options: Any) -> dict[str, Any]:
        """The contract's JSON about an item, as parsed; see `call`."""
        return self._ask(_known(service).request(item, options), _json)

    def answer(self, service: Service[A] | str, item: Any, **options: Any) -> Answer[A]:
        """The answer with its text as sent; see `call`."""
        return self._ask(_known(service).request(item, options), _answer)

    def future(self, service: Service[A] | str, item: Any, **options: Any) -> Future[A]:
        """A future of what `call` gives; cancelling it gives the item up.

        Callbacks added to the future run in the thread that hands out everybody's answers: keep them short.

        Raises:
            TandemError: the item can't be sent; what happens later is the future's.
        """
        return self._send(_known(service).request(item, options), _value)

    def call_many(
        self,
        service: Service[A] | str,
        items: Iterable[Any],
        *,
        ordered: bool = True,
        max_in_flight: int | None = None,
        **options: Any,
    ) -> Iterator[Result[A]]:
        """One result an item; an item that fails does not stop the others.

        Args:
            service: a `Service`, or the name of one.
            items: taken only as fast as results are read.
            ordered: give results in the items' order; else as they finish.
            max_in_flight: items sent and not yet given out, at most; None is the client's own limit.
            options: the service's own, for every item.

        Raises:
            ValueError: `max_in_flight` is below 1.
        """
        known = _known(service)
        window = checked_window(max_in_flight, self._max_in_flight)
        give_out = results_in_order if ordered else results_as_completed
        return give_out(lambda item: self._send(known.request(item, options), _answer), items, window)

    def recognize(self, picture: Picture) -> list[id_card.Card]:
        """The resident identity cards in a picture; none is no error."""
        return self._ask(id_card.SERVICE.request(picture), _cards)

    def recognize_json(self, picture: Picture) -> dict[str, Any]:
        """The contract's JSON for a picture, as parsed."""
        return self.call_json(id_card.SERVICE, picture)

    def submit(self, picture: Picture) -> Future[list[id_card.Card]]:
        """A future of the cards in a picture; see `future`."""
        return self._send(id_card.SERVICE.request(picture), _cards)

    def recognize_many(
        self, pictures: Iterable[Picture], *, ordered: bool = True, max_in_flight: int | None = None
    ) -> Generator[id_card.Reading, None, None]:
        """One reading a picture; see `call_many`."""
        results = self.call_many(id_card.SERVICE, pictures, ordered=ordered, max_in_flight=max_in_flight)
        return _readings(results)


class AsyncCalls(ABC):
    """What coroutines of one event loop ask of a client; see `ThreadCalls`."""

    _max_in_flight: int

    @abstractmethod
    async def _ask(self, service: Service[A], item: Any, options: dict[str, Any]) -> Answer[A]:
        """Encode an item, send it, and wait for its answer."""

    async def call(self, service: Service[A] | str, item: Any, **options: Any) -> A:
        """The service's answer about an item; see `ThreadCalls.call`."""
        return (await self._ask(_known(service), item, options)).value

    async def call_json(self, service: Service[Any] | str, item: Any, **options: Any) -> dict[str, Any]:
        """The contract's JSON about an item, as parsed."""
        return (await self._ask(_known(service), item, options)).json

    async def answer(self, service: Service[A] | str, item: Any, **options: Any) -> Answer[A]:
        """The answer with its text as sent."""
        return await self._ask(_known(service), item, options)

    def future(self, service: Service[A] | str, item: Any, **options: Any) -> asyncio.Task[A]:
        """A task of what `call` gives; cancelling it gives the item up."""
        return asyncio.get_running_loop().create_task(self.call(service, item, **options))

    async def call_many(
        self,
        service: Service[A] | str,
        items: Iterable[Any] | AsyncIterable[Any],
        *,
        ordered: bool = True,
        max_in_flight: int | None = None,
        **options: Any,
    ) -> AsyncIterator[Result[A]]:
        """One result an item; see `ThreadCalls.call_many`."""
        known = _known(service)
        window = checked_window(max_in_flight, self._max_in_flight)
        waiting: deque[asyncio.Task[Result[A]]] = deque()
        index = 0
        try:
            async for item in _each(items):
                if len(waiting) == window:
                    yield await _next(waiting, ordered=ordered)
                waiting.append(asyncio.create_task(self._result(known, index, item, options)))
                index += 1
            while waiting:
                yield await _next(waiting, ordered=ordered)
        finally:
            for task in waiting:
                task.cancel()

    async def recognize(self, picture: Picture) -> list[id_card.Card]:
        """The resident identity cards in a picture; none is no error."""
        return list((await self.call(id_card.SERVICE, picture)).cards)

    async def recognize_json(self, picture: Picture) -> dict[str, Any]:
        """The contract's JSON for a picture, as parsed."""
        return await self.call_json(id_card.SERVICE, picture)

    def submit(self, picture: Picture) -> asyncio.Task[list[id_card.Card]]:
        """A task of the cards in a picture; cancelling it gives the picture up."""
        return asyncio.get_running_loop().create_task(self.recognize(picture))

    async def recognize_many(
        self,
        pictures: Iterable[Picture] | AsyncIterable[Picture],
        *,
        ordered: bool = True,
        max_in_flight: int | None = None,
    ) -> AsyncIterator[id_card.Reading]:
        """One reading a picture; see `call_many`."""
        results = self.call_many(id_card.SERVICE, pictures, ordered=ordered, max_in_flight=max_in_flight)
        async for result in results:
            yield _reading(result)

    async def _result(self, service: Service[A], index: int, item: Any, options: dict[str, Any]) -> Result[A]:
        try:
            return Result(index=index, item=item, answer=await self._ask(service, item, options))
        except TandemError as error:
            return Result(index=index, item=item, error=error)


def _known(service: Service[A] | str) -> Service[A]:
    return service_named(service) if isinstance(service, str) else service


def _answer(answer: Answer[A]) -> Answer[A]:
    return answer


def _value(answer: Answer[A]) -> A:
    return answer.value


def _json(answer: Answer[Any]) -> dict[str, Any]:
    return answer.json


def _cards(answer: Answer[id_card.CardsAnswer]) -> list[id_card.Card]:
    return list(answer.value.cards)


def _readings(results: Iterator[Result[id_card.CardsAnswer]]) -> Generator[id_card.Reading, None, None]:
    """Each result as a reading; a caller that leaves early gives up the rest."""
    yield from map(_reading, results)


def _reading(result: Result[id_card.CardsAnswer]) -> id_card.Reading:
    return id_card.Reading(index=result.index, item=result.item, answer=result.answer, error=result.error)


async def _each(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


async def _next(waiting: deque[asyncio.Task[Result[A]]], *, ordered: bool) -> Result[A]:
    if ordered:
        return await waiting.popleft()
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    task = next(iter(done))
    waiting.remove(task)
    return task.result()
