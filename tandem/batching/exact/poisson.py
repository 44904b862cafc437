"""Poisson probabilities as arrays, without scipy (whose import would cost more than the answer)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Terms below this share are dropped: far below what a sum of a few thousand doubles can show.
NEGLIGIBLE = 1e-18


def poisson_length(mean: float) -> int:
    """Number of terms after which a Poisson distribution has less than `NEGLIGIBLE` left."""
    return int(mean + 9 * np.sqrt(mean) + 28)


def poisson_pmf(mean: ArrayLike, length: int) -> NDArray[np.float64]:
    """`(…, length)` float64: probabilities of 0 to length - 1 for every mean.

    Args:
        mean: any shape, 0 or more.
        length: number of terms, 1 or more.
    """
    means = np.asarray(mean, np.float64)[..., None]
    terms = np.arange(length)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, max(length, 2))))])[:length]
    log_mean = np.log(np.maximum(means, np.finfo(np.float64).tiny))  # a mean of 0 then gives 1, 0, 0 …
    pmf: NDArray[np.float64] = np.exp(terms * log_mean - means - log_factorial)
    return pmf


def poisson_tail(mean: ArrayLike, length: int) -> NDArray[np.float64]:
    """`(…, length)` float64: P(N ≥ 0), P(N ≥ 1) … P(N ≥ length - 1) for every mean."""
    below = np.cumsum(poisson_pmf(mean, length), axis=-1)
    head = np.ones((*below.shape[:-1], 1))
    tail: NDArray[np.float64] = np.clip(np.concatenate([head, 1.0 - below[..., :-1]], axis=-1), 0.0, 1.0)
    return tail
