"""The patent's three regimes in closed form.

Items arrive as a Poisson process; in an interval of length tau there are N ~ Poisson(L), L = lambda tau. A
batch costs zeta (= alpha: moving it to the GPU) plus xi (= beta) an item. The patent's formulas did not
survive; every function says which reading it assumes.

(a) enough GPUs, any batch size; (b) batches of at most M, enough GPUs; (c) batches of at most M, few GPUs.
"""

from __future__ import annotations

import math

import numpy as np

from tandem.batching.errors import UnstableError
from tandem.batching.exact.poisson import poisson_pmf
from tandem.batching.outcome import check_rate


def unbounded_batches_s(items: float, zeta_s: float, xi_s: float) -> float:
    """(a): zeta (1 - exp(-L)) + xi L, seconds of work for the items of one interval.

    Reading: what arrived in the interval goes as one batch, if anything arrived; the expectation of
    zeta 1[N > 0] + xi N.

    Args:
        items: L, mean number of items in the interval, 0 or more.
        zeta_s: cost of a batch, seconds.
        xi_s: cost of an item, seconds.
    """
    return zeta_s * -math.expm1(-items) + xi_s * items


def expected_batches(items: float, max_batch: int) -> float:
    """E⌈N/M⌉ for N ~ Poisson(L).

    ⌈N/M⌉ = (N + (-N mod M)) / M, and the residue's probabilities are a finite Fourier sum:
    P(N ≡ r mod M) = (1/M) Σ_k ω^(-rk) exp(L(ω^k - 1)), ω = exp(2πi/M). For M = 2: L/2 + (1 - exp(-2L))/4.
    """
    order = np.arange(max_batch)
    root = np.exp(2j * np.pi * order / max_batch)
    characteristic = np.exp(items * (root - 1))  # (M,) E ω^(kN)
    residue = np.fft.fft(characteristic).real / max_batch  # (M,) P(N ≡ r mod M)
    missing = (-order) % max_batch
    return float((items + residue @ missing) / max_batch)


def bounded_batches_s(items: float, zeta_s: float, xi_s: float, max_batch: int) -> float:
    """(b), reading 1, work: zeta E⌈N/M⌉ + xi L, seconds of GPU time for the items of one interval."""
    return zeta_s * expected_batches(items, max_batch) + xi_s * items


def bounded_batches_parallel_s(items: float, zeta_s: float, xi_s: float, max_batch: int) -> float:
    """(b), reading 2, time: zeta (1 - exp(-L)) + xi E min(N, M), seconds until the last batch is done.

    Enough GPUs take all batches at once, so the time is that of the fullest batch.
    """
    below = poisson_pmf(items, max_batch)  # (M,) P(N = 0 … M-1)
    full = 1.0 - below.sum()
    return zeta_s * -math.expm1(-items) + xi_s * float(below @ np.arange(max_batch) + max_batch * full)


def few_gpus_s(items: float, zeta_s: float, xi_s: float, max_batch: int, gpus: int) -> float:
    """(c), reading 1, rounds: (zeta + xi M) E⌈N/(cM)⌉, seconds until c GPUs have worked off one interval.

    Every round is counted as long as a full batch: an upper bound, exact where the batches are full.
    """
    return (zeta_s + xi_s * max_batch) * expected_batches(items, gpus * max_batch)


def two_queue_mean_s(rate_per_s: float, zeta_s: float, xi_s: float) -> float:
    """(c), reading 2, the queue: mean latency for M = 2, one GPU, greedy, steady state, seconds.

    With a = lambda s(2), the generating function of the number waiting when a batch ends,
    Π(z)(z² - A2(z)) = (p0 + p1) A1(z) z² - (p0 + p1 z) A2(z), A_b(z) = exp(-lambda s(b)(1 - z)),
    is finite at the root of z² = A2(z) inside the unit disc, z0 = -(2/a) W((a/2) exp(-a/2)) with Lambert's W.
    That gives p1/p0; Π(1) = 1 gives p0; Little's law the mean.

    Raises:
        UnstableError: lambda s(2) ≥ 2.
    """
    from scipy.special import lambertw  # noqa: PLC0415 - only this formula needs scipy

    rate = check_rate(rate_per_s)
    one, two = zeta_s + xi_s, zeta_s + 2 * xi_s
    first, second = rate * one, rate * two  # mean arrivals during s(1), s(2)
    if second >= 2:
        raise UnstableError(
            f"{rate:g} items a second exceed 2/s(2) = {2 / two:g}: no steady state with batches of 2"
        )
    root = float((-(2 / second) * lambertw(second / 2 * math.exp(-second / 2))).real)
    alone = math.exp(-first * (1 - root))
    ratio = (1 - alone) / (alone - root)  # p1 / p0
    p0 = (2 - second) / ((1 + ratio) * (first + 2 - second) - ratio)
    p1 = ratio * p0
    # Second derivative at 1 of both sides of the equation of Π.
    outer = (p0 + p1) * (first**2 + 4 * first + 2) - p0 * second**2 - p1 * (second**2 + 2 * second)
    mean_left = (outer - (2 - second**2)) / (2 * (2 - second))
    single = p0 + p1  # share of batches of one
    cycle = single * one + (1 - single) * two + p0 / rate
    waiting = (
        single * rate * one**2 / 2
        + (1 - single) * rate * two**2 / 2
        + (mean_left - p1 - 2 * (1 - single)) * two  # left behind when a batch of two starts
    ) / cycle
    in_service = (single * one + 2 * (1 - single) * two) / cycle
    return (waiting + in_service) / rate
