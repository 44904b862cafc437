"""The server or a model's process is killed or starved: only what was in flight may fail; reading goes on."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from pathlib import Path

import pytest
from tandem_triton import Card, Client, ClientOptions, ServerError, UnavailableError
from tandem_triton.core.options import RetryPolicy

from export.services import set_up
from tandem.runtime.model_processes import model_processes
from tandem.runtime.options import ServerOptions
from tandem.runtime.ports import settle_ports
from tandem.runtime.setup import REPOSITORY

pytestmark = pytest.mark.triton
_LOG = logging.getLogger(__name__)
ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "docs/images/sample.jpg").read_bytes()
START_S = 120
IN_FLIGHT = 6
# Longer than a restart takes; the default is for connections that break.
PATIENT = ClientOptions(timeout_s=120, retry=RetryPolicy(attempts=120))


def server_process(supervisor: int) -> int:
    """Process id of the tritonserver that the supervisor started last."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text("ascii").split()
    names = {int(pid): Path(f"/proc/{pid}/comm").read_text("ascii") for pid in children}
    return next(pid for pid, name in names.items() if name.startswith("tritonserver"))


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], ServerOptions]]:
    """What `scripts/serve` runs, ready."""
    set_up(["id_card"], lambda line: None)
    zero = {"grpc_port": 0, "http_port": 0, "metrics_port": 0}
    options = settle_ports(ServerOptions(model_repository=REPOSITORY, **zero))  # type: ignore[arg-type]
    command = [sys.executable, "-m", "tandem.runtime", "--services", "id_card"]
    for name, port in options.ports().items():
        command += ["--" + name.replace("_", "-"), str(port)]
    log = tmp_path / "log"
    with log.open("w") as sink:
        process = subprocess.Popen(command, cwd=ROOT, stderr=sink, stdout=sink, text=True)
        try:
            deadline = time.monotonic() + START_S
            while "ready:" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield process, options
        finally:
            process.terminate()
            process.wait()
    assert "ready again" in log.read_text()


def kill(victim: int, in_flight: list[Future[list[Card]]]) -> None:
    os.kill(victim, signal.SIGKILL)


def kill_server(victim: int, in_flight: list[Future[list[Card]]]) -> None:
    stat = Path(f"/proc/{victim}/stat").read_text("ascii")
    os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)  # its parent


def starve(victim: int, in_flight: list[Future[list[Card]]]) -> None:
    """No processor until Triton has given the process up: it does so after a second with a request in hand.

    What it finds of its shared memory when it goes on is no longer what it left: it ends, or the server does.
    """
    os.kill(victim, signal.SIGSTOP)
    wait(in_flight, START_S, FIRST_EXCEPTION)
    os.kill(victim, signal.SIGCONT)


@pytest.mark.parametrize("fell", [kill, kill_server, starve])
def test_a_model_process_that_falls_costs_at_most_what_was_in_flight(
    supervised: tuple[subprocess.Popen[str], ServerOptions],
    fell: Callable[[int, list[Future[list[Card]]]], None],
) -> None:
    process, options = supervised
    with Client(f"127.0.0.1:{options.grpc_port}", options=PATIENT) as client:
        assert len(client.recognize(SAMPLE)) == 1
        first = server_process(process.pid)
        victim = next(pid for pid, model in model_processes(first).items() if model == "rectify_cards")
        in_flight = [client.submit(SAMPLE) for _ in range(IN_FLIGHT)]
        fell(victim, in_flight)
        began = time.monotonic()
        while process_exists(first):  # until the supervisor has noticed
            assert time.monotonic() < began + START_S
            time.sleep(0.01)
        # From here on everything is read again: a client waits until there is a server.
        assert len(client.recognize(SAMPLE)) == 1
        _LOG.info("%s: %.1f s to the next card", fell.__name__, time.monotonic() - began)
        outcomes = [future.exception() for future in in_flight]
    _LOG.info("in flight: %s", [type(error).__name__ for error in outcomes])
    for error in outcomes:
        assert error is None or isinstance(error, ServerError | UnavailableError), error


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
