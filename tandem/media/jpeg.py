"""The pixels of plain JPEGs, straight to BGR: half the time that Pillow's way there takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

#: What makes a picture of each EXIF orientation upright.
_UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], Any]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def is_plain_jpeg(image: Image.Image) -> bool:
    """Whether an opened picture is a JPEG in grey or colours, not in a printer's inks."""
    return image.format in {"JPEG", "MPO"} and image.mode in {"L", "RGB"}


def jpeg_pixels(data: bytes, size: tuple[int, int], orientation: int) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 BGR, upright: a plain JPEG at `size` (width, height), to which libjpeg can scale it.

    Args:
        data: the whole file.
        size: of the decoded picture before it is turned: its own, or as libjpeg scales it by eighths.
        orientation: EXIF's, 1-8.

    Raises:
        ValueError: it is truncated or broken.
    """
    width, height = size
    pixels = simplejpeg.decode_jpeg(data, "BGR", min_height=height, min_width=width)
    upright = _UPRIGHT.get(orientation)
    return np.asarray(upright(pixels) if upright else pixels, np.uint8)
