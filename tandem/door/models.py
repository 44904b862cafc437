"""What Triton tells of the services' models: metadata, configuration, statistics; of no other model."""

from __future__ import annotations

from typing import Any

import grpc
from tandem_triton import NotServedError, TandemError
from tandem_triton.transport.status import error_of_grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tandem.door.asking import chosen_services
from tandem.door.options import DoorOptions

EXTENSIONS = ("binary_tensor_data", "model_configuration", "statistics")
"""What of Triton's extensions passes the door."""
_TOKEN_PREFIX = "triton-grpc-protocol-"  # noqa: S105 - Triton puts it before the names that it compares
_TIMEOUT_S = 5.0


class Models:
    """Asks Triton about models; made inside its event loop.

    Args:
        options: of the door.
    """

    def __init__(self, options: DoorOptions) -> None:
        self._services = chosen_services(options.services)
        client = options.client_options()
        self._metadata = client.headers(_TOKEN_PREFIX)
        self._channel = _channel(options)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._seen: dict[str, tuple[str, ...]] = {}

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    async def is_live(self) -> bool:
        """Whether Triton is there."""
        return await self._is("ServerLive", service_pb2.ServerLiveRequest(), "live")

    async def is_ready(self) -> bool:
        """Whether all of Triton's models are ready."""
        return await self._is("ServerReady", service_pb2.ServerReadyRequest(), "ready")

    async def is_model_ready(self, name: str) -> bool:
        """Whether a model is ready.

        Raises:
            NotServedError: it is none of the services'.
        """
        await self._check(name)
        return await self._is("ModelReady", service_pb2.ModelReadyRequest(name=name), "ready")

    async def server(self) -> Any:
        """A `ServerMetadataResponse` that names only what passes the door."""
        told = await self._call("ServerMetadata", service_pb2.ServerMetadataRequest())
        kept = [each for each in told.extensions if each in EXTENSIONS]
        return service_pb2.ServerMetadataResponse(name=told.name, version=told.version, extensions=kept)

    async def metadata(self, name: str) -> Any:
        """A `ModelMetadataResponse`; raises as `is_model_ready`."""
        await self._check(name)
        return await self._call("ModelMetadata", service_pb2.ModelMetadataRequest(name=name))

    async def config(self, name: str) -> Any:
        """A `ModelConfigResponse`; raises as `is_model_ready`."""
        await self._check(name)
        return await self._call("ModelConfig", service_pb2.ModelConfigRequest(name=name))

    async def statistics(self, name: str = "") -> Any:
        """A `ModelStatisticsResponse`, of all the services' models for ""; raises as `is_model_ready`."""
        if name:
            await self._check(name)
            return await self._call("ModelStatistics", service_pb2.ModelStatisticsRequest(name=name))
        visible = await self.visible()
        told = await self._call("ModelStatistics", service_pb2.ModelStatisticsRequest())
        kept = [each for each in told.model_stats if each.name in visible]
        return service_pb2.ModelStatisticsResponse(model_stats=kept)

    async def steps(self, service: str) -> tuple[str, ...]:
        """The models that a service is made of; the service itself where it is no ensemble.

        Raises:
            TandemError: Triton doesn't serve it, or isn't there.
        """
        if service not in self._seen:
            told = await self._call("ModelConfig", service_pb2.ModelConfigRequest(name=service))
            steps = [step.model_name for step in told.config.ensemble_scheduling.step]
            self._seen[service] = tuple(dict.fromkeys(steps)) or (service,)
        return self._seen[service]

    async def visible(self) -> frozenset[str]:
        """The services that Triton serves, and their steps."""
        names: set[str] = set()
        for service in self._services:
            try:
                names |= {service, *await self.steps(service)}
            except NotServedError:
                continue
        return frozenset(names)

    async def _check(self, name: str) -> None:
        if name not in self._services and name not in await self.visible():
            raise NotServedError(f"there is no such service; there are: {', '.join(self._services)}")

    async def _is(self, method: str, request: Any, field: str) -> bool:
        try:
            return bool(getattr(await self._call(method, request), field))
        except TandemError:
            return False

    async def _call(self, method: str, request: Any) -> Any:
        try:
            return await getattr(self._stub, method)(request, timeout=_TIMEOUT_S, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            told = error_of_grpc(error.code(), error.details())
            raise told from None


def _channel(options: DoorOptions) -> grpc.aio.Channel:
    tls = options.triton_tls
    if tls is None:
        return grpc.aio.insecure_channel(options.triton_url)
    files = (tls.root_certificates, tls.private_key, tls.certificate_chain)
    roots, key, chain = (path.read_bytes() if path else None for path in files)
    return grpc.aio.secure_channel(options.triton_url, grpc.ssl_channel_credentials(roots, key, chain))


def plain(message: Any) -> dict[str, Any]:
    """A message as Triton's HTTP side writes it: fields by name, defaults too; numbers as numbers."""
    result: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            result[field.name] = {str(key): _plain_value(field, each) for key, each in value.items()}
        elif field.label == field.LABEL_REPEATED:
            result[field.name] = [_plain_value(field, each) for each in value]
        else:
            result[field.name] = _plain_value(field, value)
    return result


def _plain_value(field: Any, value: Any) -> Any:
    if hasattr(value, "DESCRIPTOR"):
        return plain(value)
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    return value.decode("latin-1") if isinstance(value, bytes) else value
