"""The pages of a TIFF: as many as Pillow finds, and an answer at once for any bytes."""

from __future__ import annotations

import io
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tandem.media.picture import decode
from tandem.media.tiff import MAX_DIRECTORIES, pages_of

PAGE = Image.new("L", (40, 30), 200)


def tiff(pages: int) -> bytes:
    data = io.BytesIO()
    PAGE.save(data, "TIFF", save_all=True, append_images=[PAGE] * (pages - 1))
    return data.getvalue()


def directories(order: str, *entries: bytes) -> bytes:
    """Directories one behind the other, of one entry each."""
    data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8))
    for place, entry in enumerate(entries, start=1):
        following = len(data) + 2 + len(entry) + 4 if place < len(entries) else 0
        data += struct.pack(f"{order}H", len(entry) // 12) + entry + struct.pack(f"{order}I", following)
    return bytes(data)


@pytest.mark.parametrize("pages", [1, 2, 5])
def test_pages_as_pillow_counts_them(pages: int) -> None:
    assert pages_of(tiff(pages)) == pages
    assert decode(tiff(pages)).unread_pages == pages - 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])  # SHORT, LONG
def test_a_thumbnail_is_no_page(order: str, kind: int) -> None:
    def subfile(flags: int) -> bytes:
        value = struct.pack(f"{order}HH", flags, 0) if kind == 3 else struct.pack(f"{order}I", flags)
        return struct.pack(f"{order}HHI", 254, kind, 1) + value

    width = struct.pack(f"{order}HHII", 256, 4, 1, 40)
    assert pages_of(directories(order, width, subfile(1), subfile(2), width)) == 3


def test_a_directory_without_entries_is_no_page() -> None:
    width = struct.pack("<HHII", 256, 4, 1, 40)
    assert pages_of(directories("<", width, b"", width)) == 2


def test_a_circle_ends() -> None:
    data = bytearray(tiff(1))
    (at,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * entries, at)
    assert pages_of(bytes(data)) == 1


def test_two_hundred_thousand_directories_cost_nothing() -> None:
    width = struct.pack("<HHII", 256, 4, 1, 40)
    data = directories("<", *[width] * 200_000)
    start = time.perf_counter()
    assert pages_of(data) == MAX_DIRECTORIES
    assert time.perf_counter() - start < 0.1


@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*"]))
def test_any_bytes_have_a_page(tail: bytes, head: bytes) -> None:
    assert 1 <= pages_of(head + tail) <= MAX_DIRECTORIES
