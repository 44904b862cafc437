"""The encoded bytes of whatever a caller calls a picture."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tandem_triton.core.errors import BadPictureError, ItemTypeError

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[np.uint8] | Image.Image"
)
"""A path, the bytes of an encoded picture, an array, or a Pillow image."""

Point: TypeAlias = tuple[float, float]
"""x, y in pixels."""

Quad: TypeAlias = tuple[Point, Point, Point, Point]
"""Four corners, clockwise."""

PICTURE_TYPES = ("image/",)
"""Content types of encoded pictures."""

BLANK_PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00 \x00\x00\x00 \x01\x00\x00\x00\x00[\x01GY"
    b"\x00\x00\x00\x11IDAT"
    b"x\xdac\xfc\xcf\xc0\xc0\xc0\xc40h\t\x00\xb3\x01\x01?n@|\x96\x00\x00\x00\x00IEND\xaeB`\x82"
)
"""A white PNG of 32 x 32 px: a well-formed picture with nothing in it."""

_JPEG_QUALITY = (
    95  # with full colour resolution: text edges stay as they are, a 12 MP photo stays far under 20 MiB
)
_GREY_DIMENSIONS = 2
_COLOUR_DIMENSIONS = 3
_COLOURS = 3


def encode_picture(picture: Picture) -> bytes:
    """The encoded picture to send.

    Args:
        picture: a path (the file is sent as it is); encoded bytes (sent as they are); an array `(H, W, 3)`
            uint8 RGB or `(H, W)` uint8 grey; or a Pillow image. The latter two are sent as JPEG of quality
            95, and the answer's coordinates are pixels of that very array or image.

    Raises:
        BadPictureError: the file can't be read, or the array's shape or dtype is none of those.
        ItemTypeError: none of the kinds above.
    """
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return bytes(picture)
    if isinstance(picture, (str, os.PathLike)):
        return _read(Path(picture))
    if isinstance(picture, np.ndarray):
        return _encode_array(picture)
    if _is_pillow(picture):
        return _encode_image(picture)
    raise ItemTypeError(
        f"not a picture: {type(picture).__name__}; give a path, bytes, a uint8 array or a Pillow image"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadPictureError(f"can't read the file: {error.strerror or type(error).__name__}") from error


def _encode_array(array: NDArray[Any]) -> bytes:
    colour = array.ndim == _COLOUR_DIMENSIONS and array.shape[-1] == _COLOURS
    if array.dtype != np.uint8 or not (colour or array.ndim == _GREY_DIMENSIONS) or array.size == 0:
        raise BadPictureError(f"an array must be (H, W, 3) or (H, W) uint8, not {array.shape} {array.dtype}")
    return _encode_image(_pillow().fromarray(np.ascontiguousarray(array)))


def _encode_image(image: Image.Image) -> bytes:
    if image.has_transparency_data:
        # Paper is white: what is see-through is taken for paper.
        image = image.convert("RGBA")
        backdrop = _pillow().new("RGBA", image.size, "white")
        image = _pillow().alpha_composite(backdrop, image)
    encoded = io.BytesIO()
    # No EXIF goes along, so that the server does not turn what the caller sees unturned.
    image.convert("L" if image.mode == "L" else "RGB").save(
        encoded, "JPEG", quality=_JPEG_QUALITY, subsampling=0, exif=b""
    )
    return encoded.getvalue()


def _is_pillow(picture: object) -> bool:
    return any(cls.__module__.startswith("PIL.") for cls in type(picture).__mro__)


def _pillow() -> Any:
    try:
        from PIL import Image  # noqa: PLC0415 - optional
    except ImportError:
        raise BadPictureError(
            "pictures given as arrays need Pillow: pip install 'tandem-triton-client[images]'"
        ) from None
    return Image
