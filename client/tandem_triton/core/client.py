"""The client for threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import TypeVar

from tandem_triton.core.calls import ThreadCalls
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.core.options import ClientOptions, Protocol
from tandem_triton.core.router import ResponseRouter
from tandem_triton.core.service import Answer, Request
from tandem_triton.transport import open_transport

A = TypeVar("A")
T = TypeVar("T")


class Client(ThreadCalls):
    """Asks one server; make one for the whole process and use it from any thread.

    All threads' requests share one connection, and each thread gets its own answers (see `router`).

    Args:
        url: `host:port`; None is this machine at the protocol's usual port.
        protocol: "grpc" or "http".
        options: everything else.

    Attributes:
        metrics: what became of this client's items.

    Raises:
        TypeError: the URL is not text.
        ValueError: no such protocol, or the URL is not `host:port`.
        OSError: a certificate's file can't be read.
    """

    def __init__(
        self, url: str | None = None, *, protocol: Protocol = "grpc", options: ClientOptions | None = None
    ) -> None:
        options = options or ClientOptions()
        self._max_in_flight = options.max_in_flight
        self.metrics = ClientMetrics()
        self._router = ResponseRouter(open_transport(url, protocol, options), options, self.metrics)

    def close(self) -> None:
        """Fail what is in flight with `ClosedError`, and close the connection."""
        self._router.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: Request[A], shape: Callable[[Answer[A]], T]) -> T:
        return self._router.ask(request, shape)

    def _send(self, request: Request[A], shape: Callable[[Answer[A]], T]) -> Future[T]:
        return self._router.send(request, shape)
