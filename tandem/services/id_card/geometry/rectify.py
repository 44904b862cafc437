"""From the detector's quads to the recogniser's lanes: edges, rows, strips, lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import PX_PER_MM, quad_height, quad_width, share_outside, warp
from tandem.services.id_card.geometry.bent_number import unbent_strip
from tandem.services.id_card.geometry.corner_look import Refine
from tandem.services.id_card.geometry.find_card import EMBLEM_SIDE_FROM, FoundCard, Original
from tandem.services.id_card.geometry.lanes import (
    LANE_HEIGHT,
    LaneConfig,
    Place,
    draw_lanes,
    no_lanes,
    place_strips,
)
from tandem.services.id_card.geometry.located import locate_cards, without_rim
from tandem.services.id_card.geometry.quality import blur_score, glare_score, grey_score
from tandem.services.id_card.geometry.second_look import Detect, Seen
from tandem.services.id_card.records import CardRecord, RowKind, Segment

FloatArray = NDArray[np.float32]

#: Rows may be narrowed to these shares of their width to fit on the lanes. A hanzi keeps two of the
#: recogniser's time steps at half its width (measured: as many rows exact at 0.65 as at 1, within 1.5 %). Two
#: equal digits, each 1.5-2.4 mm wide, need nearly all of theirs to be told apart: rows with digits give way
#: last.
LEAST_SHARE = 0.5
LEAST_SHARES = {RowKind.NUMBER: 0.85, RowKind.BIRTH: 0.85, RowKind.VALIDITY: 0.85, RowKind.ADDRESS: 0.7}


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
    detect: Detect | None = None,
    refine: Refine | None = None,
    original: Original | None = None,
) -> Rectified:
    """The picture's cards and their text rows on lanes.

    Args:
        pixels: (h, w, 3) uint8 BGR, the working picture.
        sent_size: (height, width) of the picture as sent, px.
        quads: (k, 4, 2) float32, thumbnail px, corners clockwise from each card's own top left; best first.
        scores: (k,) float32, 0-1.
        emblem: (k,) float32, probability that the side is the emblem side.
        config: thresholds and shapes.
        detect: the detector, for a second look at cards that are not plain; without it there is none.
        refine: the network that corrects their corners; without it nothing does.
        original: gives the picture as sent, for cards that are small in the working picture.
    """
    config = config or RectifyConfig()
    located = locate_cards(
        pixels,
        sent_size,
        (quads, scores, emblem),
        threshold=config.score_threshold,
        detect=detect,
        refine=refine,
        original=original,
    )
    if not located:
        return Rectified(lanes=no_lanes(), cards=(), segments=())
    found = [card.found for card in located]
    outlines = [row for card in found for row in card.outlines]
    widths = [_natural_width(quad) for quad in outlines]
    rows = [row for card in found for row in card.rows]
    least_shares = [LEAST_SHARES.get(row.kind, LEAST_SHARE) for row in rows]
    places = place_strips(widths, least_shares, len(found), config.lanes)
    views = [card.view for card in found for _ in card.rows]
    strips = [
        (unbent_strip(seen.pixels, row, quad, size) if row.bow_mm else warp(seen.pixels, quad, size))
        for seen, row, quad, size in zip(
            views, rows, outlines, [(LANE_HEIGHT, place.x1 - place.x0) for place in places], strict=True
        )
    ]
    lanes = draw_lanes(strips, places, len(found), config.lanes)
    cards: list[CardRecord] = []
    segments: list[Segment] = []
    for number, one in enumerate(located):
        card = one.found
        own = slice(len(segments), len(segments) + len(card.rows))
        segments += _segments(card, number, places[own])
        cards.append(_record(card, strips[own], one.seen))
    return Rectified(lanes=lanes, cards=tuple(cards), segments=tuple(segments))


def _natural_width(quad: FloatArray) -> float:
    """Width, px, of a row's strip that is 48 px high and not squeezed."""
    return quad_width(quad) * LANE_HEIGHT / quad_height(quad)


def _segments(card: FoundCard, number: int, places: Sequence[Place]) -> list[Segment]:
    """Where the card's rows lie, on the lanes and in the picture as sent."""
    return [
        Segment(
            card=number,
            kind=row.kind,
            lane=place.lane,
            x0=place.x0,
            x1=place.x1,
            quad=card.view.to_sent(quad),
            left_mm=float(row.quad[[0, 3], 0].mean()) / PX_PER_MM,
            right_mm=float(row.quad[[1, 2], 0].mean()) / PX_PER_MM,
            middle_mm=float(row.quad[:, 1].mean()) / PX_PER_MM,
        )
        for row, quad, place in zip(card.rows, card.outlines, places, strict=True)
    ]


def _record(card: FoundCard, strips: Sequence[NDArray[np.uint8]], seen: Seen) -> CardRecord:
    """The card with its measured quality."""
    emblem = seen.emblem
    if card.emblem != (emblem >= EMBLEM_SIDE_FROM):
        emblem = 1 - emblem  # the rows have overruled the detector
    heights_mm = [quad_height(row.quad) / PX_PER_MM for row in card.rows]
    return CardRecord(
        quad=card.view.to_sent(card.quad),
        score=seen.score,
        emblem=emblem,
        blur=blur_score(strips, [LANE_HEIGHT / height for height in heights_mm]),
        glare=glare_score(strips),
        grey=grey_score(without_rim(card)),
        incomplete=share_outside(card.quad, card.view.size),
        mirrored=card.view.mirrored,
    )
