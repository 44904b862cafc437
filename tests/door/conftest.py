"""A real Triton with two quick services, and doors in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tests.door.process import DoorProcess, environment

CLIENT_MODELS = Path(__file__).parents[1] / "client" / "model_repository"
TEXT_SERVICE = """
import msgspec
from tandem_triton import Service


class Reversed(msgspec.Struct):
    text: str


class Options(msgspec.Struct):
    upper: bool = False
    times: int = 1


SERVICE = Service(
    name="reverse_text",
    summary="Reverses a text.",
    input="TEXT",
    content_types=("text/plain",),
    answer=Reversed,
    encode=lambda text: text.encode() if isinstance(text, str) else bytes(text),
    probe=b"probe",
    options=Options,
)
"""
TEXT_MODEL = """
import json

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        text = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()[0, 0].decode()[::-1]
        given = pb_utils.get_input_tensor_by_name(request, "OPTIONS")
        options = {} if given is None else json.loads(given.as_numpy()[0, 0])
        text = (text.upper() if options.get("upper") else text) * options.get("times", 1)
        result = np.array([[json.dumps({"text": text}).encode()]], np.object_)
        return pb_utils.InferenceResponse([pb_utils.Tensor("RESULT", result)])
"""
TEXT_CONFIG = """
backend: "python"
max_batch_size: 2
input [
  { name: "TEXT", data_type: TYPE_STRING, dims: [ 1 ] },
  { name: "OPTIONS", data_type: TYPE_STRING, dims: [ 1 ], optional: true }
]
output [ { name: "RESULT", data_type: TYPE_STRING, dims: [ 1 ] } ]
"""


@dataclass(frozen=True)
class Behind:
    """What stands behind the doors.

    Attributes:
        server: the Triton.
        folder: makes its text service known to who has it in its PYTHONPATH.
    """

    server: TritonServer
    folder: Path

    def door(self, *words: str) -> DoorProcess:
        """A door in front of it."""
        return DoorProcess("--triton", self.server.grpc_url, *words, env=environment(self.folder))


StartDoor = Callable[..., DoorProcess]


@pytest.fixture(scope="session")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    pytest.importorskip("pytriton.tritonserver", reason="nvidia-pytriton is not installed")
    folder = tmp_path_factory.mktemp("door")
    (folder / "reverse_text_service.py").write_text(TEXT_SERVICE)
    package = folder / "reverse_text_service-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: reverse-text-service\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[tandem.services]\nreverse = reverse_text_service:SERVICE\n")
    version = folder / "models" / "reverse_text" / "1"
    version.mkdir(parents=True)
    (version / "model.py").write_text(TEXT_MODEL)
    (version.parent / "config.pbtxt").write_text(TEXT_CONFIG)
    for name in ("id_card", "echo"):
        (folder / "models" / name).symlink_to(CLIENT_MODELS / name)
    options = ServerOptions(model_repository=folder / "models", grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server:
        yield Behind(server, folder)


@pytest.fixture(scope="session")
def door(behind: Behind) -> Iterator[DoorProcess]:
    """One door for all tests that don't need another."""
    with behind.door() as door:
        yield door


@pytest.fixture
def start_door(behind: Behind) -> Iterator[StartDoor]:
    """Starts further ones with the options that a test gives."""
    with ExitStack() as doors:
        yield lambda *words: doors.enter_context(behind.door(*words))
