"""How steps of an ensemble hinder each other beyond sharing processors, from what they did in company.

Fair shares of the processors explain only part of what a batch loses beside others: a short step of Python
waits for a time slice at each of its hand-overs, and two of its threads meet on one processor while a
network's threads are woken first. So each step, and each size of batch, gets a factor: such that simulated
batches of a measured stretch of company take as long as the real ones did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tandem.batching.measure.in_place import Company
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies

Floats = NDArray[np.float64]

# Steps to the fixed point, each so much of the way (in logarithms): the factors hang on each other.
STEPS, DAMPING = 16, 0.7
# A mean of fewer batches is left out; and no factor is outside these bounds.
FEWEST = 5
LEAST, MOST = 0.25, 10.0


def fit_contention(ensemble: Ensemble, stretches: Sequence[Company]) -> tuple[tuple[float, ...], ...]:
    """For every station the factors of batches of 1, 2, …; 1 where nothing was seen.

    Args:
        ensemble: as it was configured when the stretches were measured, without contention.
        stretches: what its steps did in company.
    """
    largest = max(station.rule.max_batch for station in ensemble.stations)
    shape = (len(ensemble.stations), largest)
    ran, took = np.zeros(shape), np.zeros(shape)
    for stretch in stretches:
        for place, counts in enumerate(stretch.ran):
            for size, (count, seconds) in counts.items():
                if size <= largest:
                    ran[place, size - 1] += count
                    took[place, size - 1] += seconds
    factors = np.ones(shape)
    seen = np.zeros(shape, np.bool_)
    for _ in range(STEPS):
        batches, spent = _simulated(ensemble, factors, stretches)
        seen = (ran >= FEWEST) & (batches >= FEWEST)
        real: Floats = took / np.maximum(ran, 1)
        ours: Floats = spent / np.maximum(batches, 1)
        off: Floats = np.where(seen, real / np.where(seen, ours, 1.0), 1.0)
        factors = np.clip(factors * off**DAMPING, LEAST, MOST)
    return tuple(
        _filled(factors[place, :most], seen[place, :most])
        for place, most in enumerate(station.rule.max_batch for station in ensemble.stations)
    )


def _simulated(ensemble: Ensemble, factors: Floats, stretches: Sequence[Company]) -> tuple[Floats, Floats]:
    """How many batches of each size every station runs in the stretches, and their time, seconds."""
    with_factors = replace(ensemble, contention=tuple(map(tuple, factors.tolist())))
    batches, seconds = np.zeros(factors.shape), np.zeros(factors.shape)
    for stretch in stretches:
        _, _, sizes, spent = ensemble_latencies(
            with_factors, np.array(stretch.sent_s), np.ones(1), in_flight=stretch.in_flight
        )
        batches += sizes
        seconds += spent
    return batches, seconds


def _filled(factors: Floats, seen: NDArray[np.bool_]) -> tuple[float, ...]:
    """The factors; sizes that were not seen get the nearest one's that was."""
    places = np.flatnonzero(seen)
    if len(places) == 0:
        return (1.0,) * len(factors)
    nearest = [places[np.abs(places - place).argmin()] for place in range(len(factors))]
    return tuple(float(factors[place]) for place in nearest)
