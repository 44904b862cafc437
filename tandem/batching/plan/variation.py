"""How much batches' times vary in company beyond what the model of the ensemble explains.

Lone batches take nearly the same time again and again. Beside others they don't: threads wait for time
slices, and the machine is faster in one second than in the next. Part of that the simulation has, for it
slows batches that run beside others; what is left is a random factor on each batch's time. It is measured as
an index of dispersion, in spans of half a second, so that what varies from second to second counts as well:
one slow second holds up more items than as many slow batches here and there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.batching.measure.batch_statistics import Counts
from tandem.batching.measure.in_place import Company
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies

Floats = NDArray[np.float64]

# Fewer spans tell nothing.
FEWEST_SPANS = 8


def unexplained(ensemble: Ensemble, stretches: Sequence[Company]) -> tuple[float, ...]:
    """For every station the coefficient of variation of times that the ensemble lacks; () if unknown.

    Args:
        ensemble: as it was configured when the stretches were measured, with its contention.
        stretches: what its steps did in company; those without spans are left out.
    """
    found = [
        np.maximum(_dispersion(_measured(stretch)) - _dispersion(_simulated(ensemble, stretch)), 0.0)
        for stretch in stretches
        if len(stretch.spans) >= FEWEST_SPANS
    ]
    return tuple(float(value) for value in np.sqrt(np.mean(found, axis=0))) if found else ()


def _measured(stretch: Company) -> tuple[Floats, Floats]:
    """`(spans, steps, sizes)` batches, and their time, seconds."""
    largest = max((size for _, steps in stretch.spans for ran in steps for size in ran), default=1)
    counts, seconds = np.zeros((2, len(stretch.spans), len(stretch.ran), largest))
    for place, (_, steps) in enumerate(stretch.spans):
        for step, ran in enumerate(steps):
            _note(counts[place, step], seconds[place, step], ran)
    return counts, seconds


def _note(counts: Floats, seconds: Floats, ran: Counts) -> None:
    for size, (count, took) in ran.items():
        counts[size - 1] += count
        seconds[size - 1] += took


def _simulated(ensemble: Ensemble, stretch: Company) -> tuple[Floats, Floats]:
    """The same of the simulation, of batches whose times vary by company alone."""
    items, stations = len(stretch.sent_s), ensemble.stations
    log = np.zeros((len(stations), items, 3))
    ensemble_latencies(ensemble, np.array(stretch.sent_s), np.ones(1), log=log)
    ends = np.array([end for end, _ in stretch.spans])
    largest = max(station.rule.max_batch for station in stations)
    counts, seconds = np.zeros((2, len(ends) + 1, len(stations), largest))
    for step, batches in enumerate(log):
        ran = batches[batches[:, 2] > 0]
        place = np.searchsorted(ends, ran[:, 0])
        size = ran[:, 2].astype(np.int64) - 1
        np.add.at(counts, (place, step, size), 1.0)
        np.add.at(seconds, (place, step, size), ran[:, 1])
    return counts[:-1], seconds[:-1]  # without what ended behind the last look


def _dispersion(ran: tuple[Floats, Floats]) -> Floats:
    """`(steps,)` squared coefficient of variation that independent batches would need to vary as much in sum.

    Each span's time is held against what its batches take on average, by size.
    """
    counts, seconds = ran
    mean = seconds.sum(axis=0) / np.maximum(counts.sum(axis=0), 1.0)
    off = (seconds - counts * mean).sum(axis=2)
    expected = (counts * mean**2).sum(axis=(0, 2))
    fitted = (counts.sum(axis=0) > 0).sum(axis=1)  # means that were taken from these very spans
    spans = len(counts)
    found: Floats = (off**2).sum(axis=0) / np.maximum(expected, 1e-12) * spans / np.maximum(spans - fitted, 1)
    return found
