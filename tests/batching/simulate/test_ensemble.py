from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.errors import InvalidInputError
from tandem.batching.exact.single import solve_single
from tandem.batching.outcome import Station
from tandem.batching.rules import greedy, timeout
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies, simulate_ensemble
from tandem.batching.simulate.estimate import Effort


def station(seconds: float, most: int = 1, instances: int = 1) -> Station:
    return Station(service=ServiceTime.linear(0, seconds, most), rule=greedy(most), instances=instances)


def test_two_steps_by_hand() -> None:
    ensemble = Ensemble(stations=(station(0.010), station(0.020)))
    latency, entered, sizes, spent = ensemble_latencies(ensemble, np.array([0.0, 0.001]), np.ones(1))
    assert latency == pytest.approx([0.030, 0.049])
    assert entered[1] == pytest.approx([0.010, 0.020])
    assert sizes.tolist() == [[2], [2]]
    assert spent == pytest.approx(np.array([[0.020], [0.040]]))


def test_sharing_one_processor_makes_both_steps_slower() -> None:
    ensemble = Ensemble(stations=(station(0.010), station(0.010)), demand=((1.0,), (1.0,)), processors=1)
    latency, _, _, _ = ensemble_latencies(ensemble, np.array([0.0, 0.005]), np.ones(1))
    # The first is alone until 0.010; then its second step and the other's first step run at half speed.
    assert latency == pytest.approx([0.030, 0.035])


def test_processor_sharing_has_its_known_mean() -> None:
    """M/G/1 with processor sharing: mean latency s / (1 - load), whatever the service's law (Kleinrock)."""
    ensemble = Ensemble(stations=(station(0.010, instances=200),), demand=((1.0,),), processors=1)
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
    shared = Ensemble(stations=stations, demand=((1.0,), (1.0,)), processors=1)
    assert shared.capacity_per_s == pytest.approx(50, rel=0.001)
    assert not simulate_ensemble(shared, 51).stable


def test_what_is_no_ensemble_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        Ensemble(stations=())
    with pytest.raises(InvalidInputError):
        Ensemble(stations=(station(1.0),), demand=((1.0,), (2.0,)))
    with pytest.raises(InvalidInputError):
        Ensemble(stations=(station(1.0),), processors=0)
    with pytest.raises(InvalidInputError, match="contentions"):
        Ensemble(stations=(station(1.0),), contention=((1.0,), (1.0,)))
    with pytest.raises(InvalidInputError, match="batches up to 1"):
        Ensemble(stations=(station(1.0, most=2),), demand=((1.0,),))


def test_beside_others_there_is_more_to_do() -> None:
    """Two steps on processors of their own, each 1.5 times as long while the other runs."""
    stations = (station(0.010), station(0.010))
    ensemble = Ensemble(stations=stations, demand=((1.0,), (1.0,)), processors=2, contention=((1.5,), (1.5,)))
    assert ensemble.capacity_per_s == pytest.approx(1 / 0.015, rel=0.001)
    latency, _, _, _ = ensemble_latencies(ensemble, np.array([0.0, 0.010]), np.ones(1))
    # From 0.010 on the second step of the first item and the first of the second hinder each other.
    assert latency == pytest.approx([0.025, 0.025])


def test_a_batch_of_two_may_ask_for_more_processors_than_a_lone_item() -> None:
    pair = Station(service=ServiceTime((0.010, 0.010)), rule=greedy(2))
    ensemble = Ensemble(stations=(pair,), demand=((1.0, 2.0),), processors=1)
    latency, _, sizes, _ = ensemble_latencies(ensemble, np.array([0.0, 0.001, 0.002]), np.ones(1))
    assert sizes.tolist() == [[1, 1]]
    assert latency == pytest.approx([0.010, 0.029, 0.028])


def test_a_full_ensemble_takes_the_next_item_when_one_leaves() -> None:
    ensemble = Ensemble(stations=(station(0.010), station(0.020)))
    gone, entered, _, _ = ensemble_latencies(ensemble, np.zeros(4), np.ones(1), in_flight=1)
    assert gone == pytest.approx([0.030, 0.060, 0.090, 0.120])
    assert entered[0] == pytest.approx([0.0, 0.030, 0.060, 0.090])


def held(arrivals: list[float], hold_s: float = 0.030) -> list[float]:
    """Latencies in a step of 10 ms that holds lone items, and one of 20 ms that waits 1 ms for pairs."""
    first = Station(service=ServiceTime((0.010,)), rule=greedy(1), hold_s=hold_s)
    second = Station(service=ServiceTime((0.020, 0.025)), rule=timeout(2, 0.001))
    ensemble = Ensemble(stations=(first, second))
    latency: list[float] = ensemble_latencies(ensemble, np.array(arrivals), np.ones(1))[0].tolist()
    return latency


def test_a_lone_item_is_not_held_while_nobody_is_beyond_the_door() -> None:
    assert held([0.0]) == pytest.approx([0.031])  # its next step's own delay, 1 ms
    assert held([0.0, 0.100]) == pytest.approx([0.031, 0.031])


def test_in_company_a_lone_item_waits_for_a_second_one() -> None:
    # The first runs from 0.011 to 0.031; the second, ready at .020, is held and goes with the third at 0.038.
    assert held([0.0, 0.010, 0.028]) == pytest.approx([0.031, 0.053, 0.035])
    # Without a hold it goes at 0.031, when the step is free, and the third waits for the step.
    assert held([0.0, 0.010, 0.028], hold_s=0.0) == pytest.approx([0.031, 0.041, 0.043])


def test_a_lone_item_is_let_go_when_its_time_is_over() -> None:
    # Ready at 0.020 with one other beyond it: until 0.050, and 1 ms more.
    assert held([0.0, 0.010]) == pytest.approx([0.031, 0.061])


@pytest.mark.parametrize("hold_s", [-0.001, float("inf"), float("nan")])
def test_a_hold_without_end_is_refused(hold_s: float) -> None:
    with pytest.raises(InvalidInputError, match="held"):
        Station(service=ServiceTime((0.010,)), rule=greedy(1), hold_s=hold_s)
