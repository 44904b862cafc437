"""Calibration and planning on a real Triton server; the waits are long, for a busy machine's sake."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tandem.batching.__main__ import main
from tandem.batching.errors import CalibrationError, ModelNotFoundError, ServerDownError
from tandem.batching.measure.calibrate import calibrate
from tandem.batching.measure.caller import Caller
from tandem.batching.measure.in_place import measure_in_place
from tandem.batching.measure.live_model import LiveModel, connect, describe_model
from tandem.batching.measure.perf_analyzer import run_poisson
from tandem.batching.measure.processor_time import processor_seconds, processor_seconds_by_model
from tandem.batching.measure.samples import Sample, make_samples
from tandem.batching.plan.config_file import write_configs
from tandem.batching.plan.measured import measure
from tandem.batching.plan.report import measured_text
from tandem.batching.proof.comparison import measured_figures
from tandem.batching.proof.reference import ReferenceModel, write_reference_model
from tandem.batching.rules import greedy
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer

pytestmark = pytest.mark.triton

ALPHA_MS, BETA_MS, MOST = 40.0, 20.0, 4
ENSEMBLE = """
platform: "ensemble"
max_batch_size: 4
input [ { name: "IN" data_type: TYPE_FP32 dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_FP32 dims: [ 1 ] } ]
ensemble_scheduling { step [
  { model_name: "plain" model_version: -1
    input_map { key: "ITEM" value: "IN" } output_map { key: "SAME" value: "MID" } },
  { model_name: "delayed" model_version: -1
    input_map { key: "ITEM" value: "MID" } output_map { key: "SAME" value: "OUT" } }
] }
"""
BYTES_MODEL = """
import triton_python_backend_utils as pb_utils
class TritonPythonModel:
    def execute(self, requests):
        return [pb_utils.InferenceResponse([pb_utils.Tensor("OUT",
            pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy())]) for request in requests]
"""
# Two together are done sooner than one alone, so beta is negative.
BACKWARDS_MODEL = """
import time
import triton_python_backend_utils as pb_utils
class TritonPythonModel:
    def execute(self, requests):
        time.sleep(0.3 / len(requests))
        return [pb_utils.InferenceResponse([pb_utils.Tensor("OUT",
            pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy())]) for request in requests]
"""
BYTES_CONFIG = """
backend: "python"
max_batch_size: 2
input [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_STRING dims: [ 1 ] } ]
dynamic_batching { }
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, delay_us in (("plain", 0), ("delayed", 50_000)):
        model = ReferenceModel(
            name=name, alpha_ms=ALPHA_MS, beta_ms=BETA_MS, max_batch=MOST, delay_us=delay_us
        )
        write_reference_model(folder, model)
    (folder / "whole" / "1").mkdir(parents=True)
    (folder / "whole" / "config.pbtxt").write_text(ENSEMBLE)
    for name, code in (("text", BYTES_MODEL), ("backwards", BACKWARDS_MODEL)):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "1" / "model.py").write_text(code)
        (folder / name / "config.pbtxt").write_text(BYTES_CONFIG)
    write_reference_model(folder, ReferenceModel(name="single", alpha_ms=5, beta_ms=5, max_batch=1))
    return folder


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[TritonServer]:
    options = ServerOptions(model_repository=repository, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as running:
        yield running


@pytest.mark.parametrize("name", ["plain", "delayed"])
def test_the_set_times_are_measured(server: TritonServer, name: str, late_s: float) -> None:
    client = connect(server.grpc_url)
    model = describe_model(client, name)
    found = calibrate(client, model, make_samples(model, [], {}), budget_s=4)
    for size in range(1, MOST + 1):
        least = (ALPHA_MS + BETA_MS * size) / 1e3
        assert least <= found.service.of(size) < least + late_s
    assert found.fit is not None
    assert abs(found.fit.beta_s - BETA_MS / 1e3) < late_s / 6
    assert min(found.samples) >= 3
    assert found.took_s < 60
    assert found.transport_s < late_s


def test_somebody_elses_items_are_noticed(server: TritonServer) -> None:
    client = connect(server.grpc_url)
    whole = describe_model(client, "whole")
    parts = [describe_model(client, step.model) for step in whole.steps]
    alone = measure(client, "plain", budget_s=1, max_batch=2)
    assert alone.foreign == 0
    assert "warning: 0" not in measured_text(alone)
    with somebody_else(server.grpc_url, "plain"):
        found = measure(client, "plain", budget_s=2, max_batch=1)
    assert f"warning: {found.foreign} item(s) of somebody else" in measured_text(found)
    with somebody_else(server.grpc_url, "whole"):
        placed = measure_in_place(client, whole, parts, samples_of(whole), largest=1, budget_s=2)
    assert placed.foreign > 0
    assert measure_in_place(client, whole, parts, samples_of(whole), largest=1, budget_s=1).foreign == 0


@contextmanager
def somebody_else(url: str, name: str) -> Iterator[None]:
    """One item of a model after the other, while the block runs."""
    client = connect(url)
    caller = Caller(client, describe_model(client, name), samples_of(describe_model(client, name)))
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.2):
            caller.send()
            caller.receive()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


def samples_of(model: LiveModel) -> list[Sample]:
    return make_samples(model, [], {})


def test_an_ensemble_is_measured_step_by_step(server: TritonServer) -> None:
    found = measure(connect(server.grpc_url), "whole", budget_s=2, max_batch=2)
    assert [step.model.name for step in found.steps] == ["plain", "delayed"]
    assert found.max_batch == 2
    rules = [station.rule for station in found.configured().stations]
    assert rules[0].kind == "greedy"
    assert rules[1].delay_s == pytest.approx(0.050)


def test_a_bytes_input_needs_a_sample(server: TritonServer) -> None:
    client = connect(server.grpc_url)
    with pytest.raises(CalibrationError, match="--data"):
        measure(client, "text", budget_s=1)
    found = measure(client, "text", files=[b"one", b"two"], budget_s=1)
    assert found.max_batch == 2


def test_waiting_uses_no_processor(server: TritonServer) -> None:
    clock = lambda: processor_seconds_by_model(server.pid)  # noqa: E731
    found = measure(connect(server.grpc_url), "plain", budget_s=2, max_batch=2, processor_clock=clock)
    assert all(processors < 0.5 for processors in found.steps[0].demand)
    with pytest.raises(CalibrationError, match="no process"):
        processor_seconds(2**22 + 1)


def test_perf_analyzer_sends_poisson_arrivals(server: TritonServer) -> None:
    trace = run_poisson(server.grpc_url, "plain", 10, 60)
    assert len(trace.sent_s) == 60
    assert trace.rate_per_s == pytest.approx(10, rel=0.4)
    gaps = np.diff(trace.sent_s)
    assert 0.6 < gaps.std() / gaps.mean() < 1.5  # exponential gaps: 1
    assert (trace.latency_s >= (ALPHA_MS + BETA_MS) / 1e3).all()
    assert measured_figures(trace)[0].mean_s < 1.0


def test_a_live_model_is_planned(server: TritonServer, capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        "--url",
        server.grpc_url,
        "--model",
        "plain",
        "--rate",
        "10",
        "--budget-s",
        "2",
        "--rule",
        "greedy",
    ]
    assert main(["plan", *options, "--json"]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert [setting["max_batch"] for setting in result["settings"]] == [1, 2, 3, 4]
    assert result["recommended"]["mean_ms"] > ALPHA_MS + BETA_MS
    assert "beta" in said.err


def test_a_written_config_is_served(tmp_path: Path) -> None:
    write_reference_model(tmp_path, ReferenceModel(name="plain", alpha_ms=1, beta_ms=1, max_batch=MOST))
    write_configs(tmp_path, "plain", "tuned", greedy(2))
    options = ServerOptions(
        model_repository=tmp_path, config_name="tuned", grpc_port=0, http_port=0, metrics_port=0
    )
    with TritonServer(options) as server:
        assert describe_model(connect(server.grpc_url), "plain").max_batch == 2


def test_a_model_that_is_not_there(server: TritonServer, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelNotFoundError):
        describe_model(connect(server.grpc_url), "absent")
    assert main(["plan", "--url", server.grpc_url, "--model", "absent", "--rate", "10"]) == 1
    assert "check the name" in capsys.readouterr().err


def test_times_that_no_line_fits_are_told_and_used_as_they_are(
    server: TritonServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "sample"
    sample.write_bytes(b"text")
    asked = ["--model", "backwards", "--data", str(sample), "--rate", "1", "--rule", "greedy", "--json"]
    assert main(["plan", "--url", server.grpc_url, "--budget-s", "4", *asked]) == 0
    said = capsys.readouterr()
    assert "negative" in said.err
    assert "the table is used" in said.err
    one, two = (setting["capacity_per_s"] for setting in json.loads(said.out)["settings"])
    assert two > 3 * one


def test_one_batch_size_gives_no_alpha_and_beta(
    server: TritonServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["plan", "--url", server.grpc_url, "--model", "single", "--rate", "5", "--budget-s", "1"]) == 0
    )
    assert "no alpha and beta; raise max_batch_size" in capsys.readouterr().err


def test_a_server_that_goes_away_while_it_is_asked(repository: Path) -> None:
    options = ServerOptions(model_repository=repository, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as server:
        client = connect(server.grpc_url)
        model = describe_model(client, "plain")
    with pytest.raises(ServerDownError, match="start it again"):
        calibrate(client, model, make_samples(model, [], {}), budget_s=1)


def test_a_server_that_is_down(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ServerDownError):
        connect("127.0.0.1:9")
    assert main(["plan", "--url", "127.0.0.1:9", "--model", "plain", "--rate", "10"]) == 1
    assert "start it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--url", "127.0.0.1:9"], "both --url and --model"),
        (["--url", "127.0.0.1:9", "--model", "x", "--alpha-ms", "3"], "leave"),
        (["--alpha-ms", "4", "--beta-ms", "8", "--write", "x"], "--model"),
        (["--url", "127.0.0.1:9", "--model", "card_detector", "--write", "gpu"], "--overwrite"),
    ],
)
def test_options_that_contradict(capsys: pytest.CaptureFixture[str], options: list[str], words: str) -> None:
    assert main(["plan", "--rate", "10", "--max-batch", "2", *options]) == 1
    assert words in capsys.readouterr().err
