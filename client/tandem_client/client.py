"""The client for threads."""

from __future__ import annotations

import itertools
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from tandem_client.cards import Answer, Card
from tandem_client.errors import TandemError
from tandem_client.grpc_transport import GrpcTransport
from tandem_client.http_transport import HttpTransport
from tandem_client.options import DEFAULT_URLS, ClientOptions, Protocol
from tandem_client.pictures import Picture, encode_picture
from tandem_client.transport import RawOutcome, Transport


class Client:
    """Asks one server about pictures; make one for the whole process and use it from any thread.

    Args:
        url: `host:port`; None is this machine at the protocol's usual port.
        protocol: "grpc" or "http".
        options: everything else.
    """

    def __init__(
        self, url: str | None = None, *, protocol: Protocol = "grpc", options: ClientOptions | None = None
    ) -> None:
        self._options = options or ClientOptions()
        self._transport = open_transport(url, protocol, self._options)
        self._numbers = itertools.count(1)

    def recognize(self, picture: Picture) -> list[Card]:
        """The cards in a picture; none is no error.

        Raises:
            TandemError: see `tandem_client.errors`.
        """
        return self._ask(picture).cards

    def recognize_json(self, picture: Picture) -> dict[str, Any]:
        """The contract's JSON for a picture, as parsed.

        Raises:
            TandemError: see `tandem_client.errors`.
        """
        return self._ask(picture).json

    def close(self) -> None:
        """Give up what is on its way, and the connection."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, picture: Picture) -> Answer:
        outcome: Future[RawOutcome] = Future()
        self._transport.start(
            str(next(self._numbers)), encode_picture(picture), self._options.timeout_s, outcome.set_result
        )
        text = outcome.result()
        if isinstance(text, TandemError):
            raise text
        return Answer(text)


def open_transport(url: str | None, protocol: Protocol, options: ClientOptions) -> Transport:
    """The connection for `protocol`.

    Raises:
        ValueError: no such protocol.
    """
    if protocol not in DEFAULT_URLS:
        raise ValueError(f"protocol must be one of {', '.join(DEFAULT_URLS)}, not {protocol!r}")
    kind = GrpcTransport if protocol == "grpc" else HttpTransport
    return kind(url or DEFAULT_URLS[protocol], options)
