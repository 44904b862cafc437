"""The line of a card's edge in a narrow band of the picture around its predicted place: Canny and Hough.

In a band the card lies below the edge that is sought: y = offset + slope * x.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import CORNER_RADIUS_MM
from tandem.services.id_card.geometry.percentiles import median, percentiles_of_counts

FloatArray = NDArray[np.float32]

#: Score of sides that differ all along an edge, beside 1 for full support.
_DIFFERENCE_BONUS = 0.3
#: What lies this far (mm) on both sides of an edge is compared: beyond a row of text, less than 3.5 mm
#: high, is paper again.
_COMPARED_MM = (0.5, 4.2)
#: ... at about so many places along the edge.
_COMPARED_PLACES = 60
#: Sides whose colours differ by less (of 255, over three channels) do not differ.
_LEAST_DIFFERENCE = 6.0
#: Score of what is surely no edge.
_NO_EDGE = -1.0


@dataclass(frozen=True, kw_only=True)
class HoughConfig:
    """How edges are searched and when they are believed.

    Attributes:
        px_per_mm: resolution of the search; 6 is half of 300 dpi, edges are then located to about 0.05 mm.
        margin_mm: how far outside and inside the predicted edge is searched. The detector is a few % of the
            card's width off (3 % = 2.6 mm); the number row starts 5.4 mm inside the bottom edge.
        max_tilt_deg: how much an edge may differ in direction from the predicted one.
        min_support: share of an edge (between its rounded corners) that must lie on Canny's edges.
        min_difference: share of an edge along which card and background must differ in one way ...
        min_support_alike: ... or else the share that must lie on Canny's edges: more than rows of text have.
        distance_sigma_mm: an edge this far from the predicted one loses `distance_weight` of its score.
        distance_weight: score (0-1 scale) lost at `distance_sigma_mm`.
        min_visible: share of an edge that must lie inside the picture to be searched.
        border_mm: a card is taken to end at the picture's border if its edge is expected this near to it
            and no line is seen (scans and pictures cropped to the card).
        max_shape_change: how much the ratio of the refined quad's sides may differ from the predicted one's.
    """

    px_per_mm: float = 6.0
    margin_mm: float = 6.0
    max_tilt_deg: float = 8.0
    min_support: float = 0.5
    min_difference: float = 0.0
    min_support_alike: float = 0.8
    distance_sigma_mm: float = 3.0
    distance_weight: float = 0.15
    min_visible: float = 0.35
    border_mm: float = 2.5
    max_shape_change: float = 0.12


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line in a band, px, and how good it is."""

    offset: float
    slope: float
    score: float


def find_edge(band: NDArray[np.uint8], seen: NDArray[np.bool_], config: HoughConfig) -> Line | None:
    """The most convincing line along a band, None if none is.

    Args:
        band: (2 * margin, length, 3) uint8, the predicted edge in its middle, the card below.
        seen: (2 * margin, length) bool, what of it lies inside the picture.
        config: search parameters.
    """
    corner = round(CORNER_RADIUS_MM * config.px_per_mm)
    gradient = _gradient(band)
    edges = _canny(gradient) * seen
    edges[:, :corner] = edges[:, -corner:] = 0
    length = band.shape[1] - 2 * corner
    tilt = np.deg2rad(config.max_tilt_deg)
    votes = round(length * config.min_visible * config.min_support)
    lines = cv2.HoughLines(
        edges, 1, np.deg2rad(0.5), votes, min_theta=np.pi / 2 - tilt, max_theta=np.pi / 2 + tilt
    )
    if lines is None:
        return None
    near = cv2.dilate(edges, np.ones((3, 1), np.uint8)) > 0
    candidates = [
        _scored(line, near, seen, band, corner, config) for line in _distinct(lines[:, 0, :2], band.shape[1])
    ]
    best = max(candidates, key=lambda line: line.score)
    if best.score < config.min_support - config.distance_weight:
        return None
    return _polished(best, gradient, seen, corner)


def _gradient(band: NDArray[np.uint8]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Sobel's x and y, each pixel's from the channel in which it is steepest."""
    smooth = cv2.GaussianBlur(band, (5, 5), 1.2)
    dx, dy = cv2.Sobel(smooth, cv2.CV_16S, 1, 0), cv2.Sobel(smooth, cv2.CV_16S, 0, 1)
    (across, *other_across), (along, *other_along) = cv2.split(dx), cv2.split(dy)
    strength = cv2.absdiff(along, 0)
    for x, y in zip(other_across, other_along, strict=True):
        own = cv2.absdiff(y, 0)
        steeper = cv2.compare(own, strength, cv2.CMP_GT)
        for target, source in ((across, x), (along, y), (strength, own)):
            cv2.copyTo(source, steeper, target)
    return np.asarray(across, np.int16), np.asarray(along, np.int16)


def _canny(gradient: tuple[NDArray[np.int16], NDArray[np.int16]]) -> NDArray[np.uint8]:
    """Canny's edges (255) with thresholds from the band's own steepness."""
    (steep,) = percentiles_of_counts(np.abs(gradient[1][::2, ::2]), (90,))
    high = float(np.clip(steep, 12, 120))
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
    seen: NDArray[np.bool_],
    band: NDArray[np.uint8],
    corner: int,
    config: HoughConfig,
) -> Line:
    """The line with its score: support, a bonus for a change of colour, a malus for its distance."""
    offset, slope = line
    xs = np.arange(corner, band.shape[1] - corner)
    rows = np.clip(np.rint(offset + slope * xs).astype(int), 0, band.shape[0] - 1)
    visible = seen[rows, xs]
    if np.count_nonzero(visible) < config.min_visible * len(xs):
        return Line(offset=offset, slope=slope, score=_NO_EDGE)
    rows, xs = rows[visible], xs[visible]
    support = np.count_nonzero(near[rows, xs]) / len(xs)
    if support < config.min_support:
        return Line(offset=offset, slope=slope, score=_NO_EDGE)
    centre = offset + slope * band.shape[1] / 2
    distance_mm = abs(centre - band.shape[0] / 2) / config.px_per_mm
    difference = _difference_share(band, rows, xs, config.px_per_mm)
    score = support + _DIFFERENCE_BONUS * difference
    score -= config.distance_weight * (distance_mm / config.distance_sigma_mm) ** 2
    differs = difference >= config.min_difference
    is_edge = support >= (config.min_support if differs else config.min_support_alike)
    return Line(offset=offset, slope=slope, score=score if is_edge else _NO_EDGE)


def _difference_share(
    band: NDArray[np.uint8], rows: NDArray[np.int_], xs: NDArray[np.int_], px_per_mm: float
) -> float:
    """Share (0-1) of the line along which its two sides differ in one and the same way.

    What is compared is the brightest of each side, channel by channel: on the card that is paper also where
    text stands, so the lines along a row of text have the same on both sides.
    """
    step = max(len(xs) // _COMPARED_PLACES, 1)
    rows, xs = rows[::step, np.newaxis], xs[::step, np.newaxis]
    first, last = (round(mm * px_per_mm) for mm in _COMPARED_MM)
    reach = np.arange(max(first, 1), last + 1, 2)
    inside = band[np.minimum(rows + reach, band.shape[0] - 1), xs].max(axis=1)
    outside = band[np.maximum(rows - reach, 0), xs].max(axis=1)
    difference = inside.astype(np.float32) - outside  # (n, 3)
    usual = median(difference)
    size = float(np.linalg.norm(usual))
    if size < _LEAST_DIFFERENCE:
        return 0.0
    return float((difference @ (usual / size) > 0.3 * size).mean())


def _polished(
    line: Line, gradient: tuple[NDArray[np.int16], NDArray[np.int16]], seen: NDArray[np.bool_], corner: int
) -> Line:
    """The line fitted anew to the steepest points within 3 px of it, to a fraction of a pixel."""
    strength = np.abs(gradient[1]).astype(np.float32) * seen
    xs = np.arange(corner, strength.shape[1] - corner)
    rows = np.rint(line.offset + line.slope * xs).astype(int)[:, None] + np.arange(-4, 5)  # (n, 9)
    profile = strength[np.clip(rows, 0, strength.shape[0] - 1), xs[:, None]]
    profile *= np.exp(-0.5 * (np.arange(-4, 5) / 2.5) ** 2)
    peak = np.clip(profile.argmax(axis=1), 1, 7)
    index = np.arange(len(xs))
    before, at, after = profile[index, peak - 1], profile[index, peak], profile[index, peak + 1]
    bend = before - 2 * at + after
    shift = np.where(bend < 0, np.clip(0.5 * (before - after) / np.minimum(bend, -1e-6), -1, 1), 0)
    strong = (at >= 0.5 * median(at[at > 0])) if (at > 0).any() else at > 0
    points = np.stack([xs + 0.5, rows[index, peak] + 0.5 + shift], axis=1)[strong].astype(np.float32)
    if len(points) < 10:
        return line
    vx, vy, x0, y0 = cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    slope = float(vy / vx)
    return Line(offset=float(y0) - slope * float(x0), slope=slope, score=line.score)
