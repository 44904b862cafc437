"""The detector's look at parts of the picture, for cards that it passes over in the whole.

In a tall or wide picture a card may be 50 px wide on the network's thumbnail, among lines of text that are as
long. Squares as wide as the picture's shorter side show it larger.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.media.letterbox import letterbox, thumbnail_to_working
from tandem.services.id_card.card import is_plausible
from tandem.services.id_card.geometry.second_look import Detect, Seen, overlap

#: Neighbouring squares share at least so much of their sides: a card as wide as that lies whole in one.
_SHARED = 0.4
#: Thumbnails that the detector takes at once.
_AT_ONCE = 2
#: Of drawn cards that the first look had lost, none had less here.
_LEAST_SCORE = 0.35
#: Two detections that share so much (intersection over union) are one card.
_SAME_CARD = 0.3
#: How far a look beside a card reaches, in shares of its longer side: another card fits there on each side.
_BESIDE = 1.1


def look_at_parts(pixels: NDArray[np.uint8], detect: Detect, share: float = 1.0) -> list[Seen]:
    """The cards that the detector sees in the picture's parts, px of the picture; the surest first.

    Args:
        pixels: (h, w, 3) uint8 BGR, the picture.
        detect: the network.
        share: the parts' side, of the picture's shorter one, (0, 1].
    """
    side = round(min(pixels.shape[:2]) * share)
    ys, xs = (_starts(length, side) for length in pixels.shape[:2])
    corners = [(x, y) for y in ys for x in xs]
    seen: list[Seen] = []
    for first in range(0, len(corners), _AT_ONCE):
        seen += _seen_in(pixels, corners[first : first + _AT_ONCE], side, detect)
    kept: list[Seen] = []
    for card in sorted(seen, key=lambda card: -card.score):
        if all(overlap(card.quad, other.quad) < _SAME_CARD for other in kept):
            kept.append(card)
    return kept


def look_beside(pixels: NDArray[np.uint8], quad: NDArray[np.float32], detect: Detect) -> list[Seen]:
    """The cards that the detector sees around a found one, without that; px of the picture.

    Args:
        pixels: (h, w, 3) uint8 BGR, the picture.
        quad: (4, 2) float32, px, the found card.
        detect: the network.
    """
    middle = (quad.min(axis=0) + quad.max(axis=0)) / 2
    side = round(float(np.ptp(quad, axis=0).max()) * (1 + 2 * _BESIDE))
    limits = np.array([pixels.shape[1], pixels.shape[0]])
    low = np.clip(np.rint(middle - side / 2), 0, np.maximum(limits - side, 0)).astype(int)
    seen = _seen_in(pixels, [(int(low[0]), int(low[1]))], side, detect)
    return [card for card in seen if overlap(card.quad, quad) < _SAME_CARD]


def _starts(length: int, side: int) -> list[int]:
    """Where squares begin that cover a length evenly."""
    count = 1 + int(np.ceil((length - side) / (side * (1 - _SHARED)) - 1e-6))
    return [round(place) for place in np.linspace(0, length - side, count)]


def _seen_in(
    pixels: NDArray[np.uint8], corners: list[tuple[int, int]], side: int, detect: Detect
) -> list[Seen]:
    """What the detector sees in the squares with these top left corners (x, y)."""
    parts = [np.ascontiguousarray(pixels[y : y + side, x : x + side]) for x, y in corners]
    answers = zip(*detect(np.stack([letterbox(part) for part in parts])), strict=True)
    seen = []
    for part, corner, answer in zip(parts, corners, answers, strict=True):
        for quad, score, emblem in zip(*answer, strict=True):
            placed = thumbnail_to_working(quad, (part.shape[0], part.shape[1])) + np.array(corner, np.float32)
            if score >= _LEAST_SCORE and is_plausible(placed):
                seen.append(Seen(quad=placed, score=float(score), emblem=float(emblem)))
    return seen
