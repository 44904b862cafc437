"""Percentiles as numpy says them, several times faster: of whole numbers by counting, of few by sorting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """What `numpy.median` says along the first axis, of few values: its checks take longer than sorting.

    Args:
        values: (n, ...), n not 0; no NaN.
    """
    ordered = np.sort(values, axis=0)
    count = len(ordered)
    return np.asarray((ordered[(count - 1) // 2] + ordered[count // 2]) / 2, np.float32)


def percentiles_of_counts(
    values: NDArray[np.uint8] | NDArray[np.int16], percentiles: Sequence[float]
) -> list[float]:
    """What `numpy.percentile` says of an array of whole numbers, 0 or more.

    Args:
        values: any shape, not empty.
        percentiles: 0-100, each.

    Raises:
        ValueError: a value is below 0, or there is none.
    """
    if not values.size:
        raise ValueError("an empty array has no percentiles")
    up_to = np.bincount(values.ravel()).cumsum()
    found = []
    for percentile in percentiles:
        place = percentile / 100 * (values.size - 1)
        below = int(place)
        low, high = np.searchsorted(up_to, (below, min(below + 1, values.size - 1)), side="right").tolist()
        found.append(low + (place - below) * (high - low))
    return found
