"""What the server's processes find in their environment, seen from inside such a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tandem.runtime.environment import server_environment

# Large enough that OpenBLAS would share the product among its threads.
MULTIPLY = """
import os, numpy
square = numpy.ones((600, 600))
square @ square
print(len(os.listdir("/proc/self/task")))
"""


def threads(added: dict[str, str]) -> int:
    """Threads of a process of the server after it has multiplied matrices."""
    said = subprocess.run(
        [sys.executable, "-c", MULTIPLY],
        env=server_environment([], added),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(said.stdout)


def test_linear_algebra_keeps_no_threads_that_watch_for_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert threads({}) == 1


def test_a_users_own_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert server_environment([], {})["OPENBLAS_NUM_THREADS"] == "3"
    assert server_environment([], {"OPENBLAS_NUM_THREADS": "2"})["OPENBLAS_NUM_THREADS"] == "2"
