"""Factors that are put into a simulated server come out of what its steps did in company."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tandem.batching.measure.in_place import Company
from tandem.batching.outcome import Station
from tandem.batching.plan.contention import fit_contention
from tandem.batching.rules import greedy, timeout
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies

TRUTH = ((1.0, 1.6), (0.7, 0.9), (2.5, 3.0))


def ensemble() -> Ensemble:
    stations = (
        Station(service=ServiceTime((0.010, 0.013)), rule=timeout(2, 0.010)),
        Station(service=ServiceTime((0.017, 0.022)), rule=timeout(2, 0.010)),
        Station(service=ServiceTime((0.002, 0.003)), rule=greedy(2)),
    )
    return Ensemble(stations=stations, demand=((1.0, 1.6), (1.5, 1.9), (0.8, 0.9)), processors=2)


def company(truth: Ensemble, sent: np.ndarray, in_flight: int = 0) -> Company:
    """What a server of that kind would have told."""
    _, _, sizes, spent = ensemble_latencies(truth, sent, np.ones(1), in_flight=in_flight)
    ran = tuple(
        {size + 1: (int(count), float(spent[place, size])) for size, count in enumerate(row) if count}
        for place, row in enumerate(sizes)
    )
    return Company(sent_s=tuple(sent.tolist()), in_flight=in_flight, ran=ran)


def test_the_factors_come_out_again() -> None:
    truth = replace(ensemble(), contention=TRUTH)
    sent = np.random.default_rng(2).exponential(1 / 40, 1500).cumsum()
    stretches = [company(truth, np.zeros(600), in_flight=12), company(truth, sent)]
    found = fit_contention(ensemble(), stretches)
    for ours, real in zip(found, TRUTH, strict=True):
        assert ours == pytest.approx(real, rel=0.06)


def test_fair_shares_have_no_factors() -> None:
    sent = np.random.default_rng(3).exponential(1 / 40, 800).cumsum()
    found = fit_contention(ensemble(), [company(ensemble(), sent)])
    assert np.array(found) == pytest.approx(np.ones((3, 2)), rel=1e-6)


def test_sizes_that_were_not_seen_take_the_nearest_ones_factor() -> None:
    truth = replace(ensemble(), contention=TRUTH)
    full = company(truth, np.zeros(600), in_flight=12)
    pairs = replace(full, ran=tuple({2: counts[2]} for counts in full.ran))
    found = fit_contention(ensemble(), [pairs])
    assert all(single == pair for single, pair in found)
    assert found[2][1] > 1.5
    nothing = replace(full, ran=({}, {}, {}))
    assert fit_contention(ensemble(), [nothing]) == ((1.0, 1.0),) * 3
