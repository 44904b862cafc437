"""What the dispatcher settles: a `Future`, or, for a thread that only waits, something lighter."""

from __future__ import annotations

import threading
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Slot(Protocol):
    """Where an outcome is put; `concurrent.futures.Future` is one."""

    def set_running_or_notify_cancel(self) -> bool:
        """Whether an outcome is still wanted; from then on it can't be cancelled."""

    def set_result(self, result: Any, /) -> None:
        """Put the value."""

    def set_exception(self, exception: BaseException | None, /) -> None:
        """Put the error."""


class Waiter(Generic[T]):
    """A future for exactly one thread that waits exactly once, without `Future`'s condition and callbacks."""

    __slots__ = ("_error", "_lock", "_value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._value: T
        self._error: BaseException | None = None

    def set_running_or_notify_cancel(self) -> bool:
        """See `Slot`: somebody waits."""
        return True

    def set_result(self, result: T, /) -> None:
        """See `Slot`."""
        self._value = result
        self._lock.release()

    def set_exception(self, exception: BaseException | None, /) -> None:
        """See `Slot`."""
        self._error = exception
        self._lock.release()

    def wait(self) -> T:
        """The value, once it is there.

        Raises:
            BaseException: the error that was put instead.
        """
        self._lock.acquire()
        if self._error is not None:
            raise self._error
        return self._value
