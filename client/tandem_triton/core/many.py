"""Many pictures through one client, a bounded number at a time."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from tandem_triton.core.errors import OutcomeKind, TandemError
from tandem_triton.media.picture import Picture
from tandem_triton.services.id_card import Answer, Card


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What became of one picture of many: an answer or an error.

    Attributes:
        index: place among the pictures given, from 0.
        picture: as it was given.
        answer: None if there is an error.
        error: None if there is an answer.
    """

    index: int
    picture: Picture
    answer: Answer | None = None
    error: TandemError | None = None

    @property
    def cards(self) -> list[Card]:
        """The cards in the picture.

        Raises:
            TandemError: why there is no answer.
        """
        return self._checked().cards

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

    def _checked(self) -> Answer:
        if self.answer is None:
            raise self.error or TandemError("neither an answer nor an error")
        return self.answer


Submit = Callable[[Picture], "Future[Answer]"]
_Started = tuple[int, Picture, "Future[Answer]"]


def read_in_order(submit: Submit, pictures: Iterable[Picture], window: int) -> Iterator[Reading]:
    """One reading a picture, in the pictures' order.

    Args:
        submit: sends a picture; may wait for a place.
        pictures: taken only as far as the window goes.
        window: pictures sent and not yet given out, at most.
    """
    waiting: deque[_Started] = deque()
    try:
        for index, picture in enumerate(pictures):
            if len(waiting) == window:
                yield _reading(waiting.popleft())
            waiting.append((index, picture, _sent(submit, picture)))
        while waiting:
            yield _reading(waiting.popleft())
    finally:
        for _, _, future in waiting:
            future.cancel()


def read_as_completed(submit: Submit, pictures: Iterable[Picture], window: int) -> Iterator[Reading]:
    """One reading a picture, as answers come; see `read_in_order`."""
    waiting: dict[Future[Answer], _Started] = {}
    done: queue.SimpleQueue[Future[Answer]] = queue.SimpleQueue()
    try:
        for index, picture in enumerate(pictures):
            if len(waiting) == window:
                yield _reading(waiting.pop(done.get()))
            future = _sent(submit, picture)
            waiting[future] = (index, picture, future)
            future.add_done_callback(done.put)
        while waiting:
            yield _reading(waiting.pop(done.get()))
    finally:
        for future in waiting:
            future.cancel()


def _sent(submit: Submit, picture: Picture) -> Future[Answer]:
    """The picture's future; if it could not be sent, one that says why."""
    try:
        return submit(picture)
    except TandemError as error:
        failed: Future[Answer] = Future()
        failed.set_exception(error)
        return failed


def _reading(started: _Started) -> Reading:
    index, picture, future = started
    try:
        return Reading(index=index, picture=picture, answer=future.result())
    except TandemError as error:
        return Reading(index=index, picture=picture, error=error)
