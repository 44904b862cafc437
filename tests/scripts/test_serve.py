"""`scripts/serve --services`: which are served, what is set up, and what is said of a wrong name."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from export.services import GPU_CONFIGS, SERVICES, default_services
from tandem.runtime.errors import UnknownServiceError
from tandem.runtime.gpu import has_gpu
from tandem.runtime.setup import CHECKOUT
from tests.conftest import AddModel

SCRIPT = CHECKOUT / "scripts" / "_serve.py"
TIMEOUT_S = 120.0
GRAPH = "double (float[n,k] X) => (float[n,k] Y) { Y = Add(X, X) }"
CONFIG = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] } ]
"""
Choose = Callable[..., tuple[str, ...]]


@pytest.fixture
def choose() -> Choose:
    chosen: Choose = runpy.run_path(str(SCRIPT), run_name="serve")["chosen_services"]
    return chosen


def test_by_default_what_needs_no_download_is_served(choose: Choose) -> None:
    assert choose((), [], ours=True) == default_services()
    assert "id_card" in default_services()


def test_another_folders_services_come_with_ours_or_alone(choose: Choose, add_model: AddModel) -> None:
    folder = add_model("double", GRAPH, CONFIG)
    assert choose((), [folder], ours=True) == (*default_services(), "double")
    assert choose((), [folder], ours=False) == ()  # every model there
    assert choose(("double",), [folder], ours=True) == ("double",)


def test_a_name_that_nobody_has_is_refused_with_those_there_are(choose: Choose, add_model: AddModel) -> None:
    folder = add_model("double", GRAPH, CONFIG)
    with pytest.raises(UnknownServiceError, match=r"no service 'nonsense'; there are: .*double, .*id_card"):
        choose(("id_card", "nonsense"), [folder], ours=True)
    with pytest.raises(UnknownServiceError, match=r"no service 'id_card'; there are: double$"):
        choose(("id_card",), [folder], ours=False)


def serve(*arguments: str) -> list[str]:
    return [sys.executable, str(SCRIPT), *arguments]


def test_the_command_ends_with_status_2_for_a_wrong_service() -> None:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        serve("--services", "nonsense"),
        capture_output=True,
        text=True,
        env=environment,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 2
    assert ", ".join(sorted(SERVICES)) in done.stderr


@pytest.mark.triton
def test_a_service_from_another_folder_is_served_beside_ours(add_model: AddModel, tmp_path: Path) -> None:
    folder = add_model("double", GRAPH, CONFIG)
    repositories = [
        "--model-repository",
        str(CHECKOUT / "model_repository"),
        "--model-repository",
        str(folder),
    ]
    ports = ["--grpc-port=0", "--http-port=0", "--metrics-port=0"]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(
        serve(*repositories, *ports, "--services", "double"),
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    ) as process:
        assert process.stderr is not None
        said: Sequence[str] = [
            next(line for line in process.stderr if line.startswith(("ready: ", "error: ")))
        ]
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0, said
    assert said[0].startswith("ready: ")


@pytest.mark.skipif(has_gpu(), reason="there is a GPU: nothing to refuse")
@pytest.mark.parametrize("config", sorted(GPU_CONFIGS))
def test_without_a_gpu_its_configs_are_refused_in_a_line_before_any_work(config: str) -> None:
    done = subprocess.run(
        serve("--config-name", config),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert config in line
    assert "no driver of one is here" in line
    assert done.stdout == ""
