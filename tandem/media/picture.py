"""Encoded bytes to the working picture: formats, limits, orientation and colours are decided here.

Pillow reads all five formats: unlike OpenCV it refuses truncated files, inverts Adobe's CMYK, and keeps alpha
and the orientation in every format. The pixels of a JPEG, but for CMYK, are decoded by simplejpeg: both use
libjpeg-turbo, which scales while it decodes, but Pillow's way to an array of BGR takes as long again as
decoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from tandem.errors import InputError
from tandem.media.jpeg import is_plain_jpeg, jpeg_pixels
from tandem.media.tiff import pages_of

MAX_BYTES = 20 * 2**20
MIN_SIDE = 15
MAX_SIDE = 8192
MAX_PIXELS = 50_000_000
#: A progressive JPEG is decoded once a scan: thousands of empty scans would keep a core busy for minutes.
#: Real encoders write about ten.
MAX_JPEG_SCANS = 100

#: Each is an object of Python's: 900,000 of them keep a core busy for five seconds. Encoders write a few.
MAX_PNG_TEXTS = 1000

#: A card of 15 % of a 4:3 picture is 0.42 of its long side wide. At 1600 px it is 670 px wide and its smaller
#: characters (2.7 mm) 21 px high, what the recogniser still reads; scaling by halves stops above it.
MIN_LONG_SIDE = 1600
#: Above this a card that fills the picture is over twice the 1011 px that it is rectified to: only cost.
MAX_LONG_SIDE = 2400

_START_OF_SCAN = b"\xff\xda"
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_WHITE = (255, 255, 255)
#: What makes a picture of each EXIF orientation upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNED = range(5, 9)  # EXIF orientations that swap the sides
_ORIENTATION_TAG = 0x0112
_ALLOWED = "JPEG, PNG, WebP, BMP or TIFF"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: (h, w, 3) uint8 BGR, upright after EXIF, the long side at most `MAX_LONG_SIDE`.
        sent_size: (height, width) of the picture as sent, after EXIF rotation.
        unread_pages: how many more pages the file has; only a TIFF has any.
    """

    pixels: NDArray[np.uint8]
    sent_size: tuple[int, int]
    unread_pages: int = 0

    @classmethod
    def blank(cls) -> Picture:
        """A black picture of the smallest size."""
        pixels = np.zeros((MIN_SIDE, MIN_SIDE, 3), np.uint8)
        return cls(pixels=pixels, sent_size=(MIN_SIDE, MIN_SIDE))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def packed_size(self) -> NDArray[np.int32]:
        """(4,) int32: working height, working width, sent height, sent width (the tensor `PICTURE_SIZE`)."""
        return np.array([*self.pixels.shape[:2], *self.sent_size], np.int32)

    @classmethod
    def unpacked(cls, flat: NDArray[np.uint8], packed_size: NDArray[np.int32]) -> Picture:
        """The picture whose pixels travelled as the tensor `PICTURE`: flat, zeros behind them."""
        height, width, sent_height, sent_width = (int(side) for side in packed_size)
        pixels = flat[: height * width * 3].reshape(height, width, 3)
        return cls(pixels=pixels, sent_size=(sent_height, sent_width))


def decode(data: bytes) -> Picture:
    """The picture that `data` encodes. Thread-safe; decoding itself runs without Python's lock.

    Alpha is composited on white, 16 bits become 8, CMYK and grey become BGR; of an animation the first frame
    counts, of a TIFF the first page; bytes after a JPEG's end (phones add some) are ignored.

    Args:
        data: a whole JPEG, PNG, WebP, BMP or TIFF file.

    Raises:
        InputError: not one of these formats, truncated or broken, or over a limit; the message says which.
    """
    if not data:
        raise InputError("the picture is empty: 0 bytes were sent")
    if len(data) > MAX_BYTES:
        raise InputError(f"the picture has {len(data)} bytes; at most {MAX_BYTES} (20 MiB) are allowed")
    name = format_of(data)
    if name is None:
        raise InputError(f"the data is not a picture in a known format; {_ALLOWED} is allowed")
    with _senders_fault(name):
        image, sent_size = _load(data, name)
    # From here on it is our own code: what goes wrong is not the picture's fault.
    unread = pages_of(data) - 1 if name == "TIFF" else 0
    pixels = image if isinstance(image, np.ndarray) else _to_bgr(image)
    return Picture(pixels=_limited(pixels), sent_size=sent_size, unread_pages=unread)


@contextmanager
def _senders_fault(name: str) -> Iterator[None]:
    """What Pillow raises here is the picture's fault; its decoders raise nearly anything on broken bytes."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(_too_many_pixels("the picture")) from error
    except Exception as error:
        raise InputError(f"the {name} picture is truncated or broken and cannot be decoded") from error


def decode_original(data: bytes) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 BGR: the whole picture at the size it was sent in, upright; `decode` has accepted it.

    A phone's 12 megapixels take ten times as long as their working picture: ask only where it is needed.
    """
    name = format_of(data)
    if name is None:
        raise InputError(f"the data is not a picture in a known format; {_ALLOWED} is allowed")
    with _senders_fault(name), Image.open(BytesIO(data), formats=[name]) as image:
        orientation = 1 if name == "TIFF" else _orientation(image)
        if is_plain_jpeg(image):
            return jpeg_pixels(data, image.size, orientation)
        image.load()
        upright = _opaque(image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image)
    return _to_bgr(upright)


def format_of(data: bytes) -> str | None:
    """Pillow's name of the format by the file's first bytes, None if it is none of the five."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM"):
        return "BMP"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "TIFF"
    return None


def check_size(height: int, width: int) -> None:
    """Accepts a picture's size or says which limit it breaks.

    Raises:
        InputError: a side is outside 15-8192 px, or there are more than 50 megapixels.
    """
    size = f"the picture is {width} x {height} px"
    if min(height, width) < MIN_SIDE or max(height, width) > MAX_SIDE:
        raise InputError(f"{size}; each side must have {MIN_SIDE} to {MAX_SIDE} px")
    if height * width > MAX_PIXELS:
        raise InputError(_too_many_pixels(size))


def _too_many_pixels(what: str) -> str:
    return f"{what}: too large; at most {MAX_PIXELS // 10**6} megapixels are allowed"


def _load(data: bytes, name: str) -> tuple[Image.Image | NDArray[np.uint8], tuple[int, int]]:
    """The upright picture, in BGR or a mode that `_to_bgr` takes; its (height, width) as sent, upright."""
    if name == "WEBP":  # Pillow allocates an animation's whole canvas when it opens it
        check_size(*_webp_size(data))
    if name == "PNG":
        _check_chunks(data)
    with Image.open(BytesIO(data), formats=[name]) as image:
        width, height = image.size
        check_size(height, width)
        if name == "JPEG":
            _prepare_jpeg(image, data)
        # Pillow turns a TIFF itself while it loads, and gives its size turned.
        orientation = 1 if name == "TIFF" else _orientation(image)
        sent_size = (width, height) if orientation in _QUARTER_TURNED else (height, width)
        if is_plain_jpeg(image):
            return jpeg_pixels(data, image.size, orientation), sent_size
        image.load()
        small = _reduced(image)
        upright = _opaque(small.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else small)
    return upright, sent_size


def _check_chunks(data: bytes) -> None:
    """Refuses a PNG of so many texts that reading past them takes seconds."""
    if sum(map(data.count, _PNG_TEXTS)) > MAX_PNG_TEXTS:
        raise InputError(f"the PNG has more than {MAX_PNG_TEXTS} chunks of text")


def _prepare_jpeg(image: Image.Image, data: bytes) -> None:
    """Refuses too many scans; asks libjpeg to scale while it decodes."""
    if data.count(_START_OF_SCAN) > MAX_JPEG_SCANS:
        raise InputError(f"the JPEG has more than {MAX_JPEG_SCANS} scans")
    factor = _halving_factor(max(image.size))
    if factor > 1 and isinstance(image, ImageFile.ImageFile):
        image.draft(None, (image.width // factor, image.height // factor))


def _halving_factor(long_side: int) -> int:
    """The largest of 1, 2, 4, 8 that leaves the long side at least `MIN_LONG_SIDE`."""
    return next((factor for factor in (8, 4, 2) if long_side / factor >= MIN_LONG_SIDE), 1)


def _reduced(image: Image.Image) -> Image.Image:
    """The picture with sides divided by whole numbers, for those that were not scaled while decoding."""
    factor = _halving_factor(max(image.size))
    return image.reduce(factor) if factor > 1 and image.mode in {"L", "LA", "RGB", "RGBA"} else image


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1-8; absent or broken EXIF data counts as 1."""
    try:
        tag = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # the pixels are sound: a malformed tag is no reason to refuse them
        return 1
    return tag if tag in range(1, 9) else 1


def _opaque(image: Image.Image) -> Image.Image:
    """The picture in RGB, what is see-through on white; or in a mode of 16 or 32 bits a pixel as it is."""
    if image.mode.startswith("I"):  # Pillow's own conversion would clip
        return image
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, _WHITE)
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 BGR of what `_opaque` gives."""
    if image.mode.startswith("I"):  # 16 bits a pixel, in Pillow always grey
        grey = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), np.uint8)


def _limited(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture shrunk so that its long side is at most `MAX_LONG_SIDE`."""
    height, width = pixels.shape[:2]
    scale = MAX_LONG_SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _webp_size(data: bytes) -> tuple[int, int]:
    """(height, width) of a WebP file's canvas, by its first 30 bytes (RFC 9649, section 2)."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        width, height = int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    elif chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return height, width
