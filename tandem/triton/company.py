"""Who else is on the way through the server: the last step tells the first of every item that leaves.

Every item gets a ticket at the first step, which travels in its note. The steps are processes of their own,
so what the last one knows goes back as a datagram on a socket in the kernel's abstract namespace: no file,
nothing to clean up, gone with the process. Losing one costs nothing but a wait.
"""

from __future__ import annotations

import itertools
import logging
import os
import socket
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)
_TICKET_BYTES = 8


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

    def tell(self, ticket: int | None) -> None:
        """The item with this ticket leaves; None: it has none, and there is nothing to tell.

        Never waits: with nobody there or no room, nobody is told.
        """
        if ticket is None:
            return
        try:
            self._socket.sendto(ticket.to_bytes(_TICKET_BYTES, "little"), self._address)
        except OSError:
            return

    def close(self) -> None:
        """Gives the socket back."""
        self._socket.close()


class Company:
    """The first step's side: how many items are on the way.

    What never leaves by the last step, an item that failed between or was taken back or a server's warm-up,
    is forgotten when one leaves that came `overtaken_s` later, for items keep their order but for a few, and
    else after `memory_s`. Where nothing at all has left since such an item came, nothing counts: then the
    step is asked by itself, and its items go nowhere.

    Args:
        address: where to listen. If somebody else does already, there never is company.
        memory_s: seconds.
        overtaken_s: seconds.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        address: bytes | None = None,
        *,
        memory_s: float = 2.0,
        overtaken_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory_s, self._overtaken_s, self._clock = memory_s, overtaken_s, clock
        self._tickets = itertools.count()
        self._came: dict[int, float] = {}  # ticket → when, in that order
        self._last_left = clock()
        self._lost_came = float("-inf")  # when the last one that was lost had come
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._listens = True
        try:
            self._socket.bind(address or address_of())
        except OSError as error:
            self._listens = False
            _log.warning("lone items are never held for a second one: %s", error)

    def enter(self) -> int:
        """The ticket of an item that goes on its way."""
        with self._lock:
            self._hear()  # the kernel keeps ten at most
            ticket = next(self._tickets)
            self._came[ticket] = self._clock()
            return ticket

    def count(self) -> int:
        """How many are on the way, 0 where that is not known."""
        with self._lock:
            self._hear()
            now = self._clock()
            for ticket in list(itertools.takewhile(lambda ticket: self._is_lost(ticket, now), self._came)):
                self._lost_came = self._came.pop(ticket)
            known = self._listens and self._last_left > self._lost_came
            return len(self._came) if known else 0

    def close(self) -> None:
        """Gives the socket back."""
        self._socket.close()

    def _is_lost(self, ticket: int, now: float) -> bool:
        return now - self._came[ticket] > self._memory_s

    def _hear(self) -> None:
        while True:
            try:
                told = self._socket.recv(_TICKET_BYTES)
            except OSError:  # nothing more to hear
                return
            self._last_left = self._clock()
            came = self._came.pop(int.from_bytes(told, "little"), None)
            if came is not None:
                self._forget_before(came - self._overtaken_s)

    def _forget_before(self, time_s: float) -> None:
        while self._came:
            ticket, came = next(iter(self._came.items()))
            if came >= time_s:
                return
            del self._came[ticket]
