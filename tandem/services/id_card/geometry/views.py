"""Ways to look at a picture: as it was decoded, mirrored, or a part of it at full resolution."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import quad_width

FloatArray = NDArray[np.float32]

#: Cards narrower than this, px of the working picture, are read from the picture as sent if that has more:
#: their smaller characters are under 17 px high.
SMALL_CARD_PX = 540
#: ... which is worth decoding it again if it has at least so many times the pixels a side.
_LEAST_GAIN = 1.25
#: What is cut out around such a card, in shares of its longer side.
_MARGIN = 0.35


@dataclass(frozen=True, kw_only=True)
class View:
    """Pixels, and where they lie in the picture as sent.

    Attributes:
        pixels: (h, w, 3) uint8 BGR.
        scale: (2,) px of the picture as sent a px of the view, x and y.
        offset: (2,) px of the picture as sent, where the view begins.
        mirrored: whether the view shows the picture mirrored (left and right changed places).
    """

    pixels: NDArray[np.uint8]
    scale: FloatArray
    offset: FloatArray
    mirrored: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the view, px."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def to_sent(self, points: FloatArray) -> FloatArray:
        """Points (..., 2) from px of the view to px of the picture as sent."""
        return (self._turned(points) * self.scale + self.offset).astype(np.float32)

    def from_sent(self, points: FloatArray) -> FloatArray:
        """Points (..., 2) from px of the picture as sent to px of the view."""
        return self._turned(((points - self.offset) / self.scale).astype(np.float32))

    def _turned(self, points: FloatArray) -> FloatArray:
        if not self.mirrored:
            return points
        turned: FloatArray = points.copy()
        turned[..., 0] = self.pixels.shape[1] - turned[..., 0]
        return turned


def whole_view(pixels: NDArray[np.uint8], sent_size: tuple[int, int]) -> View:
    """The working picture (h, w, 3) of one that was sent with `(height, width)`."""
    scale = np.array([sent_size[1] / pixels.shape[1], sent_size[0] / pixels.shape[0]], np.float32)
    return View(pixels=pixels, scale=scale, offset=np.zeros(2, np.float32))


def mirrored_view(view: View) -> View:
    """The same, with left and right changed."""
    return replace(view, pixels=np.ascontiguousarray(view.pixels[:, ::-1]), mirrored=not view.mirrored)


def mirrored_quad(view: View, quad: FloatArray) -> FloatArray:
    """(4, 2): a quad of a view, clockwise from its top left in the mirrored view."""
    turned = quad[[1, 0, 3, 2]].copy()
    turned[:, 0] = view.pixels.shape[1] - turned[:, 0]
    return turned


def is_worth_enlarging(view: View, quad: FloatArray) -> bool:
    """Whether the picture as sent shows the card (4, 2) clearly better than the view."""
    return quad_width(quad) < SMALL_CARD_PX and float(view.scale.min()) >= _LEAST_GAIN


def enlarged_view(view: View, quad: FloatArray, original: NDArray[np.uint8]) -> View:
    """The card's surroundings in the picture as sent.

    Args:
        view: in which the card was found.
        quad: (4, 2) float32, px of the view.
        original: (h, w, 3) uint8 BGR, the picture as sent, upright.
    """
    sent = view.to_sent(quad)
    margin = _MARGIN * float(np.ptp(sent, axis=0).max())
    limits = np.array([original.shape[1], original.shape[0]])
    low = np.clip(np.floor(sent.min(axis=0) - margin), 0, limits - 1).astype(int)
    high = np.clip(np.ceil(sent.max(axis=0) + margin), low + 1, limits).astype(int)
    part = original[low[1] : high[1], low[0] : high[0]]
    if view.mirrored:
        part = part[:, ::-1]
    return View(
        pixels=np.ascontiguousarray(part),
        scale=np.ones(2, np.float32),
        offset=low.astype(np.float32),
        mirrored=view.mirrored,
    )
