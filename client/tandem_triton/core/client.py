"""The client for threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from tandem_triton.core.connect import open_transport
from tandem_triton.core.many import Reading, read_as_completed, read_in_order
from tandem_triton.core.metrics import ClientMetrics
from tandem_triton.core.options import ClientOptions, Protocol
from tandem_triton.core.router import ResponseRouter
from tandem_triton.media.picture import Picture, encode_picture
from tandem_triton.services.id_card import Answer, Card


class Client:
    """Asks one server about pictures; make one for the whole process and use it from any thread.

    All threads' requests share one connection, and each thread gets its own answers (see `router`).

    Args:
        url: `host:port`; None is this machine at the protocol's usual port.
        protocol: "grpc" or "http".
        options: everything else.

    Attributes:
        metrics: what became of this client's items.
    """

    def __init__(
        self, url: str | None = None, *, protocol: Protocol = "grpc", options: ClientOptions | None = None
    ) -> None:
        self._options = options or ClientOptions()
        self.metrics = ClientMetrics()
        self._router = ResponseRouter(
            open_transport(url, protocol, self._options), self._options, self.metrics
        )

    def recognize(self, picture: Picture) -> list[Card]:
        """The cards in a picture; none is no error.

        Raises:
            TandemError: see `tandem_triton.core.errors`.
        """
        return self._router.ask(encode_picture(picture), _cards)

    def recognize_json(self, picture: Picture) -> dict[str, Any]:
        """The contract's JSON for a picture, as parsed.

        Raises:
            TandemError: see `tandem_triton.core.errors`.
        """
        return self._router.ask(encode_picture(picture), _json)

    def submit(self, picture: Picture) -> Future[list[Card]]:
        """A future of the cards in a picture; cancelling it gives the picture up.

        Callbacks added to the future run in the thread that hands out everybody's answers: keep them short.

        Raises:
            TandemError: the picture can't be sent; what happens later is the future's.
        """
        return self._router.send(encode_picture(picture), _cards)

    def recognize_many(
        self, pictures: Iterable[Picture], *, ordered: bool = True, max_in_flight: int | None = None
    ) -> Iterator[Reading]:
        """One reading a picture; a picture that fails does not stop the others.

        Args:
            pictures: taken only as fast as they are read.
            ordered: give readings in the pictures' order; else as they finish.
            max_in_flight: pictures sent and not yet given out, at most; None is the client's own limit.

        Raises:
            ValueError: `max_in_flight` is below 1.
        """
        window = self._options.max_in_flight if max_in_flight is None else max_in_flight
        if window < 1:
            raise ValueError("max_in_flight must be at least 1")
        read = read_in_order if ordered else read_as_completed
        return read(self._submit_answer, pictures, window)

    def close(self) -> None:
        """Fail what is in flight with `ClosedError`, and close the connection."""
        self._router.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _submit_answer(self, picture: Picture) -> Future[Answer]:
        return self._router.send(encode_picture(picture), _answer)


def _answer(answer: Answer) -> Answer:
    return answer


def _cards(answer: Answer) -> list[Card]:
    return answer.cards


def _json(answer: Answer) -> dict[str, Any]:
    return answer.json
