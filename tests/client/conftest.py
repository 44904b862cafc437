"""A real Triton with the client tests' own models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer

MODELS = Path(__file__).parent / "model_repository"


@pytest.fixture(scope="session")
def triton() -> Iterator[TritonServer]:
    pytest.importorskip("pytriton.tritonserver", reason="nvidia-pytriton is not installed")
    with TritonServer(
        ServerOptions(model_repository=MODELS, grpc_port=0, http_port=0, metrics_port=0)
    ) as server:
        yield server
