"""Rows with a guess in them are read again, quarters of a time step aside; all readings are weighed.

The recogniser sees a lane in time steps of 8 px; what it makes of a blurred glyph depends on where on that
grid the glyph lies: moved by less than a step it errs anew, and a runner-up that is near the first each time
was it (docs/decisions/0021-a-second-reading.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.geometry.lanes import LANE_HEIGHT, background
from tandem.services.id_card.records import RowKind, Segment
from tandem.services.id_card.text.ctc import Glyph, Row, read_row

#: Lanes (n, 48, W, 3) uint8 to the recogniser's likeliest classes (n, T, 5) int32 and probabilities float32.
Recognize = Callable[[NDArray[np.uint8]], tuple[NDArray[np.int32], NDArray[np.float32]]]

#: A row is read again for a glyph that is less sure than the second of these, but says something at all.
NOTHING, GUESS = 0.1, 0.7
#: Rows whose values are running text; the others are decided within closed lists.
_KINDS = (RowKind.NAME, RowKind.ADDRESS, RowKind.AUTHORITY)
#: Of one picture no more rows are read again: where so many are doubtful, a second reading mends nothing.
_MOST_ROWS = 6
#: px of a lane; the same glyph of both readings is no further from itself.
_SAME_GLYPH_PX = 12.0
#: How far aside the readings are, px of the lane; free paper of the same width follows.
_ASIDE_PX = (2, 4, 6)
_RUNNERS_UP = 5
#: Lanes are as wide as a multiple of this, px: a GPU's libraries get ready for each new shape.
_WIDTHS_PX = 128


def read_again(
    rows: Sequence[Row], lanes: NDArray[np.uint8], recognize: Recognize, dictionary: Sequence[str]
) -> list[Row]:
    """The rows, the doubtful ones among them with all readings' probabilities.

    Args:
        rows: of one picture, as first read.
        lanes: (L, 48, W, 3) uint8 BGR, where they were read.
        recognize: asks the recogniser.
        dictionary: the character of each class.
    """
    doubtful = [i for i, row in enumerate(rows) if is_doubtful(row)][:_MOST_ROWS]
    if not doubtful:
        return list(rows)
    strips = [_strip(rows[i].segment, lanes) for i in doubtful]
    characters, probabilities = recognize(_aside(strips))
    mended = list(rows)
    for number, (index, strip) in enumerate(zip(doubtful, strips, strict=True)):
        first = rows[index]
        again = []
        for turn, aside in enumerate(_ASIDE_PX):
            lane = number * len(_ASIDE_PX) + turn
            moved = replace(first.segment, lane=lane, x0=float(aside), x1=float(aside + strip.shape[1]))
            row = read_row(characters, probabilities, moved, dictionary)
            again.append((row, int(first.segment.x0) - aside))
        mended[index] = weighed(first, again)
    return mended


def is_doubtful(row: Row) -> bool:
    """Whether a row of running text has a guess in it."""
    return row.kind in _KINDS and any(NOTHING < glyph.confidence < GUESS for glyph in row.glyphs)


def weighed(first: Row, again: Sequence[tuple[Row, float]]) -> Row:
    """The first reading's row, whose guesses have the mean probabilities of all readings.

    Args:
        first: as read first.
        again: as read again, and what takes the places there to the first one's, px.
    """
    glyphs = []
    for glyph in first.glyphs:
        opinions = [glyph]
        if glyph.confidence < GUESS:
            nearest = (_nearest(row, glyph.centre - offset) for row, offset in again)
            opinions += [other for other in nearest if other is not None]
        glyphs.append(_mean(opinions))
    return replace(first, glyphs=tuple(glyphs))


def _nearest(row: Row, centre: float) -> Glyph | None:
    """The row's glyph at this place, px; None if none is near."""
    near = [glyph for glyph in row.glyphs if abs(glyph.centre - centre) < _SAME_GLYPH_PX]
    return min(near, key=lambda glyph: abs(glyph.centre - centre), default=None)


def _mean(opinions: Sequence[Glyph]) -> Glyph:
    """The first glyph with the mean of all opinions on it."""
    if len(opinions) == 1:
        return opinions[0]
    total: defaultdict[str, float] = defaultdict(float)
    for glyph in opinions:
        for character, probability in {**dict(glyph.runners_up), glyph.character: glyph.confidence}.items():
            total[character] += probability / len(opinions)
    likeliest = sorted(total.items(), key=lambda item: -item[1])
    (character, confidence), *rest = likeliest[: 1 + _RUNNERS_UP]
    return replace(opinions[0], character=character, confidence=confidence, runners_up=tuple(rest))


def _strip(segment: Segment, lanes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return lanes[segment.lane, :, int(segment.x0) : int(np.ceil(segment.x1))]


def _aside(strips: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(3 n, 48, W, 3): each strip on lanes of its own, ever further from where they begin."""
    widest = max(strip.shape[1] for strip in strips) + 2 * _ASIDE_PX[-1]
    width = -(-widest // _WIDTHS_PX) * _WIDTHS_PX
    lanes = np.empty((len(strips) * len(_ASIDE_PX), LANE_HEIGHT, width, 3), np.uint8)
    for number, strip in enumerate(strips):
        for turn, aside in enumerate(_ASIDE_PX):
            lane = lanes[number * len(_ASIDE_PX) + turn]
            lane[:] = background(strip)
            lane[:, aside : aside + strip.shape[1]] = strip
    return lanes
