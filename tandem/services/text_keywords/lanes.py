"""Texts side by side on lanes of one length, so that any two lanes, of any callers, can share a batch.

A passage has some sixty phrases of four to ten tokens each. As rows of a batch they would be filled up to
the longest, and blocks of different shapes could not travel together; packed on lanes nothing is wasted, and
every lane has the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Tokens of a lane: a passage of a hundred words, or some twenty phrases.
LENGTH = 128
#: Texts of a lane, at most.
MAX_TEXTS = 24


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One row of tokens.

    Attributes:
        tokens: (length,) int32, filled up with the pad id.
        segments: (length,) int32: which text a token belongs to, 1 and up; 0 = filling.
        positions: (length,) int32: each text's tokens counted from 0.
        places: which of the packed texts they are, in order.
    """

    tokens: NDArray[np.int32]
    segments: NDArray[np.int32]
    positions: NDArray[np.int32]
    places: tuple[int, ...]

    def tensors(self) -> dict[str, NDArray[np.int32]]:
        """The embedder's inputs."""
        return {"TOKENS": self.tokens, "SEGMENTS": self.segments, "POSITIONS": self.positions}


def pack(texts: Sequence[Sequence[int]], *, pad: int, length: int = LENGTH) -> list[Lane]:
    """Lanes that hold every text once, longest first, each where it fits first.

    Args:
        texts: token ids; what is longer than a lane is cut.
        pad: the id that fills up.
        length: tokens of a lane.
    """
    order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
    loads: list[list[int]] = []
    room: list[int] = []
    for place in order:
        size = min(len(texts[place]), length)
        fits = (i for i, free in enumerate(room) if free >= size and len(loads[i]) < MAX_TEXTS)
        lane = next(fits, len(loads))
        if lane == len(loads):
            loads.append([])
            room.append(length)
        loads[lane].append(place)
        room[lane] -= size
    return [_lane(texts, places, pad, length) for places in loads]


def _lane(texts: Sequence[Sequence[int]], places: Sequence[int], pad: int, length: int) -> Lane:
    tokens, segments, positions = (np.full(length, value, np.int32) for value in (pad, 0, 0))
    end = 0
    for number, place in enumerate(places, start=1):
        own = texts[place][:length]
        begin, end = end, end + len(own)
        tokens[begin:end] = own
        segments[begin:end] = number
        positions[begin:end] = np.arange(len(own))
    return Lane(tokens=tokens, segments=segments, positions=positions, places=tuple(places))
