"""A rate that changes and replicas that come late, beside what is known: fluid queues and exact figures."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import Station
from tandem.batching.rules import greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.climb import AFTER_S, LEAD_S, LOOK_S, Profile, _arrivals, ramp, simulate_climb
from tandem.batching.simulate.estimate import Effort
from tandem.batching.solve import solve

ONE_AT_A_TIME = Station(service=ServiceTime((0.010,)), rule=greedy(1))
PAIRS = Station(service=ServiceTime.linear(0.004, 0.008, 2), rule=greedy(2))


def test_as_many_items_come_as_the_rate_says_and_when_it_says() -> None:
    profile = Profile(at_s=(0.0, 100.0, 200.0), rate_per_s=(10.0, 110.0, 10.0))
    generator = np.random.default_rng(1)
    runs = [_arrivals(profile, 0.0, 200.0, generator) for _ in range(40)]
    assert np.mean([len(run) for run in runs]) == pytest.approx(profile.items, rel=0.005)
    first = np.mean([(run < 50).sum() for run in runs])  # 10 a second to 60 a second
    assert first == pytest.approx(50 * 35, rel=0.02)
    assert all((np.diff(run) >= 0).all() for run in runs)


def test_a_jump_fills_the_queue_as_a_fluid_would() -> None:
    """From 50 to 200 a second in one, where one replica serves 100: the others come at 45 s, all at once.

    The look at 15 s sees it. Until 45 s 100 a second too many come, but for the second in which it climbs.
    """
    profile = ramp(50.0, 4.0, 1.0)
    found = simulate_climb(
        ONE_AT_A_TIME, profile, threshold_per_s=90.0, replica_s=30.0, limit_s=1.0, effort=Effort()
    )
    climbing = 1 - (100 - 50) / (200 - 50)
    assert found.most_at_once == pytest.approx(100 * (LOOK_S + 30 - 1) + 100 * climbing / 2, rel=0.02)
    assert found.first == 1
    assert found.last == 3
    # A hundred wait 1.67 s after the climb began; from then on all are late, to the
    # end, a minute after the climb: the queue is gone only later.
    assert found.late_items == pytest.approx(200 * (1 + AFTER_S - 1.67), rel=0.01)


@pytest.mark.parametrize("rate", [40.0, 80.0])
def test_an_even_rate_costs_what_the_exact_solution_says(rate: float) -> None:
    """A window as long as the run: its 95th percentile is that of all items."""
    profile = Profile(at_s=(0.0, 900.0), rate_per_s=(rate, rate))
    whole = 900.0 + 2 * (LEAD_S + AFTER_S)
    found = simulate_climb(PAIRS, profile, threshold_per_s=1e6, replica_s=whole, limit_s=1e3, effort=Effort())
    assert found.worst_p95_s == pytest.approx(solve(PAIRS, rate).p95_s, rel=0.03)
    assert (found.first, found.last) == (1, 1)
    assert found.late_items == 0


def test_replicas_that_come_later_make_more_items_late() -> None:
    profile = ramp(50.0, 4.0, 120.0)
    late = [
        simulate_climb(
            PAIRS, profile, threshold_per_s=70.0, replica_s=seconds, limit_s=0.1, effort=Effort()
        ).late_items
        for seconds in (0.0, 30.0, 90.0)
    ]
    assert late[0] < late[1] / 3
    assert late[1] < late[2] / 3


def test_the_steepest_stretch_is_found() -> None:
    day = Profile(at_s=(0.0, 30_000.0, 30_600.0, 60_000.0), rate_per_s=(10.0, 20.0, 140.0, 10.0))
    steep = day.steepest(60.0)
    assert steep.at_s[0] == pytest.approx(29_940, abs=5)
    assert steep.at_s[-1] == pytest.approx(30_180, abs=5)
    assert steep.rate_per_s[0] == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    ("times", "rates"),
    [((0.0,), (1.0,)), ((0.0, 0.0), (1.0, 2.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.0, 1.0), (1.0,))],
)
def test_what_is_no_profile_is_refused(times: tuple[float, ...], rates: tuple[float, ...]) -> None:
    with pytest.raises(InvalidInputError):
        Profile(at_s=times, rate_per_s=rates)
