"""A card's corners by a network of their own, which looks at the card as if straightened along a quad.

The detector sees a whole picture and places corners as well as 320 pixels allow; a quad that is a row of text
off looks right to the ink and the edges. This network (`corner_refiner`) sees a few millimetres around the
quad at 1.5 px/mm and says where the corners are instead: homography by four points (DeTone et al., 2016),
repeated from where they then are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    homography,
    is_plausible,
    outline,
    transform,
    warp,
)

FloatArray = NDArray[np.float32]

#: The network's view, px, and its resolution.
VIEW_HEIGHT, VIEW_WIDTH, VIEW_PX_PER_MM = 128, 176, 1.5
#: What it sees beside the quad, mm: left and right, above and below.
MARGIN_MM = (
    (VIEW_WIDTH / VIEW_PX_PER_MM - CARD_WIDTH_MM) / 2,
    (VIEW_HEIGHT / VIEW_PX_PER_MM - CARD_HEIGHT_MM) / 2,
)
#: A look that moves no corner further than this, mm, is the last one.
_STILL_MM = 0.4
#: The ways that a card may lie in the quad: which side it shows, and whether its head is below.
WAYS = ((False, False), (False, True), (True, False), (True, True))


class Refine(Protocol):
    """The corner refiner, wherever it runs."""

    def __call__(self, views: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """What views (n, 128, 176, 3) uint8 BGR show.

        Returns:
            Offsets (n, 4, 2) float32, mm: what to add to the corners of each view's quad. Probabilities
            (n, 4) float32 of the `WAYS`. Both without entries where it does not answer.
        """


@dataclass(frozen=True, kw_only=True)
class Refined:
    """A quad as the network corrected it.

    Attributes:
        quad: (4, 2) float32, px of the picture, clockwise from the card's own top left.
        emblem: probability that the emblem side is up, 0-1.
        moved_mm: how far the last look moved the corner that it moved most.
    """

    quad: FloatArray
    emblem: float
    moved_mm: float


def corner_view(pixels: NDArray[np.uint8], quad: FloatArray) -> NDArray[np.uint8]:
    """(128, 176, 3) uint8 BGR: a quad's place and what is around it.

    Args:
        pixels: (h, w, 3) uint8 BGR, the picture.
        quad: (4, 2) float32, px.
    """
    margin = (MARGIN_MM[0] * VIEW_PX_PER_MM, MARGIN_MM[1] * VIEW_PX_PER_MM)
    return warp(pixels, quad, (VIEW_HEIGHT, VIEW_WIDTH), margin)


def refine_corners(
    pixels: NDArray[np.uint8], quad: FloatArray, refine: Refine, *, looks: int
) -> Refined | None:
    """The quad after so many looks, or when nothing moves any more.

    None where the network does not answer, or says what is no quad: there is nothing to look at then.

    Args:
        pixels: (h, w, 3) uint8 BGR, the picture.
        quad: (4, 2) float32, px, clockwise from any corner that may be the card's own top left.
        refine: the network.
        looks: how many at most, at least one.
    """
    card = outline(CARD_WIDTH_MM, CARD_HEIGHT_MM)
    emblem, moved = 0.0, 0.0
    for _ in range(looks):
        offsets, ways = refine(corner_view(pixels, quad)[np.newaxis])
        if not len(offsets):
            return None
        best = int(ways[0].argmax())
        quad = transform((card + offsets[0]).astype(np.float32), homography(card, quad)).astype(np.float32)
        if not is_plausible(quad):
            return None
        if WAYS[best][1]:
            quad = np.roll(quad, 2, axis=0)
        emblem = float(sum(share for share, way in zip(ways[0], WAYS, strict=True) if way[0]))
        moved = float(np.linalg.norm(offsets[0], axis=1).max())
        if moved < _STILL_MM and not WAYS[best][1]:
            break
    return Refined(quad=quad, emblem=emblem, moved_mm=moved)
