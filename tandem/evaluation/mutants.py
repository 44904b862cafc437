"""Pictures that no encoder would write: bytes changed blindly, and the files' structure changed knowingly."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLE = Path(__file__).parents[2] / "docs" / "images" / "sample.jpg"
SMALL = (640, 427)  # pixels: mutants are many, and what is wrong with them doesn't depend on their size
Mutation = Callable[[bytes, np.random.Generator], bytes]
_PNG_SIGNATURE = 8  # bytes
_ORIENTATION = 0x0112


def seeds() -> dict[str, bytes]:
    """A photo with a card in every format that is accepted, and the variants that decoders treat apart."""
    image = Image.open(SAMPLE).convert("RGB").resize(SMALL)
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    options: dict[str, tuple[str, dict[str, object]]] = {
        "JPEG": ("JPEG", {"quality": 85}),
        "progressive JPEG": ("JPEG", {"quality": 85, "progressive": True}),
        "JPEG with EXIF": ("JPEG", {"quality": 85, "exif": exif}),
        "PNG": ("PNG", {}),
        "WebP": ("WEBP", {"quality": 80}),
        "lossless WebP": ("WEBP", {"lossless": True}),
        "BMP": ("BMP", {}),
        "TIFF": ("TIFF", {}),
        "LZW TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    }
    encoded = {}
    for name, (kind, choices) in options.items():
        data = io.BytesIO()
        image.save(data, kind, **choices)
        encoded[name] = data.getvalue()
    data = io.BytesIO()
    image.quantize(64).save(data, "PNG", transparency=0)
    return encoded | {"palette PNG": data.getvalue()}


def mutants(count: int, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """`count` changed pictures, each with what it was made from and how; half of them changed twice."""
    originals = list(seeds().items())
    for _ in range(count):
        name, data = originals[rng.integers(len(originals))]
        how = []
        for _ in range(int(rng.integers(1, 3))):
            mutation = _MUTATIONS[rng.integers(len(_MUTATIONS))]
            data = mutation(data, rng)
            how.append(mutation.__name__.strip("_"))
        yield f"{name}: {', '.join(how)}", data


def _place(data: bytes, rng: np.random.Generator) -> int:
    """A position; every other time near the start, where headers are."""
    end = len(data) if rng.random() < 0.5 else min(len(data), 256)
    return int(rng.integers(0, max(end, 1)))


def _flip_bits(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 16))):
        if changed:
            changed[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwrite(data: bytes, rng: np.random.Generator) -> bytes:
    start = _place(data, rng)
    extreme = (b"\x00", b"\xff", b"\x7f", b"\x80")[rng.integers(4)]
    length = int(rng.integers(1, 9))
    return data[:start] + extreme * length + data[start + length :]


def _cut_out(data: bytes, rng: np.random.Generator) -> bytes:
    start = _place(data, rng)
    return data[:start] + data[start + int(rng.integers(1, 4096)) :]


def _repeat(data: bytes, rng: np.random.Generator) -> bytes:
    start = _place(data, rng)
    return data[:start] + data[start : start + int(rng.integers(1, 4096))] + data[start:]


def _insert(data: bytes, rng: np.random.Generator) -> bytes:
    start = _place(data, rng)
    return data[:start] + rng.bytes(int(rng.integers(1, 64))) + data[start:]


def _truncate(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(0, len(data) + 1))]


def _swap_halves(data: bytes, rng: np.random.Generator) -> bytes:
    start = _place(data, rng)
    return data[:16] + data[start:] + data[16:start]


def _change_chunk(data: bytes, rng: np.random.Generator) -> bytes:
    """PNG: a chunk dropped, doubled or changed, with a checksum that fits."""
    if not data.startswith(b"\x89PNG"):
        return _overwrite(data, rng)
    chunks, position = [], _PNG_SIGNATURE
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        chunks.append((data[position + 4 : position + 8], data[position + 8 : position + 8 + length]))
        position += 12 + length
    if not chunks:
        return data
    index = int(rng.integers(len(chunks)))
    kind, body = chunks[index]
    choice = rng.integers(3)
    if choice == 0:
        chunks.pop(index)
    elif choice == 1:
        chunks.insert(index, (kind, body))
    else:
        chunks[index] = (kind, _flip_bits(body, rng))
    return data[:_PNG_SIGNATURE] + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _change_segment(data: bytes, rng: np.random.Generator) -> bytes:
    """JPEG: a segment dropped, doubled, or its length falsified."""
    if not data.startswith(b"\xff\xd8"):
        return _overwrite(data, rng)
    places = range(2, len(data) - 4)
    starts = [place for place in places if data[place] == 0xFF and 0xC0 <= data[place + 1] <= 0xFE]
    if not starts:
        return data
    start = starts[rng.integers(len(starts))]
    (length,) = struct.unpack_from(">H", data, start + 2)
    end = start + 2 + length
    choice = rng.integers(3)
    if choice == 0:
        return data[:start] + data[end:]
    if choice == 1:
        return data[:end] + data[start:]
    return data[: start + 2] + struct.pack(">H", int(rng.integers(1 << 16))) + data[start + 4 :]


def _claim_size(data: bytes, rng: np.random.Generator) -> bytes:
    """The header says another size than the picture has: nothing, a little more, or far too much."""
    side = int((0, 1, 15, 639, 641, 8192, 8193, 65535)[rng.integers(8)])
    changed = bytearray(data)
    if data.startswith(b"\x89PNG") and len(data) > 33:
        struct.pack_into(">I", changed, int((16, 20)[rng.integers(2)]), side)
        struct.pack_into(">I", changed, 29, zlib.crc32(bytes(changed[12:29])))
    elif data.startswith(b"BM") and len(data) > 26:
        struct.pack_into("<i", changed, int((18, 22)[rng.integers(2)]), side * (-1) ** int(rng.integers(2)))
    elif data.startswith(b"\xff\xd8"):
        for marker in (b"\xff\xc0", b"\xff\xc2"):
            place = data.find(marker)
            if 0 <= place < len(data) - 9:
                struct.pack_into(">H", changed, place + int((5, 7)[rng.integers(2)]), side)
    elif data.startswith(b"RIFF") and len(data) > 30:
        struct.pack_into("<H", changed, int((24, 26, 28)[rng.integers(3)]), side)
    return bytes(changed)


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits,
    _overwrite,
    _cut_out,
    _repeat,
    _insert,
    _truncate,
    _swap_halves,
    _change_chunk,
    _change_segment,
    _claim_size,
)
