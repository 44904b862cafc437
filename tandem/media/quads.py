"""Quads in pictures: their shape, and straightening what lies inside them.

Coordinates are continuous (a pixel's centre is at +0.5), x to the right and y down. A quad is (4, 2) float32,
corners clockwise from what is, or becomes, the top left.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import dist

import cv2
import numpy as np
from numpy.typing import NDArray

#: Shrinking more than this without averaging first would alias.
_MAX_PLAIN_SHRINK = 2.0


def outline(width: float, height: float, margin: float = 0.0) -> NDArray[np.float32]:
    """(4, 2) float32: a rectangle's corners clockwise from its top left, which lies at (margin, margin)."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return corners + np.float32(margin)


def quad_width(quad: NDArray[np.float32]) -> float:
    """Mean length of a (4, 2) quad's top and bottom."""
    first, second, third, fourth = quad.tolist()
    return (dist(first, second) + dist(third, fourth)) / 2


def quad_height(quad: NDArray[np.float32]) -> float:
    """Mean length of a (4, 2) quad's left and right."""
    first, second, third, fourth = quad.tolist()
    return (dist(first, fourth) + dist(second, third)) / 2


def is_plausible(quad: NDArray[np.float32], min_side: float = 8.0) -> bool:
    """Whether a (4, 2) quad is finite, convex, clockwise and nowhere shorter than `min_side` px."""
    if not np.isfinite(quad).all():
        return False
    sides = np.roll(quad, -1, axis=0) - quad
    following = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    return bool((turns > 0).all() and (np.linalg.norm(sides, axis=1) >= min_side).all())


def homography(source: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """(3, 3) float64 that takes four points (4, 2) to four others, continuous coordinates."""
    return np.asarray(
        cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32)), np.float64
    )


def transform(points: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Points (n, 2) float32 taken through a (3, 3) homography."""
    return np.asarray(cv2.perspectiveTransform(points.astype(np.float32)[np.newaxis], matrix)[0], np.float32)


@dataclass(frozen=True, kw_only=True)
class View:
    """A quad of a picture as it looks straightened.

    Attributes:
        pixels: (h, w, 3) uint8, the picture, shrunk if that is needed.
        matrix: (3, 3), from px of the view to px of `pixels`, both with whole numbers at the pixels' centres.
        method: OpenCV's interpolation.
    """

    pixels: NDArray[np.uint8]
    matrix: NDArray[np.float64]
    method: int

    def part(self, corner: tuple[int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
        """(height, width, 3) uint8: what lies behind `corner` (x, y), `size` (width, height) px of it."""
        moved = self.matrix @ np.array([[1, 0, corner[0]], [0, 1, corner[1]], [0, 0, 1]], np.float64)
        flags = self.method | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpPerspective(self.pixels, moved, size, flags=flags, borderMode=cv2.BORDER_REPLICATE),
            np.uint8,
        )


def warp(
    pixels: NDArray[np.uint8],
    quad: NDArray[np.float32],
    size: tuple[int, int],
    margin: tuple[float, float] = (0, 0),
) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: what lies inside `quad`, straightened.

    Outside the picture its border is repeated. Shrinks cleanly however large the quad is.

    Args:
        pixels: (h, w, 3) uint8, the picture.
        quad: (4, 2) float32, px of the picture, clockwise from what becomes the top left.
        size: (height, width) of the result, px, margin included.
        margin: (x, y) px of the result left free on each side around the quad.
    """
    height, width = size
    return view_of(pixels, quad, size, margin).part((0, 0), (width, height))


def view_of(
    pixels: NDArray[np.uint8],
    quad: NDArray[np.float32],
    size: tuple[int, int],
    margin: tuple[float, float] = (0, 0),
) -> View:
    """What `warp` straightens, for who needs but parts of it; its arguments."""
    height, width = size
    inner = outline(width - 2 * margin[0], height - 2 * margin[1]) + np.array(margin, np.float32)
    shrink = min(quad_width(quad) / (width - 2 * margin[0]), quad_height(quad) / (height - 2 * margin[1]))
    if shrink >= _MAX_PLAIN_SHRINK:
        wanted = transform(outline(width, height), homography(inner, quad))
        pixels, quad = _shrunk(pixels, quad, wanted, shrink)
    # OpenCV's pixel centres are whole numbers, ours end in .5
    matrix = homography(inner - 0.5, quad - 0.5)
    return View(pixels=pixels, matrix=matrix, method=cv2.INTER_CUBIC if shrink < 1 else cv2.INTER_LINEAR)


def _shrunk(
    pixels: NDArray[np.uint8], quad: NDArray[np.float32], wanted: NDArray[np.float32], shrink: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The part of the picture around `wanted` averaged down, and the quad in it.

    By a whole number, for which OpenCV's averaging is several times faster, and by halves as long as it is
    even, ten times faster; the same average. (Halves first and then what is left blurred a little more: quads
    on curved and compressed pictures moved by 1 % of the width.)
    """
    factor = int(shrink)
    height, width = pixels.shape[:2]
    x0, y0 = np.floor(np.clip(wanted.min(axis=0) - 2 * shrink, 0, [width - 1, height - 1])).astype(int)
    x1, y1 = np.ceil(np.clip(wanted.max(axis=0) + 2 * shrink, [x0 + 1, y0 + 1], [width, height])).astype(int)
    small_size = (max(1, (x1 - x0) // factor), max(1, (y1 - y0) // factor))
    small = pixels[y0 : y0 + small_size[1] * factor, x0 : x0 + small_size[0] * factor]
    rest = factor
    while rest % 2 == 0 and min(small.shape[:2]) >= rest:
        half = (small.shape[1] // 2, small.shape[0] // 2)
        small, rest = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8), rest // 2
    if rest > 1:
        small = np.asarray(cv2.resize(small, small_size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, ((quad - np.array([x0, y0], np.float32)) / factor).astype(np.float32)


def share_outside(quad: NDArray[np.float32], size: tuple[int, int]) -> float:
    """Share (0-1) of a (4, 2) quad's area that lies outside a picture of `(height, width)` px."""
    height, width = size
    area = abs(float(cv2.contourArea(quad)))
    if area <= 0:
        return 1.0
    inside, _ = cv2.intersectConvexConvex(quad.astype(np.float32), outline(width, height))
    return float(np.clip(1 - inside / area, 0, 1))
