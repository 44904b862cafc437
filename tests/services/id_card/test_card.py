"""Warping between the card and pictures, to a fraction of a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import (
    RECTIFIED_HEIGHT,
    RECTIFIED_WIDTH,
    homography,
    is_plausible,
    outline,
    share_outside,
    transform,
    warp,
)

QUAD = np.array([[300, 180], [1210, 260], [1150, 830], [260, 720]], np.float32)


def test_a_warp_of_the_identity_changes_nothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    assert np.abs(warp(pixels, outline(90, 60), (60, 90)).astype(int) - pixels).max() <= 1


@pytest.mark.parametrize("width", [200, 505, 1011])
def test_a_dot_lands_where_the_homography_says(width: int) -> None:
    height = round(width * RECTIFIED_HEIGHT / RECTIFIED_WIDTH)
    target = np.array([[width * 0.3, height * 0.6]], np.float32)
    at = transform(target, homography(outline(width, height), QUAD))[0]
    ys, xs = np.mgrid[0:1000, 0:1400] + 0.5
    blob = 255 * np.exp(-((xs - at[0]) ** 2 + (ys - at[1]) ** 2) / (2 * 8**2))
    seen = warp(np.repeat(blob[..., None], 3, 2).astype(np.uint8), QUAD, (height, width))[..., 0].astype(
        float
    )
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    centre = [(columns * seen).sum() / seen.sum(), (rows * seen).sum() / seen.sum()]
    np.testing.assert_allclose(centre, target[0], atol=0.12)


def test_fine_lines_do_not_alias_when_shrunk() -> None:
    stripes = np.zeros((1200, 1800, 3), np.uint8)
    stripes[:, ::2] = 255
    small = warp(stripes, outline(1800, 1200), (150, 225))
    assert small[5:-5, 5:-5].std() < 8


def test_the_margin_shows_what_lies_around() -> None:
    pixels = np.full((400, 600, 3), 50, np.uint8)
    pixels[100:300, 200:400] = 200
    quad = outline(200, 200) + np.array([200, 100], np.float32)
    seen = warp(pixels, quad, (240, 240), (20, 20))
    assert (seen[30:-30, 30:-30] == 200).all()
    assert (seen[:18] == 50).all()
    assert (seen[:, -18:] == 50).all()


def test_share_outside_is_the_area_beyond_the_picture() -> None:
    inside = outline(100, 50, 10)
    assert share_outside(inside, (200, 200)) == 0
    assert share_outside(inside - np.array([60, 0], np.float32), (200, 200)) == pytest.approx(0.5, abs=1e-3)
    assert share_outside(inside + 500, (200, 200)) == 1
    assert share_outside(np.zeros((4, 2), np.float32), (200, 200)) == 1


@pytest.mark.parametrize(
    ("quad", "plausible"),
    [
        (QUAD, True),
        (QUAD[::-1], False),  # anticlockwise
        (QUAD[[0, 2, 1, 3]], False),  # crossed
        (np.zeros((4, 2)), False),
        (np.full((4, 2), np.nan), False),
        (outline(100, 2), False),
    ],
)
def test_implausible_quads_are_known(quad: NDArray[np.float32], plausible: bool) -> None:
    assert is_plausible(np.asarray(quad, np.float32)) is plausible
