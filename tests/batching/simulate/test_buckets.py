"""Queues by length: by hand, and beside exact queues."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.lengths import LengthModel
from tandem.batching.outcome import Station
from tandem.batching.rules import greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.buckets import Layout, is_stable, run_buckets, simulate_layout
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.traffic import Poisson
from tandem.batching.solve import solve

#: A pair takes what its longest item takes, and a millisecond.
MIXED = LengthModel(
    alone_s=(0.010, 0.010, 0.010, 0.030),
    constant_s=(0.0, 0.001),
    longest=(1.0, 1.0),
    others=(0.0, 0.0),
    off=0.0,
)


def run(layout: Layout, arrivals: list[float], alone: list[float]) -> list[float]:
    times = np.array(alone)
    found = run_buckets(
        np.array(arrivals), times, (times > layout.cut_s).astype(np.int64), layout.serves(),
        np.array(MIXED.constant_s), np.array(MIXED.longest), np.array(MIXED.others), layout.max_batch,
    )  # fmt: skip
    return [round(value, 6) for value in found.tolist()]


def test_in_one_queue_the_short_one_waits_for_the_long_one_beside_it() -> None:
    """The first runs alone until 10; the next two, short and long, together until 41."""
    found = run(Layout(max_batch=2, shared=1), [0.0, 0.001, 0.002], [0.010, 0.010, 0.030])
    assert found == [0.010, 0.040, 0.039]


def test_buckets_take_the_oldest_first_and_only_its_like() -> None:
    """At 10 two short ones and a long one wait, a short one longest: a pair to 21, the long one to 51."""
    arrivals, alone = [0.0, 0.001, 0.002, 0.003], [0.010, 0.010, 0.030, 0.010]
    assert run(Layout(max_batch=2, cut_s=0.02, shared=1), arrivals, alone) == [0.010, 0.020, 0.049, 0.018]


def test_an_instance_for_long_items_does_nothing_else() -> None:
    arrivals, alone = [0.0, 0.001, 0.002, 0.003], [0.010, 0.010, 0.030, 0.010]
    found = run(Layout(max_batch=2, cut_s=0.02, short=1, long=1), arrivals, alone)
    assert found == [0.010, 0.020, 0.030, 0.018]
    assert run(Layout(max_batch=1, cut_s=0.02, short=1, long=1), [0.0, 0.0], [0.030, 0.030]) == [0.030, 0.060]


def test_instances_apart_are_two_queues_that_are_known_exactly() -> None:
    """Single items: M/D/1 with three quarters of the items, and with the rest."""
    rate = 60.0
    found = simulate_layout(
        MIXED, Layout(max_batch=1, cut_s=0.02, short=1, long=1), Poisson(rate), effort=Effort()
    )
    short, long = (
        solve(Station(service=ServiceTime((seconds,)), rule=greedy(1)), share * rate).mean_s
        for seconds, share in ((0.010, 0.75), (0.030, 0.25))
    )
    assert found.short_mean_s == pytest.approx(short, rel=0.01)
    assert found.long_mean_s == pytest.approx(long, rel=0.02)
    assert found.mean_s == pytest.approx(0.75 * short + 0.25 * long, abs=2 * found.ci95_mean_s)


@pytest.mark.parametrize(("instances", "rate"), [(1, 110.0), (1, 60.0)])
def test_items_alike_make_the_queue_that_is_known_exactly(instances: int, rate: float) -> None:
    """s(1) = 10 ms, s(2) = 11 ms, greedy pairs."""
    alike = MIXED.only((0.010,))
    found = simulate_layout(alike, Layout(max_batch=2, shared=instances), Poisson(rate), effort=Effort())
    station = Station(service=ServiceTime((0.010, 0.011)), rule=greedy(2), instances=instances)
    exact = solve(station, rate)
    assert found.mean_s == pytest.approx(exact.mean_s, rel=0.01)
    assert found.p95_s == pytest.approx(exact.p95_s, rel=0.02)


def test_what_can_not_keep_up_is_known_before() -> None:
    """Long pairs take 31 ms: an instance for them serves 64 a second, a quarter of 258."""
    apart = Layout(max_batch=2, cut_s=0.02, short=3, long=1)
    assert is_stable(MIXED, apart, 250.0)
    assert not is_stable(MIXED, apart, 265.0)
    assert is_stable(MIXED, Layout(max_batch=2, cut_s=0.02, shared=1), 110.0)
    assert not is_stable(MIXED, Layout(max_batch=2, cut_s=0.02, shared=1), 130.0)
