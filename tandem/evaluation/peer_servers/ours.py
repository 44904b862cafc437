"""The embedded Triton as one of the servers that are measured: asked over gRPC, as its users ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tandem.evaluation.processor_use import use_of_group
from tandem.evaluation.served import triton_bytes_reader
from tandem.runtime.server import TritonServer


class OurServer:
    """A running embedded server that serves `id_card`."""

    name = "Tandem"

    def __init__(self, server: TritonServer) -> None:
        self._server = server
        self._read = triton_bytes_reader(server.grpc_url)

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
