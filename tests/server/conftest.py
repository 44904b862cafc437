"""One server with the project's own models for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from export.services import default_services, set_up
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY


@pytest.fixture(scope="session")
def triton_server() -> Iterator[TritonServer]:
    """The real server with the services that need no download, ready, on free ports."""
    services = default_services()
    set_up(services, lambda line: None)
    options = ServerOptions(
        model_repository=REPOSITORY, services=services, grpc_port=0, http_port=0, metrics_port=0
    )
    with TritonServer(options) as server:
        yield server
