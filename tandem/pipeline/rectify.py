"""From the detector's quads to the recogniser's lanes: edges, rows, strips, lanes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tandem.pipeline import lanes as lane_packing
from tandem.pipeline.card import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
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
from tandem.pipeline.hough import HoughConfig, refine_quad
from tandem.pipeline.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.pipeline.lanes import LANE_HEIGHT, LaneConfig
from tandem.pipeline.letterbox import thumbnail_to_working, working_to_sent
from tandem.pipeline.records import CardRecord, Segment
from tandem.pipeline.rows import Row, find_rows

#: A picture with more cards than this is cut to the best of them.
MAX_CARDS = 8


@dataclass(frozen=True, kw_only=True)
class RectifyConfig:
    """What the step can be told.

    Attributes:
        score_threshold: a detection below it is no card, 0-1.
        hough: how edges are searched.
        lanes: the lanes' shape.
    """

    score_threshold: float = 0.5
    hough: HoughConfig = field(default_factory=HoughConfig)
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
    cards: list[CardRecord] = []
    rows: list[tuple[int, Row, NDArray[np.float32]]] = []
    for quad, score, side in zip(quads, scores, emblem, strict=True):
        working = thumbnail_to_working(quad, size)
        if score < config.score_threshold or not is_plausible(working) or len(cards) == MAX_CARDS:
            continue
        refined = refine_quad(pixels, working, config.hough).quad
        on_picture = homography(outline(RECTIFIED_WIDTH, RECTIFIED_HEIGHT), refined)
        small = warp(pixels, refined, (round(CARD_HEIGHT_MM * SCALE), round(CARD_WIDTH_MM * SCALE)))
        found = find_rows(small, emblem=bool(side >= 0.5))
        rows += [(len(cards), row, transform(row.quad, on_picture)) for row in found]
        cards.append(
            CardRecord(
                quad=working_to_sent(refined, size, sent_size),
                score=float(score),
                emblem=float(side),
                incomplete=share_outside(refined, size),
            )
        )
    if not cards:
        return Rectified(lanes=lane_packing.no_lanes(), cards=(), segments=())
    widths = [quad_width(row.quad) * LANE_HEIGHT / quad_height(row.quad) for _, row, _ in rows]
    places = lane_packing.place_strips(widths, len(cards), config.lanes)
    strips = [
        warp(pixels, quad, (LANE_HEIGHT, place.x1 - place.x0))
        for (_, _, quad), place in zip(rows, places, strict=True)
    ]
    segments = [
        Segment(
            card=card,
            kind=row.kind,
            lane=place.lane,
            x0=place.x0,
            x1=place.x1,
            quad=working_to_sent(quad, size, sent_size),
        )
        for (card, row, quad), place in zip(rows, places, strict=True)
    ]
    return Rectified(
        lanes=lane_packing.draw_lanes(strips, places, len(cards), config.lanes),
        cards=tuple(cards),
        segments=tuple(segments),
    )
