"""A real gRPC server of Triton's protocol that does what a test tells it: for answers Triton never gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

Respond = Callable[[Any, Any], Any]


class ScriptedServer(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Answers by `respond`; keeps each call's metadata."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self.metadata: list[dict[str, str]] = []
        self.url = ""
        self.cancelled = threading.Event()

    def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self.metadata.append(dict(context.invocation_metadata()))
        context.add_callback(self._on_end)
        self._context = context
        return self._respond(request, context)

    def _on_end(self) -> None:
        if not self._context.is_active():
            self.cancelled.set()


@contextmanager
def scripted_server(
    respond: Respond, *, port: int = 0, credentials: grpc.ServerCredentials | None = None
) -> Iterator[ScriptedServer]:
    """Serve until left."""
    servicer = ScriptedServer(respond)
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    address = f"localhost:{port}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    servicer.url = f"localhost:{bound}"
    server.start()
    try:
        yield servicer
    finally:
        server.stop(grace=None).wait()


def answer(request: Any, **changes: Any) -> Any:
    """The proper answer to a request ("no card"), with changes: `id`, `name`, `text`, `raw`."""
    text = changes.get("text", json.dumps({"cards": []}).encode())
    response = service_pb2.ModelInferResponse(id=changes.get("id", request.id))
    response.outputs.add(name=changes.get("name", "RESULT"), datatype="BYTES", shape=[1, 1])
    response.raw_output_contents.append(changes.get("raw", len(text).to_bytes(4, "little") + text))
    return response
