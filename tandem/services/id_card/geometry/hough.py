"""A card's quad refined by its edges: those found by Canny and Hough near where the detector saw them.

The search runs on the card warped by the predicted quad with a margin around it, so that "near" and "long
enough" are in millimetres whatever the picture's size. The corners are rounded: they are where lines meet,
not looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    View,
    homography,
    is_plausible,
    outline,
    quad_height,
    quad_width,
    transform,
    view_of,
)
from tandem.services.id_card.geometry.edge_lines import HoughConfig, Line, find_edge

FloatArray = NDArray[np.float32]

#: First far and wide, for a detector that is up to 10 % of the card's width off. So far inside lie rows of
#: text: an edge must be seen along more of its length, and what lies outside must look different.
COARSE = HoughConfig(
    px_per_mm=3.0,
    margin_mm=10.0,
    max_tilt_deg=12.0,
    min_support=0.65,
    min_difference=0.5,
    distance_sigma_mm=5.0,
    max_shape_change=0.25,
)
#: Then finely near what was found.
FINE = HoughConfig(
    px_per_mm=6.0, margin_mm=3.5, max_tilt_deg=4.0, distance_sigma_mm=2.0, max_shape_change=0.1
)
#: Both in one, for a good prediction beside misleading lines.
NEAR = HoughConfig()
#: If the first search moved a corner by more than this share of the card's width, it is repeated (other
#: edges may have come into reach), and doubted.
_FAR = 0.045

#: No corner is moved by more than this share of the card's width: then other lines were followed.
_FARTHEST = 0.25
#: A picture may be a cropped card if the logarithm of its sides' ratio is this near to the card's, and the
#: detector's card overlaps it (intersection over union) at least so much.
_CROPPED_SHAPE = 0.05
_CROPPED_OVERLAP = 0.75
#: The picture's outermost pixels: an edge there may be the picture's own.
_RIM = 2
#: How much of the found edges' mean turn an edge that was not found is turned by: the detector's errors are
#: partly one rotation (which has the same sign at every edge, seen from the card's inside), partly each
#: corner's own.
_SHARED_TURN = 0.5


@dataclass(frozen=True, kw_only=True)
class Refined:
    """A quad and how it was found.

    Attributes:
        quad: (4, 2) float32, px of the picture, clockwise from the card's own top left.
        edges_found: which of top, right, bottom, left rest on a line in the picture.
    """

    quad: FloatArray
    edges_found: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class _Canvas:
    """The card as it would be warped by the predicted quad, with a margin around; only its edges are.

    Attributes:
        view: of the canvas, `width` + 2 `margin` px wide and `height` + 2 `margin` px high.
        to_picture: (3, 3), from px of the canvas to px of the picture.
        picture_size: (height, width), px.
        whole: whether all of it lies in the picture.
        width: of the card, px.
        height: of the card, px.
        margin: px.
    """

    view: View
    to_picture: NDArray[np.float64]
    picture_size: tuple[int, int]
    whole: bool
    width: int
    height: int
    margin: int


def refine_quad(pixels: NDArray[np.uint8], quad: FloatArray) -> Refined:
    """The predicted quad moved onto the card's edges where the picture shows them.

    An edge without a convincing line is the picture's border if that is near, else it keeps its predicted
    place, turned by what the found ones were turned. A search whose result is no plausible card changes
    nothing.

    Args:
        pixels: (h, w, 3) uint8, the picture.
        quad: (4, 2) float32, px, predicted corners clockwise from the card's own top left.
    """
    return refinements(pixels, quad)[0]


def near_edges(pixels: NDArray[np.uint8], quad: FloatArray) -> FloatArray:
    """(4, 2): the quad moved onto edges within 3.5 mm, as far as there are any."""
    return _searched(pixels, quad, FINE).quad


def refinements(pixels: NDArray[np.uint8], quad: FloatArray) -> list[Refined]:
    """What `refine_quad` gives; if that moved the quad far, also what is found near the prediction."""
    near = _searched(pixels, quad, COARSE).quad
    if _moved_share(near, quad) > _FAR:
        near = _searched(pixels, near, COARSE).quad
    refined = _searched(pixels, near, FINE)
    moved = _moved_share(refined.quad, quad)
    if moved <= _FAR:
        return [refined]
    alternative = _searched(pixels, quad, NEAR)
    return [refined, alternative] if moved <= _FARTHEST else [alternative]


def _moved_share(after: FloatArray, before: FloatArray) -> float:
    """How far the most moved corner was moved, in shares of the card's width."""
    return float(np.linalg.norm(after - before, axis=1).max()) / quad_width(before)


def _searched(pixels: NDArray[np.uint8], quad: FloatArray, config: HoughConfig) -> Refined:
    """What one search makes of the quad."""
    canvas = _canvas(pixels, quad, config)
    found = [find_edge(*_band(canvas, side), config) for side in range(4)]
    borders = _snapped_to_border(quad, (pixels.shape[0], pixels.shape[1]), config)
    turns = [line.slope for line in found if line is not None]
    turn = _SHARED_TURN * float(np.mean(turns)) if turns else 0.0
    edges = []
    for side, (line, border) in enumerate(zip(found, borders, strict=True)):
        if line is not None:
            edges.append(_on_canvas(line, side, canvas))
        elif border is not None:
            edges.append(transform(border, np.linalg.inv(canvas.to_picture)))
        else:
            edges.append(_predicted(turn, side, canvas))
    corners = _intersections(edges)
    if not _is_credible(corners, canvas, config):
        return Refined(quad=quad, edges_found=(False,) * 4)
    edges_found = tuple(line is not None for line in found)
    return Refined(quad=transform(corners, canvas.to_picture), edges_found=edges_found)


def _canvas(pixels: NDArray[np.uint8], quad: FloatArray, config: HoughConfig) -> _Canvas:
    margin = round(config.margin_mm * config.px_per_mm)
    width, height = round(CARD_WIDTH_MM * config.px_per_mm), round(CARD_HEIGHT_MM * config.px_per_mm)
    size = (height + 2 * margin, width + 2 * margin)
    to_picture = homography(outline(width, height, margin), quad)
    corners = transform(outline(size[1], size[0]), to_picture)
    limits = np.array([pixels.shape[1], pixels.shape[0]])
    return _Canvas(
        view=view_of(pixels, quad, size, (margin, margin)),
        to_picture=to_picture,
        picture_size=(pixels.shape[0], pixels.shape[1]),
        whole=bool((corners >= _RIM).all() and (corners <= limits - _RIM).all()),
        width=width,
        height=height,
        margin=margin,
    )


def _band(canvas: _Canvas, side: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """(2 * margin, length, 3) and (2 * margin, length): the canvas around one edge, the card below it.

    `side` counts top, right, bottom, left. The band leaves out the margin beyond the edge's two ends.
    """
    margin, width, height = canvas.margin, canvas.width, canvas.height
    corner = ((margin, 0), (width, margin), (margin, height), (0, margin))[side]
    size = (width, 2 * margin) if side % 2 == 0 else (2 * margin, height)
    pixels = canvas.view.part(corner, size)
    if canvas.whole:
        seen = np.ones(size[::-1], np.bool_)
    else:
        seen = _inside(canvas.to_picture, corner, size, canvas.picture_size)
    return np.ascontiguousarray(np.rot90(pixels, side)), np.ascontiguousarray(np.rot90(seen, side))


def _inside(
    to_picture: NDArray[np.float64], corner: tuple[int, int], size: tuple[int, int], picture: tuple[int, int]
) -> NDArray[np.bool_]:
    """(height, width) bool: which pixels of a part of a canvas lie in the picture, its rim left out.

    A side of the picture is a line on the canvas, so that each is one sum: a warped mask costs ten times
    as much.

    Args:
        to_picture: (3, 3), from px of the canvas to px of the picture.
        corner: (x, y), where the part begins, px of the canvas.
        size: (width, height) of the part.
        picture: (height, width), px.
    """
    across, down, depth = to_picture
    columns = np.arange(corner[0], corner[0] + size[0])
    rows = np.arange(corner[1], corner[1] + size[1])[:, np.newaxis]
    inside = np.ones(size[::-1], np.bool_)
    for axis, limit in ((across, picture[1]), (down, picture[0])):
        for a, b, c in (axis - _RIM * depth, (limit - _RIM) * depth - axis):
            inside &= a * columns >= -(b * rows + c)
    return inside


def _on_canvas(line: Line, side: int, canvas: _Canvas) -> FloatArray:
    """(2, 2): two points of a band's line, px of the canvas."""
    length = canvas.width if side % 2 == 0 else canvas.height
    points = [(0.0, line.offset), (float(length), line.offset + line.slope * length)]
    full_width, full_height = canvas.width + 2 * canvas.margin, canvas.height + 2 * canvas.margin
    turned = []
    for x, y in points:
        at = x + canvas.margin
        back = ((at, y), (full_width - y, at), (full_width - at, full_height - y), (y, full_height - at))
        turned.append(back[side])
    return np.array(turned, np.float32)


def _predicted(turn: float, side: int, canvas: _Canvas) -> FloatArray:
    """(2, 2): the predicted edge, turned about its middle by a slope."""
    length = canvas.width if side % 2 == 0 else canvas.height
    line = Line(offset=canvas.margin - turn * length / 2, slope=turn, score=0.0)
    return _on_canvas(line, side, canvas)


def _snapped_to_border(
    quad: FloatArray, size: tuple[int, int], config: HoughConfig
) -> list[FloatArray | None]:
    """For each side of the quad its two ends moved onto the picture's border, None where that is not near."""
    near = config.border_mm * quad_width(quad) / CARD_WIDTH_MM
    snapped: list[FloatArray | None] = []
    for side in range(4):
        ends = quad[[side, (side + 1) % 4]]
        borders = [(axis, limit) for axis in (0, 1) for limit in (0.0, float(size[1 - axis]))]
        on = next(((a, limit) for a, limit in borders if (np.abs(ends[:, a] - limit) <= near).all()), None)
        if on is None:
            snapped.append(None)
        else:
            moved = ends.copy()
            moved[:, on[0]] = on[1]
            snapped.append(moved)
    return snapped


def cropped_card(quad: FloatArray, size: tuple[int, int]) -> FloatArray | None:
    """The picture's own corners, if the picture may be a card cut out along its edges; else None.

    Such pictures (scans, uploads cropped by an app) show no edge. Their shape is the card's, and the detector
    sees a card nearly everywhere in them.

    Args:
        quad: (4, 2) float32, px, predicted corners clockwise from the card's own top left.
        size: (height, width) of the picture, px.
    """
    height, width = size
    ratio = max(size) / min(size) / (CARD_WIDTH_MM / CARD_HEIGHT_MM)
    frame = outline(width, height)
    if abs(np.log(ratio)) > _CROPPED_SHAPE or not is_plausible(quad):
        return None
    shared, _ = cv2.intersectConvexConvex(quad.astype(np.float32), frame)
    union = width * height + abs(float(cv2.contourArea(quad.astype(np.float32)))) - shared
    if shared / union < _CROPPED_OVERLAP:
        return None
    turns = [np.roll(frame, turn, axis=0) for turn in range(4)]
    return min(turns, key=lambda corners: float(np.linalg.norm(corners - quad)))


def _intersections(edges: list[FloatArray]) -> FloatArray:
    """(4, 2): the corners of the lines through two points each of top, right, bottom and left."""
    top, right, bottom, left = (_cross((*a, 1.0), (*b, 1.0)) for a, b in (edge.tolist() for edge in edges))
    corners = [_cross(*lines) for lines in ((left, top), (top, right), (right, bottom), (bottom, left))]
    return np.array([(x / w, y / w) if w else (np.inf, np.inf) for x, y, w in corners], np.float32)


def _cross(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    """The line through two points, or the point on two lines, in homogeneous coordinates."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _is_credible(corners: FloatArray, canvas: _Canvas, config: HoughConfig) -> bool:
    """Whether the corners found on the canvas still make a card of about the predicted shape."""
    if not is_plausible(corners):
        return False
    change = quad_width(corners) / quad_height(corners) / (canvas.width / canvas.height)
    return bool(abs(np.log(change)) <= config.max_shape_change)
