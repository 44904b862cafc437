"""The detector's second look: the same network once more, at a found card's surroundings only.

At the whole picture's size a card may be 60 px wide, and its corners lie among lines of text. Filling the
network's square, it is seen as the cards of training were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.media.letterbox import letterbox, thumbnail_to_working
from tandem.services.id_card.card import is_plausible

FloatArray = NDArray[np.float32]

#: What is looked at around the card, in shares of its longer side: near, and from further away. Either sees
#: some cards better than the other, and two thumbnails are what the detector takes at once.
_MARGINS = (0.1, 0.35)
#: A detection is the same card if it covers at least this share of both (intersection over union).
_LEAST_OVERLAP = 0.3
_LEAST_SCORE = 0.1


class Detect(Protocol):
    """The card detector, wherever it runs."""

    def __call__(self, thumbnails: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cards in one or two (n, 320, 320, 3) uint8 BGR thumbnails.

        Returns:
            Quads (n, k, 4, 2) in px of the thumbnails, scores (n, k), emblem side (n, k).
        """


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the detector says of one card.

    Attributes:
        quad: (4, 2) float32, px of the picture, clockwise from the card's own top left.
        score: 0-1.
        emblem: probability that it is the emblem side, 0-1.
    """

    quad: FloatArray
    score: float
    emblem: float


def look_again(pixels: NDArray[np.uint8], quad: FloatArray, detect: Detect) -> list[Seen]:
    """The card as the detector sees it when it looks at a quad's surroundings, the surest first; 0 to 2.

    Args:
        pixels: (h, w, 3) uint8 BGR, the picture.
        quad: (4, 2) float32, px, where the card was seen first.
        detect: the network.
    """
    corners = [_surroundings(quad, margin, pixels) for margin in _MARGINS]
    parts = [pixels[low[1] : high[1], low[0] : high[0]] for low, high in corners]
    answers = zip(*detect(np.stack([letterbox(np.ascontiguousarray(part)) for part in parts])), strict=True)
    seen = []
    for part, (low, _), answer in zip(parts, corners, answers, strict=True):
        best = _same_card(answer, (part.shape[0], part.shape[1]), low, quad)
        if best is not None:
            seen.append(best)
    return sorted(seen, key=lambda card: -card.score)


def _surroundings(
    quad: FloatArray, share: float, pixels: NDArray[np.uint8]
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """The top left and bottom right (x, y) of what lies around a quad, within the picture."""
    margin = share * float(np.ptp(quad, axis=0).max())
    limits = np.array([pixels.shape[1], pixels.shape[0]])
    low = np.clip(np.floor(quad.min(axis=0) - margin), 0, limits - 1).astype(int)
    return low, np.clip(np.ceil(quad.max(axis=0) + margin), low + 1, limits).astype(int)


def _same_card(
    answer: tuple[FloatArray, FloatArray, FloatArray],
    size: tuple[int, int],
    low: NDArray[np.int_],
    quad: FloatArray,
) -> Seen | None:
    """The surest detection in a part of the picture that is the card that was seen first."""
    best: Seen | None = None
    for found, score, side in zip(*answer, strict=True):
        if score < _LEAST_SCORE or (best is not None and score <= best.score):
            continue
        corners = thumbnail_to_working(found, size) + low.astype(np.float32)
        if is_plausible(corners) and overlap(corners, quad) >= _LEAST_OVERLAP:
            best = Seen(quad=corners, score=float(score), emblem=float(side))
    return best


def overlap(first: FloatArray, second: FloatArray) -> float:
    """Intersection over union of two convex (4, 2) quads, 0-1."""
    one, other = (quad.astype(np.float32) for quad in (first, second))
    shared, _ = cv2.intersectConvexConvex(one, other)
    union = abs(float(cv2.contourArea(one))) + abs(float(cv2.contourArea(other))) - shared
    return float(shared) / union if union > 0 else 0.0
