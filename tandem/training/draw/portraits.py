"""Drawn head-and-shoulders portraits: nobody's face, only a photograph's colours and outline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SKINS = ((238, 205, 180), (224, 184, 152), (202, 158, 126), (244, 220, 200), (180, 136, 106), (150, 110, 84))
HAIRS = ((24, 20, 20), (40, 30, 26), (70, 48, 34), (120, 120, 122), (200, 198, 196), (96, 60, 30))
BACKDROPS = ((250, 250, 252), (60, 120, 200), (190, 30, 40))
PAPER = (232, 232, 236)
# Portraits are drawn at twice the size and scaled down: soft edges, as a printed photograph has.
_OVERSAMPLE = 2


def _colour(
    rng: np.random.Generator, palette: tuple[tuple[int, int, int], ...], spread: float
) -> tuple[float, ...]:
    base = np.array(palette[int(rng.integers(len(palette)))], float)
    return tuple(np.clip(base + rng.normal(0, spread, 3), 0, 255))


@dataclass(frozen=True, kw_only=True)
class _Head:
    """Where a head is, in pixels, and its colours."""

    x: float
    y: float
    half_width: float
    half_height: float
    skin: tuple[float, ...]
    hair: tuple[float, ...]
    bald: bool
    long_hair: bool


def _draw_head(rng: np.random.Generator, height: int, width: int) -> _Head:
    return _Head(
        x=width * float(rng.uniform(0.47, 0.53)),
        y=height * float(rng.uniform(0.38, 0.43)),
        half_width=width * float(rng.uniform(0.24, 0.29)),
        half_height=height * float(rng.uniform(0.24, 0.28)),
        skin=_colour(rng, SKINS, 7),
        hair=_colour(rng, HAIRS, 8),
        bald=bool(rng.random() < 0.06),
        long_hair=bool(rng.random() < 0.4),
    )


def _ellipse(
    image: NDArray[np.uint8],
    head: _Head,
    at: tuple[float, float],
    axes: tuple[float, float],
    colour: tuple[float, ...],
) -> None:
    """Fills an ellipse; centre and half axes are in half widths and half heights of the head."""
    centre = round(head.x + at[0] * head.half_width), round(head.y + at[1] * head.half_height)
    reach = max(round(axes[0] * head.half_width), 1), max(round(axes[1] * head.half_height), 1)
    cv2.ellipse(image, centre, reach, 0, 0, 360, colour, -1)


def _hair_behind(rng: np.random.Generator, image: NDArray[np.uint8], head: _Head) -> None:
    if head.bald:
        return
    _ellipse(
        image, head, (0, -0.16), (float(rng.uniform(1.08, 1.22)), float(rng.uniform(1.05, 1.18))), head.hair
    )
    if head.long_hair:
        low = float(rng.uniform(0.5, 1.4))
        _ellipse(image, head, (0, low * 0.6), (float(rng.uniform(1.1, 1.3)), 0.4 + low * 0.6), head.hair)


def _body(rng: np.random.Generator, image: NDArray[np.uint8], head: _Head) -> None:
    height, width = image.shape[:2]
    cloth = tuple(float(c) for c in rng.uniform(10, 250 if rng.random() < 0.5 else 90, 3))
    neck = 0.13 * width * float(rng.uniform(0.85, 1.2))
    left, right = round(head.x - neck), round(head.x + neck)
    shaded = tuple(channel * 0.86 for channel in head.skin)
    cv2.rectangle(image, (left, round(head.y)), (right, round(0.85 * height)), shaded, -1)
    slope, top = float(rng.uniform(0.76, 0.86)) * height, float(rng.uniform(0.69, 0.74)) * height
    reach = float(rng.uniform(0.42, 0.52)) * width
    half = np.array(
        [[neck * 1.3, top], [reach * 0.8, slope], [reach, slope + 0.05 * height], [reach * 1.1, height + 2]]
    )
    outline = np.concatenate([half * (-1, 1), half[::-1], [[0, top + 0.12 * height]]]) + (head.x, 0)
    cv2.fillPoly(image, [np.rint(outline).astype(np.int32)], cloth)
    if rng.random() < 0.6:
        collar = tuple(float(c) for c in rng.uniform(120, 255, 3))
        for side in (-1, 1):
            flap = np.array([[side * neck * 1.4, -2], [0, 0.13 * height], [side * neck * 1.5, 0.1 * height]])
            cv2.fillPoly(image, [(flap + (head.x, top)).astype(np.int32)], collar)


def _fringe(rng: np.random.Generator, image: NDArray[np.uint8], head: _Head) -> None:
    """Hair over the forehead: the part of the crown above a slanted line."""
    if head.bald:
        return
    crown = np.zeros(image.shape[:2], np.uint8)
    centre = round(head.x), round(head.y - 0.16 * head.half_height)
    cv2.ellipse(crown, centre, (round(head.half_width), round(1.02 * head.half_height)), 0, 0, 360, 255, -1)
    left, right = (head.y - float(rng.uniform(0.2, 0.7)) * head.half_height for _ in range(2))
    columns = np.arange(image.shape[1], dtype=np.float32)
    line = left + (right - left) * (columns - head.x + head.half_width) / (2 * head.half_width)
    rows = np.arange(image.shape[0], dtype=np.float32)[:, None]
    image[(crown > 0) & (rows < line)] = np.array(head.hair, np.uint8)


def _features(rng: np.random.Generator, image: NDArray[np.uint8], head: _Head) -> None:
    dark = tuple(channel * 0.35 for channel in head.skin)
    for side in (-1, 1):
        _ellipse(image, head, (0.42 * side, 0.08), (0.15, 0.055), (240, 240, 240))
        _ellipse(image, head, (0.42 * side, 0.08), (0.08, 0.06), (30, 22, 20))
        _ellipse(image, head, (0.42 * side, -0.09), (0.2, 0.03), dark)
    _ellipse(image, head, (0, 0.36), (0.14, 0.06), tuple(channel * 0.85 for channel in head.skin))
    _ellipse(image, head, (0, 0.64), (0.26, 0.06), (185, 105, 100))
    if rng.random() < 0.2:
        for side in (-1, 1):
            centre = round(head.x + side * 0.44 * head.half_width), round(head.y + 0.08 * head.half_height)
            pen = max(round(0.06 * head.half_width), 1)
            cv2.circle(image, centre, round(0.32 * head.half_width), (40, 40, 45), pen)


def _person(rng: np.random.Generator, image: NDArray[np.uint8]) -> None:
    head = _draw_head(rng, *image.shape[:2])
    _hair_behind(rng, image, head)
    _body(rng, image, head)
    for side in (-1, 1):
        _ellipse(image, head, (side, 0.1), (0.12, 0.2), head.skin)
    _ellipse(image, head, (0, 0.12), (1, 0.95), head.skin)
    _fringe(rng, image, head)
    _features(rng, image, head)


def _shading(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """(h, w, 1) float32 around 1: light from one side, and a little unevenness."""
    coarse = rng.normal(0, 0.08, (9, 5)) + np.linspace(-1, 1, 5) * rng.normal(0, 0.12)
    light = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    factor: NDArray[np.float32] = 1 + light[:, :, None]
    return factor


def _backdrop(rng: np.random.Generator) -> tuple[float, ...]:
    if rng.random() < 0.6:
        return tuple(float(channel) for channel in rng.uniform(120, 255, 3))
    return tuple(map(float, BACKDROPS[int(rng.integers(len(BACKDROPS)))]))


def draw_portrait(
    rng: np.random.Generator, height: int, width: int, *, cut_out: bool = True
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A drawn portrait.

    Args:
        rng: the only source of randomness.
        height: pixels, ≥ 8.
        width: pixels, ≥ 8.
        cut_out: the person alone, as resident identity cards print it; else with a photograph's background.

    Returns:
        (height, width, 3) uint8 RGB, and (height, width) uint8 alpha.
    """
    tall, wide = height * _OVERSAMPLE, width * _OVERSAMPLE
    key = (0, 255, 0)
    image = np.full((tall, wide, 3), key, np.uint8)
    _person(rng, image)
    alpha = np.where((image == key).all(2), 0, 255).astype(np.uint8)
    # A cut-out's edge blends into paper; the key colour must not shine through.
    image[alpha == 0] = PAPER if cut_out else _backdrop(rng)
    if not cut_out:
        alpha[:] = 255
    image = cv2.GaussianBlur(image, (0, 0), 1.2)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    grain = rng.normal(0, rng.uniform(0, 6), (height, width, 1)).astype(np.float32)
    small = small * _shading(rng, height, width) + grain
    mask = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    return np.clip(small, 0, 255).astype(np.uint8), mask
