"""Many quads at once: their homographies, whether they are quads at all, and whether a card can look so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM

Array = NDArray[np.float64]

#: Focal lengths tried, in lengths of the picture's longer side: wide phone lenses 0.75, most 0.8-1.2, zoomed
#: and scanned ones more.
_FOCAL_LENGTHS = (0.8, 1.2, 2.5)
#: A misfit of 1 is: the sides' ratio this far off (logarithm), or the angle (its cosine).
_RATIO_OFF = 0.06
_COSINE_OFF = 0.05
_TINY = 1e-9


def unit_homographies(quads: Array) -> Array:
    """(n, 3, 3): what takes the unit square's corners to each of (n, 4, 2) quads.

    Source: Heckbert, "Fundamentals of texture mapping and image warping", 1989, section 2.2.3.
    """
    first, second, third, fourth = (quads[:, i] for i in range(4))
    bend = first - second + third - fourth
    right, bottom = second - third, fourth - third
    area = _cross(right, bottom)
    area = np.where(np.abs(area) < _TINY, _TINY, area)
    g, h = _cross(bend, bottom) / area, _cross(right, bend) / area
    matrices = np.empty((len(quads), 3, 3))
    matrices[:, :2, 0] = second - first + g[:, None] * second
    matrices[:, :2, 1] = fourth - first + h[:, None] * fourth
    matrices[:, :2, 2] = first
    matrices[:, 2, 0], matrices[:, 2, 1], matrices[:, 2, 2] = g, h, 1.0
    return matrices


def project(matrices: Array, points: Array) -> Array:
    """(n, 2, p): points (p, 2) taken through each of (n, 3, 3) homographies."""
    seen = matrices[:, :2, :2] @ points.T + matrices[:, :2, 2:]
    depth = matrices[:, 2, :2] @ points.T + 1.0
    return np.asarray(seen / np.where(np.abs(depth) < _TINY, _TINY, depth)[:, None])


def are_convex(quads: Array) -> NDArray[np.bool_]:
    """(n,): which of (n, 4, 2) quads are convex and clockwise, with sides of more than nothing."""
    sides = np.roll(quads, -1, axis=1) - quads
    turns = _cross(sides, np.roll(sides, -1, axis=1))
    return np.asarray(np.isfinite(quads).all((1, 2)) & (turns > 1.0).all(1))


def perspective_misfit(quads: Array, size: tuple[int, int]) -> Array:
    """(n,): how little each quad looks like an 85.60 x 54.00 rectangle before a camera; 0: just like one.

    A camera of focal length f sees a rectangle's sides a and b so that, with h1 and h2 the first columns of
    the homography (origin in the picture's middle), h1 / f and h2 / f are perpendicular and as long as a and
    b (Zhang, "A flexible new technique for camera calibration", 2000, equations 3 and 4).

    Args:
        quads: (n, 4, 2) px of the picture.
        size: (height, width) of the picture, px.
    """
    middle, longer = np.array([size[1] / 2, size[0] / 2]), max(size)
    matrices = unit_homographies((quads - middle) / longer)
    sides = matrices[:, :, :2] / np.array([CARD_WIDTH_MM, CARD_HEIGHT_MM])
    misfits = []
    for focal in _FOCAL_LENGTHS:
        along, down = (sides[:, :, i] / np.array([focal, focal, 1.0]) for i in (0, 1))
        lengths = [np.linalg.norm(side, axis=1) + _TINY for side in (along, down)]
        cosine = (along * down).sum(1) / (lengths[0] * lengths[1])
        misfits.append((np.log(lengths[0] / lengths[1]) / _RATIO_OFF) ** 2 + (cosine / _COSINE_OFF) ** 2)
    return np.asarray(np.min(misfits, axis=0))


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
