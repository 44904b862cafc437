"""The working picture fitted into the detector's square, and the way back for what the detector finds there.

Coordinates are continuous: the picture's left edge is x = 0, its right edge x = width.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: Side of the detector's square input, px.
THUMBNAIL_SIDE = 320
#: What surrounds the picture in the square.
BORDER_GREY = 114


@dataclass(frozen=True, kw_only=True)
class LetterboxMapping:
    """Where the picture lies in the thumbnail: thumbnail px = working px * scale + left/top.

    Attributes:
        scale_x: thumbnail px a working px, horizontally; differs from `scale_y` by rounding only.
        scale_y: the same, vertically.
        left: thumbnail px left of the picture.
        top: thumbnail px above the picture.
        width: of the picture in the thumbnail, px.
        height: of the picture in the thumbnail, px.
    """

    scale_x: float
    scale_y: float
    left: int
    top: int
    width: int
    height: int


def letterbox_mapping(working_size: tuple[int, int]) -> LetterboxMapping:
    """Where a working picture of `(height, width)` px lies in the thumbnail: as large as fits, centred."""
    height, width = working_size
    scale = THUMBNAIL_SIDE / max(height, width)
    fit_width = max(1, round(width * scale))
    fit_height = max(1, round(height * scale))
    return LetterboxMapping(
        scale_x=fit_width / width,
        scale_y=fit_height / height,
        left=(THUMBNAIL_SIDE - fit_width) // 2,
        top=(THUMBNAIL_SIDE - fit_height) // 2,
        width=fit_width,
        height=fit_height,
    )


def letterbox(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(320, 320, 3) uint8 BGR: the (h, w, 3) working picture fitted in, grey around."""
    mapping = letterbox_mapping((pixels.shape[0], pixels.shape[1]))
    # In one step, as in training: halves first would be twice as fast, but blur a little more, and corners of
    # cards on forms are then placed up to 7 % of the width elsewhere.
    method = cv2.INTER_AREA if mapping.scale_x < 1 else cv2.INTER_LINEAR
    fitted = cv2.resize(pixels, (mapping.width, mapping.height), interpolation=method)
    square = np.full((THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3), BORDER_GREY, np.uint8)
    square[mapping.top : mapping.top + mapping.height, mapping.left : mapping.left + mapping.width] = fitted
    return square


def thumbnail_to_working(points: NDArray[np.float32], working_size: tuple[int, int]) -> NDArray[np.float32]:
    """Points (..., 2), x and y, from thumbnail px to px of the working picture of `(height, width)`."""
    mapping = letterbox_mapping(working_size)
    moved = points - np.array([mapping.left, mapping.top], np.float32)
    return (moved / np.array([mapping.scale_x, mapping.scale_y], np.float32)).astype(np.float32)


def working_to_thumbnail(points: NDArray[np.float32], working_size: tuple[int, int]) -> NDArray[np.float32]:
    """Points (..., 2), x and y, from px of the working picture of `(height, width)` to thumbnail px."""
    mapping = letterbox_mapping(working_size)
    scaled = points * np.array([mapping.scale_x, mapping.scale_y], np.float32)
    return (scaled + np.array([mapping.left, mapping.top], np.float32)).astype(np.float32)


def sent_to_working(
    points: NDArray[np.float32], working_size: tuple[int, int], sent_size: tuple[int, int]
) -> NDArray[np.float32]:
    """Points (..., 2), x and y, from px of the sent picture to px of the working one; sizes `(h, w)`."""
    return working_to_sent(points, sent_size, working_size)


def working_to_sent(
    points: NDArray[np.float32], working_size: tuple[int, int], sent_size: tuple[int, int]
) -> NDArray[np.float32]:
    """Points (..., 2), x and y, from px of the working picture to px of the sent one; sizes `(h, w)`."""
    scale = np.array([sent_size[1] / working_size[1], sent_size[0] / working_size[0]], np.float32)
    return (points * scale).astype(np.float32)
