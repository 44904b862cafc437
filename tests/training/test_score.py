"""Geometry against figures worked out by hand."""

import numpy as np
import pytest

from tandem.training.score import corner_error, match_cards, quad_iou

SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)


def test_iou_of_a_shift_by_half_is_a_third():
    assert quad_iou(SQUARE, SQUARE + [5, 0]) == pytest.approx(1 / 3, abs=1e-6)


def test_iou_ignores_where_a_quad_begins():
    assert quad_iou(SQUARE, np.roll(SQUARE, 2, axis=0)) == pytest.approx(1.0)


def test_corner_error_is_a_share_of_the_width():
    assert corner_error(SQUARE + [3, 4], SQUARE) == pytest.approx(0.5)


def test_a_card_read_upside_down_has_a_large_corner_error():
    assert corner_error(np.roll(SQUARE, 2, axis=0), SQUARE) > 1


def test_each_card_gets_the_best_quad_and_the_rest_is_spare():
    far = SQUARE + [100, 0]
    matches, spare = match_cards([SQUARE, far], [far + [0.1, 0], SQUARE, SQUARE + [0.5, 0]])
    assert [match.found for match in matches] == [1, 0]
    assert spare == [2]


def test_a_quad_that_overlaps_too_little_is_not_found():
    matches, spare = match_cards([SQUARE], [SQUARE + [3, 0]])
    assert matches[0].found is None
    assert spare == [0]
