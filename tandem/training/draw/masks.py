"""Alpha masks of flat things."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def rounded_mask(height: int, width: int, radius: float) -> NDArray[np.uint8]:
    """(height, width) uint8: 255 inside a rectangle with round corners (radius in pixels), smooth edges."""
    return _rounded_mask(height, width, radius).copy()


@lru_cache(maxsize=32)
def _rounded_mask(height: int, width: int, radius: float) -> NDArray[np.uint8]:
    if radius <= 0:
        return np.full((height, width), 255, np.uint8)
    x = np.abs(np.arange(width, dtype=np.float32) + 0.5 - width / 2) - (width / 2 - radius)
    y = np.abs(np.arange(height, dtype=np.float32) + 0.5 - height / 2) - (height / 2 - radius)
    distance = np.hypot(x.clip(0)[None, :], y.clip(0)[:, None])
    mask: NDArray[np.uint8] = np.rint(np.clip(radius - distance + 0.5, 0, 1) * 255).astype(np.uint8)
    return mask
