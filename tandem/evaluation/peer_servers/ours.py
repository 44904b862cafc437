"""The embedded Triton as one of the servers that are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from tandem.evaluation.peer_servers.client import triton_http_reader
from tandem.evaluation.processor_use import use_of_group
from tandem.evaluation.served import triton_bytes_reader
from tandem.runtime.server import TritonServer


class OurServer:
    """A running embedded server that serves `id_card`.

    Args:
        server: it.
        over: "gRPC", as its users ask it, or "HTTP", as the peers are asked.
        name: in the table.
    """

    def __init__(
        self, server: TritonServer, over: Literal["gRPC", "HTTP"] = "gRPC", *, name: str = "Tandem"
    ) -> None:
        self.name = name
        self._server = server
        if over == "gRPC":
            self._read = triton_bytes_reader(server.grpc_url)
        else:
            self._read = triton_http_reader(server.options.http_port)

    @property
    def read(self) -> Callable[[bytes], bytes]:
        """Encoded picture → `RESULT`."""
        return self._read

    def processor_s(self) -> float:
        """Processor time of Triton and its models' processes so far, seconds."""
        return use_of_group(self._server.pid).processor_s

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Nothing: without a request it uses no processor, and Triton takes a halted model for a dead one."""
        yield
