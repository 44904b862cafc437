"""Shared by all tests: small model repositories, and real Triton servers that are always stopped."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import onnx.parser
import pytest
from tandem_triton.queue import QueueNames

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tests.gateway.broker import Broker

StartTriton = Callable[..., TritonServer]
AddModel = Callable[..., Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests that take longer than a minute")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes longer than a minute: run with --slow"))


@pytest.fixture
def start_triton() -> Iterator[StartTriton]:
    """Starts servers on free ports and stops them in the end: `start_triton(repository, address=…)`."""
    with ExitStack() as servers:

        def start(repository: Path, **options: object) -> TritonServer:
            ports = {"grpc_port": 0, "http_port": 0, "metrics_port": 0}
            chosen = ServerOptions(model_repository=repository, **(ports | options))  # type: ignore[arg-type]
            return servers.enter_context(TritonServer(chosen))

        yield start


@pytest.fixture
def add_model(tmp_path: Path) -> AddModel:
    """Adds a model to a repository in a temporary folder and gives the repository.

    `add_model("double", graph, config)`: graph in ONNX's text form, config in Triton's; the backend is ours.
    """

    def add(name: str, graph: str | None, config: str) -> Path:
        repository = tmp_path / "models"
        version = repository / name / "1"
        version.mkdir(parents=True)
        (version.parent / "config.pbtxt").write_text(f'backend: "onnxruntime"\n{config}')
        if graph is not None:
            header = '<ir_version: 8, opset_import: ["" : 17]>\n'
            onnx.save(onnx.parser.parse_model(header + graph), str(version / "model.onnx"))
        return repository

    return add


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture
def names() -> QueueNames:
    """Queues of this test's own."""
    mark = uuid.uuid4().hex[:8]
    return QueueNames(prefix=f"test-{mark}")
