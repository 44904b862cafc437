"""A real broker, a real Triton, and gateways that are processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tandem_triton.queue import QueueNames

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tests.gateway.broker import Broker
from tests.gateway.process import GatewayProcess

MODELS = Path(__file__).parents[1] / "client" / "model_repository"


@pytest.fixture(scope="session")
def triton() -> Iterator[TritonServer]:
    pytest.importorskip("pytriton.tritonserver", reason="nvidia-pytriton is not installed")
    options = ServerOptions(model_repository=MODELS, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server:
        yield server


@pytest.fixture
def start_gateway(
    broker: Broker, triton: TritonServer, names: QueueNames, tmp_path: Path
) -> Iterator[Callable[..., GatewayProcess]]:
    started: list[GatewayProcess] = []

    def start(*words: str, triton_url: str | None = None) -> GatewayProcess:
        gateway = GatewayProcess(
            tmp_path / f"gateway-{len(started)}.log",
            *("--broker", broker.url, "--url", triton_url or triton.grpc_url),
            *("--prefix", names.prefix, *words),
        )
        started.append(gateway)
        return gateway

    yield start
    for gateway in started:
        gateway.kill()


@pytest.fixture
def start_gateway_at(
    triton: TritonServer, names: QueueNames, tmp_path: Path
) -> Iterator[Callable[[str], GatewayProcess]]:
    """Starts a gateway at a broker of one's own; its Triton may be anywhere."""
    started: list[GatewayProcess] = []

    def start(broker_url: str) -> GatewayProcess:
        log = tmp_path / f"gateway-at-{len(started)}.log"
        started.append(
            GatewayProcess(log, "--broker", broker_url, "--url", triton.grpc_url, "--prefix", names.prefix)
        )
        return started[-1]

    yield start
    for gateway in started:
        gateway.kill()
