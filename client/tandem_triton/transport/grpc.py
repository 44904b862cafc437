"""One gRPC channel for all requests of a client, each an asynchronous unary call.

Not a stream: this server answers a stream in order, so quick items would wait behind a slow one. And gRPC's
asyncio half for threads too, because it takes half the processor time of the other (decision 9).
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from tritonclient.grpc import service_pb2_grpc

from tandem_triton.core.errors import ClosedError, TandemError
from tandem_triton.core.exchange import RawOutcome
from tandem_triton.core.options import ClientOptions, TlsOptions
from tandem_triton.core.service import Request
from tandem_triton.transport.status import error_of_grpc
from tandem_triton.transport.wire import decode_grpc, encode_grpc

_TOKEN_PREFIX = "triton-grpc-protocol-"  # noqa: S105 - Triton puts it before the names that it compares
_FIRST_RECONNECT_MS = 100  # gRPC's own default of 1 s (growing to 2 min) would outlast our retries
_LONGEST_RECONNECT_MS = 1_000

_CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", -1),  # the server's limit on an item decides
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
    # Not min_reconnect_backoff_ms: it is also how long an attempt to connect may take.
    ("grpc.enable_retries", 0),  # retrying is the exchange's, in one place
)


class GrpcTransport:
    """Sends items over one gRPC channel (see `exchange.Transport`).

    Args:
        url: `host:port`.
        options: of the client.

    Raises:
        OSError: a certificate's file can't be read.
    """

    def __init__(self, url: str, options: ClientOptions) -> None:
        self._url = url
        self._metadata = options.headers(_TOKEN_PREFIX)
        self._credentials = None if options.tls is None else _channel_credentials(options.tls)
        self._channel: grpc.aio.Channel | None = None
        self._stub: Any = None
        self._closed = False

    async def send(self, request_id: str, request: Request[Any], timeout_s: float) -> RawOutcome:
        """See `Transport.send`."""
        if self._closed:
            return ClosedError("the client is closed")
        message = encode_grpc(request_id, request)
        try:
            response = await self._open().ModelInfer(message, timeout=timeout_s, metadata=self._metadata)
            return decode_grpc(response, request_id=request_id)
        except grpc.aio.AioRpcError as error:
            return error_of_grpc(error.code(), error.details(), request.service.bad_item)
        except TandemError as error:
            return error
        except asyncio.CancelledError:
            if self._closed:  # what closing the channel does to its calls
                return ClosedError("the client was closed before the answer came")
            raise

    async def close(self) -> None:
        """See `Transport.close`."""
        self._closed = True
        if self._channel is not None:
            await self._channel.close()

    def _open(self) -> Any:
        """The stub; its channel is opened here, for it belongs to the event loop that runs now."""
        if self._channel is None:
            self._channel = (
                grpc.aio.insecure_channel(self._url, options=_CHANNEL_OPTIONS)
                if self._credentials is None
                else grpc.aio.secure_channel(self._url, self._credentials, options=_CHANNEL_OPTIONS)
            )
            self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        return self._stub


def _channel_credentials(tls: TlsOptions) -> grpc.ChannelCredentials:
    files = (tls.root_certificates, tls.private_key, tls.certificate_chain)
    roots, key, chain = (path.read_bytes() if path else None for path in files)
    return grpc.ssl_channel_credentials(roots, key, chain)
