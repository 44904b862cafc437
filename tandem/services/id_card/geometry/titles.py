"""The titles of emblem sides, for the recogniser: in the room that the rows leave on the lanes.

An emblem side has two or three rows and as many lanes as a portrait side with nine, so its title is read at
no cost. `TITLES` `(C, 3)` float32 says of every card which lane its title is on and between which columns; a
title that was not placed has no columns (`x1 <= x0`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.media.letterbox import sent_to_working
from tandem.media.picture import Picture
from tandem.media.quads import homography, outline, transform, warp
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM
from tandem.services.id_card.geometry.lanes import LANE_HEIGHT, LaneConfig, background
from tandem.services.id_card.records import CardRecord, Segment

TITLES_WIDTH = 3
#: x, y, width, height of the title's band, mm: right of the device, under 中华人民共和国.
TITLE_BAND_MM = (22.2, 13.2, 60.3, 10.6)
#: A title is narrowed to this share of its width where room is short, and left out below it.
_LEAST_SHARE = 0.65
_EMBLEM_FROM = 0.5


def place_titles(
    picture: Picture,
    cards: Sequence[CardRecord],
    segments: Sequence[Segment],
    lanes: NDArray[np.uint8],
    config: LaneConfig | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The lanes with the emblem sides' titles on them, and where those are.

    Args:
        picture: decoded.
        cards: found in it.
        segments: the rows that are on the lanes already.
        lanes: (L, 48, W, 3) uint8 BGR; not changed.
        config: the gap between rows.

    Returns:
        lanes: as given, or a copy with titles.
        titles: (max(C, 1), 3) float32, lane, x0 and x1 of each card's title.
    """
    gap = (config or LaneConfig()).gap
    titles = np.zeros((max(len(cards), 1), TITLES_WIDTH), np.float32)
    used = np.zeros(len(lanes))
    for segment in segments:
        used[segment.lane] = max(used[segment.lane], segment.x1 + gap)
    natural = TITLE_BAND_MM[2] / TITLE_BAND_MM[3] * LANE_HEIGHT
    drawn = lanes
    for index, card in enumerate(cards):
        lane = int(np.argmin(used))
        width = int(min(natural, lanes.shape[2] - used[lane]))
        if card.emblem < _EMBLEM_FROM or width < _LEAST_SHARE * natural:
            continue
        drawn = lanes.copy() if drawn is lanes else drawn
        x0 = int(np.ceil(used[lane]))
        x1 = min(x0 + width, lanes.shape[2])
        strip = warp(picture.pixels, _band(picture, card), (LANE_HEIGHT, x1 - x0))
        drawn[lane, :, max(x0 - gap, 0) :] = background(strip)
        drawn[lane, :, x0:x1] = strip
        titles[index] = lane, x0, x1
        used[lane] = x1 + gap
    return drawn, titles


def _band(picture: Picture, card: CardRecord) -> NDArray[np.float32]:
    """(4, 2) float32: the title's band, px of the working picture."""
    size = (picture.pixels.shape[0], picture.pixels.shape[1])
    quad = sent_to_working(np.asarray(card.quad, np.float32), size, picture.sent_size)
    x, y, width, height = TITLE_BAND_MM
    band = outline(width, height) + np.array([x, y], np.float32)
    return transform(band, homography(outline(CARD_WIDTH_MM, CARD_HEIGHT_MM), quad))
