"""Whose turn it is: windows of many recordings go to the recogniser in steps of two, short recordings first.

Triton's own queue is first come, first served: behind a recording of half an hour a short one would wait
for all windows that lie there. So only one step's windows for each of the recogniser's instances lie there
at a time, and the others wait here. A window that is asked for in step n is due in step n plus the windows
that its recording has had already, at most `PATIENCE`: a short recording waits for the step of those that run
which ends first, and a long one falls behind by no more than `PATIENCE` steps, however many short ones come.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
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
    answer: Future[Answered] = field(compare=False)


class FairSteps(Generic[Asked, Answered]):
    """Collects items of many threads and hands them on in steps of at most `size`, on threads of its own."""

    def __init__(
        self,
        step: Callable[[Sequence[Asked]], Sequence[Answered | BaseException]],
        *,
        size: int = 2,
        at_once: int = 1,
    ) -> None:
        """Starts the threads.

        Args:
            step: answers items together, an answer or an error each, in order; called from several threads.
            size: most items of a step, ≥ 1.
            at_once: steps that run at a time, ≥ 1: one for each instance of the recogniser.

        Raises:
            ValueError: `size` or `at_once` is below 1: what is asked for would wait for ever.
        """
        if size < 1 or at_once < 1:
            raise ValueError(f"{at_once} steps of {size} at a time; at least one step of one is needed")
        self._step = step
        self._size = size
        self._heap: list[_Waiting[Asked, Answered]] = []
        self._numbers = itertools.count()
        self._steps = 0
        self._is_closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, name=f"steps-{number}", daemon=True)
            for number in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def places(self) -> int:
        """Items that can be under way at a time."""
        return self._size * len(self._threads)

    def ask(self, turn: Turn, items: Sequence[Asked]) -> list[Future[Answered]]:
        """The items' answers, when their turn has come. Cancelling one before gives its place to others.

        Items that are asked for together can travel together: no step begins between them.

        Raises:
            RuntimeError: after `close`.
        """
        answers: list[Future[Answered]] = [Future() for _ in items]
        with self._changed:
            if self._is_closed:
                raise RuntimeError("no steps are taken any more")
            for asked, answer in zip(items, answers, strict=True):
                self._push(turn, asked, answer)
            self._changed.notify_all()
        return answers

    def _push(self, turn: Turn, asked: Asked, answer: Future[Answered]) -> None:
        due = self._steps + min(turn.asked, PATIENCE)
        turn.asked += 1
        waiting = _Waiting(due=due, number=next(self._numbers), asked=asked, answer=answer)
        heapq.heappush(self._heap, waiting)

    def close(self) -> None:
        """Answer what has been asked, then end the threads."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while chosen := self._choose():
            try:
                answers = self._step([waiting.asked for waiting in chosen])
            except Exception as error:  # one step's failure must not end all later ones
                answers = [error] * len(chosen)
            for waiting, answer in zip(chosen, answers, strict=True):
                if isinstance(answer, BaseException):
                    waiting.answer.set_exception(answer)
                else:
                    waiting.answer.set_result(answer)

    def _choose(self) -> list[_Waiting[Asked, Answered]]:
        """The next step's items, waited for; empty after `close` when nothing is left."""
        chosen: list[_Waiting[Asked, Answered]] = []
        with self._changed:
            while not chosen:
                while not self._heap:
                    if self._is_closed:
                        return []
                    self._changed.wait()
                while self._heap and len(chosen) < self._size:
                    waiting = heapq.heappop(self._heap)
                    if waiting.answer.set_running_or_notify_cancel():
                        chosen.append(waiting)
            self._steps += 1
        return chosen
