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
from tests.toy_service import write_service

CLIENT_MODELS = Path(__file__).parents[1] / "client" / "model_repository"


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
    write_service(folder)
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
