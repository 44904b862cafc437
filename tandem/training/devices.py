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
        rng: the only source of chance.
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


def wall_picture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """(height, width) float32, 0–1: how dark a faint engraving of a wall over mountains is at each pixel."""
    dark = np.zeros((height, width), np.float32)
    down = np.arange(height, dtype=np.float32)[:, None] / height
    for level, depth in ((0.35, 0.35), (0.55, 0.55), (0.75, 0.75)):
        ridge = _ridge(rng, width, level, 0.07)[None, :]
        body = (down > ridge).astype(np.float32) * np.exp(-(down - ridge).clip(0) * 5)
        dark = np.maximum(dark, body * depth)
    x = rng.uniform(0.5, 0.75) * width
    y = rng.uniform(0.1, 0.3) * height
    tower, roof = width * rng.uniform(0.05, 0.07), height * rng.uniform(0.25, 0.4)
    cv2.rectangle(dark, (round(x), round(y)), (round(x + tower), round(y + roof)), 0.6, -1)
    for side in (-1, 1):
        path = np.array(
            [[x + tower / 2, y + roof]]
            + [
                [
                    x + tower / 2 + side * width * 0.1 * k * rng.uniform(0.7, 1.2),
                    y + roof + height * 0.12 * k * rng.uniform(0.3, 1),
                ]
                for k in range(1, 5)
            ]
        )
        cv2.polylines(dark, [path.astype(np.int32)], False, 0.7, max(round(height * 0.06), 1), cv2.LINE_AA)
    dark += rng.normal(0, 0.12, dark.shape).astype(np.float32) * (dark > 0.05)
    fade = np.sin(np.linspace(0, np.pi, width, dtype=np.float32))[None, :] * np.minimum((1 - down) * 3, 1)
    engraved: NDArray[np.float32] = np.clip(cv2.GaussianBlur(dark, (0, 0), 0.6) * fade, 0, 1)
    return engraved
