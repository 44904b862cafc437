"""A card's edges found by Canny and Hough near where the detector saw them, and the quad that they make.

The search runs on the card warped by the predicted quad with a margin around it, so that "near" and "long
enough" are in millimetres whatever the picture's size. The corners are rounded: they are where lines meet,
not looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.pipeline.card import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    CORNER_RADIUS_MM,
    homography,
    is_plausible,
    outline,
    quad_height,
    quad_width,
    transform,
    warp,
)

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class HoughConfig:
    """How edges are searched and when they are believed.

    Attributes:
        px_per_mm: resolution of the search; 6 is half of 300 dpi, edges are then located to about 0.05 mm.
        margin_mm: how far outside and inside the predicted edge is searched. The detector is a few % of the
            card's width off (3 % = 2.6 mm); the number row starts 5.4 mm inside the bottom edge.
        max_tilt_deg: how much an edge may differ in direction from the predicted one.
        min_support: share of an edge (between its rounded corners) that must lie on Canny's edges.
        distance_sigma_mm: an edge this far from the predicted one loses `distance_weight` of its score.
        distance_weight: score (0-1 scale) lost at `distance_sigma_mm`.
        max_shape_change: how much the ratio of the refined quad's sides may differ from the predicted one's.
    """

    px_per_mm: float = 6.0
    margin_mm: float = 6.0
    max_tilt_deg: float = 6.0
    min_support: float = 0.5
    distance_sigma_mm: float = 3.0
    distance_weight: float = 0.15
    max_shape_change: float = 0.12


@dataclass(frozen=True, kw_only=True)
class Refined:
    """A quad and how it was found.

    Attributes:
        quad: (4, 2) float32, px of the picture, clockwise from the card's own top left.
        edges_found: which of top, right, bottom, left rest on a line in the picture.
    """

    quad: FloatArray
    edges_found: tuple[bool, bool, bool, bool]


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A line in a band in which the card's inside is below: y = offset + slope * x, and how good it is."""

    offset: float
    slope: float
    score: float


def refine_quad(pixels: NDArray[np.uint8], quad: FloatArray, config: HoughConfig | None = None) -> Refined:
    """The predicted quad moved onto the card's edges where the picture shows them.

    An edge without a convincing line keeps its predicted place, turned by what the found ones were turned.
    The predicted quad comes back unchanged if what was found is no plausible card.

    Args:
        pixels: (h, w, 3) uint8, the picture.
        quad: (4, 2) float32, px, predicted corners clockwise from the card's own top left.
        config: search parameters.
    """
    config = config or HoughConfig()
    margin = round(config.margin_mm * config.px_per_mm)
    width, height = round(CARD_WIDTH_MM * config.px_per_mm), round(CARD_HEIGHT_MM * config.px_per_mm)
    canvas = warp(pixels, quad, (height + 2 * margin, width + 2 * margin), (margin, margin))
    found = [_find_edge(_band(canvas, side, margin), margin, config) for side in range(4)]
    edges_found = tuple(line is not None for line in found)
    if not any(edges_found):
        return Refined(quad=quad, edges_found=(False,) * 4)
    lines = _complete(found, margin)
    seen = _intersections(lines, width, height, margin)
    if not _is_credible(seen, width, height, config):
        return Refined(quad=quad, edges_found=(False,) * 4)
    back = homography(outline(width, height, margin), quad)
    return Refined(quad=transform(seen, back), edges_found=edges_found)  # type: ignore[arg-type]


def _band(canvas: NDArray[np.uint8], side: int, margin: int) -> NDArray[np.uint8]:
    """(2 * margin, length, 3): the canvas around one edge, turned so that the card is below it.

    `side` counts top, right, bottom, left. The band leaves out the margin beyond the edge's two ends.
    """
    turned = np.rot90(canvas, side)
    return np.ascontiguousarray(turned[: 2 * margin, margin:-margin])


def _find_edge(band: NDArray[np.uint8], margin: int, config: HoughConfig) -> _Line | None:
    """The most convincing line along a band, None if none is."""
    corner = round(CORNER_RADIUS_MM * config.px_per_mm)
    gradient = _gradient(band)
    edges = _canny(gradient)
    edges[:, :corner] = edges[:, -corner:] = 0
    length = band.shape[1] - 2 * corner
    tilt = np.deg2rad(config.max_tilt_deg)
    lines = cv2.HoughLines(
        edges, 1, np.deg2rad(0.5), round(length * 0.2), min_theta=np.pi / 2 - tilt, max_theta=np.pi / 2 + tilt
    )
    if lines is None:
        return None
    near = cv2.dilate(edges, np.ones((3, 1), np.uint8)) > 0
    candidates = [
        _scored(line, near, band, margin, corner, config)
        for line in _distinct(lines[:, 0, :2], band.shape[1])
    ]
    best = max(candidates, key=lambda line: line.score)
    if best.score < config.min_support - config.distance_weight:
        return None
    return _polished(best, gradient, corner)


def _gradient(band: NDArray[np.uint8]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Sobel's x and y, each pixel's from the channel in which it is steepest."""
    smooth = cv2.GaussianBlur(band, (5, 5), 1.2)
    dx, dy = cv2.Sobel(smooth, cv2.CV_16S, 1, 0), cv2.Sobel(smooth, cv2.CV_16S, 0, 1)
    steepest = np.abs(dy).argmax(axis=2)[..., np.newaxis]
    return (
        np.ascontiguousarray(np.take_along_axis(dx, steepest, 2)[..., 0]),
        np.ascontiguousarray(np.take_along_axis(dy, steepest, 2)[..., 0]),
    )


def _canny(gradient: tuple[NDArray[np.int16], NDArray[np.int16]]) -> NDArray[np.uint8]:
    """Canny's edges (255) with thresholds from the band's own steepness."""
    strength = np.abs(gradient[1])
    high = float(np.clip(np.percentile(strength, 90), 12, 120))
    return np.asarray(cv2.Canny(gradient[0], gradient[1], high * 0.5, high, L2gradient=True), np.uint8)


def _distinct(lines: FloatArray, length: int, limit: int = 8) -> list[tuple[float, float]]:
    """Offset and slope of the best Hough lines (best first) that are not the same line over again."""
    kept: list[tuple[float, float]] = []
    for rho, theta in lines:
        slope = -np.cos(theta) / np.sin(theta)
        offset = rho / np.sin(theta)
        ends = (offset, offset + slope * length)
        if all(max(abs(ends[0] - o), abs(ends[1] - o - s * length)) > 3 for o, s in kept):
            kept.append((float(offset), float(slope)))
        if len(kept) == limit:
            break
    return kept


def _scored(
    line: tuple[float, float],
    near: NDArray[np.bool_],
    band: NDArray[np.uint8],
    margin: int,
    corner: int,
    config: HoughConfig,
) -> _Line:
    """The line with its score: support, a bonus for a change of colour, a malus for its distance."""
    offset, slope = line
    xs = np.arange(corner, band.shape[1] - corner)
    rows = np.clip(np.rint(offset + slope * xs).astype(int), 0, band.shape[0] - 1)
    support = float(near[rows, xs].mean())
    centre = offset + slope * band.shape[1] / 2
    distance_mm = abs(centre - margin) / config.px_per_mm
    score = support + 0.3 * _contrast_consistency(band, rows, xs)
    score -= config.distance_weight * (distance_mm / config.distance_sigma_mm) ** 2
    return _Line(offset=offset, slope=slope, score=score if support >= config.min_support else -1.0)


def _contrast_consistency(band: NDArray[np.uint8], rows: NDArray[np.int_], xs: NDArray[np.int_]) -> float:
    """Share (0-1) of the line along which its two sides differ in one and the same way."""
    reach = np.arange(2, 7)
    inside = (
        band[np.minimum(rows[:, None] + reach, band.shape[0] - 1), xs[:, None]].astype(np.float32).mean(1)
    )
    outside = band[np.maximum(rows[:, None] - reach, 0), xs[:, None]].astype(np.float32).mean(1)
    difference = inside - outside  # (n, 3)
    mean = np.median(difference, axis=0)
    size = float(np.linalg.norm(mean))
    if size < 2:
        return 0.0
    return float((difference @ (mean / size) > 0.3 * size).mean())


def _polished(line: _Line, gradient: tuple[NDArray[np.int16], NDArray[np.int16]], corner: int) -> _Line:
    """The line fitted anew to the steepest points within 3 px of it, to a fraction of a pixel."""
    strength = np.abs(gradient[1]).astype(np.float32)
    xs = np.arange(corner, strength.shape[1] - corner)
    rows = np.rint(line.offset + line.slope * xs).astype(int)[:, None] + np.arange(-4, 5)  # (n, 9)
    profile = strength[np.clip(rows, 0, strength.shape[0] - 1), xs[:, None]]
    profile *= np.exp(-0.5 * (np.arange(-4, 5) / 2.5) ** 2)
    peak = np.clip(profile.argmax(axis=1), 1, 7)
    index = np.arange(len(xs))
    before, at, after = profile[index, peak - 1], profile[index, peak], profile[index, peak + 1]
    bend = before - 2 * at + after
    shift = np.where(bend < 0, np.clip(0.5 * (before - after) / np.minimum(bend, -1e-6), -1, 1), 0)
    strong = at >= 0.5 * np.median(at)
    points = np.stack([xs + 0.5, rows[index, peak] + 0.5 + shift], axis=1)[strong].astype(np.float32)
    if len(points) < 10:
        return line
    vx, vy, x0, y0 = cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    slope = float(vy / vx)
    return _Line(offset=float(y0) - slope * float(x0), slope=slope, score=line.score)


def _complete(found: list[_Line | None], margin: int) -> list[_Line]:
    """The found lines; for the others the predicted one, turned by the mean turn of the found.

    A turn seen at one edge tells of all (seen from inside, a rotation has the same sign at every edge).
    """
    turn = float(np.mean([line.slope for line in found if line is not None]))
    return [
        line if line is not None else _Line(offset=float(margin), slope=turn, score=0.0) for line in found
    ]


def _intersections(lines: list[_Line], width: int, height: int, margin: int) -> FloatArray:
    """(4, 2): the corners, px of the canvas, of the lines of the top, right, bottom and left band."""
    full_width, full_height = width + 2 * margin, height + 2 * margin
    homogeneous = []
    for side, line in enumerate(lines):
        length = width if side % 2 == 0 else height
        points = np.array([[margin, line.offset], [margin + length, line.offset + line.slope * length]])
        if line.score == 0.0:  # predicted: turned about its middle
            points[:, 1] -= line.slope * length / 2
        a, b = (_unturned(point, side, full_width, full_height) for point in points)
        homogeneous.append(np.cross([*a, 1], [*b, 1]))
    top, right, bottom, left = homogeneous
    corners = [np.cross(left, top), np.cross(top, right), np.cross(right, bottom), np.cross(bottom, left)]
    return np.array([corner[:2] / corner[2] for corner in corners], np.float32)


def _unturned(point: NDArray[np.float64], side: int, width: int, height: int) -> tuple[float, float]:
    """Where a point of the canvas turned by `side` quarter turns (np.rot90) lies on the canvas itself."""
    x, y = float(point[0]), float(point[1])
    return ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[side]


def _is_credible(seen: FloatArray, width: int, height: int, config: HoughConfig) -> bool:
    """Whether the corners found on the canvas still make a card of about the predicted shape and place."""
    if not is_plausible(seen):
        return False
    change = quad_width(seen) / quad_height(seen) / (width / height)
    return bool(abs(np.log(change)) <= config.max_shape_change)
