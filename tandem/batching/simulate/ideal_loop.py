"""The ideal rule for one sequence of arrivals, recorded ones or those of a run; see `compiled`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.batching.simulate.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled("Tuple((f8[::1], i8[::1], f8))(f8[::1], f8[::1], f8[::1], i8, i8, f8, f8[::1])")
def run_ideal(
    arrivals: Floats,
    service: Floats,
    factors: Floats,
    preferred: int,
    max_batch: int,
    delay: float,
    free_from: Floats,
) -> tuple[Floats, Ints, float]:  # pragma: no cover - compiled
    """Latencies under `rules.Rule`, first come first served.

    Args:
        arrivals: `(n,)` times, seconds, rising.
        service: `(max_batch,)` s(1) … in seconds.
        factors: `(m,)` what a batch's time is multiplied by, used in turn.
        preferred: waiting items that start a batch.
        max_batch: most items in a batch.
        delay: longest wait of the oldest item while an instance is idle, seconds.
        free_from: `(instances,)` when each instance is there to begin, seconds.

    Returns:
        `(n,)` latencies, seconds (nan for items whose batch never starts); `(max_batch,)` how many batches of
        each size ran; the instances' busy time, seconds.
    """
    total = len(arrivals)
    latency = np.full(total, np.nan)
    sizes = np.zeros(max_batch, np.int64)
    free = free_from.copy()
    busy = 0.0
    head = 0
    batches = 0
    while head < total:
        ready = arrivals[head] + delay
        full = head + preferred - 1
        if full < total and arrivals[full] < ready:
            ready = arrivals[full]
        if full >= total and np.isinf(delay):
            break
        server = 0
        for other in range(1, len(free)):
            if free[other] < free[server]:
                server = other
        start = max(ready, free[server])
        tail = head + 1
        while tail < total and tail - head < max_batch and arrivals[tail] <= start:
            tail += 1
        took = service[tail - head - 1] * factors[batches % len(factors)]
        end = start + took
        for item in range(head, tail):
            latency[item] = end - arrivals[item]
        free[server] = end
        busy += took
        sizes[tail - head - 1] += 1
        batches += 1
        head = tail
    return latency, sizes, busy
