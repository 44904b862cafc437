"""Every kind of picture that clients send, and what must become of it."""

from __future__ import annotations

import struct
import threading
import zlib
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tandem.errors import InputError
from tandem.media.picture import MAX_BYTES, MAX_LONG_SIDE, MIN_LONG_SIDE, Picture, decode

RED_BGR, GREEN_BGR, BLUE_BGR, WHITE_BGR = (0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255)


def quadrants(height: int = 120, width: int = 200) -> NDArray[np.uint8]:
    """RGB: red, green / blue, white."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = 255, 0, 0
    rgb[: height // 2, width // 2 :] = 0, 255, 0
    rgb[height // 2 :, : width // 2] = 0, 0, 255
    rgb[height // 2 :, width // 2 :] = 255
    return rgb


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def corners(picture: Picture) -> list[NDArray[np.uint8]]:
    """Colours in the middle of the four quadrants, row by row."""
    height, width = picture.pixels.shape[:2]
    ys, xs = (height // 4, height * 3 // 4), (width // 4, width * 3 // 4)
    return [picture.pixels[y, x] for y in ys for x in xs]


def assert_quadrants(picture: Picture, tolerance: int = 8) -> None:
    for seen, expected in zip(corners(picture), (RED_BGR, GREEN_BGR, BLUE_BGR, WHITE_BGR), strict=True):
        assert np.abs(seen.astype(int) - expected).max() <= tolerance, (seen, expected)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "progressive": True, "subsampling": 0}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 95}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_every_format_gives_the_same_picture(kind: str, options: dict[str, object]) -> None:
    picture = decode(encoded(Image.fromarray(quadrants()), kind, **options))
    assert picture.pixels.shape == (120, 200, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.sent_size == (120, 200)
    assert_quadrants(picture, 24 if options.get("quality") == 95 and kind == "WEBP" else 8)
    assert picture.packed_size().tolist() == [120, 200, 120, 200]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *((kind, size) for kind in ("JPEG", "PNG", "WEBP", "TIFF") for size in ((120, 200), (200, 120))),
        ("JPEG", (4002, 3001)),  # reduced by libjpeg
        ("PNG", (3203, 30)),  # reduced afterwards
    ],
)
def test_all_orientations_come_out_upright(kind: str, orientation: int, size: tuple[int, int]) -> None:
    # What a camera stores is the upright picture turned the other way round.
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    upright = Image.fromarray(quadrants(*size))
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = decode(encoded(stored, kind, exif=exif, **options))
    assert picture.sent_size == size
    assert_quadrants(picture)


@pytest.mark.parametrize(
    ("long_side", "expected"),
    [(1000, 1000), (2400, 2400), (2800, 2400), (3200, 1600), (4000, 2000), (6400, 1600), (8000, 2000)],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_pictures_are_decoded_smaller(kind: str, long_side: int, expected: int) -> None:
    image = Image.new("L", (long_side, long_side // 8), 200)
    picture = decode(encoded(image, kind))
    assert max(picture.pixels.shape) == expected
    assert min(long_side, MIN_LONG_SIDE) <= expected <= MAX_LONG_SIDE
    assert picture.sent_size == (long_side // 8, long_side)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(3, 4), (641, 479), (3999, 2001), (8191, 33)])
def test_the_pixels_of_a_jpeg_are_pillows(mode: str, size: tuple[int, int]) -> None:
    size = (max(size[0], 15), max(size[1], 15))
    noise = np.random.default_rng(2).integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 3), np.uint8)
    image = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).convert(mode)
    data = encoded(image, "JPEG", quality=90, progressive=True)
    got = decode(data).pixels
    if max(size) <= MAX_LONG_SIDE:
        wanted = Image.open(BytesIO(data))
    else:
        factor = next(factor for factor in (8, 4, 2) if max(size) / factor >= MIN_LONG_SIDE)
        wanted = Image.open(BytesIO(data))
        wanted.draft(None, (size[0] // factor, size[1] // factor))
        assert wanted.size == (-(-size[0] // factor), -(-size[1] // factor))
    bgr = np.asarray(wanted.convert("RGB"))[..., ::-1].astype(int)
    assert got.shape == bgr.shape
    assert np.abs(got - bgr).max() <= 2  # versions of libjpeg may round otherwise


def test_sixteen_bit_grey_keeps_its_tones() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)
    picture = decode(encoded(Image.fromarray(np.tile(ramp, (32, 1))), "PNG"))
    assert np.abs(picture.pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1
    assert (picture.pixels[..., 0] == picture.pixels[..., 2]).all()


def png(width: int, height: int, *, depth: int, colour: int, data: bytes) -> bytes:
    """A PNG file with any header; Pillow cannot write them all."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_sixteen_bit_colour_keeps_its_colours() -> None:
    row = b"\0" + struct.pack(">HHH", 65535, 32768, 0) * 20
    picture = decode(png(20, 20, depth=16, colour=2, data=row * 20))
    assert picture.pixels[10, 10].tolist() == [0, 128, 255]


def test_transparent_palette_is_composited_on_white() -> None:
    image = Image.fromarray(quadrants()).quantize(8)
    red = image.getpixel((10, 10))
    picture = decode(encoded(image, "PNG", transparency=red))
    assert [c.tolist() for c in corners(picture)] == [
        list(WHITE_BGR),
        list(GREEN_BGR),
        list(BLUE_BGR),
        [255] * 3,
    ]


def test_half_transparent_pixels_are_composited_on_white() -> None:
    picture = decode(encoded(Image.new("RGBA", (40, 40), (255, 0, 0, 128)), "PNG"))
    assert np.abs(picture.pixels[20, 20].astype(int) - [127, 127, 255]).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_has_the_right_colours(kind: str) -> None:
    assert_quadrants(decode(encoded(Image.fromarray(quadrants()).convert("CMYK"), kind)), 24)


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, duration=100)
    assert decode(data).pixels[20, 20].tolist() == list(RED_BGR)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_every_mode_becomes_three_channels(mode: str) -> None:
    picture = decode(encoded(Image.new("L", (40, 30), 255).convert(mode), "PNG"))
    assert picture.pixels.shape == (30, 40, 3)
    assert (picture.pixels == 255).all()


def test_bytes_after_a_jpegs_end_are_ignored() -> None:
    data = encoded(Image.fromarray(quadrants()), "JPEG", subsampling=0)
    assert_quadrants(decode(data + b"SEFT" + bytes(range(256)) * 20))
    assert_quadrants(decode(data + data[: len(data) // 2]))  # MPF: a second, even a broken, picture behind


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.98])
@pytest.mark.parametrize("side", [400, 4000])
def test_a_truncated_jpeg_is_an_error(progressive: bool, share: float, side: int) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (side // 4, side), np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG", progressive=progressive)
    with pytest.raises(InputError, match="truncated"):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_other_truncated_pictures_are_errors(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    for length in (16, 40, len(data) // 2):
        with pytest.raises(InputError):
            decode(data[:length])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"name: nobody\n" * 40, "format"),
        (b"\xff\xd8\xff\xe0", "broken"),
        (b"GIF89a" + bytes(100), "JPEG, PNG, WebP, BMP or TIFF"),
        (b"%PDF-1.7\n" + bytes(100), "format"),
        (bytes(MAX_BYTES + 1), "20 MiB"),
        (png(1, 1, depth=8, colour=0, data=b"\0\0"), "15 to 8192 px"),
        (png(14, 400, depth=8, colour=0, data=bytes(15 * 400)), "15 to 8192 px"),
        (png(30000, 30000, depth=1, colour=0, data=bytes(2000)), "allowed"),
        (png(8000, 8000, depth=1, colour=0, data=bytes(1001 * 8000)), "50 megapixels"),
        (png(12000, 12000, depth=1, colour=0, data=bytes(2000)), "allowed"),
        (png(8193, 20, depth=1, colour=0, data=bytes(1026 * 20)), "15 to 8192 px"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decode(data)


def test_a_webp_canvas_over_the_limit_is_refused_by_its_header() -> None:
    canvas = (16000 - 1).to_bytes(3, "little")
    data = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas * 2
    with pytest.raises(InputError, match="16000 x 16000"):
        decode(data)


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = encoded(Image.fromarray(quadrants()), "JPEG", progressive=True)
    start = data.index(b"\xff\xda")
    scan = data[start : data.index(b"\xff\xda", start + 2)]
    with pytest.raises(InputError, match="scans"):
        decode(data[:start] + scan * 200 + data[start:])


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow says so and goes on
def test_broken_exif_is_no_reason_to_refuse() -> None:
    data = encoded(Image.fromarray(quadrants()), "JPEG", subsampling=0, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert_quadrants(decode(data))


def test_threads_do_not_disturb_each_other() -> None:
    files = [encoded(Image.new("RGB", (300 + i, 200), (i * 9, 0, 255 - i * 9)), "PNG") for i in range(16)]
    results: list[Picture | None] = [None] * len(files)

    def work(index: int) -> None:
        for _ in range(5):
            results[index] = decode(files[index])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(files))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, picture in enumerate(results):
        assert picture is not None
        assert picture.pixels.shape == (200, 300 + i, 3)
        assert picture.pixels[0, 0].tolist() == [255 - i * 9, 0, i * 9]


def test_a_png_of_a_million_texts_is_refused_at_once() -> None:
    text = PngInfo()
    for number in range(2_000):
        text.add_text(f"k{number}", "v")
    encoded = BytesIO()
    Image.new("RGB", (64, 64), "white").save(encoded, "PNG", pnginfo=text)
    with pytest.raises(InputError, match="1000 chunks of text"):
        decode(encoded.getvalue())


def test_our_own_fault_is_not_told_as_the_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    encoded = BytesIO()
    Image.new("RGB", (64, 64), "white").save(encoded, "PNG")
    monkeypatch.setattr("tandem.media.picture._limited", broken)
    with pytest.raises(ZeroDivisionError):
        decode(encoded.getvalue())
