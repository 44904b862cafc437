"""The sheets that cards are printed on: a pale gradient under a net of fine wavy lines."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

# RGB at the left edge, in the middle and at the right edge of a resident identity card, measured on pictures.
OFFICIAL_STOPS = ((215, 231, 240), (241, 234, 241), (228, 235, 243))
CYAN, PINK, VIOLET, GREEN = (120, 196, 205), (236, 160, 176), (190, 170, 220), (150, 205, 180)
# Sub-pixel bits of the polylines' corners.
_FIXED_BITS = 4
_COARSE = 48


def gradient(height: int, width: int, stops: Sequence[tuple[float, ...]], tilt: float = 0.0) -> Pixels:
    """(h, w, 3) uint8 RGB: colours from left to right; `tilt` moves them along with the height (±1)."""
    # Worked out small and enlarged: a gradient has no detail to lose, and this is the costly part of a sheet.
    across = (np.arange(_COARSE, dtype=np.float32)[None, :] + 0.5) / _COARSE
    down = (np.arange(_COARSE, dtype=np.float32)[:, None] + 0.5) / _COARSE - 0.5
    position = np.clip(across + tilt * down, 0, 1)
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(position, places, [stop[channel] for stop in stops]) for channel in range(3)]
    small = np.clip(np.stack(channels, 2), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _warp(rng: np.random.Generator, points: Floats, strength: float) -> Floats:
    """Moves points (n, 2), in card widths, along a smooth random field of three waves."""
    moved = points.copy()
    for _ in range(3):
        direction = rng.normal(size=2).astype(np.float32) * rng.uniform(2, 9)
        push = rng.normal(size=2).astype(np.float32) * strength
        moved += push * np.sin(points @ direction + np.float32(rng.uniform(0, 6.3)))[:, None]
    return moved


def net(rng: np.random.Generator, height: int, width: int, lines: int, strength: float) -> Pixels:
    """(h, w) uint8: how strongly a warped net of thin lines covers each pixel."""
    steps = 60
    aspect = height / width
    along = np.linspace(-0.25, 1.25, steps, dtype=np.float32)
    starts = np.linspace(-0.25, 1.25, lines, dtype=np.float32)
    x, y = np.meshgrid(along, starts)
    level = np.stack([x.ravel(), y.ravel() * aspect], 1)
    rows = [level]
    if rng.random() < 0.75:
        rows.append(np.stack([y.ravel(), x.ravel() * aspect], 1))
    angle = rng.uniform(-0.6, 0.6)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    points = _warp(rng, (np.concatenate(rows) - 0.5) @ turn + 0.5, strength)
    curves = np.rint(points * width * 2**_FIXED_BITS).astype(np.int32).reshape(-1, steps, 2)
    mask = np.zeros((height, width), np.uint8)
    cv2.polylines(mask, list(curves), False, 255, 1, cv2.LINE_AA, _FIXED_BITS)
    return mask


def sheet(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    stops: Sequence[tuple[float, ...]] | None = None,
    inks: Sequence[tuple[float, ...]] | None = None,
    strength: float | None = None,
) -> Pixels:
    """A printed sheet.

    Args:
        rng: the only source of randomness.
        height: pixels.
        width: pixels.
        stops: RGB colours from left to right; None: a resident identity card's, each a little off.
        inks: RGB of the lines at the left edge … the right edge; None: a resident identity card's.
        strength: how much ink the lines carry, 0–1; None: drawn.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    if stops is None:
        stops = [
            tuple(np.clip(np.array(s) + rng.normal(0, 5, 3) - rng.uniform(0, 18), 0, 255))
            for s in OFFICIAL_STOPS
        ]
    if inks is None:
        middle = PINK if rng.random() < 0.7 else VIOLET
        inks = [CYAN, middle, CYAN] if rng.random() < 0.8 else [CYAN, middle, GREEN]
    paper = gradient(height, width, stops, float(rng.uniform(-0.5, 0.5)))
    colour = gradient(height, width, inks, float(rng.uniform(-0.8, 0.8)))
    ink = strength if strength is not None else float(rng.uniform(0.15, 0.6))
    cover = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        cover = np.maximum(
            cover, net(rng, height, width, int(rng.integers(24, 64)), float(rng.uniform(0.01, 0.06)))
        )
    weight = cover.astype(np.float32) * np.float32(ink / 255)
    return np.asarray(cv2.blendLinear(colour, paper, weight, 1 - weight), np.uint8)
