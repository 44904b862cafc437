"""A queue simulated event by event, written apart from the product's loops and on another plan.

The product takes one batch after the other and asks when it may start. Here a clock jumps from event to event
(an arrival, the end of a batch, a timer), and the state is what waits and which instances work until when.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def latencies(
    gaps: NDArray[np.float64],
    service: NDArray[np.float64],
    wanted: int,
    patience: float,
    instances: int,
) -> NDArray[np.float64]:
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
