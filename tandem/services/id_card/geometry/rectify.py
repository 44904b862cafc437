"""From the detector's quads to the recogniser's lanes: edges, rows, strips, lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tandem.media.letterbox import thumbnail_to_working, working_to_sent
from tandem.services.id_card.card import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    PX_PER_MM,
    RECTIFIED_HEIGHT,
    RECTIFIED_WIDTH,
    homography,
    is_plausible,
    outline,
    quad_height,
    quad_width,
    share_outside,
    transform,
    warp,
)
from tandem.services.id_card.geometry.hough import cropped_card, refinements
from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.services.id_card.geometry.lanes import (
    LANE_HEIGHT,
    LaneConfig,
    Place,
    draw_lanes,
    no_lanes,
    place_strips,
)
from tandem.services.id_card.geometry.quality import blur_score, glare_score, grey_score
from tandem.services.id_card.geometry.rows import Row, find_rows
from tandem.services.id_card.records import MAX_CARDS, CardRecord, RowKind, Segment

FloatArray = NDArray[np.float32]

#: From this probability on a card is read as its emblem side.
EMBLEM_SIDE_FROM = 0.5
#: Rows may be narrowed to these shares of their width to fit on the lanes. A hanzi keeps two of the
#: recogniser's time steps at half its width (measured: as many rows exact at 0.65 as at 1, within 1.5 %). Two
#: equal digits, each 1.5-2.4 mm wide, need nearly all of theirs to be told apart: rows with digits give way
#: last.
LEAST_SHARE = 0.5
LEAST_SHARES = {RowKind.NUMBER: 0.85, RowKind.BIRTH: 0.85, RowKind.VALIDITY: 0.85, RowKind.ADDRESS: 0.7}
#: A second way to see a card's edges is believed if its rows fit this many times as well: small differences
#: come from a millimetre more or less of the card.
CLEARLY_BETTER = 1.1
#: How well rows fit (`FoundRows.fit`, mm of ink). On 48 cards, drawn and real: 13-25 where quad and side
#: were right (6-8 with stamps or deep blur), 0-7 upside down, 0-10 on the wrong side. Below the first the
#: detector's opinion is doubted; it is overruled only by a fit of at least the second, and this many times
#: its own.
PLAIN_FIT_MM = 12.0
LEAST_FIT_MM = 6.0
BETTER_FIT = 1.5
#: The card's outermost part, where a badly found edge would show what lies behind, mm.
_RIM_MM = 3.0


@dataclass(frozen=True, kw_only=True)
class RectifyConfig:
    """What the step can be told.

    Attributes:
        score_threshold: a detection below it is no card, 0-1.
        lanes: the lanes' shape.
    """

    score_threshold: float = 0.4
    lanes: LaneConfig = field(default_factory=LaneConfig)

    def __post_init__(self) -> None:
        if not 0 < self.score_threshold <= 1:
            raise ValueError(f"score_threshold must be in (0, 1], got {self.score_threshold}")


@dataclass(frozen=True, kw_only=True)
class _FoundCard:
    """A card in the working picture: its quad, side, straightened picture, rows, their outlines and fit."""

    quad: FloatArray
    emblem: bool
    small: NDArray[np.uint8]
    rows: list[Row]
    outlines: list[FloatArray]
    fit: float


@dataclass(frozen=True, kw_only=True)
class Rectified:
    """What one picture sends to the recogniser.

    Attributes:
        lanes: (L, 48, W, 3) uint8 BGR.
        cards: best first.
        segments: where each row lies on the lanes; grouped by card, top to bottom.
    """

    lanes: NDArray[np.uint8]
    cards: tuple[CardRecord, ...]
    segments: tuple[Segment, ...]


def rectify(
    pixels: NDArray[np.uint8],
    sent_size: tuple[int, int],
    quads: NDArray[np.float32],
    scores: NDArray[np.float32],
    emblem: NDArray[np.float32],
    config: RectifyConfig | None = None,
) -> Rectified:
    """The picture's cards and their text rows on lanes.

    Args:
        pixels: (h, w, 3) uint8 BGR, the working picture.
        sent_size: (height, width) of the picture as sent, px.
        quads: (k, 4, 2) float32, thumbnail px, corners clockwise from each card's own top left; best first.
        scores: (k,) float32, 0-1.
        emblem: (k,) float32, probability that the side is the emblem side.
        config: thresholds and shapes.
    """
    config = config or RectifyConfig()
    size = (pixels.shape[0], pixels.shape[1])
    working = [thumbnail_to_working(quad, size) for quad in quads]
    kept = [i for i, quad in enumerate(working) if scores[i] >= config.score_threshold and is_plausible(quad)]
    kept = kept[:MAX_CARDS]
    if not kept:
        return Rectified(lanes=no_lanes(), cards=(), segments=())
    found = [_find_card(pixels, working[i], bool(emblem[i] >= EMBLEM_SIDE_FROM)) for i in kept]
    outlines = [row for card in found for row in card.outlines]
    widths = [_natural_width(quad) for quad in outlines]
    least_shares = [LEAST_SHARES.get(row.kind, LEAST_SHARE) for card in found for row in card.rows]
    places = place_strips(widths, least_shares, len(kept), config.lanes)
    strips = [
        warp(pixels, quad, (LANE_HEIGHT, place.x1 - place.x0))
        for quad, place in zip(outlines, places, strict=True)
    ]
    lanes = draw_lanes(strips, places, len(kept), config.lanes)
    cards: list[CardRecord] = []
    segments: list[Segment] = []
    for number, (index, card) in enumerate(zip(kept, found, strict=True)):
        own = slice(len(segments), len(segments) + len(card.rows))
        segments += _segments(card, number, places[own], size, sent_size)
        cards.append(_record(card, strips[own], float(scores[index]), float(emblem[index]), size, sent_size))
    return Rectified(lanes=lanes, cards=tuple(cards), segments=tuple(segments))


def _find_card(pixels: NDArray[np.uint8], quad: FloatArray, emblem: bool) -> _FoundCard:
    """The card by its edges near the predicted ones, or as the whole picture: whichever the rows fit."""
    quads = [refined.quad for refined in refinements(pixels, quad)]
    frame = cropped_card(quad, (pixels.shape[0], pixels.shape[1]))
    if frame is not None:
        quads.append(frame)
    card, *others = (_straighten(pixels, corners, emblem) for corners in quads)
    for other in others:
        card = other if other.fit > CLEARLY_BETTER * card.fit else card
    if card.fit >= PLAIN_FIT_MM:
        return card
    # Hardly a row is where it should be: perhaps the card lies the other way round, or on its other side.
    turned = np.roll(card.quad, 2, axis=0)
    other = max(
        (_straighten(pixels, corners, side) for corners in (card.quad, turned) for side in (False, True)),
        key=lambda found: found.fit,
    )
    return other if other.fit > max(BETTER_FIT * card.fit, LEAST_FIT_MM) else card


def _straighten(pixels: NDArray[np.uint8], quad: FloatArray, emblem: bool) -> _FoundCard:
    """The card inside the quad, and its rows."""
    small = warp(pixels, quad, (round(CARD_HEIGHT_MM * SCALE), round(CARD_WIDTH_MM * SCALE)))
    found = find_rows(small, emblem)
    on_picture = homography(outline(RECTIFIED_WIDTH, RECTIFIED_HEIGHT), quad)
    outlines = [transform(row.quad, on_picture) for row in found.rows]
    return _FoundCard(
        quad=quad, emblem=emblem, small=small, rows=found.rows, outlines=outlines, fit=found.fit
    )


def _natural_width(quad: FloatArray) -> float:
    """Width, px, of a row's strip that is 48 px high and not squeezed."""
    return quad_width(quad) * LANE_HEIGHT / quad_height(quad)


def _segments(
    card: _FoundCard, number: int, places: Sequence[Place], size: tuple[int, int], sent_size: tuple[int, int]
) -> list[Segment]:
    """Where the card's rows lie, on the lanes and in the picture as sent."""
    return [
        Segment(
            card=number,
            kind=row.kind,
            lane=place.lane,
            x0=place.x0,
            x1=place.x1,
            quad=working_to_sent(quad, size, sent_size),
            left_mm=float(row.quad[[0, 3], 0].mean()) / PX_PER_MM,
            right_mm=float(row.quad[[1, 2], 0].mean()) / PX_PER_MM,
            middle_mm=float(row.quad[:, 1].mean()) / PX_PER_MM,
        )
        for row, quad, place in zip(card.rows, card.outlines, places, strict=True)
    ]


def _record(
    card: _FoundCard,
    strips: Sequence[NDArray[np.uint8]],
    score: float,
    emblem: float,
    size: tuple[int, int],
    sent_size: tuple[int, int],
) -> CardRecord:
    """The card with its measured quality."""
    rim = round(_RIM_MM * SCALE)
    if card.emblem != (emblem >= EMBLEM_SIDE_FROM):
        emblem = 1 - emblem  # the rows have overruled the detector
    heights_mm = [quad_height(row.quad) / PX_PER_MM for row in card.rows]
    return CardRecord(
        quad=working_to_sent(card.quad, size, sent_size),
        score=score,
        emblem=emblem,
        blur=blur_score(strips, [LANE_HEIGHT / height for height in heights_mm]),
        glare=glare_score(strips),
        grey=grey_score(card.small[rim:-rim, rim:-rim]),
        incomplete=share_outside(card.quad, size),
    )
