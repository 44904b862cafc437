"""Whole pictures to lanes: where each row goes, what a picture without a card gives, and limits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.media.letterbox import working_to_thumbnail
from tandem.services.id_card.card import homography, outline, transform
from tandem.services.id_card.geometry.lanes import LANE_HEIGHT, LaneConfig
from tandem.services.id_card.geometry.rectify import Rectified, RectifyConfig, rectify
from tandem.services.id_card.records import MAX_CARDS, RowKind
from tests.services.id_card.drawn import draw_card, emblem_blocks, lay_on_table, row_blocks

SIZE = (900, 1200)
QUAD = np.array([[220, 190], [985, 145], [1035, 640], [190, 670]], np.float32)
SLOTS = 8


Detections = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def detections(*quads: NDArray[np.float32], scores: float = 0.9) -> Detections:
    """QUADS, SCORES and EMBLEM of one picture; the emblem side every other one."""
    packed = np.zeros((SLOTS, 4, 2), np.float32)
    sure = np.zeros(SLOTS, np.float32)
    emblem = np.zeros(SLOTS, np.float32)
    for i, quad in enumerate(quads):
        packed[i], sure[i], emblem[i] = working_to_thumbnail(quad, SIZE), scores, i % 2
    return packed, sure, emblem


def picture(quad: NDArray[np.float32] = QUAD, *, emblem: bool = False) -> NDArray[np.uint8]:
    blocks = emblem_blocks() if emblem else row_blocks()
    return lay_on_table(draw_card(blocks), quad, SIZE, np.random.default_rng(0))


def read(seen: NDArray[np.uint8], *quads: NDArray[np.float32], scores: float = 0.9) -> Rectified:
    return rectify(seen, SIZE, *detections(*quads, scores=scores))


def test_each_row_lies_where_its_segment_says() -> None:
    result = read(picture(), QUAD + 8)
    config = LaneConfig()
    assert result.lanes.shape == (config.lanes_per_card, LANE_HEIGHT, config.width, 3)
    assert [s.kind for s in result.segments] == [
        RowKind.NAME,
        RowKind.SEX_NATION,
        RowKind.BIRTH,
        RowKind.ADDRESS,
        RowKind.ADDRESS,
        RowKind.NUMBER,
    ]
    for segment in result.segments:
        strip = result.lanes[segment.lane, :, int(segment.x0) : int(segment.x1)]
        ink = strip.min(axis=2) < 120
        assert ink.any(axis=0)[6:-6].any()
        rows = np.flatnonzero(ink.any(axis=1))
        assert rows[0] >= 2, segment.kind  # whole characters, paper above and below
        assert rows[-1] <= LANE_HEIGHT - 3, segment.kind
        assert rows[-1] - rows[0] >= 26, segment.kind


def test_quads_are_in_pixels_of_the_picture_as_sent() -> None:
    seen = picture()
    result = rectify(seen, (SIZE[0] * 3, SIZE[1] * 3), *detections(QUAD + 6))
    (card,) = result.cards
    np.testing.assert_allclose(card.quad, QUAD * 3, atol=9)
    name = result.segments[0].quad
    on_picture = homography(outline(85.6, 54.0), QUAD)
    labels_corner = transform(np.array([[6.9, 9.3]], np.float32), on_picture)[0]
    assert np.linalg.norm(name[0] / 3 - labels_corner) < 12  # its margin


def test_upside_down_and_turned_cards_are_read_upright() -> None:
    upright = read(picture(), QUAD)
    for turn in (1, 2, 3):
        seen = np.ascontiguousarray(np.rot90(picture(), turn))
        width, height = SIZE[1], SIZE[0]
        for _ in range(turn):
            width, height = height, width
        points = QUAD.copy()
        w, h = float(SIZE[1]), float(SIZE[0])
        for _ in range(turn):
            points = np.stack([points[:, 1], w - points[:, 0]], axis=1).astype(np.float32)
            w, h = h, w
        size = (seen.shape[0], seen.shape[1])
        packed, scores, emblem = detections(QUAD)
        packed[0] = working_to_thumbnail(points, size)
        turned = rectify(seen, size, packed, scores, emblem)
        assert [s.kind for s in turned.segments] == [s.kind for s in upright.segments]
        difference = np.abs(turned.lanes.astype(int) - upright.lanes)
        assert difference.mean() < 6


def test_the_emblem_side_has_its_own_rows() -> None:
    quads, scores, emblem = detections(QUAD)
    emblem[0] = 0.9
    result = rectify(picture(emblem=True), SIZE, quads, scores, emblem)
    assert [s.kind for s in result.segments] == [RowKind.AUTHORITY, RowKind.VALIDITY]
    assert result.lanes.shape == read(picture(), QUAD).lanes.shape


def test_a_wrong_side_or_direction_is_overruled_by_the_rows() -> None:
    truth = read(picture(), QUAD)
    for quad, emblem_probability in ((QUAD[[2, 3, 0, 1]], 0.1), (QUAD, 0.8), (QUAD[[2, 3, 0, 1]], 0.8)):
        quads, scores, emblem = detections(quad)
        emblem[0] = emblem_probability
        result = rectify(picture(), SIZE, quads, scores, emblem)
        assert [s.kind for s in result.segments] == [s.kind for s in truth.segments]
        np.testing.assert_allclose(result.cards[0].quad, QUAD, atol=4)
        assert result.cards[0].emblem < 0.5


@pytest.mark.parametrize("turn", [0, 2])
def test_a_picture_cropped_to_the_card_is_the_card(turn: int) -> None:
    seen = cv2.resize(draw_card(row_blocks()), (600, 379), interpolation=cv2.INTER_AREA)
    size = (379, 600)
    truth = np.roll(outline(600, 379), turn, axis=0)
    seen = np.ascontiguousarray(np.rot90(seen, turn))
    quads, scores, emblem = detections(QUAD)
    guess = truth + np.array([[40, -30], [-10, 30], [-9, 0], [2, -12]], np.float32)
    quads[0] = working_to_thumbnail(guess, size)
    result = rectify(seen, size, quads, scores, emblem)
    np.testing.assert_allclose(result.cards[0].quad, truth, atol=5)


def test_two_cards_bring_twice_the_lanes() -> None:
    left, right = QUAD * 0.5 + [0, 100], QUAD * 0.5 + [560, 100]
    seen = np.where(np.arange(SIZE[1])[None, :, None] < 580, picture(left), picture(right, emblem=True))
    result = read(seen.astype(np.uint8), left.astype(np.float32), right.astype(np.float32))
    assert len(result.cards) == 2
    assert len(result.lanes) == 2 * LaneConfig().lanes_per_card
    assert {s.card for s in result.segments} == {0, 1}
    assert {s.kind for s in result.segments if s.card == 1} == {RowKind.AUTHORITY, RowKind.VALIDITY}


def test_below_the_threshold_there_is_no_card() -> None:
    below = RectifyConfig().score_threshold - 0.01
    for result in (read(picture(), QUAD, scores=below), read(picture())):
        assert result.lanes.shape == (1, LANE_HEIGHT, 32, 3)
        assert result.cards == ()
        assert result.segments == ()
    strict = RectifyConfig(score_threshold=0.95)
    assert rectify(picture(), SIZE, *detections(QUAD), strict).cards == ()


def test_impossible_quads_are_no_cards() -> None:
    crossed, point = QUAD[[0, 2, 1, 3]], np.zeros((4, 2), np.float32)
    nowhere = np.full((4, 2), np.nan, np.float32)
    assert read(picture(), crossed, point, nowhere).cards == ()
    assert len(read(picture(), crossed, QUAD).cards) == 1


def test_there_are_at_most_eight_cards() -> None:
    small = (QUAD - QUAD[0]) * 0.12
    quads = [(small + [60 + 200 * (i % 4), 60 + 200 * (i // 4)]).astype(np.float32) for i in range(SLOTS)]
    packed, scores, emblem = [np.concatenate([part, part]) for part in detections(*quads)]
    packed[SLOTS:] += 25  # elsewhere
    assert len(rectify(picture(), SIZE, packed, scores, emblem).cards) == MAX_CARDS


def test_two_detections_of_one_card_are_one_card() -> None:
    (card,) = read(picture(), QUAD, QUAD + 12).cards
    np.testing.assert_allclose(card.quad, QUAD, atol=8)


def test_what_is_no_card_takes_no_room_from_one_that_is() -> None:
    nothing = ((QUAD - QUAD[0]) * 0.2 + [20, 20]).astype(np.float32)
    alone, beside = read(picture(), QUAD), read(picture(), QUAD, nothing)
    assert len(beside.cards) == 2
    assert {s.card for s in beside.segments} == {0}
    assert len(beside.segments) == len(alone.segments)
    for own, before in zip(beside.segments, alone.segments, strict=True):
        assert own.x1 - own.x0 >= before.x1 - before.x0


def test_quality_is_measured() -> None:
    cut = QUAD + np.array([400, 0], np.float32)
    whole, incomplete = read(picture(), QUAD).cards[0], read(picture(cut), cut).cards[0]
    assert whole.incomplete == pytest.approx(0, abs=1e-3)
    assert incomplete.incomplete == pytest.approx(0.27, abs=0.06)
    assert whole.blur < 0.4
    grey = np.repeat(picture().mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert read(grey, QUAD).cards[0].grey == 1


@pytest.mark.parametrize("size", [(15, 15), (15, 400), (60, 40)])
def test_tiny_pictures_do_no_harm(size: tuple[int, int]) -> None:
    height, width = size
    quad = np.array([[1, 1], [width - 1, 1], [width - 1, height - 1], [1, height - 1]], np.float32)
    packed, scores, emblem = detections(QUAD)
    packed[0] = working_to_thumbnail(quad, size)
    result = rectify(np.full((*size, 3), 90, np.uint8), size, packed, scores, emblem)
    assert np.isfinite([card.quad for card in result.cards]).all()


def test_a_threshold_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="score_threshold"):
        RectifyConfig(score_threshold=0)
