"""Arrivals: their rates, their bursts, and what the planner makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import Station
from tandem.batching.rules import greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.traffic import BurstShape, OnOff, Poisson, Recorded
from tandem.batching.solve import solve

SHAPE = BurstShape(factor=3, seconds=2, share=0.2)
STATION = Station(service=ServiceTime.linear(0.004, 0.008, 2), rule=greedy(2))


@pytest.mark.parametrize(
    "traffic", [Poisson(50), OnOff(rate_per_s=50, shape=SHAPE)], ids=["poisson", "bursts"]
)
def test_traffic_has_the_rate_that_it_says(traffic: Poisson | OnOff) -> None:
    times = traffic.times_s(60, 5000, np.random.default_rng(1))
    assert times.shape == (60, 5000)
    assert (np.diff(times, axis=1) >= 0).all()
    assert (5000 / times[:, -1]).mean() == pytest.approx(50, rel=0.04)


def test_bursts_scatter_as_the_theory_says() -> None:
    """How many come in a long time: variance over mean is 1 + 2 v m / rate, v the rate's variance."""
    traffic = OnOff(rate_per_s=50, shape=SHAPE)
    times = traffic.times_s(200, 20_000, np.random.default_rng(2))
    window = 100.0
    counts = np.array([np.searchsorted(row, (100.0, 100.0 + window)) for row in times])
    number = counts[:, 1] - counts[:, 0]
    burst, calm = 3 * 50, 50 * (1 - 0.6) / 0.8
    variance = 0.2 * 0.8 * (burst - calm) ** 2
    memory = 1 / (1 / 2 + 1 / 8)  # bursts of 2 s, calms of 8 s: how long the rate remembers
    expected = 1 + 2 * variance * memory / 50 * (1 - memory / window)
    assert number.var(ddof=1) / number.mean() == pytest.approx(expected, rel=0.35)


def test_between_on_and_off_nothing_comes() -> None:
    traffic = OnOff(rate_per_s=50, shape=BurstShape(factor=5, seconds=2, share=0.2))
    times = traffic.times_s(4, 20_000, np.random.default_rng(3))
    gaps = np.diff(times, axis=1)
    assert (gaps > 0.5).mean() == pytest.approx(1 / 500, rel=0.2)  # a calm of 8 s after 500 items
    assert np.median(gaps) == pytest.approx(np.log(2) / 250, rel=0.1)


def test_bursts_that_are_none_are_poisson() -> None:
    even = solve(STATION, 60)
    bursts = OnOff(rate_per_s=60, shape=BurstShape(factor=1, seconds=1, share=0.5))
    found = solve(STATION, bursts, Effort(precision=0.03, most_items=400_000))
    assert found.mean_s == pytest.approx(even.mean_s, abs=3 * found.ci95_mean_s)


def test_bursts_cost_latency() -> None:
    effort = Effort(precision=0.05, most_items=400_000)
    assert solve(STATION, OnOff(rate_per_s=50, shape=SHAPE), effort).mean_s > 2 * solve(STATION, 50).mean_s


def test_a_recording_of_poisson_arrivals_has_their_figures() -> None:
    times = np.cumsum(np.random.default_rng(4).exponential(1 / 60, 200_000))
    found, exact = solve(STATION, Recorded(times).at_rate(60)), solve(STATION, 60)
    assert found.method == "simulated"
    assert found.mean_s == pytest.approx(exact.mean_s, abs=2 * found.ci95_mean_s)
    assert found.p99_s == pytest.approx(exact.p99_s, abs=2 * found.ci95_p99_s)
    assert found.utilization == pytest.approx(exact.utilization, rel=0.02)


def test_another_rate_makes_a_recording_faster() -> None:
    recorded = Recorded(np.arange(2000.0))
    assert recorded.rate_per_s == pytest.approx(1)
    assert recorded.at_rate(4).seconds[-1] == pytest.approx(1999 / 4)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (np.arange(10.0), "1000 or more"),
        (np.arange(2000.0)[::-1], "in order"),
        (np.full(2000, 3.0), "same time"),
        (np.array([*range(1999), np.inf]), "finite"),
    ],
)
def test_what_is_no_recording_is_refused(times: np.ndarray, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        Recorded(times)


@pytest.mark.parametrize(
    ("factor", "seconds", "share"), [(0.5, 1, 0.1), (3, 0, 0.1), (3, 1, 0), (3, 1, 0.5), (np.nan, 1, 0.1)]
)
def test_what_is_no_burst_is_refused(factor: float, seconds: float, share: float) -> None:
    with pytest.raises(InvalidInputError):
        BurstShape(factor=factor, seconds=seconds, share=share)
