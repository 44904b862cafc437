"""Every kind of odd picture in one burst: each gets its decided answer, and none harms another."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tritonclient import grpc
from tritonclient.utils import InferenceServerException

from tests.server.asking import ask, ask_later

pytestmark = pytest.mark.triton
IMAGES = Path(__file__).parents[2] / "docs" / "images"
GOOD = (IMAGES / "sample.jpg").read_bytes()
FIELDS = json.loads((IMAGES / "sample.json").read_text(encoding="utf-8"))[0]["cards"][0]["fields"]


def encoded(image: Image.Image, format_: str, **options) -> bytes:
    data = io.BytesIO()
    image.save(data, format_, **options)
    return data.getvalue()


def opened() -> Image.Image:
    return Image.open(io.BytesIO(GOOD))


def png_of_size(width: int, height: int) -> bytes:
    """A valid PNG of one grey level: a few kB, however large it says that it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    compressor = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    # 1 bit a pixel: 30000 rows of zeros shrink to about a hundred kilobytes; the header alone must do.
    body = b"".join(compressor.compress(row) for _ in range(min(height, 100))) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def sixteen_bit() -> bytes:
    grey = np.asarray(opened().convert("L"), np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG")


def palette_with_alpha() -> bytes:
    """The last colour is transparent: a strip above the card has it, no ink."""
    image = opened().quantize(255)
    image.paste(255, (0, 0, image.width, 40))
    return encoded(image, "PNG", transparency=bytes([255] * 255 + [0]))


def rotated_by_exif() -> bytes:
    """Stored on its side; the EXIF tag says how to turn it upright (6: turn clockwise by 90 degrees)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(opened().rotate(90, expand=True), "JPEG", quality=92, exif=exif)


def animated() -> bytes:
    blank = Image.new("RGB", opened().size, "white")
    return encoded(opened(), "WEBP", save_all=True, append_images=[blank, blank], duration=100, quality=92)


READABLE = {
    "CMYK JPEG": lambda: encoded(opened().convert("CMYK"), "JPEG", quality=92),
    "16-bit PNG": sixteen_bit,
    "palette PNG with alpha": palette_with_alpha,
    "EXIF-rotated JPEG": rotated_by_exif,
    "animated WebP": animated,
    "BMP": lambda: encoded(opened(), "BMP"),
    "TIFF": lambda: encoded(opened(), "TIFF", compression="tiff_lzw"),
    "JPEG with bytes behind its end": lambda: GOOD + b"\x00trailer" * 10,
}
REFUSED = {
    "nothing": (b"", "empty"),
    "a text file": ("姓名".encode() * 50, "JPEG, PNG, WebP"),
    "half a JPEG": (GOOD[: len(GOOD) // 2], "truncated"),
    "one pixel": (encoded(Image.new("RGB", (1, 1)), "PNG"), "15"),
    "30000 x 30000": (png_of_size(30_000, 30_000), "50 megapixels"),
}


@pytest.fixture(scope="module")
def client(triton_server):
    with grpc.InferenceServerClient(triton_server.grpc_url) as client:
        yield client


def test_a_burst_of_everything(client):
    readable = {name: ask_later(client, make()) for name, make in READABLE.items()}
    refused = {name: ask_later(client, data) for name, (data, _) in REFUSED.items()}
    good = [ask_later(client, GOOD) for _ in range(4)]
    for future in good:
        (card,) = future.result(timeout=60)["cards"]
        assert card["fields"] == FIELDS
    for name, future in readable.items():
        cards = future.result(timeout=60)["cards"]
        assert [card["fields"] for card in cards] == [FIELDS], name
    for name, future in refused.items():
        with pytest.raises(InferenceServerException) as caught:
            future.result(timeout=60)
        assert caught.value.status() == "StatusCode.INVALID_ARGUMENT", name
        assert REFUSED[name][1] in caught.value.message(), name
    assert client.is_server_ready()
    assert client.is_model_ready("id_card")


def test_the_quad_of_a_rotated_picture_is_in_its_upright_pixels(client):
    (upright,), (turned,) = (ask(client, data)[0]["cards"] for data in (GOOD, rotated_by_exif()))
    assert np.allclose(upright["quad"], turned["quad"], atol=6)


def test_a_picture_without_a_card_gives_no_cards(client):
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert ask(client, encoded(Image.fromarray(noise), "JPEG")) == [{"cards": [], "others": []}]


def test_one_request_may_hold_two_pictures(client):
    first, second = ask(client, GOOD, encoded(Image.new("RGB", (300, 900), "white"), "PNG"))
    assert first["cards"][0]["fields"] == FIELDS
    assert second == {"cards": [], "others": []}


@pytest.mark.parametrize("model", ["id_card", "find_cards", "document_kind"])
@pytest.mark.parametrize("bad", REFUSED)
def test_of_two_pictures_in_one_request_the_bad_one_is_its_own_error(client, model, bad):
    data, said = REFUSED[bad]
    (alone,) = ask(client, GOOD, model=model)
    first, second = ask(client, data, GOOD, model=model)
    assert first["error"]["code"] == "INVALID_ARG"
    assert said in first["error"]["message"]
    assert list(first) == ["error"]
    assert second == alone
    assert ask(client, GOOD, data, model=model) == [alone, first]


def test_two_bad_pictures_in_one_request_have_an_error_each(client):
    first, second = ask(client, b"", GOOD[: len(GOOD) // 2])
    assert "empty" in first["error"]["message"]
    assert "truncated" in second["error"]["message"]


@pytest.mark.parametrize("model", ["id_card", "find_cards", "document_kind"])
def test_the_pages_of_a_tiff_that_were_not_read_are_told(client, model):
    further = [Image.new("RGB", (300, 200), "white")] * 2
    (answer,) = ask(client, encoded(opened(), "TIFF", save_all=True, append_images=further), model=model)
    assert answer.pop("unread_pages") == 2
    assert [answer] == ask(client, encoded(opened(), "TIFF"), model=model)
