"""The card's printed ground: a pastel wash and families of fine lines (guilloche), by formulas of our own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

_LINE_MM = 0.11  # width of a line of the guilloche
_PITCH_MM = (0.55, 1.1)


def wash(rng: np.random.Generator, height: int, width: int) -> Field:
    """The colours below the lines: (h, w, 3) float32 RGB, green-blue at the left over pink to blue."""
    stops = np.array([(208, 231, 226), (238, 229, 236), (222, 231, 243)], np.float32)
    stops += rng.normal(0, 5, stops.shape).astype(np.float32)
    ramp = cv2.resize(stops[None], (width, height), interpolation=cv2.INTER_CUBIC)
    lift = np.linspace(rng.uniform(-6, 6), rng.uniform(-6, 6), height, dtype=np.float32)
    return np.asarray(ramp + lift[:, None, None], np.float32)


def lines(rng: np.random.Generator, height: int, width: int, px_per_mm: float) -> Field:
    """How much of each pixel the fine lines cover: (h, w) float32, 0–1.

    A family is the level lines of a smooth function: rings about a focus that are pulled into waves.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / px_per_mm
    covered = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(2, 5))):
        centre = rng.uniform((-40, -40), (125, 95)).astype(np.float32)
        away = np.hypot(x - centre[0], (y - centre[1]) * np.float32(rng.uniform(0.6, 1.6)))
        turn = np.arctan2(y - centre[1], x - centre[0])
        waves = np.float32(rng.uniform(0.5, 3.0)) * np.sin(
            turn * int(rng.integers(5, 24)) + away / np.float32(rng.uniform(3, 12))
        )
        waves += np.float32(rng.uniform(0, 1.5)) * np.sin(
            x / np.float32(rng.uniform(2, 9)) + rng.uniform(0, 6)
        )
        pitch = np.float32(rng.uniform(*_PITCH_MM))
        off = np.abs((away + waves) / pitch % 1 - 0.5) * pitch  # mm from the nearest line
        soft = 0.6 / px_per_mm
        covered = np.maximum(covered, np.clip((_LINE_MM / 2 + soft - off) / (2 * soft), 0, 1))
    return covered


def sheet(rng: np.random.Generator, height: int, width: int, px_per_mm: float) -> Field:
    """The printed ground, (h, w, 3) float32 RGB."""
    ground = wash(rng, height, width)
    ink = np.array([(120, 178, 190), (205, 150, 175), (140, 160, 205)], np.float32)
    inks = cv2.resize(ink[None, rng.permutation(3)], (width, height), interpolation=cv2.INTER_CUBIC)
    strength = np.float32(rng.uniform(0.2, 0.5)) * lines(rng, height, width, px_per_mm)
    return np.asarray(ground + strength[:, :, None] * (inks - ground), np.float32)
