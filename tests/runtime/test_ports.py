from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.runtime.errors import AddressError, PortTakenError
from tandem.runtime.options import ServerOptions
from tandem.runtime.ports import settle_ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def options(*, grpc_port: int = 0, http_port: int = 0, metrics_port: int = 0) -> ServerOptions:
    return ServerOptions(
        model_repository=Path("models"), grpc_port=grpc_port, http_port=http_port, metrics_port=metrics_port
    )


@pytest.mark.parametrize("name", ["grpc_port", "http_port", "metrics_port"])
def test_a_taken_port_is_named_with_its_option(taken: int, name: str) -> None:
    with pytest.raises(PortTakenError, match=rf"127\.0\.0\.1:{taken}.*--{name.replace('_', '-')}"):
        settle_ports(options(**{name: taken}))


def test_free_ports_differ() -> None:
    settled = settle_ports(options())
    ports = set(settled.ports().values())
    assert len(ports) == 3
    assert 0 not in ports


def test_a_chosen_port_is_kept(taken: int) -> None:
    settled = settle_ports(options())
    assert settle_ports(settled) == settled


def test_a_name_becomes_an_address() -> None:
    named = dataclasses.replace(options(), address="localhost")
    assert settle_ports(named).address == "127.0.0.1"


@pytest.mark.parametrize("address", ["no.such.invalid", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_said(address: str) -> None:
    with pytest.raises(AddressError, match=rf"{address}.*--address"):
        settle_ports(dataclasses.replace(options(), address=address))
