"""Something like the device and the wall of the emblem side: drawn shapes, no copies of the real ones."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

_FINE = 4


def _star(x: float, y: float, radius: float, turn: float) -> NDArray[np.int32]:
    angles = turn + np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2, radius * 0.38, radius)
    return np.asarray(
        np.round(np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], 1)), np.int32
    )


def draw_device(rng: np.random.Generator, size: int) -> tuple[Field, Field]:
    """A red disc with a rim, stars and a gate: (s, s, 3) float32 RGB and its (s, s) mask, 0–1."""
    side = size * _FINE
    red, gold = (
        np.array([190, 38, 40]) + rng.normal(0, 10, 3),
        np.array([232, 178, 84]) + rng.normal(0, 10, 3),
    )
    picture, mask = np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.float32)
    centre, radius = (side // 2, side // 2), round(side * 0.48)
    cv2.circle(mask, centre, radius, 1.0, -1, cv2.LINE_AA)
    cv2.circle(picture, centre, radius, red.tolist(), -1)
    for tooth in np.linspace(0, 2 * np.pi, 36, endpoint=False):  # a rim like a wreath
        at = (round(side / 2 + 0.41 * side * np.cos(tooth)), round(side / 2 + 0.41 * side * np.sin(tooth)))
        cv2.circle(picture, at, round(side * 0.036), gold.tolist(), -1, cv2.LINE_AA)
    cv2.circle(picture, centre, round(side * 0.37), red.tolist(), -1, cv2.LINE_AA)
    stars = [_star(side * 0.5, side * 0.3, side * 0.085, 0)]
    for angle in (-0.9, -0.35, 0.35, 0.9):
        at = (side * (0.5 + 0.2 * np.sin(angle)), side * (0.52 - 0.16 * np.cos(angle)))
        stars.append(_star(*at, side * 0.033, angle))
    cv2.fillPoly(picture, stars, gold.tolist(), cv2.LINE_AA)
    for x0, x1, y0, y1 in ((0.3, 0.7, 0.66, 0.72), (0.34, 0.66, 0.56, 0.6), (0.38, 0.62, 0.6, 0.66)):
        low, high = (round(x0 * side), round(y0 * side)), (round(x1 * side), round(y1 * side))
        cv2.rectangle(picture, low, high, gold.tolist(), -1)
    small = [cv2.resize(layer, (size, size), interpolation=cv2.INTER_AREA) for layer in (picture, mask)]
    return np.asarray(small[0], np.float32), np.asarray(small[1], np.float32)


def draw_wall(rng: np.random.Generator, height: int, width: int) -> Field:
    """Hills with a wall over them in fine strokes: (h, w) float32, how much ink, 0–1."""
    plate = np.zeros((height, width), np.float32)
    x = np.arange(width)
    for ridge in range(int(rng.integers(3, 6))):
        base = height * (0.25 + 0.14 * ridge)
        crest = base + sum(
            height * rng.uniform(0.02, 0.12) * np.sin(x / width * rng.uniform(4, 26) + rng.uniform(0, 6))
            for _ in range(3)
        )
        for stroke in range(int(rng.integers(6, 14))):
            points = np.stack([x, crest + stroke * height * 0.018], 1).astype(np.int32)
            cv2.polylines(
                plate,
                [np.ascontiguousarray(points[:: max(width // 200, 1)])],
                False,
                float(rng.uniform(0.25, 0.6)),
                1,
                cv2.LINE_AA,
            )
        for at in range(int(rng.integers(20)), width, max(width // 60, 4)):  # battlements
            top = int(crest[at])
            cv2.rectangle(plate, (at, top - height // 40), (at + width // 150, top), 0.7, -1)
    fade = np.minimum(1, np.minimum(x, width - x) / (width * 0.12)).astype(np.float32)
    return plate * fade
