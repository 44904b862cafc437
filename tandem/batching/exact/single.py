"""Exact latency on one instance: greedy, and "M or T" with a delay of at most s(max_batch).

Poisson arrivals at rate r; an idle instance starts at `preferred` (P) waiting items or when the oldest has
waited T; it takes min(waiting, M). We look at the starts of batches. The state is the number n of items
present then: the batch is b = min(n, M), q = n - b stay behind. Because a full batch takes s(M) ≥ T, items
left behind are older than T when it ends, so the next batch starts at once: n alone is enough, the chain is
of the type that `markov` solves.

After a batch that left nothing behind, let T' = min(T, s(b)). If nothing arrives before s(b) - T', the first
item opens an *episode*: the batch starts when P have come or T is over (but not before the instance is free).
This gives the rows of the chain, and the latency of every item:

- items of an episode that starts after the instance is free: closed form, or one integral over the filling
  time;
- all others start with a batch at the very end of a service: an item that arrives v before that end and finds
  j ahead waits v + ⌊j/M⌋ s(M); its batch has as many items as come behind it meanwhile.

Densities in v are analytic, so Chebyshev points give mean and quantiles to about 1e-9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import NoExactSolutionError, UnstableError
from tandem.batching.exact.distribution import LatencyDistribution, chebyshev_nodes, node_count
from tandem.batching.exact.episodes import add_episodes
from tandem.batching.exact.markov import stationary
from tandem.batching.exact.poisson import poisson_length, poisson_pmf, poisson_tail
from tandem.batching.outcome import MAX_LOAD, Outcome, Station, check_rate, unstable
from tandem.batching.service_time import ServiceTime

# Mass of positions that is cut off when an item's place in the queue is worked out.
POSITION_TAIL = 1e-12


def solve_single(station: Station, rate_per_s: float) -> Outcome:
    """Exact figures of a station with one instance.

    Args:
        station: one instance; rule greedy, or timeout with delay ≤ s(max_batch).
        rate_per_s: arrivals, items a second.

    Raises:
        NoExactSolutionError: more instances, or a longer delay.
        InvalidRateError: the rate is not positive and finite.
    """
    rate, rule = check_rate(rate_per_s), station.rule
    if station.instances != 1:
        raise NoExactSolutionError(
            "several instances with batches of changing size have no exact solution here"
        )
    if not station.is_stable(rate):
        return unstable(station)
    service = station.service.table(rule.max_batch)
    delay = rule.delay_s if rule.waits else 0.0
    if delay > service[-1]:
        raise NoExactSolutionError("a delay longer than s(max_batch) needs the ages of the items left behind")
    starts = stationary(_boundary(service, rate, rule.preferred, delay), rule.max_batch, rate * service[-1])
    sizes = np.minimum(np.arange(len(starts)) + 1, rule.max_batch)
    mean_batch = float(starts @ sizes)
    latency = LatencyDistribution()
    _add_prompt_starts(latency, starts, service, rate)
    add_episodes(latency, starts, service, rate, rule.preferred, delay)
    p50, p95, p99 = latency.quantiles(0.50, 0.95, 0.99)
    return Outcome(
        stable=True,
        capacity_per_s=station.capacity_per_s,
        mean_s=latency.mean_s,
        p50_s=p50,
        p95_s=p95,
        p99_s=p99,
        utilization=float(starts @ service[sizes - 1]) * rate / mean_batch,
        mean_batch=mean_batch,
        method="exact",
        ci95_mean_s=0.0,
        ci95_p95_s=0.0,
        ci95_p99_s=0.0,
    )


def greedy_mean_s(service: ServiceTime, rate_per_s: float, max_batch: int) -> float:
    """Exact mean latency of greedy batches on one instance, seconds; a tenth of the work of `solve_single`.

    Little's law: items wait while a batch of b runs that left q behind, q s(b) + rate s(b)²/2 in all, and b
    are in service for s(b).

    Raises:
        UnstableError: the rate is at or beyond capacity.
    """
    rate = check_rate(rate_per_s)
    times = service.table(max_batch)
    if rate >= MAX_LOAD * service.capacity_per_s(max_batch, 1):
        raise UnstableError(f"{rate:g} items a second are too many for batches of {max_batch}")
    starts = stationary(_boundary(times, rate, 1, 0.0), max_batch, rate * times[-1])
    present = np.arange(1, len(starts) + 1)
    sizes = np.minimum(present, max_batch)
    took = times[sizes - 1]
    in_system = present * took + rate * took**2 / 2
    return float(starts @ in_system / (starts @ sizes))


def _boundary(service: NDArray[np.float64], rate: float, preferred: int, delay: float) -> NDArray[np.float64]:
    """Rows `(M, width)` of the chain after batches that leave nothing behind; column i: i + 1 present."""
    width = max(poisson_length(rate * float(service.max())), len(service) + 1)
    rows = np.zeros((len(service), width))
    window = np.minimum(delay, service)  # (M,) T'
    quiet = np.exp(-rate * (service - window))  # (M,) nothing came before the window
    rows[:] = poisson_pmf(rate * service, width + 1)[:, 1:]
    in_window = poisson_pmf(rate * window, preferred)  # (M, P)
    rows[:, : preferred - 1] -= quiet[:, None] * in_window[:, 1:]
    more = poisson_pmf(rate * delay, preferred)[:-1]  # (P-1,) companions of an episode's first item
    rows[:, : preferred - 1] += quiet[:, None] * more
    rows[:, preferred - 1] += quiet * (in_window.sum(axis=1) - more.sum())
    rows = np.maximum(rows, 0.0)
    shares: NDArray[np.float64] = rows / rows.sum(axis=1, keepdims=True)
    return shares


def _add_prompt_starts(
    latency: LatencyDistribution, starts: NDArray[np.float64], service: NDArray[np.float64], rate: float
) -> None:
    """Latencies as if every item that arrives during a service left with a batch at the end of a service."""
    most = len(service)
    for size in range(1, most + 1):
        behind = starts[size - 1 : size] if size < most else starts[most - 1 :]
        behind = behind[: max(int((np.cumsum(behind[::-1])[::-1] > POSITION_TAIL).sum()), 1)]
        span = float(service[size - 1])
        nodes = node_count(rate * span)
        before_end = span * chebyshev_nodes(nodes)  # (nodes,) v
        ahead = _positions(behind, rate * (span - before_end))  # (nodes, positions)
        blocks = -(-ahead.shape[1] // most)
        ahead = np.pad(ahead, ((0, 0), (0, blocks * most - ahead.shape[1]))).reshape(nodes, blocks, most)
        wait = before_end[:, None] + np.arange(blocks) * service[-1]  # (nodes, blocks)
        joined = _batch_sizes(ahead, rate * wait)  # (nodes, blocks, M) weight of the item's own batch size
        begin = np.arange(blocks)[:, None] * service[-1] + service  # (blocks, M)
        latency.add_pieces(begin.ravel(), span, rate * joined.reshape(nodes, -1))


def _positions(behind: NDArray[np.float64], arrived: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(nodes, positions)`: law of the items ahead, those left behind plus Poisson(arrived) newer ones."""
    newer = poisson_pmf(arrived, poisson_length(float(arrived.max())))  # (nodes, terms)
    total = len(behind) + newer.shape[1] - 1
    if len(behind) == 1:
        behind_only: NDArray[np.float64] = newer * behind[0]
        return behind_only
    spectrum = np.fft.rfft(newer, total, axis=1) * np.fft.rfft(behind, total)
    ahead: NDArray[np.float64] = np.maximum(np.fft.irfft(spectrum, total, axis=1), 0.0)
    return ahead


def _batch_sizes(ahead: NDArray[np.float64], coming: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(nodes, blocks, M)`: weight of own batch sizes, min(M, ahead in it + 1 + Poisson(coming))."""
    most = ahead.shape[2]
    pmf, tail = poisson_pmf(coming, most), poisson_tail(coming, most)  # (nodes, blocks, M)
    result = np.zeros_like(ahead)
    for place in range(most):
        here = ahead[:, :, place, None]
        result[:, :, place : most - 1] += here * pmf[:, :, : most - 1 - place]
        result[:, :, most - 1] += ahead[:, :, place] * tail[:, :, most - 1 - place]
    return result
