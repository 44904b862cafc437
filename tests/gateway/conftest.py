"""A real broker, a real Triton, and gateways that are processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tandem_triton.queue import QueueNames

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tests.gateway.broker import Broker

MODELS = Path(__file__).parents[1] / "client" / "model_repository"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture(scope="session")
def triton() -> Iterator[TritonServer]:
    pytest.importorskip("pytriton.tritonserver", reason="nvidia-pytriton is not installed")
    options = ServerOptions(model_repository=MODELS, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server:
        yield server


@pytest.fixture
def names() -> QueueNames:
    """Queues of this test's own."""
    mark = uuid.uuid4().hex[:8]
    return QueueNames(pictures=f"pictures-{mark}", dead=f"dead-{mark}")


class GatewayProcess:
    """`tandem gateway` as its users run it."""

    def __init__(self, log: Path, *words: str) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tandem.gateway", *words, "--monitor-port", "0"],
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
                stderr=stderr,
            )
        # The file and not a pipe, which would fill up and hold the gateway.
        while "/metrics and /healthz on" not in self.log():
            if self._process.poll() is not None:
                raise RuntimeError(f"the gateway did not start:\n{self.log()}")
            time.sleep(0.05)
        [line] = [line for line in self.log().splitlines() if "/metrics and /healthz on" in line]
        self.monitor = line.split()[-1]

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text("utf-8")

    def kill(self) -> None:
        """End it at once (-9)."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to stop; gives the exit status."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=180)
        return self._process.returncode

    def healthy(self) -> bool:
        """Whether `/healthz` says that it consumes."""
        try:
            with urllib.request.urlopen(f"http://{self.monitor}/healthz", timeout=60):
                return True
        except urllib.error.HTTPError:
            return False

    def metric(self, line: str) -> float:
        """The value of a line of `/metrics`, 0 if there is none."""
        with urllib.request.urlopen(f"http://{self.monitor}/metrics", timeout=60) as answer:
            for found in answer.read().decode().splitlines():
                if found.startswith(line + " "):
                    return float(found.split()[-1])
        return 0.0


@pytest.fixture
def start_gateway(
    broker: Broker, triton: TritonServer, names: QueueNames, tmp_path: Path
) -> Iterator[Callable[..., GatewayProcess]]:
    started: list[GatewayProcess] = []

    def start(*words: str, triton_url: str | None = None) -> GatewayProcess:
        gateway = GatewayProcess(
            tmp_path / f"gateway-{len(started)}.log",
            *("--broker", broker.url, "--url", triton_url or triton.grpc_url),
            *("--queue", names.pictures, "--dead-queue", names.dead, *words),
        )
        started.append(gateway)
        return gateway

    yield start
    for gateway in started:
        gateway.kill()
