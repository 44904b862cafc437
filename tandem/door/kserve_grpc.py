"""KServe v2 over gRPC, for the services only: what `tritonclient.grpc` and perf_analyzer ask.

An inference is served as a stream of one message, which looks the same on the wire: so the door decides when
it is read, and how long that may take. A unary handler is called only after the message is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import grpc
from tandem_triton import TandemError
from tritonclient.grpc import service_pb2

from tandem.door.errors import (
    BadRequestError,
    ClosedMethodError,
    DoorError,
    SlowBodyError,
    TooManyError,
    retry_after_s,
)
from tandem.door.frame import House
from tandem.door.kserve import check_version, requests_of, result_texts
from tandem.door.kserve_message import infer_message, parse_infer_message
from tandem.door.models import Models
from tandem.door.options import FRAME, ITEM_LIMITS, MIB
from tandem.door.records import REQUEST_ID, Record, Records, request_id

_LOG = logging.getLogger(__name__)
SERVICE = "inference.GRPCInferenceService"
LONGEST_MESSAGE = 2 * max(ITEM_LIMITS.values()) + FRAME
READING_AT_ONCE = 12
"""Messages that are being received at the same time: each may take `LONGEST_MESSAGE` bytes of memory."""
_LONGEST_QUESTION = 64 * 1024  # bytes of a message that isn't an inference
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Answer = Callable[[Any], Awaitable[Any]]


def server_options(idle_timeout_s: float) -> list[tuple[str, int]]:
    """GRPC's own options: limits on messages, streams and time."""
    return [
        ("grpc.max_receive_message_length", LONGEST_MESSAGE),
        ("grpc.max_send_message_length", 64 * MIB),
        ("grpc.max_metadata_size", 16 * 1024),
        ("grpc.absolute_max_metadata_size", 16 * 1024),
        ("grpc.max_concurrent_streams", 256),
        ("grpc.max_connection_idle_ms", int(idle_timeout_s * 1000)),
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 3),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        # A short compressed message may be a long one: none is taken.
        ("grpc.compression_enabled_algorithms_bitset", 1),
        ("grpc.so_reuseport", 1),
    ]


class KServeGrpc:
    """The service's handlers.

    Args:
        house: what every request needs.
        models: asks Triton about models.
        records: take note of each call.
    """

    def __init__(self, house: House, models: Models, records: Records) -> None:
        self._house = house
        self._models = models
        self._records = records
        self._reading = asyncio.Semaphore(READING_AT_ONCE)

    def handlers(self) -> grpc.GenericRpcHandler:
        """For `grpc.aio.Server.add_generic_rpc_handlers`."""
        ask = self._models
        asked: dict[str, tuple[Any, Answer]] = {
            "ServerLive": (service_pb2.ServerLiveRequest, self._live),
            "ServerReady": (service_pb2.ServerReadyRequest, self._ready),
            "ModelReady": (service_pb2.ModelReadyRequest, self._model_ready),
            "ServerMetadata": (service_pb2.ServerMetadataRequest, lambda request: ask.server()),
            "ModelMetadata": (service_pb2.ModelMetadataRequest, lambda request: ask.metadata(request.name)),
            "ModelConfig": (service_pb2.ModelConfigRequest, lambda request: ask.config(request.name)),
            "ModelStatistics": (
                service_pb2.ModelStatisticsRequest,
                lambda request: ask.statistics(request.name),
            ),
        }
        methods = {method.name: self._closed() for method in _protocol().methods}
        methods |= {name: self._question(name, kind, answer) for name, (kind, answer) in asked.items()}
        methods["ModelInfer"] = grpc.stream_unary_rpc_method_handler(self._infer)
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _infer(self, stream: AsyncIterator[bytes], context: Context) -> bytes:
        async def serve(record: Record) -> bytes:
            house = self._house
            key = house.callers.key_of(_headers(context))
            record.caller = key.name if key else record.caller
            with house.callers.admit(key):
                message = await self._read(stream)
                record.bytes_in = len(message)
                house.budget.take(len(message))
                try:
                    parsed = parse_infer_message(message)
                    service = house.asker.service(parsed.model)
                    record.service = service.name
                    check_version(parsed.version)
                    outcomes = await house.asker.answers(requests_of(service, parsed.tensors), record)
                finally:
                    house.budget.give_back(len(message))
            return infer_message(parsed, service.name, result_texts(outcomes))

        return await self._recorded("ModelInfer", context, serve)

    async def _read(self, stream: AsyncIterator[bytes]) -> bytes:
        """The call's one message."""
        options = self._house.options
        try:
            await asyncio.wait_for(self._reading.acquire(), options.admission_s or 0.001)
        except asyncio.TimeoutError:
            raise TooManyError("too many requests are being read at the moment") from None
        try:
            return await asyncio.wait_for(stream.__anext__(), options.body_timeout_s)
        except asyncio.TimeoutError:
            raise SlowBodyError(f"the message must come within {options.body_timeout_s:g} s") from None
        except StopAsyncIteration:
            raise BadRequestError("the call holds no message") from None
        finally:
            self._reading.release()

    def _question(self, name: str, kind: Any, answer: Answer) -> Handler:
        """A handler of a short question about the server or a model."""
        open_to_all = name in ("ServerLive", "ServerReady")

        async def handle(message: bytes, context: Context) -> bytes:
            async def serve(record: Record) -> bytes:
                if not open_to_all:
                    key = self._house.callers.key_of(_headers(context))
                    record.caller = key.name if key else record.caller
                if len(message) > _LONGEST_QUESTION:
                    raise BadRequestError(f"a question may have {_LONGEST_QUESTION} bytes")
                try:
                    request = kind.FromString(message)
                except Exception:
                    raise BadRequestError(f"the message is no {kind.DESCRIPTOR.name}") from None
                check_version(getattr(request, "version", ""))
                encoded: bytes = (await answer(request)).SerializeToString()
                return encoded

            return await self._recorded(name, context, serve)

        return grpc.unary_unary_rpc_method_handler(handle)

    def _closed(self) -> Handler:
        """A handler of what Triton has and the door doesn't pass on; it reads no message."""

        async def handle(stream: AsyncIterator[bytes], context: Context) -> bytes:
            async def serve(record: Record) -> bytes:
                raise ClosedMethodError(
                    "the door passes health, metadata, config, statistics and ModelInfer only"
                )

            return await self._recorded("*", context, serve)

        return grpc.stream_unary_rpc_method_handler(handle)

    async def _recorded(
        self, name: str, context: Context, serve: Callable[[Record], Awaitable[bytes]]
    ) -> bytes:
        """What `serve` answers, recorded; an error ends the call with its status."""
        record = Record(request_id=request_id(_headers(context)), protocol="grpc", path=name, status=0)
        context.set_trailing_metadata(((REQUEST_ID, record.request_id),))
        try:
            return await serve(record)
        except (DoorError, TandemError) as error:
            await _abort(context, record, error)
        except asyncio.CancelledError:
            record.code, record.status = "CANCELLED", 1
            raise
        except Exception as error:
            _LOG.error("%s: %s", record.request_id, type(error).__name__)
            await _abort(
                context, record, DoorError("the door failed on this request; it is logged under its id")
            )
        finally:
            self._records.finished(record)
        raise AssertionError("an aborted call goes on")

    async def _live(self, request: Any) -> Any:
        return service_pb2.ServerLiveResponse(live=await self._models.is_live())

    async def _ready(self, request: Any) -> Any:
        return service_pb2.ServerReadyResponse(ready=await self._models.is_ready())

    async def _model_ready(self, request: Any) -> Any:
        return service_pb2.ModelReadyResponse(ready=await self._models.is_model_ready(request.name))


def _protocol() -> Any:
    return service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]


def _headers(context: Context) -> dict[str, str]:
    pairs = context.invocation_metadata() or ()
    return {str(name): value for name, value in pairs if isinstance(value, str)}


async def _abort(context: Context, record: Record, error: DoorError | TandemError) -> None:
    status = grpc.StatusCode[error.code]
    record.code, record.status = error.code, status.value[0]
    trailing = [(REQUEST_ID, record.request_id)]
    wait_s = retry_after_s(error)
    if wait_s is not None:
        trailing.append(("retry-after", f"{max(1, round(wait_s))}"))
    await context.abort(status, str(error) or error.code, tuple(trailing))
