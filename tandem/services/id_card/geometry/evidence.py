"""What speaks for a quad being the card's: its layout's ink, its edges, its perspective.

Ink where the standard prints labels and values and none where it leaves paper, lines of contrast where the
edges are, a shape that a card can have before a camera. No single one decides: a form's rules are finer
edges than the card's, a printed page has ink everywhere, a photocopy has no edge at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM, homography, outline, transform, warp
from tandem.services.id_card.geometry.ink import darker_than
from tandem.services.id_card.geometry.percentiles import percentiles_of_counts
from tandem.services.id_card.geometry.quads import are_convex, perspective_misfit, project, unit_homographies
from tandem.services.id_card.layout import side_layout

FloatArray = NDArray[np.float32]
Array = NDArray[np.float64]

#: Resolution of the map: 2.7 mm characters are 8 px high.
PX_PER_MM = 3
#: What is looked at around the quad, mm: a corner may be so far off.
MARGIN_MM = 22
#: The map's two sharpnesses, blurred by so many mm: one to search by, one to place by.
COARSE, FINE = 0, 1
_INK_BLUR_MM = (1.0, 0.4)
_EDGE_BLUR_MM = (0.8, 0.33)
#: Ink of this density (0-1, averaged) is text; more is no better: a shadow, a stamp.
_TEXT_DENSITY = 0.3
#: What a layout without its labels counts beside a whole one.
_WITHOUT_LABELS = 0.9
#: Distance of the points at which the map is read, mm.
_STEP_MM = (1.2, 0.8)
#: An edge is read at so many points, without its rounded corners. So much of it is enough: a thumb covers
#: the rest.
_EDGE_POINTS = np.linspace(0.07, 0.93, 16)
_EDGE_ENOUGH = 0.7
#: What four whole edges weigh beside a whole layout, and what each unit of misfit costs, up to the most.
_EDGES_WEIGH = 0.5
_MISFIT_COST, _MOST_MISFIT = 0.03, 0.6
#: Of paper and text together, this percentile of darkness is text and this one paper.
_INK_PERCENTILE, _PAPER_PERCENTILE = 96, 70
#: Ink is at least this dark: in shares of the text's darkness, of the paper's, of the paper's brightness.
_LEAST_OF_TEXT, _LEAST_OF_PAPER, _LEAST_DARKNESS = 0.1, 1.5, 0.03
#: Labels are blue and pale on copies: they count for more than their darkness.
_PALER = (np.linspace(0, 1, 256) ** 0.6).astype(np.float32)
_BACKGROUND_PX = 7  # 2.3 mm: wider than any stroke, so that closing removes the text
_DARKEST_PAPER = 24.0
#: An edge is full from this percentile of steepness on, and at least this steep.
_EDGE_PERCENTILE, _LEAST_STEEPNESS = 85, 20.0
_GREEN, _RED = 1, 2
#: Shade is full at this share below the paper, which is the middle's brightness at this percentile.
_FULL_SHADE, _BRIGHT_PERCENTILE, _SHADE_BLUR_MM = 0.5, 75, 1.0


class Blurred:
    """A picture at several sharpnesses, each blurred when it is first asked for: plain cards need one.

    Args:
        picture: (h, w) float32.
        millimetres: how much it is blurred at each sharpness.
    """

    def __init__(self, picture: FloatArray, millimetres: tuple[float, float]) -> None:
        self._picture = picture
        self._millimetres = millimetres
        self._made: dict[int, FloatArray] = {}

    def __getitem__(self, sharpness: int) -> FloatArray:
        if sharpness not in self._made:
            sigma = self._millimetres[sharpness] * PX_PER_MM
            self._made[sharpness] = np.asarray(cv2.GaussianBlur(self._picture, (0, 0), sigma), np.float32)
        return self._made[sharpness]


@dataclass(frozen=True, kw_only=True)
class EvidenceMap:
    """A part of a picture, seen straight from above as far as is known, and what is where on it.

    Attributes:
        ink: (h, w) float32, by sharpness, 0 (paper) to 1 (text).
        shade: (h, w) float32, 0 (as bright as paper) to 1 (half as bright, or darker).
        level: (h, w) float32, by sharpness, 0-1: level edges.
        upright: the same of upright ones.
        to_picture: (3, 3), from px of the map to px of the picture.
        picture_size: (height, width), px.
    """

    ink: Blurred
    shade: FloatArray
    level: Blurred
    upright: Blurred
    to_picture: Array
    picture_size: tuple[int, int]

    def on_map(self, quad: FloatArray) -> Array:
        """(4, 2): a quad of the picture in px of the map."""
        return transform(quad, np.linalg.inv(self.to_picture)).astype(np.float64)

    def on_picture(self, quads: Array) -> Array:
        """(n, 4, 2): quads of the map in px of the picture."""
        flat = cv2.perspectiveTransform(quads.reshape(1, -1, 2), self.to_picture)
        return np.asarray(flat.reshape(quads.shape), np.float64)


def evidence_map(pixels: NDArray[np.uint8], quad: FloatArray) -> EvidenceMap:
    """The map of what lies around a quad.

    Args:
        pixels: (h, w, 3) uint8 BGR, the picture.
        quad: (4, 2) float32, px, where the card is thought to be.
    """
    margin = MARGIN_MM * PX_PER_MM
    width, height = round(CARD_WIDTH_MM * PX_PER_MM), round(CARD_HEIGHT_MM * PX_PER_MM)
    seen = warp(pixels, quad, (height + 2 * margin, width + 2 * margin), (margin, margin))
    smooth = cv2.GaussianBlur(seen, (3, 3), 0)
    level, upright = (_full(_steepest(cv2.Sobel(smooth, cv2.CV_16S, dx, dy))) for dx, dy in ((0, 1), (1, 0)))
    return EvidenceMap(
        ink=Blurred(_ink(seen, margin), _INK_BLUR_MM),
        shade=_shade(seen, margin),
        level=Blurred(level, _EDGE_BLUR_MM),
        upright=Blurred(upright, _EDGE_BLUR_MM),
        to_picture=homography(outline(width, height, margin), quad),
        picture_size=(pixels.shape[0], pixels.shape[1]),
    )


def _ink(seen: NDArray[np.uint8], margin: int) -> FloatArray:
    """(h, w) float32, 0-1: what is darker than the paper around it, by the middle's own standards."""
    red = cv2.GaussianBlur(np.ascontiguousarray(seen[..., _RED]), (3, 3), 0)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_BACKGROUND_PX, _BACKGROUND_PX))
    paper = cv2.blur(cv2.morphologyEx(red, cv2.MORPH_CLOSE, kernel), (_BACKGROUND_PX, _BACKGROUND_PX))
    darkness = darker_than(np.asarray(paper, np.uint8), np.asarray(red, np.uint8), _DARKEST_PAPER)
    sample = darkness[margin:-margin:2, margin:-margin:2]
    paper_level, text_level = np.percentile(sample, (_PAPER_PERCENTILE, _INK_PERCENTILE))
    floor = max(_LEAST_OF_TEXT * text_level, _LEAST_OF_PAPER * paper_level, _LEAST_DARKNESS)
    full = max(text_level, 2 * floor)
    # In 255 steps: a table is ten times faster than powers, and the blur hides the steps.
    steps = np.clip((darkness - np.float32(floor)) * np.float32(255 / (full - floor)) + 0.5, 0, 255)
    return np.asarray(cv2.blur(cv2.LUT(steps.astype(np.uint8), _PALER), (3, 3)), np.float32)


def _shade(seen: NDArray[np.uint8], margin: int) -> FloatArray:
    """(h, w) float32, 0-1: how much darker than the paper; green, in which the red emblem is dark."""
    green = cv2.GaussianBlur(np.ascontiguousarray(seen[..., _GREEN]), (0, 0), _SHADE_BLUR_MM * PX_PER_MM)
    (paper,) = percentiles_of_counts(green[margin:-margin:2, margin:-margin:2], (_BRIGHT_PERCENTILE,))
    share = (paper - green.astype(np.float32)) / max(paper, _DARKEST_PAPER)
    return np.asarray(np.clip(share / _FULL_SHADE, 0, 1), np.float32)


def _steepest(gradient: NDArray[np.int16]) -> NDArray[np.int16]:
    """(h, w): each pixel's steepness in the channel in which it is steepest."""
    first, second, third = (cv2.absdiff(channel, 0) for channel in cv2.split(gradient))
    return np.asarray(cv2.max(cv2.max(first, second), third), np.int16)


def _full(steepness: NDArray[np.int16]) -> FloatArray:
    (usual,) = percentiles_of_counts(steepness[::2, ::2], (_EDGE_PERCENTILE,))
    return np.asarray(np.minimum(steepness * np.float32(1 / (usual + _LEAST_STEEPNESS)), 1), np.float32)


def evidence(seen: EvidenceMap, quads: Array, *, emblem: bool, sharpness: int = FINE) -> Array:
    """(n,): what speaks for each quad; about 1 for a card that lies there, below 0.3 for one that does not.

    Args:
        seen: the map.
        quads: (n, 4, 2) float64, px of the map, clockwise from the card's own top left.
        emblem: which side's layout to look for.
        sharpness: `COARSE` tolerates a layout that is a mm off, `FINE` tells half a mm.
    """
    possible = are_convex(quads)
    scores = np.full(len(quads), -1.0)
    if possible.any():
        kept = quads[possible]
        matrices = unit_homographies(kept)
        misfit = perspective_misfit(seen.on_picture(kept), seen.picture_size)
        scores[possible] = (
            layout_score(seen, matrices, emblem=emblem, sharpness=sharpness)
            + _EDGES_WEIGH * edge_score(seen, matrices, sharpness=sharpness)
            - np.minimum(_MISFIT_COST * misfit, _MOST_MISFIT)
        )
    return scores


def layout_score(seen: EvidenceMap, matrices: Array, *, emblem: bool, sharpness: int) -> Array:
    """(n,): the ink and shade where the layout has some less that where it has none; 1: all, and no other.

    A card whose labels are gone is judged by the rest, if that speaks louder.
    """
    totals, most = np.zeros((len(matrices), 2)), np.zeros(2)  # with and without labels
    for shade, picture, enough in ((False, seen.ink[sharpness], _TEXT_DENSITY), (True, seen.shade, 1.0)):
        points, starts, weights = _layout_points(emblem, shade)
        density = _read(picture, project(matrices, points))
        counts = np.diff([*starts, len(points)])
        zones = np.add.reduceat(density, starts, axis=1) / counts  # (n, zones)
        totals += np.minimum(zones, enough) / enough @ weights
        most += np.maximum(weights, 0).sum(axis=0)
    return np.asarray((totals / most * (1.0, _WITHOUT_LABELS)).max(axis=1))


def edge_score(seen: EvidenceMap, matrices: Array, *, sharpness: int) -> Array:
    """(n,): how much of the four edges lies on lines of contrast, 0-1."""
    along, zero = _EDGE_POINTS, np.zeros_like(_EDGE_POINTS)
    total = np.zeros(len(matrices))
    for picture, line in (
        (seen.level, (along, zero)),
        (seen.upright, (zero + 1, along)),
        (seen.level, (along, zero + 1)),
        (seen.upright, (zero, along)),
    ):
        read = _read(picture[sharpness], project(matrices, np.stack(line, axis=1)))
        total += np.minimum(read.mean(1), _EDGE_ENOUGH)
    return np.asarray(total / 4 / _EDGE_ENOUGH)


def _read(picture: FloatArray, places: Array) -> FloatArray:
    """(n, p): the picture at places (n, 2, p), its border repeated outside."""
    height, width = picture.shape
    columns = np.clip(places[:, 0], 0, width - 1).astype(np.int32)
    rows = np.clip(places[:, 1], 0, height - 1).astype(np.int32)
    return np.asarray(picture.ravel().take(rows * width + columns), np.float32)


@lru_cache(maxsize=4)
def _layout_points(emblem: bool, shade: bool) -> tuple[Array, NDArray[np.intp], Array]:
    """Where ink is read: points (p, 2) in shares of the card, each zone's first one, weights (zones, 2)."""
    zones = [zone for zone in side_layout(emblem).zones if zone.shade == shade]
    grids = [_grid(zone.area) for zone in zones]
    weights = [(zone.weight, 0.0 if zone.label else zone.weight) for zone in zones]
    starts = np.cumsum([0, *(len(grid) for grid in grids[:-1])])
    points = np.concatenate(grids) / np.array([CARD_WIDTH_MM, CARD_HEIGHT_MM])
    return points, starts.astype(np.intp), np.array(weights)


def _grid(area: tuple[float, float, float, float]) -> Array:
    x0, y0, x1, y1 = area
    columns, rows = (
        np.linspace(low, high, max(2, round((high - low) / step)))
        for low, high, step in ((x0, x1, _STEP_MM[0]), (y0, y1, _STEP_MM[1]))
    )
    return np.asarray(np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2), np.float64)
