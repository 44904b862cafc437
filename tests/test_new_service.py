"""The house takes a new service without a change of its own: one that reverses a text.

Its folder is `toy_service`'s. Clients, queue, gateway, metrics, command and load test reach the service.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tandem_triton import AsyncClient, BadItemError, Client, Service, find_services
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tests.gateway.broker import Broker
from tests.gateway.process import GatewayProcess
from tests.toy_service import write_service

pytestmark = pytest.mark.triton
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class NewService:
    """A server with the new service, and the folder that makes it known."""

    folder: Path
    server: TritonServer

    def run(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """A command of ours, in a process that finds the new service."""
        return subprocess.run(
            [sys.executable, *words], input=stdin, env=self.environment, stdout=subprocess.PIPE, check=True
        )

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (self.folder, ROOT, ROOT / "client")))}


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewService]:
    pytest.importorskip("pytriton.tritonserver", reason="nvidia-pytriton is not installed")
    folder = tmp_path_factory.mktemp("new_service")
    write_service(folder)
    options = ServerOptions(model_repository=folder / "models", grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server:
        yield NewService(folder, server)


@pytest.fixture
def service(new: NewService, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service[object]]:
    monkeypatch.syspath_prepend(str(new.folder))
    find_services.cache_clear()
    yield find_services()["reverse_text"]
    find_services.cache_clear()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_by_client(new: NewService, service: Service[object], protocol: str) -> None:
    url = new.server.grpc_url if protocol == "grpc" else new.server.http_url
    with Client(url, protocol=protocol) as client:  # type: ignore[arg-type]
        assert client.call_json("reverse_text", "abc") == {"text": "cba"}
        assert client.call(service, "abc", upper=True).text == "CBA"  # type: ignore[attr-defined]
        assert client.future(service, "身份证").result().text == "证份身"  # type: ignore[attr-defined]
        results = list(client.call_many(service, ["ab", b"\xff", ""]))
        assert [result.outcome for result in results] == ["answered", "refused", "empty"]
        assert isinstance(results[1].error, BadItemError)
        assert str(results[1].error) == "the text is not UTF-8"
        with pytest.raises(BadItemError, match="no option lower; there are: upper"):
            client.call(service, "abc", lower=True)
        counted = client.metrics.snapshot().services["reverse_text"]
        assert (counted.outcomes["answered"], counted.outcomes["refused"]) == (4, 1)


def test_by_asyncio(new: NewService, service: Service[object]) -> None:
    async def main() -> list[str]:
        async with AsyncClient(new.server.grpc_url) as client:
            return [result.json["text"] async for result in client.call_many(service, ["ab", "cd"])]

    assert asyncio.run(main()) == ["ba", "dc"]


def test_by_command(new: NewService) -> None:
    words = ("-m", "tandem_triton.cli.main", "reverse_text", "-", "--url", new.server.grpc_url)
    assert json.loads(new.run(*words, stdin=b"abc").stdout) == {"text": "cba"}
    assert json.loads(new.run(*words, "--option", "upper=true", stdin=b"abc").stdout) == {"text": "CBA"}
    assert b"Reverses a text." in new.run("-m", "tandem_triton.cli.main", "--help").stdout


@pytest.mark.rabbitmq
def test_by_queue_and_gateway(
    new: NewService, service: Service[object], broker: Broker, names: QueueNames, tmp_path: Path
) -> None:
    gateway = GatewayProcess(
        tmp_path / "gateway.log",
        *("--broker", broker.url, "--url", new.server.grpc_url, "--prefix", names.prefix),
        *("--services", "reverse_text"),
        environment=new.environment,
    )
    try:
        with QueueClient(broker.url, QueueOptions(names=names, timeout_s=180)) as client:
            assert client.call_json(service, "abc") == {"text": "cba"}
            assert client.call_json(service, "abc", upper=True) == {"text": "CBA"}
            with pytest.raises(BadItemError, match="not UTF-8"):
                client.call(service, b"\xff")
        metric = 'tandem_gateway_outcomes_total{outcome="answered",service="reverse_text"}'
        assert gateway.metric(metric) == 2
    finally:
        gateway.kill()


def test_by_load_test(new: NewService) -> None:
    words = ("service", "reverse_text", "--url", new.server.grpc_url, "--rates", "20", "--seconds", "2")
    told = json.loads(new.run(str(ROOT / "scripts" / "_load_service.py"), *words).stdout)
    assert told["service"] == "reverse_text"
    assert told["answered"] >= 40
    assert 0 < told["p50_ms"] <= told["p95_ms"]
