"""What the container runs: `tandem.runtime`, its variables, and a tritonserver laid out as in the image.

The program is the embedded one of the same release, since the image's can't be had here.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tandem.runtime.backends_folder import assemble_backends
from tandem.runtime.model_processes import model_processes
from tandem.runtime.options import ServerOptions
from tandem.runtime.ports import settle_ports
from tandem.runtime.python_library import python_library_folder
from tandem.runtime.wheel import find_installation
from tests.conftest import AddModel
from tests.deploy.programs import ROOT

TOKEN = "0123456789abcdef"  # noqa: S105 - nobody's
START_S = 60
GRAPH = "double (int64[N, 2] X) => (int64[N, 2] Y) { Y = Add(X, X) }"
CONFIG = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_INT64 dims: [ 2 ] } ]
output [ { name: "Y" data_type: TYPE_INT64 dims: [ 2 ] } ]
"""
COMMAND = [sys.executable, "-m", "tandem.runtime"]
Start = Callable[..., tuple[subprocess.Popen[bytes], ServerOptions]]


def image_variables() -> dict[str, str]:
    """The variables that the Dockerfile sets in the server's image."""
    last = (ROOT / "deploy" / "Dockerfile").read_text("utf-8").rpartition("\nFROM ")[2].replace("\\\n", " ")
    lines = re.findall(r"^ENV (.+)$", last, re.MULTILINE)
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def status(options: ServerOptions, method: str, path: str, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", options.http_port, timeout=60)
    try:
        connection.request(method, path, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def is_ready(options: ServerOptions) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return status(options, "GET", "/v2/health/ready") == http.client.OK
    return False


def wait_for(event: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while not event():
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline
        time.sleep(0.1)


def laid_out_as_in_the_image(folder: Path) -> Path:
    """`folder/bin/tritonserver`, a link, with `folder/backends` beside `bin`."""
    installation = find_installation()
    assemble_backends(installation, folder / "backends")
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "tritonserver"
    program.symlink_to(installation.server)
    return program


@pytest.fixture
def start(add_model: AddModel, tmp_path: Path) -> Iterator[Start]:
    """Starts the image's command with a small model; gives its process and ports."""
    add_model("double", GRAPH, CONFIG)
    models = add_model("unused", None, CONFIG)  # it has no file, so that serving it would fail
    libraries = [find_installation().libraries, python_library_folder()]
    environment = image_variables() | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LD_LIBRARY_PATH": os.pathsep.join(str(folder) for folder in libraries if folder),
        "TANDEM_SERVER": str(laid_out_as_in_the_image(tmp_path / "opt")),
        "TANDEM_MODEL_REPOSITORY": str(models),
        "TANDEM_SERVICES": "double",
        "TANDEM_ADDRESS": "127.0.0.1",
    }
    processes: list[subprocess.Popen[bytes]] = []

    def start(**more: str) -> tuple[subprocess.Popen[bytes], ServerOptions]:
        zero = {"grpc_port": 0, "http_port": 0, "metrics_port": 0}
        options = settle_ports(ServerOptions(model_repository=tmp_path, **zero))  # type: ignore[arg-type]
        ports = {f"TANDEM_{name.upper()}": str(port) for name, port in options.ports().items()}
        process = subprocess.Popen(COMMAND, env=environment | ports | more, cwd=tmp_path)
        processes.append(process)
        wait_for(lambda: is_ready(options), process)
        return process, options

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()  # the kernel stops the server then
        process.wait()


def server_of(process: subprocess.Popen[bytes]) -> int:
    """Process id of the tritonserver that was started."""
    listing = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
    names = {int(pid): Path(f"/proc/{pid}/comm").read_text("ascii").strip() for pid in listing}
    return next(pid for pid, name in names.items() if name.startswith("tritonserver"))


def test_the_image_says_what_to_serve_to_whom_and_how_long_to_finish() -> None:
    variables = image_variables()
    assert variables["TANDEM_SERVER"] == "/opt/tritonserver/bin/tritonserver"
    assert variables["TANDEM_ADDRESS"] == "0.0.0.0"  # noqa: S104 - who publishes the ports decides
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    assert f"COPY model_repository/ {variables['TANDEM_MODEL_REPOSITORY']}/\n" in dockerfile
    assert (ROOT / "model_repository" / variables["TANDEM_SERVICES"] / "config.pbtxt").is_file()
    assert dockerfile.rstrip().endswith('"python3", "-m", "tandem.runtime"]')


@pytest.mark.triton
def test_closed_by_default_open_to_the_operator_and_ended_by_sigterm(start: Start, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    process, options = start(TANDEM_ADMIN_TOKEN_FILE=str(token))
    admin = {"tandem-admin": TOKEN}
    assert status(options, "POST", "/v2/repository/index") == http.client.FORBIDDEN
    assert status(options, "POST", "/v2/repository/index", admin) == http.client.OK
    assert status(options, "POST", "/v2/repository/models/double/unload") == http.client.FORBIDDEN
    assert status(options, "GET", "/v2/models/double/ready") == http.client.OK
    limits = Path(f"/proc/{server_of(process)}/limits").read_text("ascii")
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]
    process.terminate()
    assert process.wait(START_S) == 0


@pytest.mark.triton
def test_a_models_process_that_ended_is_started_again(start: Start) -> None:
    process, options = start()
    first = server_of(process)
    running = model_processes(first)
    assert set(running.values()) == {"double"}, running
    os.kill(next(iter(running)), signal.SIGKILL)
    wait_for(lambda: Path(f"/proc/{first}").exists() is False, process)
    wait_for(lambda: is_ready(options), process)
    assert server_of(process) != first


def refused(tmp_path: Path, **more: str) -> str:
    """What is said when it can't start with these variables; the test fails if it can."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | more
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"TANDEM_TOKEN_FILE": "/missing"}, "/missing"),
        ({"TANDEM_TLS_CERTIFICATE": "some.pem"}, "go together"),
        ({"TANDEM_TLS_CLIENT_AUTHORITIES": "some.pem"}, "needs --tls-certificate"),
        ({"TANDEM_GRPC_PORT": "many"}, "invalid int value: 'many'"),
        ({"TANDEM_SERVICES": "nonsense"}, "there is no model 'nonsense'"),
        ({"TANDEM_SERVER": "/missing/bin/tritonserver"}, "there is no program /missing"),
        ({"TANDEM_ADDRESS": "no.such.invalid", "TANDEM_SERVICES": "id_card"}, "no.such.invalid"),
    ],
)
def test_what_does_not_fit_is_said(more: dict[str, str], said: str, tmp_path: Path) -> None:
    assert said in refused(tmp_path, **more)


def test_a_weak_token_is_refused_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    said = refused(tmp_path, TANDEM_TOKEN_FILE=str(tmp_path / "token"))
    assert "16 or more" in said
    assert "secret" not in said
