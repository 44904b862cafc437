"""What travels beside the pixels from `rectify_cards` to `parse_fields`, packed as float32 rows.

Triton passes tensors, not objects, so each record has one packed form, defined here and nowhere else:

- `CARDS`    `(C, 15)` float32: one row a card (`CardRecord`); a row whose score is 0 is padding.
- `SEGMENTS` `(G, 16)` float32: one row a text row of a card (`Segment`); a row whose `x1 <= x0` is padding.

Padding exists because the items of one Triton request share one tensor shape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

#: A picture with more cards than this is cut to the best of them; the detector gives as many.
MAX_CARDS = 8
CARD_COLUMNS = 15
SEGMENT_COLUMNS = 16


class RowKind(IntEnum):
    """Which row of the card a strip shows; labels are part of the row."""

    NAME = 0
    SEX_NATION = 1
    BIRTH = 2
    ADDRESS = 3  # several rows of this kind, top to bottom
    NUMBER = 4
    AUTHORITY = 5  # may be several rows, top to bottom
    VALIDITY = 6


@dataclass(frozen=True, kw_only=True)
class CardRecord:
    """One card found in a picture.

    Attributes:
        quad: (4, 2) float32, corners in pixels of the picture as sent (after EXIF rotation), clockwise from
            the card's own top left.
        score: detector's confidence, (0, 1].
        emblem: probability that this is the emblem side, 0-1.
        blur: 0 (sharp) to 1.
        glare: 0 to 1, share of the text rows' area that is burnt out.
        grey: 0 (coloured) to 1 (grey copy).
        incomplete: 0 (whole) to 1, share of the card outside the picture.
        mirrored: whether the picture is mirrored; the quad then runs counter-clockwise.
    """

    quad: NDArray[np.float32]
    score: float
    emblem: float
    blur: float = 0.0
    glare: float = 0.0
    grey: float = 0.0
    incomplete: float = 0.0
    mirrored: bool = False


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Where one text row of a card lies on the lanes that the recogniser reads.

    Attributes:
        card: index of the card in the picture's `CARDS`.
        kind: which row it is.
        lane: index of the lane it was packed on.
        x0: first pixel column of the row on its lane.
        x1: one past the last pixel column.
        quad: (4, 2) float32, the row's outline in pixels of the picture as sent, clockwise from its own top
            left.
        left_mm: where the outline begins on the card, mm from its left edge; NaN: not known.
        right_mm: where it ends.
        middle_mm: the middle of its characters, mm from the card's top edge.
    """

    card: int
    kind: RowKind
    lane: int
    x0: float
    x1: float
    quad: NDArray[np.float32]
    left_mm: float = math.nan
    right_mm: float = math.nan
    middle_mm: float = math.nan


def pack_cards(cards: Sequence[CardRecord], rows: int | None = None) -> NDArray[np.float32]:
    """`(rows or len(cards), 15)` float32, zero rows behind the cards; at least one row."""
    packed = np.zeros((max(rows or len(cards), 1), CARD_COLUMNS), np.float32)
    for row, card in zip(packed, cards, strict=False):
        row[:8] = card.quad.reshape(8)
        row[8:14] = card.score, card.emblem, card.blur, card.glare, card.grey, card.incomplete
        row[14] = card.mirrored
    return packed


def unpack_cards(packed: NDArray[np.float32]) -> list[CardRecord]:
    """The cards of a `(C, 15)` array, padding left out."""
    return [
        CardRecord(
            quad=row[:8].reshape(4, 2),
            score=float(row[8]),
            emblem=float(row[9]),
            blur=float(row[10]),
            glare=float(row[11]),
            grey=float(row[12]),
            incomplete=float(row[13]),
            mirrored=bool(row[14]),
        )
        for row in packed
        if row[8] > 0
    ]


def pack_segments(segments: Sequence[Segment], rows: int | None = None) -> NDArray[np.float32]:
    """`(rows or len(segments), 16)` float32, zero rows behind the segments; at least one row."""
    packed = np.zeros((max(rows or len(segments), 1), SEGMENT_COLUMNS), np.float32)
    for row, segment in zip(packed, segments, strict=False):
        row[:5] = segment.card, segment.kind, segment.lane, segment.x0, segment.x1
        row[5:13] = segment.quad.reshape(8)
        row[13:] = segment.left_mm, segment.right_mm, segment.middle_mm
    return packed


def unpack_segments(packed: NDArray[np.float32]) -> list[Segment]:
    """The segments of a `(G, 16)` array, padding left out."""
    return [
        Segment(
            card=int(row[0]),
            kind=RowKind(int(row[1])),
            lane=int(row[2]),
            x0=float(row[3]),
            x1=float(row[4]),
            quad=row[5:13].reshape(4, 2),
            left_mm=float(row[13]),
            right_mm=float(row[14]),
            middle_mm=float(row[15]),
        )
        for row in packed
        if row[4] > row[3]
    ]
