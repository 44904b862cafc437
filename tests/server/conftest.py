"""One server with the project's own models for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from export.services import set_up
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY


@pytest.fixture(scope="session")
def triton_server() -> Iterator[TritonServer]:
    """The real server with the model repository of this checkout, ready, on free ports."""
    set_up(["id_card"], lambda line: None)
    options = ServerOptions(model_repository=REPOSITORY, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server:
        yield server
