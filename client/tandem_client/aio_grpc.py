"""gRPC for asyncio: one `grpc.aio` channel, each item awaited by the coroutine that asked."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import Any

import grpc
from tritonclient.grpc import service_pb2_grpc

from tandem_client.aio_places import AsyncPlaces
from tandem_client.cards import Answer
from tandem_client.errors import CancelledError, ClosedError, DeadlineError, TandemError
from tandem_client.grpc_transport import CHANNEL_OPTIONS, channel_credentials
from tandem_client.metrics import ClientMetrics
from tandem_client.options import ClientOptions
from tandem_client.retry import pause_before_retry_s
from tandem_client.status import error_of_grpc
from tandem_client.transport import RawOutcome
from tandem_client.wire import decode_grpc, encode_grpc


class AioGrpc:
    """Asks for coroutines of one event loop.

    Args:
        url: `host:port`.
        options: of the client.
        metrics: counts what becomes of items.
    """

    def __init__(self, url: str, options: ClientOptions, metrics: ClientMetrics) -> None:
        self._url = url
        self._options = options
        self._metrics = metrics
        self._places = AsyncPlaces(options)
        self._numbers = itertools.count(1)
        self._random = random.Random()
        self._channel: grpc.aio.Channel | None = None
        self._stub: Any = None
        self._closed = False

    async def ask(self, picture: bytes) -> Answer:
        """The answer to one encoded picture.

        Raises:
            TandemError: see `tandem_client.errors`.
        """
        began_s = time.monotonic()
        outcome = CancelledError.outcome  # what stands if the task is cancelled
        self._metrics.started()
        try:
            answer = await self._answer(picture, began_s + self._options.timeout_s)
            outcome = answer.outcome
        except TandemError as error:
            outcome = error.outcome
            raise
        else:
            return answer
        finally:
            self._metrics.finished(outcome, time.monotonic() - began_s)

    async def close(self) -> None:
        """Give up what is in flight, and the channel."""
        self._closed = True
        if self._channel is not None:
            await self._channel.close()

    async def _answer(self, picture: bytes, deadline_s: float) -> Answer:
        await self._places.take()
        try:
            outcome = await self._send_until_final(picture, deadline_s)
        finally:
            self._places.release()
        if isinstance(outcome, TandemError):
            raise outcome
        return Answer(outcome)

    async def _send_until_final(self, picture: bytes, deadline_s: float) -> RawOutcome:
        request_id = f"a-{next(self._numbers)}"
        request = encode_grpc(model=self._options.model, request_id=request_id, picture=picture)
        for sent in itertools.count(1):
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                break
            outcome = await self._send(request, request_id, left_s)
            pause_s = pause_before_retry_s(
                self._options.retry,
                outcome,
                sent=sent,
                left_s=deadline_s - time.monotonic(),
                draw=self._random.random(),
            )
            if pause_s is None:
                return outcome
            await asyncio.sleep(pause_s)
            self._metrics.retried()
        return DeadlineError("no answer within the time allowed")

    async def _send(self, request: Any, request_id: str, timeout_s: float) -> RawOutcome:
        if self._closed:
            return ClosedError("the client is closed")
        try:
            response = await self._open().ModelInfer(
                request, timeout=timeout_s, metadata=self._options.metadata
            )
            return decode_grpc(response, request_id=request_id)
        except grpc.aio.AioRpcError as error:
            return error_of_grpc(error.code(), error.details())
        except TandemError as error:
            return error
        except asyncio.CancelledError:
            if self._closed:  # what closing the channel does to its calls
                return ClosedError("the client was closed before the answer came")
            raise

    def _open(self) -> Any:
        """The stub; its channel is opened here, for it belongs to the event loop that runs now."""
        if self._channel is None:
            tls = self._options.tls
            if tls is None:
                self._channel = grpc.aio.insecure_channel(self._url, options=CHANNEL_OPTIONS)
            else:
                self._channel = grpc.aio.secure_channel(
                    self._url, channel_credentials(tls), options=CHANNEL_OPTIONS
                )
            self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        return self._stub
