"""The house takes a new service without a change of its own: one that reverses a text.

The folder holds what its author would write: a model, a `Service` value, an entry point. Clients, queue,
gateway, metrics, command and load test reach the service.
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

pytestmark = pytest.mark.triton
ROOT = Path(__file__).parents[1]

SERVICE = """
import msgspec
from tandem_triton import BadItemError, Service


class Reversed(msgspec.Struct):
    text: str


class Options(msgspec.Struct):
    upper: bool = False


def encode(text):
    return text.encode() if isinstance(text, str) else bytes(text)


SERVICE = Service(
    name="reverse_text",
    summary="Reverses a text.",
    input="TEXT",
    content_types=("text/plain",),
    answer=Reversed,
    encode=encode,
    probe=b"probe",
    empty=lambda answer: not answer.text,
    options=Options,
)
"""
MODEL = """
import json

import numpy as np
import triton_python_backend_utils as pb_utils

from tandem.errors import InputError
from tandem.triton.responder import Responder, each_item


class TritonPythonModel:
    def initialize(self, args):
        name = args["model_name"]
        self._responder = Responder(pb_utils, model_name=name, inputs=["TEXT"], optional=["OPTIONS"])

    def execute(self, requests):
        return self._responder.respond(requests, each_item(reverse))


def reverse(inputs):
    options = json.loads(inputs["OPTIONS"][0]) if "OPTIONS" in inputs else {}
    try:
        text = inputs["TEXT"][0].decode()[::-1]
    except UnicodeDecodeError:
        raise InputError("the text is not UTF-8") from None
    text = text.upper() if options.get("upper") else text
    return {"RESULT": np.array([json.dumps({"text": text}).encode()], np.object_)}
"""
CONFIG = """
backend: "python"
max_batch_size: 2
input [
  { name: "TEXT", data_type: TYPE_STRING, dims: [ 1 ] },
  { name: "OPTIONS", data_type: TYPE_STRING, dims: [ 1 ], optional: true }
]
output [ { name: "RESULT", data_type: TYPE_STRING, dims: [ 1 ] } ]
dynamic_batching { preferred_batch_size: [ 2 ] }
"""


@dataclass(frozen=True)
class NewService:
    """A server with the new service, and the folder that makes it known."""

    folder: Path
    server: TritonServer

    def run(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """A command of ours, in a process that finds the new service."""
        return subprocess.run(
            [sys.executable, *words], input=stdin, env=self.environment, capture_output=True, check=True
        )

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (self.folder, ROOT, ROOT / "client")))}


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewService]:
    pytest.importorskip("pytriton.tritonserver", reason="nvidia-pytriton is not installed")
    folder = tmp_path_factory.mktemp("new_service")
    (folder / "reverse_text_service.py").write_text(SERVICE)
    package = folder / "reverse_text_service-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: reverse-text-service\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[tandem.services]\nreverse = reverse_text_service:SERVICE\n")
    version = folder / "models" / "reverse_text" / "1"
    version.mkdir(parents=True)
    (version / "model.py").write_text(MODEL)
    (version.parent / "config.pbtxt").write_text(CONFIG)
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
