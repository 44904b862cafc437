"""One gRPC channel for all requests of a client, each an asynchronous unary call.

Not a stream: this server answers a stream in order, so quick items would wait behind a slow one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from tritonclient.grpc import service_pb2_grpc

from tandem_client.errors import ClosedError, TandemError
from tandem_client.options import ClientOptions, TlsOptions
from tandem_client.status import error_of_grpc
from tandem_client.transport import Call, RawOutcome
from tandem_client.wire import decode_grpc, encode_grpc

_FIRST_RECONNECT_MS = 100  # gRPC's own default of 1 s (growing to 2 min) would outlast our retries
_LONGEST_RECONNECT_MS = 1_000

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", -1),  # the server's limit on a picture decides
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
    # Not min_reconnect_backoff_ms: it is also how long an attempt to connect may take.
    ("grpc.enable_retries", 0),  # retrying is the router's, in one place
)


class GrpcTransport:
    """Sends pictures over one gRPC channel (see `transport.Transport`).

    Args:
        url: `host:port`.
        options: of the client.
    """

    def __init__(self, url: str, options: ClientOptions) -> None:
        self._model = options.model
        self._metadata = options.metadata
        self._channel = _open_channel(url, options.tls)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def start(
        self, request_id: str, picture: bytes, timeout_s: float, done: Callable[[RawOutcome], None]
    ) -> Call:
        """See `Transport.start`."""
        request = encode_grpc(model=self._model, request_id=request_id, picture=picture)
        try:
            call = self._stub.ModelInfer.future(request, timeout=timeout_s, metadata=self._metadata)
        except ValueError:  # what grpc raises on a closed channel
            done(ClosedError("the client is closed"))
            return _NO_CALL
        call.add_done_callback(lambda finished: done(outcome_of_call(finished, request_id)))
        started: Call = call
        return started

    def close(self) -> None:
        """See `Transport.close`."""
        self._channel.close()


class _NoCall:
    def cancel(self) -> bool:
        return False


_NO_CALL = _NoCall()


def outcome_of_call(call: Any, request_id: str) -> RawOutcome:
    """What a finished call came to."""
    code = call.code()
    if code is not grpc.StatusCode.OK:
        return error_of_grpc(code, call.details())
    try:
        return decode_grpc(call.result(), request_id=request_id)
    except TandemError as error:
        return error


def _open_channel(url: str, tls: TlsOptions | None) -> grpc.Channel:
    if tls is None:
        return grpc.insecure_channel(url, options=CHANNEL_OPTIONS)
    return grpc.secure_channel(url, channel_credentials(tls), options=CHANNEL_OPTIONS)


def channel_credentials(tls: TlsOptions) -> grpc.ChannelCredentials:
    """The credentials that `tls` describes."""
    files = (tls.root_certificates, tls.private_key, tls.certificate_chain)
    roots, key, chain = (path.read_bytes() if path else None for path in files)
    return grpc.ssl_channel_credentials(roots, key, chain)
