"""Rows packed on lanes: fixed shape, nothing overlaps, nothing is lost."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.services.id_card.geometry.lanes import (
    LANE_HEIGHT,
    TIME_STEP,
    LaneConfig,
    Place,
    draw_lanes,
    no_lanes,
    place_strips,
)

CONFIG = LaneConfig()


def assert_no_overlap(places: list[Place], cards: int, config: LaneConfig) -> None:
    for lane in range(cards * config.lanes_per_card):
        own = sorted((p for p in places if p.lane == lane), key=lambda p: p.x0)
        for left, right in pairwise(own):
            assert right.x0 - left.x1 >= config.gap
        assert all(0 <= p.x0 < p.x1 <= config.width for p in own)
    assert all(0 <= p.lane < cards * config.lanes_per_card for p in places)


@given(
    widths=st.lists(st.floats(1, 1500), max_size=24),
    cards=st.integers(1, 8),
    least=st.floats(0.3, 1),
)
def test_every_strip_gets_a_place_of_its_own(widths: list[float], cards: int, least: float) -> None:
    places = place_strips(widths, [least] * len(widths), cards, CONFIG)
    assert len(places) == len(widths)
    assert_no_overlap(places, cards, CONFIG)
    for width, place in zip(widths, places, strict=True):
        assert place.x1 - place.x0 <= max(round(width), 1)


def test_what_fits_is_not_narrowed() -> None:
    widths = [700.0, 400.0, 300.0, 200.0, 100.0]
    places = place_strips(widths, [0.5] * 5, 1, CONFIG)
    assert [p.x1 - p.x0 for p in places] == widths


def test_rows_that_must_stay_wide_give_way_last() -> None:
    widths = [560.0, 520.0, 560.0, 450.0, 450.0, 220.0]  # a full portrait side
    least = [0.85, 0.85, 0.5, 0.5, 0.5, 0.5]
    places = place_strips(widths, least, 1, CONFIG)
    assert_no_overlap(places, 1, CONFIG)
    shares = [(p.x1 - p.x0) / width for p, width in zip(places, widths, strict=True)]
    assert min(shares[:2]) >= 0.84
    assert min(shares) >= 0.5


@pytest.mark.parametrize("cards", [1, 2, 8])
def test_the_lanes_shape_depends_on_the_number_of_cards_only(cards: int) -> None:
    for count in (0, 1, 5 * cards):
        places = place_strips([300.0] * count, [0.5] * count, cards, CONFIG)
        strips = [np.full((LANE_HEIGHT, p.x1 - p.x0, 3), 7, np.uint8) for p in places]
        lanes = draw_lanes(strips, places, cards, CONFIG)
        assert lanes.shape == (cards * CONFIG.lanes_per_card, LANE_HEIGHT, CONFIG.width, 3)
        for place in places:
            assert (lanes[place.lane, :, place.x0 : place.x1] == 7).all()


def test_gaps_have_the_colour_of_the_paper() -> None:
    rng = np.random.default_rng(0)
    strips = []
    for paper in (230, 150):
        strip = np.full((LANE_HEIGHT, 120, 3), paper, np.uint8)
        strip[10:40, 20:100][rng.random((30, 80)) < 0.4] = 20
        strips.append(strip)
    places = [Place(lane=0, x0=0, x1=120), Place(lane=0, x0=152, x1=272)]
    lane = draw_lanes(strips, places, 1, CONFIG)[0]
    assert set(np.unique(lane[:, 120:152])) <= {230, 150}
    assert (lane[:, 272:] == 150).all()


def test_no_card_sends_one_small_grey_lane() -> None:
    assert no_lanes().shape == (1, 48, 32, 3)
    assert np.unique(no_lanes()).size == 1


@pytest.mark.parametrize("options", [{"width": 500}, {"width": 0}, {"lanes_per_card": 0}, {"gap": -1}])
def test_impossible_lanes_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"lane|gap"):
        LaneConfig(**options)
    assert CONFIG.width % TIME_STEP == 0
