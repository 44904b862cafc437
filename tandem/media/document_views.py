"""What the document classifier looks at: a document straightened to a small picture, or a whole picture.

Both have the same size, so that one network sees either.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.media.letterbox import BORDER_GREY
from tandem.media.quads import quad_height, quad_width, warp

#: Px. The width is what an ID-1 card's title needs: 居民身份证's characters, 7.6 of 85.6 mm, are 23 px wide.
VIEW_HEIGHT, VIEW_WIDTH = 160, 256
#: A document that is this much higher than wide is shown lying on its side.
_TALL = 1.15


def document_view(pixels: NDArray[np.uint8], quad: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(160, 256, 3) uint8: what lies inside a plausible quad, straightened, its long side horizontal.

    Args:
        pixels: (h, w, 3) uint8 BGR.
        quad: (4, 2) float32, px of the picture, clockwise from the document's own top left.
    """
    if quad_height(quad) > _TALL * quad_width(quad):
        quad = np.roll(quad, -1, axis=0)
    return warp(pixels, quad, (VIEW_HEIGHT, VIEW_WIDTH))


def picture_view(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(160, 256, 3) uint8: the whole (h, w, 3) picture fitted in, grey around; a tall one on its side."""
    if pixels.shape[0] > pixels.shape[1]:
        pixels = np.asarray(cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE), np.uint8)
    scale = min(VIEW_HEIGHT / pixels.shape[0], VIEW_WIDTH / pixels.shape[1])
    width, height = (max(1, round(side * scale)) for side in (pixels.shape[1], pixels.shape[0]))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    view = np.full((VIEW_HEIGHT, VIEW_WIDTH, 3), BORDER_GREY, np.uint8)
    top, left = (VIEW_HEIGHT - height) // 2, (VIEW_WIDTH - width) // 2
    view[top : top + height, left : left + width] = cv2.resize(pixels, (width, height), interpolation=method)
    return view


def views_of(pixels: NDArray[np.uint8], quads: Sequence[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """(max(n, 1), 160, 256, 3) uint8: a view a quad, in order; of no quads the whole picture's view."""
    if not quads:
        return picture_view(pixels)[np.newaxis]
    return np.stack([document_view(pixels, quad) for quad in quads])
