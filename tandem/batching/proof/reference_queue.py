"""The same queue by two other ways, which share no code with the planner: events one by one, and a chain.

The planner's simulation takes one batch after the other and asks when it may start. Here a clock jumps from
event to event (an arrival, the end of a batch, a timer), and the state is what waits and which instances work
until when. The planner's exact solution follows items; the chain here follows the number in the system, and
Little's law makes latencies of it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tandem.batching.simulate.compiled import compiled

Floats = NDArray[np.float64]

# States of the chain: the probability of more in the system is below rounding up to nine tenths of capacity.
MOST_PRESENT = 600


@compiled()
def latencies(  # noqa: PLR0912 - one event loop
    gaps: Floats,
    service: Floats,
    wanted: int,
    patience: float,
    instances: int,
) -> Floats:  # pragma: no cover - compiled
    """Latency of every item, in the order of arrival; nan for those whose batch never starts.

    Args:
        gaps: `(n,)` times between arrivals, seconds.
        service: s(1) … s(M), seconds.
        wanted: waiting items for which an idle instance starts.
        patience: how long the oldest waits for them, seconds.
        instances: number of instances.
    """
    n, most = len(gaps), len(service)
    came = np.empty(n)
    left = np.full(n, np.nan)
    working_until = np.full(instances, -1.0)  # -1: idle
    clock, next_arrival = 0.0, gaps[0]
    arrived = started = 0
    while True:
        # The next event.
        event, who = np.inf, -1  # -1: nobody
        for instance in range(instances):
            if 0.0 <= working_until[instance] < event:
                event, who = working_until[instance], instance
        if arrived < n and next_arrival < event:
            event, who = next_arrival, -2
        idle = False
        for instance in range(instances):
            idle = idle or working_until[instance] < 0.0
        if idle and arrived > started and came[started] + patience < event:
            event, who = came[started] + patience, -3
        if who == -1:
            return left
        clock = event
        due = False
        if who >= 0:
            working_until[who] = -1.0
        elif who == -2:
            came[arrived] = clock
            arrived += 1
            if arrived < n:
                next_arrival = clock + gaps[arrived]
        else:
            due = True
        # Whoever is idle starts, while somebody may.
        for instance in range(instances):
            waiting = arrived - started
            if working_until[instance] >= 0.0 or waiting == 0:
                continue
            if waiting >= wanted or due or clock >= came[started] + patience:
                size = min(waiting, most)
                working_until[instance] = clock + service[size - 1]
                for item in range(started, started + size):
                    left[item] = working_until[instance] - came[item]
                started += size
                due = False


def mean_by_chain(rate_per_s: float, service: Floats, wanted: int) -> float:
    """Exact mean latency on one instance that starts a batch as soon as `wanted` items wait, seconds.

    The number left behind by a batch is a Markov chain. From one end of a batch to the next the number
    present, integrated over time, has a known mean; divided by the mean time it gives the mean number L, and
    L / rate the mean latency (Little 1961; Chaudhry and Templeton, A First Course in Bulk Queues, 1983, 4).

    Args:
        rate_per_s: arrivals, items a second, below capacity.
        service: `(M,)` s(1) … s(M), seconds.
        wanted: 1 (greedy) to M (strict).
    """
    most = len(service)
    left = np.arange(MOST_PRESENT)
    present = np.maximum(left, wanted)  # when the next batch starts
    size = np.minimum(present, most)
    took = service[size - 1]
    factorials = np.array([math.lgamma(n + 1) for n in range(MOST_PRESENT)])
    come = np.exp(np.log(rate_per_s * took)[:, None] * left - (rate_per_s * took)[:, None] - factorials)
    chain = np.zeros((MOST_PRESENT, MOST_PRESENT))
    for state in left:
        stay = present[state] - size[state]
        chain[state, stay:] = come[state, : MOST_PRESENT - stay]
    chain[:, -1] += 1 - chain.sum(axis=1)
    equations = (chain - np.eye(MOST_PRESENT)).T
    equations[-1] = 1.0
    share = np.linalg.solve(equations, np.eye(MOST_PRESENT)[-1])
    # Waiting from `left` to `wanted` items, 1 / rate for each; then the batch, while more come.
    idle = (present - left) / rate_per_s
    alone = (present * (present - 1) - left * (left - 1)) / 2 / rate_per_s
    area = alone + present * took + rate_per_s * took**2 / 2
    return float(share @ area / (share @ (idle + took)) / rate_per_s)
