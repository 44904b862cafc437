import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tandem_triton import BadPictureError, encode_picture

_JPEG_ERROR = 6  # grey levels; what quality 95 may change on a smooth picture


def _gradient() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    return np.dstack([np.tile(ramp, (48, 1)), np.full((48, 64), 40, np.uint8), np.tile(ramp[::-1], (48, 1))])


def _decode(encoded: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.asarray(Image.open(io.BytesIO(encoded))).astype(np.int16)


def test_bytes_and_files_are_sent_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "照片.jpg"
    path.write_bytes(b"any bytes")
    assert encode_picture(path) == encode_picture(str(path)) == encode_picture(bytearray(b"any bytes"))
    assert encode_picture(memoryview(b"any bytes")) == b"any bytes"


def test_a_missing_file_is_a_bad_picture(tmp_path: Path) -> None:
    with pytest.raises(BadPictureError, match="No such file"):
        encode_picture(tmp_path / "none.jpg")
    with pytest.raises(BadPictureError):
        encode_picture(tmp_path)


def test_an_array_is_rgb() -> None:
    array = _gradient()
    assert np.abs(_decode(encode_picture(array)) - array).max() <= _JPEG_ERROR


def test_a_view_of_an_array_is_sent_as_seen() -> None:
    mirrored = _gradient()[:, ::-1]
    assert np.abs(_decode(encode_picture(mirrored)) - mirrored).max() <= _JPEG_ERROR


def test_a_grey_array_is_sent_grey() -> None:
    assert _decode(encode_picture(_gradient()[..., 0])).shape == (48, 64)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    with pytest.raises(BadPictureError, match="uint8"):
        encode_picture(array)


def test_a_pillow_image_goes_without_its_orientation() -> None:
    image = Image.fromarray(_gradient())
    image.getexif()[0x0112] = 6  # orientation: turned by 90°
    sent = Image.open(io.BytesIO(encode_picture(image)))
    assert sent.size == image.size
    assert 0x0112 not in sent.getexif()


def test_transparent_pixels_become_white() -> None:
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    assert _decode(encode_picture(clear)).min() >= 255 - _JPEG_ERROR


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "I;16", "LA"])
def test_any_mode_of_pillow_can_be_sent(mode: str) -> None:
    assert _decode(encode_picture(Image.new(mode, (16, 16)))).shape[:2] == (16, 16)


def test_what_is_no_picture_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="int"):
        encode_picture(3)  # type: ignore[arg-type]
