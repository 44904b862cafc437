"""HEIC, AVIF, GIF and PDF become pictures; broken and oversized ones are refused."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tandem_triton import BadPictureError, TandemError

from tandem.door.errors import DoorError
from tandem.door.pages import close_decoder, to_pictures
from tandem.errors import InputError
from tandem.media.pages import MAX_PAGES, document_kind_of, pictures_of
from tandem.media.picture import decode

SAMPLE = Path(__file__).parents[2] / "docs" / "images" / "sample.jpg"
pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")


def document(kind: str, size: tuple[int, int] = (640, 400), pages: int = 1) -> bytes:
    """A document of a red picture with a blue corner."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((20, 40, 220), (0, 0, size[0] // 4, size[1] // 4))
    stream = BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(image).save(stream, quality=90)
    elif kind == "PDF":
        image.save(stream, "PDF", resolution=200, save_all=True, append_images=[image] * (pages - 1))
    else:
        image.save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["HEIC", "AVIF", "GIF", "PDF"])
def test_the_picture_inside(kind: str) -> None:
    data = document(kind)
    assert document_kind_of(data) == kind
    (picture,) = pictures_of(data)
    pixels = decode(picture).pixels
    assert pixels.shape == (400, 640, 3)
    np.testing.assert_allclose(pixels[300, 500], (30, 30, 200), atol=12)  # BGR
    np.testing.assert_allclose(pixels[20, 20], (220, 40, 20), atol=12)


def test_pages_of_a_pdf() -> None:
    assert len(pictures_of(document("PDF", pages=MAX_PAGES))) == MAX_PAGES
    with pytest.raises(InputError, match=f"{MAX_PAGES + 1} pages; at most {MAX_PAGES}"):
        pictures_of(document("PDF", pages=MAX_PAGES + 1))


@pytest.mark.parametrize("kind", ["HEIC", "AVIF", "GIF", "PDF"])
def test_broken_ones(kind: str) -> None:
    data = document(kind)
    for cut in (20, len(data) // 3, len(data) // 2):
        with pytest.raises(InputError):
            pictures_of(data[:cut])


def test_a_small_picture_is_refused() -> None:
    with pytest.raises(InputError, match="each side must have 15"):
        pictures_of(document("GIF", (10, 10)))


def test_a_gif_that_says_it_is_huge() -> None:
    data = bytearray(document("GIF"))
    data[6:10] = b"\xff\xff\xff\xff"
    with pytest.raises(InputError):
        pictures_of(bytes(data))


@given(st.sampled_from(["HEIC", "AVIF", "GIF", "PDF"]), st.data())
@settings(max_examples=60, deadline=None)
def test_mutants_are_read_or_refused(kind: str, draw: st.DataObject) -> None:
    data = bytearray(MADE[kind])
    for _ in range(draw.draw(st.integers(1, 8))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(InputError):
        pictures_of(bytes(data))


MADE = {kind: document(kind, (64, 40)) for kind in ("HEIC", "AVIF", "GIF", "PDF")}


def test_pictures_pass_untouched_and_documents_in_a_process_of_their_own() -> None:
    photo = SAMPLE.read_bytes()

    async def main() -> None:
        try:
            assert await to_pictures([photo, b"x"]) == (photo, b"x")
            pictures = await to_pictures([document("PDF", pages=2), photo])
            assert len(pictures) == 3
            assert pictures[2] == photo
            with pytest.raises(BadPictureError, match="at most 4"):
                await to_pictures([document("PDF", pages=3), document("PDF", pages=2)])
            with pytest.raises((TandemError, DoorError), match="truncated or broken"):
                await to_pictures([b"%PDF-1.4 nothing"])
        finally:
            close_decoder()

    asyncio.run(main())
