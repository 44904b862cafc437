"""What is made of measured times; measuring itself is tested on a server."""

from __future__ import annotations

import os

import pytest

from tandem.batching.exact.single import solve_single
from tandem.batching.measure.calibrate import Calibration
from tandem.batching.measure.live_model import LiveModel
from tandem.batching.measure.processor_time import processor_seconds
from tandem.batching.outcome import Station
from tandem.batching.plan.measured import Measured, limited
from tandem.batching.plan.report import measured_text
from tandem.batching.rules import greedy, timeout
from tandem.batching.service_time import ServiceTime, fit_line
from tandem.batching.simulate.estimate import Effort

TIMES = (0.012, 0.020, 0.028, 0.036)
EFFORT = Effort(precision=0.05)


def step(times: tuple[float, ...] = TIMES, **other: object) -> Calibration:
    model = LiveModel(
        name="step", max_batch=len(times), batches=True, instances=1, delay_us=0, on_cpu=True,
        inputs=(), outputs=(), steps=(),
    )  # fmt: skip
    known: dict[str, object] = {
        "model": model,
        "service": ServiceTime(times),
        "spread_s": tuple(0.0 for _ in times),
        "samples": tuple(25 for _ in times),
        "gaps_s": tuple(0.0 for _ in times),
        "slowdown": 1.0,
        "transport_s": 0.001,
        "fit": fit_line(range(1, len(times) + 1), times) if len(times) > 1 else None,
        "took_s": 5.0,
    }
    return Calibration(**(known | other))  # type: ignore[arg-type]


def measured(*steps: Calibration, **other: object) -> Measured:
    return Measured(model=steps[0].model, steps=steps, transport_s=0.001, **other)  # type: ignore[arg-type]


def test_a_steady_model_is_solved_and_the_transport_added() -> None:
    outcome = measured(step()).figures(greedy(2), 60, EFFORT, triton=True)
    exact = solve_single(Station(service=ServiceTime(TIMES), rule=greedy(2)), 60)
    assert outcome.method == "exact"
    assert outcome.mean_s == pytest.approx(exact.mean_s + 0.001)
    assert outcome.p99_s == pytest.approx(exact.p99_s + 0.001)


def test_a_delay_follows_tritons_batcher_if_asked() -> None:
    assert measured(step()).figures(timeout(4, 0.012), 60, EFFORT, triton=True).method == "simulated"
    assert measured(step()).figures(timeout(4, 0.012), 60, EFFORT, triton=False).method == "exact"


def test_scattered_times_are_simulated_as_random() -> None:
    scattered = step(spread_s=tuple(0.2 * time for time in TIMES))
    assert scattered.variation == pytest.approx(0.2 / 0.6745)
    assert measured(scattered).figures(greedy(2), 60, EFFORT, triton=True).method == "simulated"


def test_slow_instances_lower_the_capacity_once() -> None:
    slow = step(slowdown=1.5)
    assert measured(slow).figures(greedy(1), 10, EFFORT, triton=True).capacity_per_s == pytest.approx(
        1 / 0.018
    )
    shared = measured(slow, processors=2.0)
    assert shared.figures(greedy(1), 10, EFFORT, triton=True).capacity_per_s == pytest.approx(1 / 0.012)


def test_steps_share_their_processors() -> None:
    alone = measured(step(), step()).figures(greedy(1), 30, EFFORT, triton=True)
    shared = measured(step(), step(), processors=1.0).figures(greedy(1), 30, EFFORT, triton=True)
    assert shared.capacity_per_s == pytest.approx(alone.capacity_per_s / 2)
    assert shared.mean_s > alone.mean_s
    assert measured(step(), step()).on_cpu


def test_a_step_takes_no_more_than_it_can() -> None:
    assert limited(greedy(8), 2) == greedy(2)
    assert limited(timeout(8, 0.01), 2) == timeout(2, 0.01)
    assert limited(timeout(2, 0.01), 2) == timeout(2, 0.01)


def test_warnings_are_said() -> None:
    stairs = (0.010, 0.010, 0.030, 0.030)
    text = measured_text(measured(step(stairs, slowdown=1.3), step((0.01,))))
    assert "warning: alpha + beta b is off" in text
    assert "slow each other down 1.30 times" in text
    assert "one batch size only" in text


def test_processor_time_grows_with_work() -> None:
    before = processor_seconds(os.getpid())
    sum(number * number for number in range(3_000_000))
    assert processor_seconds(os.getpid()) > before
