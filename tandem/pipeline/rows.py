"""The card's text rows: where they are printed, and where they are on this card."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.pipeline.card import PX_PER_MM
from tandem.pipeline.records import RowKind


@dataclass(frozen=True, kw_only=True)
class Row:
    """One text row of a rectified card.

    Attributes:
        kind: which row it is.
        quad: (4, 2) float32, px of the rectified card (1011 x 638), clockwise from the row's own top left;
            its height is the strip's 48 px.
    """

    kind: RowKind
    quad: NDArray[np.float32]


#: Kind, left, right, middle, height (mm) of the strips by the standard's layout. The heights leave the margin
#: around the characters (3.3 mm name and number, 2.7 mm else) that the recogniser likes.
_PORTRAIT = (
    (RowKind.NAME, 5.9, 53.5, 10.9, 4.6),
    (RowKind.SEX_NATION, 5.9, 53.5, 17.5, 3.8),
    (RowKind.BIRTH, 5.9, 53.5, 23.9, 3.8),
    (RowKind.ADDRESS, 5.9, 53.5, 30.2, 3.8),
    (RowKind.ADDRESS, 14.6, 53.5, 34.8, 3.8),
    (RowKind.ADDRESS, 14.6, 53.5, 39.4, 3.8),
    (RowKind.NUMBER, 5.9, 80.0, 46.6, 4.6),
)
_EMBLEM = (
    (RowKind.AUTHORITY, 19.5, 80.0, 40.0, 3.8),
    (RowKind.VALIDITY, 19.5, 80.0, 46.6, 3.8),
)


def printed_rows(emblem: bool) -> list[Row]:
    """The rows where the standard's layout has them: for cards whose ink cannot be seen."""
    return [
        Row(kind=kind, quad=_box(left, right, middle, height))
        for kind, left, right, middle, height in (_EMBLEM if emblem else _PORTRAIT)
    ]


def _box(left: float, right: float, middle: float, height: float) -> NDArray[np.float32]:
    """(4, 2) px of an upright row given in mm."""
    top, bottom = middle - height / 2, middle + height / 2
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32) * np.float32(
        PX_PER_MM
    )
