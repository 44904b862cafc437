from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.errors import InvalidRateError, UnstableError
from tandem.batching.exact.bounds import inoue_bound_s, md1_mean_s
from tandem.batching.exact.single import solve_single
from tandem.batching.exact.strict import solve_strict
from tandem.batching.outcome import Station
from tandem.batching.rules import greedy, strict
from tandem.batching.service_time import ServiceTime

# So large that no batch ever reaches it at the loads below: the bound is for batches without a limit.
NO_LIMIT = 64


@pytest.mark.parametrize("load", [0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
def test_single_items_are_md1(load: float) -> None:
    station = Station(service=ServiceTime((0.01,)), rule=greedy(1))
    exact = md1_mean_s(load * 100, 0.01)
    assert solve_single(station, load * 100).mean_s == pytest.approx(exact, rel=1e-6)
    station = Station(service=ServiceTime((0.01,)), rule=strict(1))
    assert solve_strict(station, load * 100).mean_s == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize(
    ("ratio", "item_load"),
    [
        (0.1, 0.05),
        (0.1, 0.6),
        (0.1, 0.8),
        (1.0, 0.3),
        (1.0, 0.6),
        (1.0, 0.8),
        (10.0, 0.05),
        (10.0, 0.3),
        (10.0, 0.6),
    ],
)
def test_greedy_without_a_limit_stays_below_inoues_bound(ratio: float, item_load: float) -> None:
    beta = 0.001
    rate = item_load / beta
    station = Station(service=ServiceTime.linear(ratio * beta, beta, NO_LIMIT), rule=greedy(NO_LIMIT))
    outcome = solve_single(station, rate)
    bound = inoue_bound_s(rate, ratio * beta, beta)
    assert outcome.mean_s <= bound
    assert outcome.mean_s > 0.75 * bound  # a bound that is far off would hide an error


def test_the_bound_is_for_no_limit_and_a_limit_breaks_it() -> None:
    station = Station(service=ServiceTime.linear(0.01, 0.001, 2), rule=greedy(2))
    rate = 0.97 * station.capacity_per_s
    assert solve_single(station, rate).mean_s > inoue_bound_s(rate, 0.01, 0.001)


def test_no_number_at_or_beyond_capacity() -> None:
    with pytest.raises(UnstableError):
        md1_mean_s(100.0, 0.01)
    with pytest.raises(UnstableError):
        inoue_bound_s(1000.0, 0.01, 0.001)


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InvalidRateError, match="above 0"):
        md1_mean_s(rate, 0.01)
