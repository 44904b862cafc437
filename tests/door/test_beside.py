"""A door beside a program: it comes, comes again when it is killed, and goes with the program."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.door.beside import DoorBeside
from tests.door.conftest import Behind
from tests.door.process import environment

pytestmark = pytest.mark.triton
_PATIENCE_S = 60


def wait_for(what: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not what():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def children() -> set[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def test_it_comes_again_and_goes(behind: Behind) -> None:
    lines: list[str] = []
    before = children()
    words = ["--triton", behind.server.grpc_url, "--port", "0", "--grpc-port", "0", "--metrics-port", "-1"]

    def doors() -> list[str]:
        return [line for line in lines if re.match("door: http://127.0.0.1:", line)]

    with DoorBeside(words, environment(), lines.append):
        wait_for(lambda: len(doors()) == 1)
        (door,) = children() - before
        os.kill(door, signal.SIGKILL)
        wait_for(lambda: len(doors()) == 2)
        assert "the door ended; starting it again in 0 s" in lines
    assert children() == before
    assert not any(thread.name == "door" for thread in threading.enumerate())
