"""The real server: starting, failing and stopping."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http

from tandem.runtime.errors import (
    BrokenConfigError,
    EmbeddedServerError,
    MissingModelFileError,
    ModelLoadError,
    PortTakenError,
    ServerCrashedError,
    ServerDiedError,
    StartTimeoutError,
)
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import CHECKOUT
from tests.conftest import AddModel, StartTriton

pytestmark = pytest.mark.triton

GRAPH = "double (float[n,k] X) => (float[n,k] Y) { Y = Add(X, X) }"
CONFIG = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] } ]
dynamic_batching { preferred_batch_size: [ 2 ] }
instance_group [ { kind: KIND_CPU count: 1 } ]
"""
TIMEOUT_S = 60.0
READY = re.compile(r"ready: gRPC (?P<grpc>\S+), HTTP (?P<http>\S+),")


def processes_of(group: int) -> list[str]:
    """The living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, state, _, pgrp = re.fullmatch(
                r"\d+ \((.*)\) (\S) (\d+) (\d+) .*\n?", stat.read_text()
            ).groups()  # type: ignore[union-attr]
        except OSError:
            continue  # it ended meanwhile
        if int(pgrp) == group and state != "Z":
            found.append(name)
    return found


def regions() -> set[str]:
    """The shared memory of the servers that this test started: others of this process may still run."""
    return _regions() - _of_others


def _regions() -> set[str]:
    return {path.name for path in Path("/dev/shm").glob(f"tandem-*-{os.getpid()}-*")}  # noqa: S108


_of_others: set[str] = set()


@pytest.fixture(autouse=True)
def _remember_regions_of_others() -> None:
    _of_others.clear()
    _of_others.update(_regions())


def double(url: str) -> list[float]:
    with tritonclient.grpc.InferenceServerClient(url) as client:
        tensor = tritonclient.grpc.InferInput("X", [1, 2], "FP32")
        tensor.set_data_from_numpy(np.array([[1.5, 2]], np.float32))
        return list(client.infer("double", [tensor], client_timeout=TIMEOUT_S).as_numpy("Y")[0])


def watch(server: TritonServer) -> None:
    """As `scripts/serve` does, but not for ever."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        server.check()
        time.sleep(0.01)


def test_serves_both_protocols_and_metrics(add_model: AddModel, start_triton: StartTriton) -> None:
    server = start_triton(add_model("double", GRAPH, CONFIG))
    assert server.models() == {"double": "READY"}
    assert double(server.grpc_url) == [3, 4]
    with tritonclient.http.InferenceServerClient(server.http_url) as client:
        assert client.is_model_ready("double")
    with urllib.request.urlopen(f"http://{server.metrics_url}/metrics", timeout=TIMEOUT_S) as answer:
        assert b'nv_inference_request_success{model="double"' in answer.read()


def test_stopping_leaves_no_process_and_no_shared_memory(add_model: AddModel) -> None:
    repository = add_model("double", GRAPH, CONFIG)
    add_model("second", GRAPH.replace("double", "second"), CONFIG)
    server = TritonServer(
        ServerOptions(model_repository=repository, grpc_port=0, http_port=0, metrics_port=0)
    )
    with server:
        group = server.pid
        assert len(processes_of(group)) == 3  # the server and a stub a model
        assert len(regions()) == 2
    assert processes_of(group) == []
    assert regions() == set()
    with pytest.raises(ServerDiedError, match="isn't running"):
        server.check()


def test_a_server_can_be_started_again(add_model: AddModel) -> None:
    server = TritonServer(
        ServerOptions(
            model_repository=add_model("double", GRAPH, CONFIG), grpc_port=0, http_port=0, metrics_port=0
        )
    )
    for _ in range(2):
        with server:
            assert double(server.grpc_url) == [3, 4]
            with pytest.raises(EmbeddedServerError, match="already started"):
                server.start()


def test_a_taken_port_is_said_before_anything_starts(add_model: AddModel, start_triton: StartTriton) -> None:
    repository = add_model("double", GRAPH, CONFIG)
    port = start_triton(repository).options.grpc_port
    with pytest.raises(PortTakenError, match=rf"{port}.*--grpc-port"):
        start_triton(repository, grpc_port=port)


def test_a_port_taken_after_the_check_is_said(
    add_model: AddModel, start_triton: StartTriton, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = add_model("double", GRAPH, CONFIG)
    taken = start_triton(repository).options
    monkeypatch.setattr("tandem.runtime.server.settle_ports", lambda _: taken)
    with pytest.raises(PortTakenError, match=rf"127\.0\.0\.1:{taken.grpc_port} is in use"):
        start_triton(repository)


def test_listening_everywhere_is_reachable_from_here(add_model: AddModel, start_triton: StartTriton) -> None:
    server = start_triton(add_model("double", GRAPH, CONFIG), address="0.0.0.0")  # noqa: S104
    assert server.grpc_url.startswith("127.0.0.1:")
    assert double(server.grpc_url) == [3, 4]


def test_a_broken_config_is_said_before_anything_starts(
    add_model: AddModel, start_triton: StartTriton
) -> None:
    repository = add_model("double", GRAPH, CONFIG + "max_batch: 3")
    with pytest.raises(BrokenConfigError, match="max_batch"):
        start_triton(repository)


def test_a_missing_model_is_said_before_anything_starts(
    add_model: AddModel, start_triton: StartTriton
) -> None:
    with pytest.raises(MissingModelFileError, match=r"model\.onnx"):
        start_triton(add_model("double", None, CONFIG))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (CONFIG.replace('"X"', '"Z"'), "the graph has no input 'Z', it has: X"),
        (
            CONFIG + 'parameters { key: "execution_mode" value { string_value: "7" } }',
            "execution_mode must be",
        ),
        (CONFIG.replace("KIND_CPU", "KIND_GPU"), "no GPUs are available"),
        (CONFIG.replace("TYPE_FP32", "TYPE_WHAT"), "TYPE_WHAT"),
    ],
)
def test_a_model_that_can_not_be_loaded_is_named_with_the_reason(
    add_model: AddModel, start_triton: StartTriton, config: str, reason: str
) -> None:
    if "KIND_GPU" in config and Path("/proc/driver/nvidia/version").exists():
        pytest.skip("this machine has a GPU")
    started = time.monotonic()
    with pytest.raises((ModelLoadError, BrokenConfigError), match=f"double.*{re.escape(reason)}"):
        start_triton(add_model("double", GRAPH, config))
    assert time.monotonic() - started < TIMEOUT_S  # at once, not at the deadline
    assert regions() == set()


def test_a_start_that_takes_too_long_is_given_up(add_model: AddModel, start_triton: StartTriton) -> None:
    with pytest.raises(StartTimeoutError, match=r"0\.01 s"):
        start_triton(add_model("double", GRAPH, CONFIG), start_timeout_s=0.01)
    assert regions() == set()


def test_a_server_that_was_killed_is_noticed_and_cleaned_up(add_model: AddModel) -> None:
    server = TritonServer(
        ServerOptions(
            model_repository=add_model("double", GRAPH, CONFIG), grpc_port=0, http_port=0, metrics_port=0
        )
    )
    with server:
        group = server.pid
        os.kill(group, signal.SIGKILL)
        with pytest.raises(ServerCrashedError, match=r"SIGKILL \(9"):
            watch(server)
    assert processes_of(group) == []
    assert regions() == set()


def command(repository: Path) -> list[str]:
    ports = ["--grpc-port=0", "--http-port=0", "--metrics-port=0"]
    return ["bash", str(CHECKOUT / "scripts" / "serve"), "--model-repository", str(repository), *ports]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_scripts_serve_stops_everything(
    add_model: AddModel, tmp_path: Path, number: signal.Signals
) -> None:
    repository = add_model("double", GRAPH, CONFIG)
    with subprocess.Popen(
        command(repository), stderr=subprocess.PIPE, text=True, cwd=tmp_path, env={}
    ) as process:
        assert process.stderr is not None
        ready = next(filter(None, map(READY.match, process.stderr)))
        assert double(ready["grpc"]) == [3, 4]
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == 0
    assert processes_of(int(child)) == []
    assert list(Path("/dev/shm").glob(f"tandem-*-{process.pid}-*")) == []  # noqa: S108


def test_the_server_ends_when_its_starter_is_killed(add_model: AddModel, tmp_path: Path) -> None:
    repository = add_model("double", GRAPH, CONFIG)
    with subprocess.Popen(
        command(repository), stderr=subprocess.PIPE, text=True, cwd=tmp_path, env={}
    ) as process:
        assert process.stderr is not None
        next(filter(None, map(READY.match, process.stderr)))
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    deadline = time.monotonic() + TIMEOUT_S
    while processes_of(int(child)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(int(child)) == []
    assert list(Path("/dev/shm").glob(f"tandem-*-{process.pid}-*")) == []  # noqa: S108


def test_scripts_serve_says_what_is_wrong_and_fails(add_model: AddModel, tmp_path: Path) -> None:
    repository = add_model("double", None, CONFIG)
    done = subprocess.run(
        command(repository), capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env={}
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: model 'double' has no file")
    assert "Traceback" not in done.stderr


def test_help_needs_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tandem.runtime", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )
    assert "--config-name" in done.stdout
