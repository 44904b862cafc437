"""Pictures of all shapes into the detector's square and points back out of it."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.media.letterbox import (
    BORDER_GREY,
    THUMBNAIL_SIDE,
    letterbox,
    letterbox_mapping,
    thumbnail_to_working,
    working_to_sent,
    working_to_thumbnail,
)

SIZES = [(1500, 2000), (2000, 1500), (384, 384), (15, 2400), (300, 200), (777, 1023)]


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_is_centred_and_the_rest_is_grey(size: tuple[int, int]) -> None:
    thumbnail = letterbox(np.full((*size, 3), 255, np.uint8))
    assert thumbnail.shape == (THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3)
    mapping = letterbox_mapping(size)
    inside = np.zeros(thumbnail.shape[:2], bool)
    inside[mapping.top : mapping.top + mapping.height, mapping.left : mapping.left + mapping.width] = True
    assert (thumbnail[inside] == 255).all()
    assert (thumbnail[~inside] == BORDER_GREY).all()
    assert max(mapping.width, mapping.height) == THUMBNAIL_SIDE
    assert abs(mapping.left * 2 + mapping.width - THUMBNAIL_SIDE) <= 1


@pytest.mark.parametrize("size", SIZES)
def test_points_go_there_and_back(size: tuple[int, int]) -> None:
    height, width = size
    points = np.array([[0, 0], [width, 0], [width, height], [width / 3, height / 7]], np.float32)
    seen = working_to_thumbnail(points, size)
    rounding = 1e-3  # of float32 at these sizes
    assert seen.min() >= -rounding
    assert seen.max() <= THUMBNAIL_SIDE + rounding
    np.testing.assert_allclose(thumbnail_to_working(seen, size), points, atol=1e-2)


def test_a_blob_is_found_where_the_mapping_says() -> None:
    pixels = np.zeros((1500, 2000, 3), np.uint8)
    pixels[600:700, 1200:1320] = 255
    ys, xs = np.nonzero(letterbox(pixels)[..., 0] > 127)
    mapping = letterbox_mapping((1500, 2000))
    found = thumbnail_to_working(
        np.array([[xs.min(), ys.min()], [xs.max() + 1, ys.max() + 1]], np.float32), (1500, 2000)
    )
    np.testing.assert_allclose(found, [[1200, 600], [1320, 700]], atol=1 / mapping.scale_x)
    assert (letterbox(pixels)[: mapping.top] == BORDER_GREY).all()


def test_working_points_scale_to_the_picture_as_sent() -> None:
    points = np.array([[100, 50], [0, 0]], np.float32)
    np.testing.assert_allclose(working_to_sent(points, (1500, 2000), (3000, 4000)), [[200, 100], [0, 0]])
