"""One door: HTTP, gRPC and metrics, in one process or in several that share the ports."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TextIO

import grpc
import uvicorn
from prometheus_client import CollectorRegistry

from tandem.door.app import door_app
from tandem.door.asking import Asker
from tandem.door.callers import Callers
from tandem.door.connections import protocol_class
from tandem.door.frame import House
from tandem.door.keys import KeyRing
from tandem.door.kserve_grpc import KServeGrpc, server_options
from tandem.door.models import Models
from tandem.door.options import DoorOptions
from tandem.door.pages import close_decoder
from tandem.door.records import Records

_LOG = logging.getLogger(__name__)
_BACKLOG = 1024
_GRACE_S = 10.0
_MOST_RPCS = 1000


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a door listens.

    Attributes:
        http: its listening socket.
        grpc_port: None: no gRPC.
    """

    http: socket.socket
    grpc_port: int | None

    @property
    def http_port(self) -> int:
        """The port that was taken."""
        return int(self.http.getsockname()[1])


def take_places(options: DoorOptions) -> Places:
    """Take the ports; free ones for 0.

    Raises:
        OSError: one is taken.
    """
    family = socket.AF_INET6 if ":" in options.address else socket.AF_INET
    # asyncio sends at once only where the socket says by name that it is TCP; else each answer waits 40 ms.
    http = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    http.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    http.bind((options.address, options.http_port))
    http.listen(_BACKLOG)
    http.set_inheritable(True)
    return Places(http=http, grpc_port=_free_port(options, family))


def _free_port(options: DoorOptions, family: socket.AddressFamily) -> int | None:
    """The port for gRPC: several processes will share it, so it can't be found by binding to 0 in each."""
    if options.grpc_port is None:
        return None
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((options.address, options.grpc_port))
        return int(probe.getsockname()[1])


class Door:
    """One process's part of a door.

    Args:
        options: of the door.
        places: where it listens.
        registry: of its metrics.
        log: gets a line a request; None: none does.
    """

    def __init__(
        self,
        options: DoorOptions,
        places: Places,
        registry: CollectorRegistry,
        log: TextIO | None = sys.stderr,
    ) -> None:
        self._options = options
        self._places = places
        self._registry = registry
        self._log = log
        self._uvicorn: uvicorn.Server | None = None

    def stop(self) -> None:
        """Finish what is in flight, then leave."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    async def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped.

        Args:
            ready: called when both ports answer.
        """
        options = self._options
        ring = None if options.keys is None else KeyRing(options.keys)
        records = Records(self._registry, self._log)
        async with AsyncExitStack() as stack:
            asker = Asker(options)
            stack.push_async_callback(asker.close)
            models = Models(options)
            stack.push_async_callback(models.close)
            stack.callback(close_decoder)
            house = House(options, asker, Callers(ring, share=1 / options.processes))
            if self._places.grpc_port is not None:
                server = await self._grpc_server(KServeGrpc(house, models, records), self._places.grpc_port)
                stack.push_async_callback(server.stop, _GRACE_S)
            self._uvicorn = uvicorn.Server(self._uvicorn_config(door_app(house, models, records)))
            ready()
            await self._uvicorn._serve([self._places.http])  # without its own signal handlers

    def _uvicorn_config(self, app: object) -> uvicorn.Config:
        options = self._options
        tls = options.tls
        return uvicorn.Config(
            app,  # type: ignore[arg-type]
            http=protocol_class(options.head_timeout_s, options.body_timeout_s),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=options.max_connections,
            timeout_keep_alive=int(options.idle_timeout_s),
            timeout_graceful_shutdown=int(_GRACE_S),
            ssl_certfile=None if tls is None else tls.certificate,
            ssl_keyfile=None if tls is None else tls.key,
        )

    async def _grpc_server(self, service: KServeGrpc, port: int) -> grpc.aio.Server:
        options = self._options
        server = grpc.aio.server(
            options=server_options(options.idle_timeout_s), maximum_concurrent_rpcs=_MOST_RPCS
        )
        server.add_generic_rpc_handlers((service.handlers(),))
        host = f"[{options.address}]" if ":" in options.address else options.address
        if options.tls is None:
            server.add_insecure_port(f"{host}:{port}")
        else:
            pair = (options.tls.key.read_bytes(), options.tls.certificate.read_bytes())
            server.add_secure_port(f"{host}:{port}", grpc.ssl_server_credentials([pair]))
        await server.start()
        return server


def run_one(
    options: DoorOptions,
    places: Places,
    registry: CollectorRegistry,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve in this process until SIGTERM or SIGINT."""
    door = Door(options, places, registry)

    async def serve() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, door.stop)
        await door.serve(ready)

    asyncio.run(serve())
