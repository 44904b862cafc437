from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tandem.runtime.process import ServerProcess

TIMEOUT_S = 60.0


def start(script: str) -> tuple[ServerProcess, list[str]]:
    lines: list[str] = []
    return ServerProcess(["bash", "-c", script], os.environ, lines.append), lines


def wait_for(lines: list[str], process: ServerProcess) -> None:
    """Until the script has printed something, so that its traps are set."""
    while not lines and process.exit_status() is None:
        process.log.wait(0.01)


def test_what_it_prints_is_handed_on_and_kept() -> None:
    process, lines = start("echo one; echo two >&2; exit 3")
    assert process.log.wait(TIMEOUT_S)
    process.stop(TIMEOUT_S)
    assert lines == process.log.lines() == ["one", "two"]
    assert process.exit_status() == 3


def test_a_process_that_obeys_ends_by_sigterm() -> None:
    process, lines = start("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done")
    wait_for(lines, process)
    process.stop(TIMEOUT_S)
    assert lines == ["up", "bye"]
    assert process.exit_status() == 0


def test_a_process_that_does_not_obey_is_killed() -> None:
    process, lines = start("trap '' TERM; echo up; while :; do sleep 0.01; done")
    wait_for(lines, process)
    process.stop(0.2)
    assert process.exit_status() == -signal.SIGKILL
    assert process.log.wait(0)


def test_children_that_outlive_the_server_are_killed() -> None:
    process, lines = start("sleep 1000 & echo $!; exit 0")
    wait_for(lines, process)
    process.stop(TIMEOUT_S)
    assert process.log.wait(0)  # the pipe's other end is closed: nobody is left


def test_stopping_twice_is_harmless() -> None:
    process, _ = start("exit 0")
    process.stop(TIMEOUT_S)
    process.stop(TIMEOUT_S)


def test_the_server_dies_with_its_starter(tmp_path: Path) -> None:
    """Even if that is killed without a chance to clean up: the child's output ends, so it is gone."""
    starter = (
        "import os, signal\n"
        "from tandem.runtime.process import ServerProcess\n"
        "lines = []\n"
        "server = ServerProcess(['bash', '-c', 'echo up; exec sleep 1000 2>%s'], os.environ, lines.append)\n"
        "while not lines: server.log.wait(0.01)\n"
        "print(server.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    ) % (tmp_path / "log")
    done = subprocess.run(
        [sys.executable, "-c", starter], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == -signal.SIGKILL
    child = Path("/proc", done.stdout.strip())
    for _ in range(1000):
        if not child.exists() or "(sleep) Z" in (child / "stat").read_text():
            return
        os.sched_yield()
        subprocess.run(["sleep", "0.01"], check=True)
    raise AssertionError("the child still runs")


FIRST_PROCESS = """
import ctypes, os, sys, time
from pathlib import Path
from tandem.runtime.process import ServerProcess
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans come to us, as in a container
lines = []
process = ServerProcess(["bash", "-c", "sleep 1000 & sleep 1000 & echo up; wait"], os.environ, lines.append)
while not lines:
    process.log.wait(0.01)
started = time.monotonic()
process.stop(0)
print(time.monotonic() - started)
print(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
"""


def test_as_a_containers_first_process_it_collects_the_orphans() -> None:
    """Nobody else would: they would stay as zombies, and each stop would wait for them."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", FIRST_PROCESS]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    seconds, children = done.stdout.splitlines()
    assert float(seconds) < 2.0  # else it waited for them to the end
    assert children == "[]"
