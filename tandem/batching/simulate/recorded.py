"""Simulation of arrivals as they were recorded: one sequence, its figures from consecutive blocks."""

from __future__ import annotations

import numpy as np

from tandem.batching.outcome import Outcome
from tandem.batching.simulate.estimate import GROUPS, Effort, Round, estimate
from tandem.batching.simulate.rounds import Run, service_factors
from tandem.batching.simulate.traffic import Recorded

# The first items of a recording meet a server that is emptier than it was.
WARM_UP = 0.05


def simulate_recorded(
    run: Run, recorded: Recorded, one_s: float, effort: Effort, *, instances: int, capacity_per_s: float
) -> Outcome:
    """Figures for a recording; its length decides the intervals, which come from `GROUPS` blocks of it.

    Args:
        run: the loop of a station or an ensemble.
        recorded: the arrivals.
        one_s: s(1), seconds.
        effort: the seed, and how much service times scatter.
        instances: of the station that limits.
        capacity_per_s: of the whole.
    """
    once = Effort(precision=effort.precision, most_items=1, seed=effort.seed, spread=effort.spread)

    def turn(generator: np.random.Generator, number: int) -> Round:
        del number
        latency, sizes, busy = run(recorded.seconds, service_factors(effort.spread, generator))
        kept = latency[int(WARM_UP * len(latency)) :]
        kept = kept[len(kept) % GROUPS :].reshape(GROUPS, -1)
        items = int(sizes @ np.arange(1, len(sizes) + 1))
        return Round(latency_s=kept, control_s=None, items=items, batches=int(sizes.sum()), busy_s=busy)

    found = estimate(one_s, once, turn)
    return found.of_station(capacity_per_s, recorded.rate_per_s, instances)
