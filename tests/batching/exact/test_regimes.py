from __future__ import annotations

import math

import numpy as np
import pytest

from tandem.batching.errors import UnstableError
from tandem.batching.exact.poisson import poisson_length, poisson_pmf
from tandem.batching.exact.regimes import (
    bounded_batches_parallel_s,
    bounded_batches_s,
    expected_batches,
    few_gpus_s,
    two_queue_mean_s,
    unbounded_batches_s,
)
from tandem.batching.exact.single import solve_single
from tandem.batching.outcome import Station
from tandem.batching.rules import greedy
from tandem.batching.service_time import ServiceTime

ZETA, XI = 0.004, 0.008


def expectation(items: float, cost: object) -> float:
    """E cost(N) summed term by term: independent of every closed form."""
    pmf = poisson_pmf(items, poisson_length(items))
    return float(sum(p * cost(n) for n, p in enumerate(pmf)))  # type: ignore[operator]


@pytest.mark.parametrize("items", [0.01, 0.7, 3.0, 20.0])
def test_regime_a_is_the_sum_over_n(items: float) -> None:
    direct = expectation(items, lambda n: ZETA * (n > 0) + XI * n)
    assert unbounded_batches_s(items, ZETA, XI) == pytest.approx(direct, rel=1e-12)


@pytest.mark.parametrize("items", [0.01, 0.7, 3.0, 20.0])
@pytest.mark.parametrize("most", [1, 2, 3, 8])
def test_regime_b_is_the_sum_over_n(items: float, most: int) -> None:
    work = expectation(items, lambda n: ZETA * math.ceil(n / most) + XI * n)
    time = expectation(items, lambda n: (ZETA + XI * min(n, most)) * (n > 0))
    assert bounded_batches_s(items, ZETA, XI, most) == pytest.approx(work, rel=1e-12)
    assert bounded_batches_parallel_s(items, ZETA, XI, most) == pytest.approx(time, rel=1e-12)


@pytest.mark.parametrize("items", [0.1, 1.3, 9.0])
def test_batches_of_two_have_the_known_closed_form(items: float) -> None:
    assert expected_batches(items, 2) == pytest.approx(items / 2 + (1 - math.exp(-2 * items)) / 4, rel=1e-12)


def test_unbounded_batches_are_the_limit_of_bounded_ones() -> None:
    assert bounded_batches_s(3.0, ZETA, XI, 60) == pytest.approx(unbounded_batches_s(3.0, ZETA, XI), rel=1e-9)


def test_few_gpus_count_whole_rounds() -> None:
    direct = expectation(5.0, lambda n: (ZETA + 2 * XI) * math.ceil(n / 6))
    assert few_gpus_s(5.0, ZETA, XI, max_batch=2, gpus=3) == pytest.approx(direct, rel=1e-12)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 10.0])
@pytest.mark.parametrize("load", [0.05, 0.5, 0.95])
def test_the_closed_form_of_the_queue_of_two_is_the_solvers(ratio: float, load: float) -> None:
    alpha, beta = 0.01 * ratio / (1 + ratio), 0.01 / (1 + ratio)
    rate = load * 2 / (alpha + 2 * beta)
    station = Station(service=ServiceTime.linear(alpha, beta, 2), rule=greedy(2))
    assert two_queue_mean_s(rate, alpha, beta) == pytest.approx(solve_single(station, rate).mean_s, rel=1e-8)


def test_the_queue_of_two_has_no_mean_beyond_its_capacity() -> None:
    with pytest.raises(UnstableError):
        two_queue_mean_s(100.0, ZETA, XI)


def test_poisson_terms_sum_to_one() -> None:
    for mean in (0.0, 1e-9, 1.0, 300.0):
        assert np.isclose(poisson_pmf(mean, poisson_length(mean)).sum(), 1.0, atol=1e-12)
