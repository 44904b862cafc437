"""Drawn pictures of the emblem side: a round red state device, and a faint wall over mountains."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

RED, GOLD, PALE = (214, 52, 42), (232, 190, 96), (250, 214, 200)
_OVERSAMPLE = 3


def star(
    centre: tuple[float, float], radius: float, turn: float = 0.0, inner: float = 0.382
) -> NDArray[np.int32]:
    """(10, 2) int32: the outline of a five-pointed star, one point up."""
    angles = np.arange(10) * np.pi / 5 - np.pi / 2 + turn
    reach = np.where(np.arange(10) % 2 == 0, radius, radius * inner)
    points = np.stack([centre[0] + reach * np.cos(angles), centre[1] + reach * np.sin(angles)], 1)
    outline: NDArray[np.int32] = np.round(points).astype(np.int32)
    return outline


def _ring(image: NDArray[np.uint8], size: int, line: tuple[float, ...]) -> None:
    """Ears of wheat around the disc: short strokes along two circles."""
    centre = size / 2
    for angle in np.linspace(0.62 * np.pi, 2.38 * np.pi, 44):
        direction = np.array([np.cos(angle), np.sin(angle)])
        for near, far, lean in ((0.40, 0.445, 0.05), (0.44, 0.485, -0.04)):
            side = np.array([-direction[1], direction[0]]) * lean
            start, end = centre + size * near * direction, centre + size * (far * direction + side)
            cv2.line(image, _point(start), _point(end), line, max(size // 90, 1), cv2.LINE_AA)


def _point(at: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))


def _gate(image: NDArray[np.uint8], size: int, line: tuple[float, ...]) -> None:
    """The gate under the stars: two roofs, a wall with arches."""

    def box(x0: float, y0: float, x1: float, y1: float, colour: tuple[float, ...]) -> None:
        cv2.rectangle(
            image, (round(x0 * size), round(y0 * size)), (round(x1 * size), round(y1 * size)), colour, -1
        )

    for half, y in ((0.13, 0.535), (0.16, 0.575)):
        roof = np.array(
            [[0.5 - half, y + 0.03], [0.5 - half * 0.7, y], [0.5 + half * 0.7, y], [0.5 + half, y + 0.03]]
        )
        cv2.fillPoly(image, [(roof * size).astype(np.int32)], line, cv2.LINE_AA)
    box(0.39, 0.61, 0.61, 0.635, line)
    box(0.24, 0.645, 0.76, 0.70, line)
    for x in (0.34, 0.42, 0.5, 0.58, 0.66):
        box(x - 0.012, 0.665, x + 0.012, 0.70, RED)


def draw_state_device(rng: np.random.Generator, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A round red device with stars, a gate, wheat and a cog wheel.

    Args:
        rng: the only source of randomness.
        size: height and width in pixels.

    Returns:
        (size, size, 3) uint8 RGB, and (size, size) uint8 alpha.
    """
    big = size * _OVERSAMPLE
    red = tuple(float(c) for c in np.clip(np.array(RED) + rng.normal(0, 12, 3), 0, 255))
    line = tuple(map(float, PALE if rng.random() < 0.6 else GOLD))
    image = np.full((big, big, 3), red, np.uint8)
    alpha = np.zeros((big, big), np.uint8)
    middle = (big // 2, big // 2)
    cv2.circle(alpha, middle, round(0.49 * big), 235, -1, cv2.LINE_AA)
    ribbon = np.array(
        [[0.1, 0.8], [0.9, 0.8], [0.86, 0.99], [0.62, 0.99], [0.5, 0.95], [0.38, 0.99], [0.14, 0.99]]
    )
    cv2.fillPoly(alpha, [(ribbon * big).astype(np.int32)], 235, cv2.LINE_AA)
    cv2.circle(image, middle, round(0.49 * big), line, max(big // 100, 1), cv2.LINE_AA)
    cv2.circle(image, middle, round(0.39 * big), line, max(big // 60, 1), cv2.LINE_AA)
    _ring(image, big, line)
    cv2.fillPoly(image, [star((0.5 * big, 0.24 * big), 0.095 * big)], line, cv2.LINE_AA)
    for x, y in ((0.3, 0.33), (0.7, 0.33), (0.4, 0.43), (0.6, 0.43)):
        cv2.fillPoly(image, [star((x * big, y * big), 0.05 * big, rng.uniform(0, 1))], line, cv2.LINE_AA)
    _gate(image, big, line)
    wheel = (big // 2, round(0.86 * big))
    cv2.circle(image, wheel, round(0.085 * big), line, max(big // 40, 1), cv2.LINE_AA)
    for x in (0.2, 0.27, 0.34, 0.66, 0.73, 0.8):
        foot = (round((x + (0.04 if x < 0.5 else -0.04)) * big), round(0.96 * big))
        cv2.line(image, (round(x * big), round(0.82 * big)), foot, line, max(big // 80, 1), cv2.LINE_AA)
    shape = (size, size)
    return cv2.resize(image, shape, interpolation=cv2.INTER_AREA), cv2.resize(
        alpha, shape, interpolation=cv2.INTER_AREA
    )


def _ridge(rng: np.random.Generator, width: int, level: float, rough: float) -> NDArray[np.float32]:
    """(width,) float32: the height of a mountain ridge, a sum of waves."""
    x = np.linspace(0, 1, width, dtype=np.float32)
    waves = [
        rough / k * np.sin(x * k * 6.3 * rng.uniform(0.6, 1.4) + rng.uniform(0, 6.3))
        for k in (1, 2, 5, 11, 23)
    ]
    ridge: NDArray[np.float32] = (level + sum(waves)).astype(np.float32)
    return ridge


def _tower(dark: NDArray[np.float32], foot: tuple[float, float], size: float) -> None:
    """A watchtower on the wall: a tapered block with battlements and two windows."""
    x, y = foot
    outline = np.array([[0.5, 0], [0.42, 1.3], [0.5, 1.35], [0.5, 1.55]]) * size
    body = np.concatenate([outline * (1, -1), outline[::-1] * (-1, -1)]) + foot
    cv2.fillPoly(dark, [np.rint(body).astype(np.int32)], 0.55, cv2.LINE_AA)
    for step in (-0.4, -0.13, 0.13, 0.4):
        corner = round(x + (step - 0.08) * size), round(y - 1.7 * size)
        cv2.rectangle(dark, corner, (round(x + (step + 0.08) * size), round(y - 1.55 * size)), 0.5, -1)
    for side in (-0.2, 0.2):
        corner = round(x + (side - 0.09) * size), round(y - 1.0 * size)
        cv2.rectangle(dark, corner, (round(x + (side + 0.09) * size), round(y - 0.6 * size)), 0.95, -1)


def _wall(
    rng: np.random.Generator, dark: NDArray[np.float32], start: tuple[float, float], direction: int
) -> None:
    """A winding wall that leaves a tower and grows thinner with the distance."""
    height, width = dark.shape
    x, y = start
    thick = height * rng.uniform(0.08, 0.14)
    for _ in range(int(rng.integers(5, 9))):
        step = width * rng.uniform(0.03, 0.07) * direction, height * rng.uniform(-0.12, 0.16)
        ends = (round(x), round(y)), (round(x + step[0]), round(y + step[1]))
        cv2.line(dark, *ends, float(rng.uniform(0.45, 0.7)), max(round(thick), 1), cv2.LINE_AA)
        x, y, thick = x + step[0], y + step[1], thick * rng.uniform(0.75, 0.95)


def wall_picture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """(height, width) float32, 0–1: how dark a faint engraving of a wall over mountains is at each pixel."""
    dark = np.zeros((height, width), np.float32)
    down = np.arange(height, dtype=np.float32)[:, None] / height
    grain = rng.normal(0, 1, (height // 2 + 1, width // 2 + 1)).astype(np.float32)
    grain = cv2.resize(cv2.GaussianBlur(grain, (0, 0), 1.0), (width, height), interpolation=cv2.INTER_LINEAR)
    for level, depth in ((0.3, 0.3), (0.45, 0.4), (0.62, 0.5), (0.78, 0.5)):
        below = down - _ridge(rng, width, level, 0.09)[None, :]
        rock = (below > 0) * np.exp(-below.clip(0) * 4) * depth * (1 + 1.2 * grain)
        dark = np.maximum(dark, rock)
    x, y = float(rng.uniform(0.55, 0.75)) * width, float(rng.uniform(0.45, 0.6)) * height
    for direction in (-1, 1):
        _wall(rng, dark, (x, y), direction)
    _tower(dark, (x, y), width * float(rng.uniform(0.05, 0.075)))
    if rng.random() < 0.7:
        _tower(dark, (x - width * float(rng.uniform(0.3, 0.5)), y + height * 0.05), width * 0.03)
    across = np.linspace(0.15, np.pi - 0.05, width, dtype=np.float32)[None, :]
    fade = np.sin(across) * np.minimum((1 - down) * 3, 1)
    engraved: NDArray[np.float32] = np.clip(cv2.GaussianBlur(dark, (0, 0), 0.5) * fade, 0, 1)
    return engraved
