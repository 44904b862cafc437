"""How well found cards match the true ones: IoU of quads, corner error, matching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Quad = NDArray[np.float32]
FOUND_IOU = 0.8  # a card counts as found from this overlap on


def quad_iou(first: Quad, second: Quad) -> float:
    """Intersection over union of two convex quads (4, 2), 0-1; a quad that is not convex has none."""
    hulls = [cv2.convexHull(np.asarray(quad, np.float32)) for quad in (first, second)]
    shared, _ = cv2.intersectConvexConvex(*hulls)
    union = cv2.contourArea(hulls[0]) + cv2.contourArea(hulls[1]) - float(shared)
    return float(shared) / union if union > 0 else 0.0


def card_width(quad: Quad) -> float:
    """Mean length of the top and bottom edges of a quad (4, 2) in card order."""
    return float(np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3])) / 2


def corner_error(found: Quad, true: Quad) -> float:
    """Mean distance of the corners as a share of the card's true width; large if upside down."""
    return float(np.linalg.norm(found - true, axis=1).mean()) / max(card_width(true), 1e-6)


@dataclass(frozen=True, kw_only=True)
class Match:
    """A true card and the index of the quad found for it; None if nothing reached the IoU."""

    true: int
    found: int | None
    iou: float


def match_cards(
    true: Sequence[Quad], found: Sequence[Quad], *, iou: float = FOUND_IOU
) -> tuple[list[Match], list[int]]:
    """Pair true with found quads, best overlap first.

    Returns:
        matches: one a true card, in the order given.
        spare: indices of found quads that belong to no true card (false positives).
    """
    pairs = sorted(
        ((quad_iou(t, f), i, j) for i, t in enumerate(true) for j, f in enumerate(found)), reverse=True
    )
    taken: dict[int, tuple[int, float]] = {}
    used: set[int] = set()
    for overlap, i, j in pairs:
        if overlap >= iou and i not in taken and j not in used:
            taken[i] = (j, overlap)
            used.add(j)
    matches = [
        Match(true=i, found=taken[i][0], iou=taken[i][1])
        if i in taken
        else Match(true=i, found=None, iou=0.0)
        for i in range(len(true))
    ]
    return matches, [j for j in range(len(found)) if j not in used]
