"""Who else is on the way through the server: the last step tells the first of every request that leaves.

The steps are processes of their own, so what the last knows travels as a datagram on a socket in the kernel's
abstract namespace: no file, nothing to clean up, gone with the process. Losing one costs nothing but a wait.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable

_log = logging.getLogger(__name__)
_COUNT_BYTES = 4


def address_of(server: int | None = None) -> bytes:
    """The socket's address, the same for all steps of one server: they are children of one process.

    Args:
        server: that process; by default this process' parent.
    """
    return f"\0tandem-company-{os.getppid() if server is None else server}".encode()


class Departures:
    """The last step's side.

    Args:
        address: where the first step listens.
    """

    def __init__(self, address: bytes | None = None) -> None:
        self._address = address or address_of()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def tell(self, count: int) -> None:
        """`count` requests leave. Never waits: with nobody there or no room, nobody is told."""
        try:
            self._socket.sendto(count.to_bytes(_COUNT_BYTES, "little"), self._address)
        except OSError:
            return

    def close(self) -> None:
        """Gives the socket back."""
        self._socket.close()


class Company:
    """The first step's side: how many requests are on the way. Used by one thread at a time.

    What never leaves by the last step, a request that failed between or was taken back, is forgotten after
    `memory_s`; and where nothing has left for as long, nothing counts, for then the step is asked by itself.

    Args:
        address: where to listen. If somebody else does already, there never is company.
        memory_s: seconds.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        address: bytes | None = None,
        *,
        memory_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory_s, self._clock = memory_s, clock
        self._under_way: deque[float] = deque()
        self._last_left = float("-inf")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind(address or address_of())
        except OSError as error:
            _log.warning("lone requests are never held for a second one: %s", error)

    def came(self, count: int = 1) -> None:
        """`count` requests came in."""
        self._hear()  # who has left until now was none of them
        self._under_way.extend([self._clock()] * count)

    def count(self) -> int:
        """How many are on the way, 0 where that is not known."""
        self._hear()
        now = self._clock()
        while self._under_way and now - self._under_way[0] > self._memory_s:
            self._under_way.popleft()
        return len(self._under_way) if now - self._last_left <= self._memory_s else 0

    def close(self) -> None:
        """Gives the socket back."""
        self._socket.close()

    def _hear(self) -> None:
        while True:
            try:
                told = self._socket.recv(_COUNT_BYTES)
            except OSError:  # nothing more to hear
                return
            self._last_left = self._clock()
            for _ in range(min(int.from_bytes(told, "little"), len(self._under_way))):
                self._under_way.popleft()
