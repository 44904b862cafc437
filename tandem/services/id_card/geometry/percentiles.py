"""Percentiles of whole numbers by counting them: exact, and several times faster than by sorting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


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
