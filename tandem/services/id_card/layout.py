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
class Zone:
    """A part of the card that always has ink (or shade), or never.

    Attributes:
        area: x0, y0, x1, y1, mm.
        weight: how much its ink speaks for the card; below 0: against.
        shade: whether what counts is how dark the whole part is, not its strokes.
        label: whether a label stands here: blue, so that bright copies lose it.
    """

    area: tuple[float, float, float, float]
    weight: float
    shade: bool = False
    label: bool = False


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
        zones: where this side has ink, whoever's it is, and where it has none.
    """

    rows: tuple[PrintedRow, ...]
    area: tuple[float, float, float, float]
    anchor: tuple[float, float]
    value: tuple[float, float]
    repeats: RowKind
    most: int
    zones: tuple[Zone, ...]


#: The portrait picture begins at 55.1; texts that long end before it.
PORTRAIT_LEFT_MM = 54.6
#: ... and it ends above this.
PORTRAIT_BOTTOM_MM = 41.5

_PORTRAIT_ZONES = (
    # Labels and what follows them.
    Zone(area=(7.2, 9.8, 12.8, 12.0), weight=1.0, label=True),
    Zone(area=(15.9, 9.6, 22.0, 12.2), weight=1.0),
    Zone(area=(7.2, 16.3, 12.8, 18.5), weight=1.0, label=True),
    Zone(area=(16.0, 16.2, 18.6, 18.5), weight=0.5),
    Zone(area=(26.4, 16.3, 32.2, 18.5), weight=1.0, label=True),
    Zone(area=(33.9, 16.3, 36.3, 18.5), weight=0.5),
    Zone(area=(7.2, 22.7, 12.8, 24.9), weight=1.0, label=True),
    Zone(area=(15.9, 22.7, 22.0, 24.9), weight=1.0),
    Zone(area=(7.2, 29.0, 12.8, 31.2), weight=1.0, label=True),
    Zone(area=(15.9, 29.0, 30.0, 31.2), weight=1.5),
    Zone(area=(15.9, 33.6, 24.0, 35.8), weight=0.7),
    Zone(area=(7.2, 45.5, 25.0, 47.7), weight=1.5, label=True),
    Zone(area=(31.0, 45.4, 55.0, 47.8), weight=1.5),
    Zone(area=(55.0, 45.4, 78.0, 47.8), weight=1.5),
    # Paper between the rows, left of the labels and around the number.
    Zone(area=(15.0, 6.3, 30.0, 7.9), weight=-1.0),
    Zone(area=(7.0, 13.4, 30.0, 14.9), weight=-1.0),
    Zone(area=(7.0, 19.9, 45.0, 21.3), weight=-1.0),
    Zone(area=(7.0, 26.2, 45.0, 27.6), weight=-1.0),
    Zone(area=(7.0, 33.5, 13.0, 43.5), weight=-2.0),
    Zone(area=(7.0, 49.3, 78.0, 51.3), weight=-1.0),
    Zone(area=(27.0, 45.4, 29.2, 47.8), weight=-0.7),
    Zone(area=(2.6, 9.0, 5.4, 48.0), weight=-1.2),
    Zone(area=(14.0, 9.5, 14.9, 31.0), weight=-0.5),
    Zone(area=(56.0, 42.0, 78.0, 43.6), weight=-1.0),
    Zone(area=(82.3, 44.0, 84.2, 49.0), weight=-0.7),
    Zone(area=(80.6, 8.0, 84.2, 42.0), weight=-0.7),
    Zone(area=(6.0, 2.8, 80.0, 5.0), weight=-0.7),
    # The picture's hair and clothes, and the paper around it.
    Zone(area=(60.0, 12.0, 73.0, 17.0), weight=0.6, shade=True),
    Zone(area=(58.5, 33.0, 75.0, 38.5), weight=1.0, shade=True),
    Zone(area=(79.8, 8.0, 84.6, 42.0), weight=-1.0, shade=True),
    Zone(area=(55.0, 41.5, 79.0, 43.8), weight=-1.0, shade=True),
    Zone(area=(1.5, 6.0, 5.4, 49.0), weight=-0.7, shade=True),
    Zone(area=(5.0, 1.5, 80.0, 6.0), weight=-0.7, shade=True),
    Zone(area=(6.0, 50.0, 79.0, 52.5), weight=-0.7, shade=True),
)
_EMBLEM_ZONES = (
    # The two titles, the labels and what follows them.
    Zone(area=(31.0, 6.5, 75.0, 10.0), weight=1.5),
    Zone(area=(27.0, 15.2, 78.5, 20.0), weight=2.0),
    Zone(area=(21.2, 39.2, 32.0, 41.3), weight=1.2),
    Zone(area=(36.0, 39.0, 48.0, 41.3), weight=1.2),
    Zone(area=(21.2, 45.7, 32.0, 47.9), weight=1.2),
    Zone(area=(36.0, 45.7, 58.0, 47.9), weight=1.5),
    # Paper between and around them.
    Zone(area=(28.0, 11.6, 77.0, 13.6), weight=-1.2),
    Zone(area=(24.0, 22.0, 79.0, 24.0), weight=-1.0),
    Zone(area=(21.0, 42.6, 31.0, 44.4), weight=-1.0),
    Zone(area=(21.0, 49.6, 70.0, 51.6), weight=-1.0),
    Zone(area=(7.0, 36.0, 18.5, 50.0), weight=-1.0),
    Zone(area=(33.2, 39.0, 34.6, 48.0), weight=-0.6),
    Zone(area=(30.0, 2.6, 76.0, 4.8), weight=-1.0),
    Zone(area=(62.0, 45.5, 80.0, 48.0), weight=-0.6),
    # The red emblem and the paper around it.
    Zone(area=(8.5, 8.0, 18.5, 20.0), weight=1.2, shade=True),
    Zone(area=(1.2, 5.0, 4.0, 49.0), weight=-0.7, shade=True),
    Zone(area=(5.0, 1.2, 80.0, 4.2), weight=-0.7, shade=True),
    Zone(area=(80.5, 5.0, 84.4, 49.0), weight=-0.7, shade=True),
    Zone(area=(6.0, 50.2, 79.0, 52.6), weight=-0.7, shade=True),
    Zone(area=(6.0, 24.5, 19.0, 34.0), weight=-0.5, shade=True),
)

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
    zones=_PORTRAIT_ZONES,
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
    zones=_EMBLEM_ZONES,
)


def side_layout(emblem: bool) -> SideLayout:
    """The layout of a side."""
    return EMBLEM_SIDE if emblem else PORTRAIT_SIDE
