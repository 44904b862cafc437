"""Triton's batcher, by hand: each example follows its source line by line (see the module's docstring)."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.outcome import Station
from tandem.batching.rules import Rule, greedy, timeout
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.station import one_sequence
from tandem.batching.simulate.triton_loop import run_triton

SERVICE = ServiceTime.linear(0.010, 0.010, 8)  # s(b) = 20, 30, 40 … ms


def sizes_and_latency(
    rule: Rule, arrivals: list[float], *, instances: int = 1, fixed_shapes: bool = True
) -> tuple[list[int], list[float]]:
    station = Station(service=SERVICE, rule=rule, instances=instances)
    latency, sizes, _ = one_sequence(station, triton=True, fixed_shapes=fixed_shapes)(
        np.array(arrivals), np.ones(1)
    )
    return sizes.tolist(), [round(float(value), 9) for value in latency]


def test_without_delay_it_is_the_greedy_rule() -> None:
    generator = np.random.default_rng(4)
    for instances in (1, 2, 3):
        for most in (1, 2, 5):
            station = Station(service=SERVICE, rule=greedy(most), instances=instances)
            arrivals = np.cumsum(generator.exponential(1.1 / station.capacity_per_s, 20_000))
            ideal = one_sequence(station, triton=False)(arrivals, np.ones(1))
            real = one_sequence(station, triton=True)(arrivals, np.ones(1))
            np.testing.assert_allclose(real[0], ideal[0], err_msg=f"{instances} instances, batches of {most}")
            np.testing.assert_array_equal(real[1], ideal[1])


def test_a_payload_closed_by_the_delay_is_frozen_while_it_waits() -> None:
    # Item 0 runs alone 0.010-0.030. Item 1 comes at 0.012; at 0.022 its delay closes a payload, which waits.
    # Item 2 comes at 0.025: the ideal rule takes it along at 0.030; here it stays behind, and its own delay
    # starts the next batch at 0.050 (the instance is free only then).
    sizes, latency = sizes_and_latency(timeout(2, 0.010), [0.0, 0.012, 0.025])
    assert sizes == [3, 0]
    assert latency == [0.030, 0.038, 0.045]


def test_where_shapes_vary_every_request_wakes_the_batcher_and_joins() -> None:
    sizes, latency = sizes_and_latency(timeout(2, 0.010), [0.0, 0.012, 0.025], fixed_shapes=False)
    assert sizes == [1, 1]
    assert latency == [0.030, 0.048, 0.035]


def test_a_preferred_size_is_not_a_cap() -> None:
    # Two go at once; while they run, five come: a preferred payload of two, grown by one, then the aged rest
    # merges.
    rule = timeout(8, 0.005, preferred=2)
    sizes, _ = sizes_and_latency(rule, [0.0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006])
    assert sizes[1] == 1
    assert sum(sizes[2:]) >= 1


def test_aged_payloads_merge_up_to_the_largest_batch() -> None:
    # While the first batch of two runs for 30 ms, payloads of two form behind it, older than the delay when
    # it ends.
    rule = timeout(8, 0.004, preferred=2)
    sizes, _ = sizes_and_latency(rule, [0.0, 0.001, 0.010, 0.011, 0.0115, 0.012], fixed_shapes=False)
    assert sizes[1] == 1
    assert sizes[3] == 1


def test_preferring_one_forbids_batches() -> None:
    """`preferred_batch_size: [1]` without delay never makes a batch, whatever `max_batch_size` says."""
    arrivals = np.zeros(10)
    _, sizes, _ = run_triton(arrivals, SERVICE.table(8), np.ones(1), 1, 8, 0.0, 1, True)
    assert sizes.tolist() == [10, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("fixed_shapes", [True, False])
def test_no_item_is_lost(fixed_shapes: bool) -> None:
    generator = np.random.default_rng(6)
    for preferred, most, delay, instances in (
        (2, 2, 0.02, 1),
        (3, 8, 0.05, 2),
        (8, 8, 0.2, 4),
        (2, 8, 0.001, 1),
    ):
        station = Station(
            service=SERVICE, rule=timeout(most, delay, preferred=preferred), instances=instances
        )
        arrivals = np.cumsum(generator.exponential(1.2 / station.capacity_per_s, 5000))
        latency, sizes, busy = one_sequence(station, triton=True, fixed_shapes=fixed_shapes)(
            arrivals, np.ones(1)
        )
        assert np.isfinite(latency).all()
        assert (latency >= SERVICE.of(1) - 1e-9).all()
        assert sizes @ np.arange(1, most + 1) == 5000
        assert busy == pytest.approx(sizes @ SERVICE.table(most))
