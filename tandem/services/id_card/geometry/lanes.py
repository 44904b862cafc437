"""The rows of a picture's cards packed on the fixed lanes that the recogniser reads.

The recogniser is the pipeline's heaviest step and its time grows with the lanes' area. So rows share lanes,
with a gap between, and the number of lanes and their width depend on the number of cards only: pictures
with one card then always fit into one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.geometry.percentiles import percentiles_of_counts

#: The recogniser reads lines of this height.
LANE_HEIGHT = 48
#: The recogniser's time step, px: lane widths are multiples of it.
TIME_STEP = 8
#: How finely the share is sought that makes the rows fit.
_STEP = 0.98
#: When the others are narrowed to this share of what a strip should keep, that strip gives way, too.
_HARD_PRESSED = 0.5
#: What fills lanes that carry no row.
EMPTY_GREY = 128


@dataclass(frozen=True, kw_only=True)
class LaneConfig:
    """The lanes' fixed shape.

    Attributes:
        lanes_per_card: lanes that each card brings.
        width: px, a multiple of 8.
        gap: px between two rows of a lane, beside the free paper that each row brings, so that they are not
            read as one word.
    """

    lanes_per_card: int = 3
    width: int = 896
    gap: int = 16

    def __post_init__(self) -> None:
        if self.width % TIME_STEP or self.width <= 0:
            raise ValueError(f"lane width must be a multiple of {TIME_STEP}, got {self.width}")
        if self.lanes_per_card < 1 or self.gap < 0:
            raise ValueError("lanes_per_card >= 1 and gap >= 0 are needed")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a strip lies: columns x0 to x1 (exclusive) of a lane."""

    lane: int
    x0: int
    x1: int


def place_strips(
    widths: Sequence[float], least_shares: Sequence[float], cards: int, config: LaneConfig
) -> list[Place]:
    """A place for every strip, in the strips' order; all on `cards * lanes_per_card` lanes.

    Rows keep their natural width where they fit, else all are narrowed by the same share, each down to its
    own least one. What does not fit even then is narrowed further: no row is lost.

    Args:
        widths: natural widths of the strips, px.
        least_shares: of its natural width that each strip should keep, 0-1.
        cards: number of cards in the picture, at least 1.
        config: the lanes' shape.
    """
    lanes = max(cards, 1) * config.lanes_per_card
    share = 1.0
    while True:
        kept = [max(share, min(least, share / _HARD_PRESSED)) for least in least_shares]
        wanted = [width * keep for width, keep in zip(widths, kept, strict=True)]
        places = _first_fit(wanted, lanes, config)
        if places is not None:
            return places
        share *= _STEP


def _first_fit(widths: Sequence[float], lanes: int, config: LaneConfig) -> list[Place] | None:
    """First fit, widest first; None if the strips do not fit."""
    used = [0] * lanes
    places: dict[int, Place] = {}
    for index in sorted(range(len(widths)), key=lambda i: -widths[i]):
        width = max(1, round(widths[index]))
        for lane in range(lanes):
            start = used[lane] + (config.gap if used[lane] else 0)
            if start + width <= config.width:
                places[index] = Place(lane=lane, x0=start, x1=start + width)
                used[lane] = start + width
                break
        else:
            return None
    return [places[index] for index in range(len(widths))]


def draw_lanes(
    strips: Sequence[NDArray[np.uint8]], places: Sequence[Place], cards: int, config: LaneConfig
) -> NDArray[np.uint8]:
    """(cards * lanes_per_card, 48, width, 3) uint8 BGR: the strips at their places.

    Args:
        strips: (48, x1 - x0, 3) uint8 each.
        places: one for each strip.
        cards: number of cards in the picture.
        config: the lanes' shape.
    """
    shape = (max(cards, 1) * config.lanes_per_card, LANE_HEIGHT, config.width, 3)
    lanes = np.full(shape, EMPTY_GREY, np.uint8)
    order = sorted(range(len(places)), key=lambda i: (places[i].lane, places[i].x0))
    for index in order:
        place, strip = places[index], strips[index]
        # Paint to the lane's end: the next row overwrites it, the rest is this row's background.
        begin = (max(place.x0 - config.gap, 0), 0)
        colour = background(strip).tolist()
        cv2.rectangle(lanes[place.lane], begin, (config.width, LANE_HEIGHT), colour, cv2.FILLED)
        lanes[place.lane, :, place.x0 : place.x1] = strip
    return lanes


def background(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(3,) uint8: the colour of the paper around a strip's text."""
    channels = np.moveaxis(strip[::4, ::4], 2, 0)
    return np.array([percentiles_of_counts(channel, (75,))[0] for channel in channels], np.uint8)


def no_lanes() -> NDArray[np.uint8]:
    """(1, 48, 32, 3) uint8: what a picture without a card sends to the recogniser."""
    return np.full((1, LANE_HEIGHT, 32, 3), EMPTY_GREY, np.uint8)
