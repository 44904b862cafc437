"""Steps measured in their place, on a real Triton server; the waits are long, for a busy machine's sake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import pytest

from tandem.batching.errors import CalibrationError
from tandem.batching.measure.in_place import SPAN_S, measure_in_place
from tandem.batching.measure.live_model import connect, describe_model
from tandem.batching.measure.processor_time import processor_seconds_by_model
from tandem.batching.measure.samples import make_samples
from tandem.batching.plan.measured import measure
from tandem.batching.proof.reference import ReferenceModel, write_reference_model
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer

pytestmark = pytest.mark.triton

# Long enough for the second item of a burst to come in time, and for pairs to stay together.
DELAY_US = 200_000
FIRST = ReferenceModel(name="first", alpha_ms=40, beta_ms=20, max_batch=2, delay_us=DELAY_US)
SECOND = ReferenceModel(name="second", alpha_ms=10, beta_ms=50, max_batch=2, delay_us=DELAY_US)
# It takes requests one by one, also those that came together on a busy machine: it has no batcher.
EAGER = ReferenceModel(name="eager", alpha_ms=40, beta_ms=20, max_batch=2, dynamic=False)
ENSEMBLE = """
platform: "ensemble"
max_batch_size: 2
input [ {{ name: "IN" data_type: TYPE_FP32 dims: [ 1 ] }} ]
output [ {{ name: "OUT" data_type: TYPE_FP32 dims: [ 1 ] }} ]
ensemble_scheduling {{ step [
  {{ model_name: "{0}" model_version: -1
    input_map {{ key: "{2}" value: "IN" }} output_map {{ key: "{3}" value: "MID" }} }},
  {{ model_name: "{1}" model_version: -1
    input_map {{ key: "ITEM" value: "MID" }} output_map {{ key: "SAME" value: "OUT" }} }}
] }}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    folder = tmp_path_factory.mktemp("models")
    for model in (FIRST, SECOND, EAGER):
        write_reference_model(folder, model)
    for name, *steps in (
        ("together", "first", "second", "ITEM", "SAME"),
        ("apart", "eager", "second", "ITEM", "SAME"),
        ("nested", "apart", "second", "IN", "OUT"),
    ):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "config.pbtxt").write_text(ENSEMBLE.format(*steps))
    options = ServerOptions(model_repository=folder, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as running:
        yield running


def set_s(model: ReferenceModel, size: int) -> float:
    return (model.alpha_ms + model.beta_ms * size) / 1e3


def test_bursts_that_stay_together_tell_every_steps_times(server: TritonServer, late_s: float) -> None:
    client = connect(server.grpc_url)
    whole = describe_model(client, "together")
    parts = [describe_model(client, step.model) for step in whole.steps]
    found = measure_in_place(client, whole, parts, make_samples(whole, [], {}), largest=2, budget_s=4)
    for model in (FIRST, SECOND):
        assert set(found.times[model.name]) == {1, 2}
        for size, seconds in found.times[model.name].items():
            assert len(seconds) >= 3
            assert set_s(model, size) <= min(seconds) < set_s(model, size) + late_s
    lone = set_s(FIRST, 1) + set_s(SECOND, 1) + 2 * DELAY_US / 1e6
    assert lone <= found.lone_s < lone + 3 * late_s


def test_lone_items_come_to_a_server_that_was_idle(
    server: TritonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, slept, sleep = connect(server.grpc_url), list[float](), time.sleep
    whole = describe_model(client, "together")
    parts = [describe_model(client, step.model) for step in whole.steps]

    def noted(seconds: float) -> None:
        slept.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", noted)
    found = measure_in_place(client, whole, parts, make_samples(whole, [], {}), largest=1, budget_s=4)
    pauses = [seconds for seconds in slept if seconds not in {0.01, 0.0}]  # what waits for counts is no pause
    assert len(pauses) >= len(found.times["first"][1])
    assert 0.02 < sum(pauses) / len(pauses) < 0.1


def test_steps_are_watched_on_a_full_server_and_at_a_light_and_a_heavy_load(server: TritonServer) -> None:
    client = connect(server.grpc_url)
    whole = describe_model(client, "together")
    parts = [describe_model(client, step.model) for step in whole.steps]
    clock = partial(processor_seconds_by_model, server.pid)
    found = measure_in_place(
        client, whole, parts, make_samples(whole, [], {}), largest=2, budget_s=10, processor_clock=clock
    )
    full, light, heavy = found.company
    assert (full.in_flight, light.in_flight, heavy.in_flight) == (2 * 2 * 2, 0, 0)
    # Both draw the same pauses, in units of their rates: three tenths and three quarters of the full rate.
    count = min(len(light.sent_s), len(heavy.sent_s))
    assert count >= 5
    assert light.sent_s[count - 1] / heavy.sent_s[count - 1] == pytest.approx(0.75 / 0.3, rel=0.05)
    for stretch in (light, heavy):
        for ran in stretch.ran:  # every item passed every step, once
            assert sum(size * batches for size, (batches, _) in ran.items()) == len(stretch.sent_s)
        ends = [end for end, _ in stretch.spans]
        assert ends == sorted(ends)
        assert ends[-1] <= stretch.sent_s[-1] + SPAN_S


def test_the_delays_of_lone_items_are_no_transport(server: TritonServer, late_s: float) -> None:
    found = measure(connect(server.grpc_url), "together", budget_s=3)
    assert [step.model.name for step in found.steps] == ["first", "second"]
    assert found.transport_s < min(3 * late_s, DELAY_US / 1e6)
    for model, step in zip((FIRST, SECOND), found.steps, strict=True):
        for size in (1, 2):
            assert set_s(model, size) <= step.service.of(size) < set_s(model, size) + late_s


def test_a_step_that_takes_items_one_by_one_gets_a_request_of_two(
    server: TritonServer, late_s: float
) -> None:
    client = connect(server.grpc_url)
    eager = measure(client, "apart", budget_s=3).steps[0]
    assert eager.model.name == "eager"
    for size in (1, 2):
        assert set_s(EAGER, size) <= eager.service.of(size) < set_s(EAGER, size) + late_s


def test_an_ensemble_of_ensembles_is_refused(server: TritonServer) -> None:
    with pytest.raises(CalibrationError, match="another ensemble"):
        measure(connect(server.grpc_url), "nested", budget_s=1)
