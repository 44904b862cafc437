"""Backgrounds for synthetic photographs, drawn by code: nothing is downloaded and every seed is reproducible.

The two pools never share a kind of texture, so that an evaluation cannot profit from a background seen in
training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Pool = Literal["train", "test"]


def _colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """A BGR colour, (3,) float32 0-255; half of them greyish, as desks and paper are."""
    base = rng.uniform(20, 245)
    spread = rng.choice([12.0, 90.0])
    return np.clip(base + rng.normal(0, spread, 3), 0, 255).astype(np.float32)


def fractal_noise(rng: np.random.Generator, height: int, width: int, octaves: int = 5) -> NDArray[np.float32]:
    """Smooth noise, (height, width) float32 in 0-1: sum of upscaled random grids, each finer and weaker."""
    total = np.zeros((height, width), np.float32)
    cells = int(rng.integers(2, 6))
    for octave in range(octaves):
        grid = rng.random((cells, cells), dtype=np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
        cells *= 2
    total -= total.min()
    return np.asarray(total / max(float(total.max()), 1e-6), np.float32)


def _between(mix: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]) -> Image:
    """Blend two colours by a (H, W) map in 0-1."""
    return np.clip(low + mix[:, :, None] * (high - low), 0, 255).astype(np.uint8)


def plain(rng: np.random.Generator, height: int, width: int) -> Image:
    """One colour with a soft gradient: a table, a wall, a sheet."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * x / width + np.sin(angle) * y / height
    colour = _colour(rng)
    return _between(
        (ramp - ramp.min()) / max(float(np.ptp(ramp)), 1e-6), colour, colour * rng.uniform(0.6, 1.1)
    )


def paper(rng: np.random.Generator, height: int, width: int) -> Image:
    """White or light grey, nearly even: a scanner's lid, a sheet of copy paper, a cut-out on white."""
    shade = float(rng.choice([255.0, rng.uniform(150, 255)]))
    image = np.full((height, width, 3), shade, np.float32)
    image *= 1 - rng.uniform(0, 0.12) * fractal_noise(rng, height, width, 2)[:, :, None]
    return image.astype(np.uint8)


def clouds(rng: np.random.Generator, height: int, width: int) -> Image:
    """Cloudy texture between two colours: stone, carpet, cloth."""
    return _between(fractal_noise(rng, height, width), _colour(rng), _colour(rng))


def wood(rng: np.random.Generator, height: int, width: int) -> Image:
    """Grain lines bent by noise: a wooden desk."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    noise = fractal_noise(rng, height, width, 4)
    along = (x if rng.random() < 0.5 else y) / max(height, width)
    rings = 0.5 + 0.5 * np.sin((along * rng.uniform(10, 60) + noise * rng.uniform(4, 20)) * 2 * np.pi)
    brown = np.array([rng.uniform(20, 110), rng.uniform(60, 160), rng.uniform(100, 220)], np.float32)
    return _between(0.4 * rings.astype(np.float32) + 0.6 * noise, brown * 0.6, brown)


def stripes(rng: np.random.Generator, height: int, width: int) -> Image:
    """Parallel bars: planks, blinds, cloth."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    wave = np.sin((np.cos(angle) * x + np.sin(angle) * y) / max(height, width) * rng.uniform(10, 120))
    hard = 1.0 / (1.0 + np.exp(-wave * rng.uniform(2, 20)))
    return _between(hard.astype(np.float32), _colour(rng), _colour(rng))


def tiles(rng: np.random.Generator, height: int, width: int) -> Image:
    """A grid of rectangles with joints: tiles, bricks, a keyboard."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = _colour(rng)
    step_x, step_y = (int(max(height, width) / rng.uniform(3, 16)) + 4 for _ in range(2))
    joint = int(rng.integers(1, 6))
    base = _colour(rng)
    for row, top in enumerate(range(-step_y, height, step_y)):
        shift = (step_x // 2) * (row % 2) if rng.random() < 0.7 else 0
        for left in range(-step_x, width, step_x):
            colour = np.clip(base + rng.normal(0, 8), 0, 255).tolist()
            corner = (left + shift, top)
            cv2.rectangle(image, corner, (corner[0] + step_x - joint, top + step_y - joint), colour, -1)
    return image


def clutter(rng: np.random.Generator, height: int, width: int) -> Image:
    """Overlapping shapes: a desk with things on it."""
    image = clouds(rng, height, width)
    size = max(height, width)
    for _ in range(int(rng.integers(4, 30))):
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        colour = _colour(rng).tolist()
        kind = rng.integers(0, 4)
        if kind == 0:
            axes = (int(size * rng.uniform(0.01, 0.3)), int(size * rng.uniform(0.01, 0.3)))
            cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            box = (
                centre,
                (size * rng.uniform(0.02, 0.6), size * rng.uniform(0.02, 0.4)),
                rng.uniform(0, 180),
            )
            cv2.fillPoly(image, [cv2.boxPoints(box).astype(np.int32)], colour, cv2.LINE_AA)
        elif kind == 2:
            end = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
            cv2.line(image, centre, end, colour, int(rng.integers(1, 12)), cv2.LINE_AA)
        else:
            spread = rng.normal(0, size * 0.15, (int(rng.integers(3, 8)), 2)) + np.array(centre)
            cv2.fillPoly(image, [cv2.convexHull(spread.astype(np.int32))], colour, cv2.LINE_AA)
    return image


def printed_page(rng: np.random.Generator, height: int, width: int) -> Image:
    """Lines of marks on paper: the card lies on a document."""
    image = plain(rng, height, width)
    ink = (_colour(rng) * 0.3).tolist()
    line = max(6, int(height / rng.uniform(12, 50)))
    for top in range(line, height - line, int(line * rng.uniform(1.3, 2.2))):
        x = int(rng.uniform(0, width * 0.2))
        end = int(rng.uniform(0.4, 1.0) * width)
        while x < end:
            w = max(2, int(line * rng.uniform(0.2, 1.0)))
            cv2.rectangle(
                image,
                (x, top),
                (x + w, top + int(line * rng.uniform(0.4, 0.9))),
                ink,
                int(rng.choice([-1, 1])),
            )
            x += w + max(1, line // 5)
    return image


def checks(rng: np.random.Generator, height: int, width: int) -> Image:
    """Two crossing sets of soft bars: a tablecloth, a shirt."""
    first, second = stripes(rng, height, width), stripes(rng, height, width)
    return np.asarray(cv2.addWeighted(first, 0.5, second, 0.5, 0), np.uint8)


def marble(rng: np.random.Generator, height: int, width: int) -> Image:
    """Thin veins in noise: stone worktops."""
    noise = fractal_noise(rng, height, width, 6)
    veins = np.abs(np.sin(noise * rng.uniform(8, 30)))
    return _between(veins**0.3, _colour(rng), _colour(rng))


def speckle(rng: np.random.Generator, height: int, width: int) -> Image:
    """Grains of several sizes: terrazzo, sand, granite."""
    image = plain(rng, height, width).astype(np.float32)
    for scale in (1, 2, 4, 8):
        grid = rng.normal(0, rng.uniform(2, 22), (height // scale + 1, width // scale + 1)).astype(np.float32)
        image += cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)[:, :, None]
    return np.clip(image, 0, 255).astype(np.uint8)


def polygons(rng: np.random.Generator, height: int, width: int) -> Image:
    """A mosaic of half-planes: folded paper, boxes, room corners."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    image = np.empty((height, width, 3), np.float32)
    image[:] = _colour(rng)
    for _ in range(int(rng.integers(3, 9))):
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9)
        side = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5) > offset - 0.5
        image[side] = 0.4 * image[side] + 0.6 * _colour(rng)
    return np.clip(image, 0, 255).astype(np.uint8)


_TRAIN: tuple[Callable[[np.random.Generator, int, int], Image], ...] = (
    plain, paper, clouds, wood, stripes, tiles, clutter, printed_page, polygons,
)  # fmt: skip
_TEST: tuple[Callable[[np.random.Generator, int, int], Image], ...] = (plain, marble, checks, speckle)


def draw_backdrop(rng: np.random.Generator, height: int, width: int, pool: Pool = "train") -> Image:
    """A background of the pool, (height, width, 3) uint8 BGR.

    Only `plain` is in both pools: a plain table is the commonest background there is.
    """
    kinds = _TRAIN if pool == "train" else _TEST
    return kinds[int(rng.integers(len(kinds)))](rng, height, width)
