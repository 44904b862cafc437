"""The container's command, run with the embedded Triton of the same release instead of the image's."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tandem.runtime import shared_memory
from tandem.runtime.backends_folder import assemble_backends
from tandem.runtime.model_processes import model_processes
from tandem.runtime.options import ServerOptions
from tandem.runtime.ports import settle_ports
from tandem.runtime.python_library import python_library_folder
from tandem.runtime.wheel import find_installation
from tests.conftest import AddModel
from tests.deploy.programs import ROOT

SCRIPT = ROOT / "deploy" / "serve.sh"
TOKEN = "0123456789abcdef"  # noqa: S105 - nobody's
START_S = 60
GRAPH = "double (int64[N, 2] X) => (int64[N, 2] Y) { Y = Add(X, X) }"
CONFIG = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_INT64 dims: [ 2 ] } ]
output [ { name: "Y" data_type: TYPE_INT64 dims: [ 2 ] } ]
"""
Start = Callable[..., tuple[subprocess.Popen[bytes], ServerOptions]]


def status(options: ServerOptions, method: str, path: str, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", options.http_port, timeout=60)
    try:
        connection.request(method, path, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def is_ready(options: ServerOptions) -> bool:
    with suppress(OSError):
        return status(options, "GET", "/v2/health/ready") == http.client.OK
    return False


def wait_for(event: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while not event():
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def start(add_model: AddModel, tmp_path: Path) -> Iterator[Start]:
    """Starts the script with a small model; gives its process and ports."""
    installation = find_installation()
    prefix = shared_memory.new_prefix()
    processes: list[subprocess.Popen[bytes]] = []
    libraries = [installation.libraries, python_library_folder()]
    environment = {
        "PATH": os.pathsep.join(
            [str(installation.server.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
        ),
        "PYTHONPATH": str(ROOT),
        "LD_LIBRARY_PATH": os.pathsep.join(str(folder) for folder in libraries if folder),
        "TANDEM_MODELS": str(add_model("double", GRAPH, CONFIG)),
        "TANDEM_ADDRESS": "127.0.0.1",
    }

    def start(**more: str) -> tuple[subprocess.Popen[bytes], ServerOptions]:
        zero = {"grpc_port": 0, "http_port": 0, "metrics_port": 0}
        options = settle_ports(ServerOptions(model_repository=tmp_path, **zero))  # type: ignore[arg-type]
        command = [
            SCRIPT,
            f"--backend-directory={assemble_backends(installation, tmp_path / 'backends')}",
            f"--backend-config=python,shm-region-prefix-name={prefix}",
            *(f"--{name.replace('_', '-')}={port}" for name, port in options.ports().items()),
            "--allow-gpu-metrics=false",
        ]
        process = subprocess.Popen(command, env=environment | more, start_new_session=True)
        processes.append(process)
        wait_for(lambda: is_ready(options), process)
        return process, options

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    shared_memory.remove_regions(prefix)


def server_of(process: subprocess.Popen[bytes]) -> int:
    """Process id of the tritonserver that the script started."""
    listing = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
    names = {int(pid): Path(f"/proc/{pid}/comm").read_text("ascii").strip() for pid in listing}
    return next(pid for pid, name in names.items() if name.startswith("tritonserver"))


@pytest.mark.triton
def test_closed_by_default_open_to_the_operator_and_ended_by_sigterm(start: Start, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    process, options = start(TANDEM_ADMIN_TOKEN_FILE=str(token))
    assert status(options, "POST", "/v2/repository/index") == http.client.FORBIDDEN
    assert status(options, "POST", "/v2/repository/index", {"tandem-admin": TOKEN}) == http.client.OK
    assert status(options, "GET", "/v2/models/double/ready") == http.client.OK
    limits = Path(f"/proc/{server_of(process)}/limits").read_text("ascii")
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]
    process.terminate()
    assert process.wait(START_S) == 0


@pytest.mark.triton
def test_the_container_ends_when_a_models_process_did(start: Start) -> None:
    process, _ = start()
    running = model_processes(server_of(process))
    assert set(running.values()) == {"double"}, running
    stub = next(iter(running))
    os.kill(stub, signal.SIGKILL)
    assert process.wait(START_S) == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"TANDEM_TOKEN_FILE": "/missing"}, "can't read"),
        ({"TANDEM_TLS_CERTIFICATE": "some.pem"}, "needs TANDEM_TLS_KEY"),
        ({"TANDEM_TLS_CLIENT_AUTHORITIES": "some.pem"}, "needs TANDEM_TLS_CERTIFICATE"),
    ],
)
def test_what_does_not_fit_is_said(more: dict[str, str], said: str) -> None:
    environment = {"PATH": os.environ["PATH"]} | more
    done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_weak_token_is_refused_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    environment = {"PATH": os.environ["PATH"], "TANDEM_TOKEN_FILE": str(tmp_path / "token")}
    done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "16 or more" in done.stderr
    assert "secret" not in done.stderr
