"""Known formulas that our solvers are checked against."""

from __future__ import annotations

from tandem.batching.errors import UnstableError
from tandem.batching.outcome import check_rate


def md1_mean_s(rate_per_s: float, service_s: float) -> float:
    """Mean latency of M/D/1, seconds: s + lambda s² / (2 (1 - lambda s)) (Pollaczek and Khinchine).

    Raises:
        UnstableError: lambda s ≥ 1.
    """
    load = check_rate(rate_per_s) * service_s
    if load >= 1:
        raise UnstableError(f"the load is {load:g}; it must be below 1")
    return service_s + rate_per_s * service_s**2 / (2 * (1 - load))


def inoue_bound_s(rate_per_s: float, alpha_s: float, beta_s: float) -> float:
    """Upper bound of the mean latency of greedy batches without a largest size, one instance, seconds.

    With s(b) = alpha + beta b. Source: Y. Inoue, arXiv 1912.06322, theorem 2 (his tau_0 is alpha here, his
    alpha is beta). It holds where no batch size limits; a limit that matters makes the latency longer.

    Raises:
        UnstableError: lambda beta ≥ 1.
    """
    item, batch = check_rate(rate_per_s) * beta_s, rate_per_s * alpha_s
    if item >= 1:
        raise UnstableError(f"lambda beta is {item:g}; it must be below 1")
    light = (alpha_s + beta_s) / (2 * (1 - item)) * (1 + 2 * batch + (1 - batch) / (1 + item))
    heavy = 1.5 * alpha_s / (1 - item) + beta_s / 2 * (item + 2) / (1 - item**2)
    return min(light, heavy)
