from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from tritonclient.utils import InferenceServerException

from tandem.runtime.errors import ModelProcessDiedError
from tandem.runtime.model_processes import ended, model_processes
from tests.conftest import AddModel, StartTriton
from tests.runtime.test_server import CONFIG, GRAPH, double


def test_a_process_that_nobody_collects_counts_as_ended() -> None:
    argument = "models/some_model/1/model.py"
    with subprocess.Popen([sys.executable, "-c", "input()", argument], stdin=subprocess.PIPE) as child:
        running = model_processes(os.getpid())
        assert child.pid in running
        assert ended(running) == []
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, but still a zombie
        assert running[child.pid] in ended(running)
        assert child.pid not in model_processes(os.getpid())
        late = model_processes(os.getpid(), ended_too=True)
        assert late[child.pid] in ended(late), "it ended before anybody had looked"


@pytest.mark.triton
def test_a_model_process_that_ends_as_soon_as_the_server_is_ready_is_missed(
    add_model: AddModel, start_triton: StartTriton, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server says that it is ready a moment before its supervisor looks."""

    def kill_first(pid: int, **more: bool) -> dict[int, str]:
        for stub in model_processes(pid):
            os.kill(stub, signal.SIGKILL)
            while not ended({stub: "double"}):
                time.sleep(0.01)
        return model_processes(pid, **more)

    monkeypatch.setattr("tandem.runtime.server.model_processes", kill_first)
    server = start_triton(add_model("double", GRAPH, CONFIG))
    with pytest.raises(ModelProcessDiedError):
        server.check()


@pytest.mark.triton
def test_a_server_whose_model_process_was_killed_says_so_and_restarts_on_its_ports(
    add_model: AddModel, start_triton: StartTriton
) -> None:
    server = start_triton(add_model("double", GRAPH, CONFIG))
    (stub,) = (pid for pid, model in model_processes(server.pid).items() if model == "double")
    url = server.grpc_url
    assert double(url) == [3, 4]
    server.check()
    os.kill(stub, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not ended({stub: "double"}):
        assert time.monotonic() < deadline
    with pytest.raises(ModelProcessDiedError, match="double"):
        server.check()
    # What this release of Triton does by itself: nothing. When this line fails, it has learnt to.
    with pytest.raises(InferenceServerException, match="is not healthy"):
        double(url)
    server.restart()
    server.check()
    assert server.grpc_url == url
    assert double(url) == [3, 4]
