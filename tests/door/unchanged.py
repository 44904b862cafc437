"""The Triton behind a door is the same before and after each test of those that import this."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.client.orders import order
from tests.door.conftest import Behind
from tests.door.process import DoorProcess, memory_mib, shared_memory_pages

ITEM = order(number="1")
TRITONS_MEMORY_MIB = 40  # that may come and go in a process of its size
DOORS_MEMORY_MIB = 350  # what its budget of 256 MiB, and Python's copies, may take


@pytest.fixture(autouse=True)
def nothing_changes(behind: Behind, door: DoorProcess) -> Iterator[None]:
    """The Triton is the same before and after each test."""
    server = behind.server
    prefix = server.shared_memory_prefix
    answers(door)
    before = (server.pid, shared_memory_pages(prefix))
    held_mib = memory_mib(server.pid)
    yield
    answers(door)
    server.check()
    assert (server.pid, shared_memory_pages(prefix)) == before
    assert memory_mib(server.pid) - held_mib < TRITONS_MEMORY_MIB
    assert memory_mib(door.pid, "VmHWM") < DOORS_MEMORY_MIB


def answers(door: DoorProcess) -> None:
    status, _, body = door.ask("POST", "/v1/id_card", ITEM)
    assert (status, json.loads(body)["cards"][0]["fields"]["公民身份号码"]) == (200, "1")
