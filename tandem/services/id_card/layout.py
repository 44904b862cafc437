"""Where the standard prints the text rows of each side, in millimetres from the card's top left."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.services.id_card.records import RowKind


@dataclass(frozen=True, kw_only=True)
class PrintedRow:
    """One row of the standard's layout; lengths in mm.

    Attributes:
        kind: which row.
        middle: y of the middle of its characters.
        left: x where its label begins (its value, if it has none).
        right: x where its longest text ends.
        em: size of its larger characters.
    """

    kind: RowKind
    middle: float
    left: float
    right: float
    em: float


@dataclass(frozen=True, kw_only=True)
class SideLayout:
    """One side of the card; lengths in mm.

    Attributes:
        rows: top to bottom; of rows that repeat (address, authority) the first.
        area: x0, y0, x1, y1 of what is looked at.
        anchor: x0, x1 where every row has ink: labels and the first two characters of values.
        value: x0, x1 where the first character of values is.
        repeats: the kind of which up to `most` rows follow each other.
        most: how many.
    """

    rows: tuple[PrintedRow, ...]
    area: tuple[float, float, float, float]
    anchor: tuple[float, float]
    value: tuple[float, float]
    repeats: RowKind
    most: int


#: The portrait picture begins at 55.1; texts that long end before it.
PORTRAIT_LEFT_MM = 54.6
#: ... and it ends above this.
PORTRAIT_BOTTOM_MM = 41.5

PORTRAIT_SIDE = SideLayout(
    rows=(
        PrintedRow(kind=RowKind.NAME, middle=10.9, left=6.9, right=PORTRAIT_LEFT_MM, em=3.3),
        PrintedRow(kind=RowKind.SEX_NATION, middle=17.4, left=6.9, right=PORTRAIT_LEFT_MM, em=2.7),
        PrintedRow(kind=RowKind.BIRTH, middle=23.8, left=6.9, right=PORTRAIT_LEFT_MM, em=2.7),
        PrintedRow(kind=RowKind.ADDRESS, middle=30.1, left=6.9, right=PORTRAIT_LEFT_MM, em=2.7),
        PrintedRow(kind=RowKind.NUMBER, middle=46.6, left=6.9, right=81.0, em=3.3),
    ),
    area=(4.0, 5.0, 82.0, 51.5),
    anchor=(5.5, 21.0),
    value=(14.2, 19.0),
    repeats=RowKind.ADDRESS,
    most=4,
)
EMBLEM_SIDE = SideLayout(
    rows=(
        PrintedRow(kind=RowKind.AUTHORITY, middle=40.1, left=20.5, right=82.0, em=2.7),
        PrintedRow(kind=RowKind.VALIDITY, middle=46.7, left=20.5, right=82.0, em=2.7),
    ),
    area=(16.0, 33.5, 83.0, 51.5),
    anchor=(19.0, 41.0),
    value=(33.5, 38.5),
    repeats=RowKind.AUTHORITY,
    most=2,
)


def side_layout(emblem: bool) -> SideLayout:
    """The layout of a side."""
    return EMBLEM_SIDE if emblem else PORTRAIT_SIDE
