"""The classifier's views: the document fills them, long side across, whatever its size and turn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tandem.media.document_views import VIEW_HEIGHT, VIEW_WIDTH, document_view, picture_view, views_of
from tandem.media.letterbox import BORDER_GREY

RED, BLUE = (0, 0, 255), (255, 0, 0)


def card(height: int, width: int) -> np.ndarray:
    """A card whose left half is red and whose right half is blue."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2], picture[:, width // 2 :] = RED, BLUE
    return picture


def halves(view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return view[80, 40], view[80, 216]


@pytest.mark.parametrize("width", [120, 900])
def test_a_document_fills_its_view(width: int) -> None:
    picture = np.full((1200, 1600, 3), 200, np.uint8)
    height = round(width * 0.63)
    picture[100 : 100 + height, 200 : 200 + width] = card(height, width)
    quad = np.array(
        [[200, 100], [200 + width, 100], [200 + width, 100 + height], [200, 100 + height]], np.float32
    )
    view = document_view(picture, quad)
    assert view.shape == (VIEW_HEIGHT, VIEW_WIDTH, 3)
    left, right = halves(view)
    assert np.abs(left.astype(int) - RED).max() < 8
    assert np.abs(right.astype(int) - BLUE).max() < 8


def test_the_quads_first_corner_is_the_views_top_left() -> None:
    picture = card(630, 1000)
    corners = np.array([[0, 0], [1000, 0], [1000, 630], [0, 630]], np.float32)
    left, right = halves(document_view(picture, np.roll(corners, 2, axis=0)))
    assert tuple(left) == BLUE
    assert tuple(right) == RED


def test_an_upright_document_lies_on_its_side() -> None:
    picture = np.asarray(cv2.rotate(card(630, 1000), cv2.ROTATE_90_CLOCKWISE))
    quad = np.array([[0, 0], [630, 0], [630, 1000], [0, 1000]], np.float32)
    left, right = halves(document_view(picture, quad))
    assert {tuple(left), tuple(right)} == {RED, BLUE}


@pytest.mark.parametrize("size", [(600, 800), (800, 600), (40, 400), (3000, 2000)])
def test_a_whole_picture_keeps_its_shape(size: tuple[int, int]) -> None:
    view = picture_view(np.full((*size, 3), 250, np.uint8))
    assert view.shape == (VIEW_HEIGHT, VIEW_WIDTH, 3)
    inside = (view != BORDER_GREY).all(axis=2)
    height, width = np.flatnonzero(inside.any(axis=1)).size, np.flatnonzero(inside.any(axis=0)).size
    assert width / height == pytest.approx(max(size) / min(size), rel=0.05)


def test_without_a_document_the_picture_is_the_only_view() -> None:
    picture = card(63, 100)
    assert np.array_equal(views_of(picture, []), picture_view(picture)[np.newaxis])
    quad = np.array([[0, 0], [100, 0], [100, 63], [0, 63]], np.float32)
    assert views_of(picture, [quad, quad]).shape == (2, VIEW_HEIGHT, VIEW_WIDTH, 3)
