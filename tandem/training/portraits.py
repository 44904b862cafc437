"""Drawn head-and-shoulders portraits: nobody's face, only a photograph's colours and outline."""

from __future__ import annotations

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


def _ellipse(
    image: NDArray[np.uint8],
    centre: tuple[float, float],
    axes: tuple[float, float],
    colour: tuple[float, ...],
) -> None:
    cv2.ellipse(
        image, (round(centre[0]), round(centre[1])), (round(axes[0]), round(axes[1])), 0, 0, 360, colour, -1
    )


def _body(rng: np.random.Generator, image: NDArray[np.uint8], cx: float, skin: tuple[float, ...]) -> None:
    height, width = image.shape[:2]
    cloth = tuple(float(c) for c in rng.uniform(10, 250 if rng.random() < 0.5 else 90, 3))
    neck = 0.13 * width * rng.uniform(0.8, 1.2)
    cv2.rectangle(image, (round(cx - neck), round(0.55 * height)), (round(cx + neck), height), skin, -1)
    slope, top = rng.uniform(0.78, 0.88) * height, rng.uniform(0.72, 0.78) * height
    reach = rng.uniform(0.42, 0.52) * width
    outline = np.array(
        [[cx - neck * 1.3, top], [cx - reach, slope], [cx - reach * 1.1, height + 2]]
        + [
            [cx + reach * 1.1, height + 2],
            [cx + reach, slope],
            [cx + neck * 1.3, top],
            [cx, top + 0.12 * height],
        ],
        np.int32,
    )
    cv2.fillPoly(image, [outline], cloth)
    if rng.random() < 0.6:
        collar = tuple(float(c) for c in rng.uniform(120, 255, 3))
        for side in (-1, 1):
            flap = np.array([[side * neck * 1.4, -2], [0, 0.13 * height], [side * neck * 1.5, 0.1 * height]])
            cv2.fillPoly(image, [(flap + (cx, top)).astype(np.int32)], collar)


def _head(rng: np.random.Generator, image: NDArray[np.uint8], cx: float, skin: tuple[float, ...]) -> None:
    height, width = image.shape[:2]
    cy, rx, ry = (
        height * rng.uniform(0.36, 0.42),
        width * rng.uniform(0.2, 0.26),
        height * rng.uniform(0.2, 0.25),
    )
    hair = _colour(rng, HAIRS, 8)
    long_hair = rng.random() < 0.4
    if rng.random() < 0.94:
        _ellipse(
            image, (cx, cy - 0.16 * ry), (rx * rng.uniform(1.08, 1.25), ry * rng.uniform(1.05, 1.2)), hair
        )
        if long_hair:
            low = cy + ry * rng.uniform(0.6, 1.9)
            cv2.rectangle(
                image, (round(cx - rx * 1.15), round(cy)), (round(cx + rx * 1.15), round(low)), hair, -1
            )
    for side in (-1, 1):
        _ellipse(image, (cx + side * rx, cy + 0.1 * ry), (0.12 * rx, 0.2 * ry), skin)
    _ellipse(image, (cx, cy + 0.12 * ry), (rx, ry * 0.95), skin)
    if rng.random() < 0.6:
        cv2.ellipse(
            image, (round(cx), round(cy - 0.45 * ry)), (round(rx * 0.98), round(ry * rng.uniform(0.2, 0.45))),
            float(rng.uniform(-12, 12)), 180, 360, hair, -1)  # fmt: skip
    dark = tuple(channel * 0.35 for channel in skin)
    for side in (-1, 1):
        eye = (cx + side * 0.42 * rx, cy + 0.08 * ry)
        _ellipse(image, eye, (0.15 * rx, 0.055 * ry), (245, 245, 245))
        _ellipse(image, eye, (0.07 * rx, 0.06 * ry), (30, 22, 20))
        brow = (eye[0], eye[1] - 0.16 * ry)
        _ellipse(image, brow, (0.2 * rx, 0.03 * ry), dark)
    _ellipse(image, (cx, cy + 0.34 * ry), (0.13 * rx, 0.05 * ry), tuple(channel * 0.82 for channel in skin))
    _ellipse(image, (cx, cy + 0.62 * ry), (0.26 * rx, 0.06 * ry), (190, 100, 100))
    if rng.random() < 0.2:
        for side in (-1, 1):
            centre = (round(cx + side * 0.44 * rx), round(cy + 0.08 * ry))
            cv2.circle(image, centre, round(0.32 * rx), (40, 40, 45), max(round(0.06 * rx), 1))


def _shading(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """(h, w, 1) float32 around 1: light from one side, and a little unevenness."""
    coarse = rng.normal(0, 0.06, (6, 5)) + np.linspace(-1, 1, 5) * rng.normal(0, 0.12)
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
        rng: the only source of chance.
        height: pixels, ≥ 8.
        width: pixels, ≥ 8.
        cut_out: the person alone, as resident identity cards print it; else with a photograph's background.

    Returns:
        (height, width, 3) uint8 RGB, and (height, width) uint8 alpha.
    """
    tall, wide = height * _OVERSAMPLE, width * _OVERSAMPLE
    key = (0, 255, 0)
    image = np.full((tall, wide, 3), key, np.uint8)
    skin = _colour(rng, SKINS, 7)
    centre = wide * rng.uniform(0.47, 0.53)
    _body(rng, image, centre, skin)
    _head(rng, image, centre, skin)
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
