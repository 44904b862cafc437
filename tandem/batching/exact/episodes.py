"""Latencies of batches that an idle instance starts: the part of `exact_single` that a delay makes.

An episode begins when an item finds nobody waiting and the instance is free, or will be within T' = min(T,
s(b)) of the last batch's size b. Its batch starts when P items have come or the delay T is over, whichever is
first, but not before the instance is free.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.batching.exact.distribution import (
    LatencyDistribution,
    chebyshev_nodes,
    integral_to_end,
    node_count,
)
from tandem.batching.exact.poisson import poisson_pmf


def add_episodes(
    latency: LatencyDistribution,
    starts: NDArray[np.float64],
    service: NDArray[np.float64],
    rate: float,
    preferred: int,
    delay: float,
) -> None:
    """Correct latencies that were counted as if every batch started at the end of a service.

    Args:
        latency: what to correct.
        starts: `(n,)` weight of batches that start with 1, 2 … items present.
        service: `(M,)` s(1) … s(M), seconds.
        rate: arrivals, items a second.
        preferred: P, 1 to M.
        delay: T, seconds, at most s(M).
    """
    empty = starts[: len(service)]  # (M,) weight of batches that leave nothing behind
    window = np.minimum(delay, service)  # (M,) T'
    quiet = empty * np.exp(-rate * (service - window))  # (M,) weight of episodes
    if preferred == 1 or delay == 0.0:
        latency.add_atom(float(service[0]), float(quiet.sum()))
        return
    lengths = [float(length) for length in np.unique(window)]
    weights = [float(quiet[window == length].sum()) for length in lengths]
    for length, weight in zip(lengths, weights, strict=True):
        _remove_early_ends(latency, weight, service, rate, preferred, length)
    _add_delayed(latency, float(quiet.sum()), service, rate, preferred, delay)
    for length, weight in zip(lengths, weights, strict=True):
        _add_filled(latency, weight, float(service[preferred - 1]), rate, preferred, length, delay)


def _remove_early_ends(
    latency: LatencyDistribution,
    weight: float,
    service: NDArray[np.float64],
    rate: float,
    preferred: int,
    window: float,
) -> None:
    """Take back items of episodes with too few items when the instance became free: nothing started."""
    counts = poisson_pmf(rate * window, preferred)
    for count in range(1, preferred):
        latency.add_uniform(float(service[count - 1]), window, -weight * float(counts[count]) * count)


def _add_delayed(
    latency: LatencyDistribution,
    weight: float,
    service: NDArray[np.float64],
    rate: float,
    preferred: int,
    delay: float,
) -> None:
    """Episodes whose delay runs out: the first item waits T, its companions came evenly within T."""
    companions = poisson_pmf(rate * delay, preferred)
    for count in range(1, preferred):
        share = weight * float(companions[count - 1])
        latency.add_atom(delay + float(service[count - 1]), share)
        if count > 1:
            latency.add_uniform(float(service[count - 1]), delay, share * (count - 1))


def _add_filled(
    latency: LatencyDistribution,
    weight: float,
    service_s: float,
    rate: float,
    preferred: int,
    window: float,
    delay: float,
) -> None:
    """Episodes whose P-th item comes at t: before the delay is over, after the instance is free.

    t has an Erlang density, times the probability that the instance is free by then. The first item waits t,
    the last not at all, the P - 2 between them evenly in (0, t): density (P - 2) ∫ h(t)/t dt from the wait to
    the delay.
    """
    log_gamma = float(np.log(np.arange(1, preferred - 1)).sum())
    later = 0.0  # ∫ h(t)/t over the pieces behind the current one
    for begin, end in ((window, delay), (0.0, window)):  # the density has a kink at the window
        if end <= begin:
            continue
        filled = begin + (end - begin) * chebyshev_nodes(node_count(rate * delay))
        busy = np.exp(-rate * np.maximum(window - filled, 0.0))
        erlang = rate * np.exp((preferred - 2) * np.log(rate * filled) - rate * filled - log_gamma)
        density = weight * erlang * busy  # (nodes,) h
        total, _ = integral_to_end(density, end - begin)
        latency.add_atom(service_s, total)
        through, inner = integral_to_end(density / filled, end - begin)
        waits = density + (preferred - 2) * (inner + later)
        latency.add_pieces(np.array([service_s + begin]), end - begin, waits[:, None])
        later += through
