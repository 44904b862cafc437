"""Whose turn it is: windows of many recordings go to the recogniser in steps of two, short recordings first.

Triton's own queue is first come, first served: behind a recording of half an hour a short one would wait
for all of its windows. So only one step's windows lie there at a time, and the others wait here. A window
that is asked for in step n has its turn by n plus the windows that its recording has had already, at most
`PATIENCE`: a short recording waits for the step that runs, and a long one falls behind by no more than
`PATIENCE` steps, however many come.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

PATIENCE = 8  # steps
Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


@dataclass(eq=False, kw_only=True)
class Turn:
    """A recording's place in the order; `asked` counts the windows that it has asked for."""

    asked: int = 0


@dataclass(order=True, kw_only=True)
class _Waiting(Generic[Asked, Answered]):
    due: int
    number: int
    asked: Asked = field(compare=False)
    answer: asyncio.Future[Answered] = field(compare=False)


class FairSteps(Generic[Asked, Answered]):
    """Collects items and hands them on in steps of at most `size`. All methods run in one event loop."""

    def __init__(
        self,
        step: Callable[[Sequence[Asked]], Awaitable[Sequence[Answered | BaseException]]],
        *,
        size: int = 2,
    ) -> None:
        """Nothing runs before `run`.

        Args:
            step: answers items together, one answer or error each, in order.
            size: most items of a step, ≥ 1.
        """
        self._step = step
        self._size = size
        self._heap: list[_Waiting[Asked, Answered]] = []
        self._numbers = itertools.count()
        self._steps = 0
        self._some = asyncio.Event()

    async def ask(self, turn: Turn, asked: Asked) -> Answered:
        """The answer to one item, when its turn has come.

        Raises:
            BaseException: what the step raised, or gave for this item.
        """
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(
            due=self._steps + min(turn.asked, PATIENCE),
            number=next(self._numbers),
            asked=asked,
            answer=answer,
        )
        turn.asked += 1
        heapq.heappush(self._heap, waiting)
        self._some.set()
        return await answer

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self._some.wait()
            chosen = self._choose()
            if not self._heap:
                self._some.clear()
            if not chosen:
                continue
            self._steps += 1
            try:
                answers = await self._step([waiting.asked for waiting in chosen])
            except Exception as error:  # one step's failure must not end all later ones
                answers = [error] * len(chosen)
            for waiting, answer in zip(chosen, answers, strict=True):
                _settle(waiting.answer, answer)

    def _choose(self) -> list[_Waiting[Asked, Answered]]:
        """The next step's items, those left out whose asker has gone."""
        chosen: list[_Waiting[Asked, Answered]] = []
        while self._heap and len(chosen) < self._size:
            waiting = heapq.heappop(self._heap)
            if not waiting.answer.done():
                chosen.append(waiting)
        return chosen


def _settle(future: asyncio.Future[Answered], answer: Answered | BaseException) -> None:
    if future.done():
        return
    if isinstance(answer, BaseException):
        future.set_exception(answer)
    else:
        future.set_result(answer)
