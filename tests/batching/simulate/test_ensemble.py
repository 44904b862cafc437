from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.errors import InvalidInputError
from tandem.batching.exact.single import solve_single
from tandem.batching.outcome import Station
from tandem.batching.rules import greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies, simulate_ensemble
from tandem.batching.simulate.estimate import Effort


def station(seconds: float, most: int = 1, instances: int = 1) -> Station:
    return Station(service=ServiceTime.linear(0, seconds, most), rule=greedy(most), instances=instances)


def test_two_steps_by_hand() -> None:
    ensemble = Ensemble(stations=(station(0.010), station(0.020)))
    latency, entered, sizes, busy = ensemble_latencies(ensemble, np.array([0.0, 0.001]), np.ones(1))
    assert latency == pytest.approx([0.030, 0.049])
    assert entered[1] == pytest.approx([0.010, 0.020])
    assert sizes.tolist() == [[2], [2]]
    assert busy == pytest.approx([0.020, 0.040])


def test_sharing_one_processor_makes_both_steps_slower() -> None:
    ensemble = Ensemble(stations=(station(0.010), station(0.010)), demand=(1, 1), processors=1)
    latency, _, _, _ = ensemble_latencies(ensemble, np.array([0.0, 0.005]), np.ones(1))
    # The first is alone until 0.010; then its second step and the other's first step run at half speed.
    assert latency == pytest.approx([0.030, 0.035])


def test_processor_sharing_has_its_known_mean() -> None:
    """M/G/1 with processor sharing: mean latency s / (1 - load), whatever the service's law (Kleinrock)."""
    ensemble = Ensemble(stations=(station(0.010, instances=200),), demand=(1,), processors=1)
    outcome = simulate_ensemble(ensemble, 60, Effort(precision=0.02, seed=3))
    assert abs(outcome.mean_s - 0.010 / 0.4) < 1.6 * outcome.ci95_mean_s


def test_a_slow_step_alone_decides(plan: Effort) -> None:
    """Behind a much faster step with deterministic service the slow step sees almost Poisson arrivals."""
    slow = Station(service=ServiceTime.linear(0.01, 0.01, 2), rule=greedy(2))
    outcome = simulate_ensemble(Ensemble(stations=(station(1e-6), slow)), 40, plan)
    exact = solve_single(slow, 40)
    assert abs(outcome.mean_s - exact.mean_s) < 2 * outcome.ci95_mean_s
    assert outcome.utilization == pytest.approx(exact.utilization, rel=0.02)


def test_shared_processors_limit_the_capacity() -> None:
    stations = (station(0.010), station(0.010))
    assert Ensemble(stations=stations).capacity_per_s == pytest.approx(100)
    assert Ensemble(stations=stations, demand=(1, 1), processors=1).capacity_per_s == pytest.approx(50)
    shared = Ensemble(stations=stations, demand=(1, 1), processors=1)
    assert not simulate_ensemble(shared, 51).stable


def test_what_is_no_ensemble_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        Ensemble(stations=())
    with pytest.raises(InvalidInputError):
        Ensemble(stations=(station(1.0),), demand=(1, 2))
    with pytest.raises(InvalidInputError):
        Ensemble(stations=(station(1.0),), processors=0)
