"""Edges found near wrong predictions: on plain tables, beside other lines, cut off, and where none are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import homography, outline, quad_width, transform
from tandem.services.id_card.geometry.hough import FINE, _band, _canvas, cropped_card, refine_quad
from tests.services.id_card.drawn import draw_card, lay_on_table, row_blocks

SIZE = (600, 800)
#: A card of about 540 px, turned and seen at an angle.
QUAD = np.array([[127, 133], [660, 100], [693, 440], [100, 460]], np.float32)


def scene(
    quad: NDArray[np.float32] = QUAD, seed: int = 0, **options: tuple[int, int, int]
) -> NDArray[np.uint8]:
    return lay_on_table(draw_card(row_blocks()), quad, SIZE, np.random.default_rng(seed), **options)


def disturbed(quad: NDArray[np.float32], seed: int, share: float = 0.02) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(0, share * quad_width(quad), quad.shape)
    return (quad + noise).astype(np.float32)


def error(quad: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Largest corner error, % of the card's width."""
    return 100 * float(np.linalg.norm(quad - truth, axis=1).max()) / quad_width(truth)


@pytest.mark.parametrize("seed", range(6))
def test_a_wrong_prediction_is_moved_onto_the_edges(seed: int) -> None:
    truth = np.roll(QUAD, 2 * (seed % 2), axis=0)  # every other one upside down
    predicted = disturbed(truth, seed)
    refined = refine_quad(scene(truth, seed), predicted)
    assert refined.edges_found == (True,) * 4
    assert error(refined.quad, truth) < min(0.4, error(predicted, truth))


@pytest.mark.parametrize("table", [(225, 222, 220), (20, 20, 20), (200, 235, 200)])
def test_pale_and_dark_tables(table: tuple[int, int, int]) -> None:
    refined = refine_quad(scene(table=table), disturbed(QUAD, 3))
    assert error(refined.quad, QUAD) < 0.4


def test_a_rotation_error_of_four_degrees_is_corrected() -> None:
    middle = QUAD.mean(axis=0)
    turn = np.array(cv2.getRotationMatrix2D((0, 0), 4, 1))[:, :2]
    refined = refine_quad(scene(), ((QUAD - middle) @ turn.T + middle).astype(np.float32))
    assert error(refined.quad, QUAD) < 0.4


def test_a_table_edge_beside_the_card_is_not_taken_for_it() -> None:
    picture = scene()
    cv2.line(picture, (0, 492), (799, 466), (250, 250, 250), 2)  # 4 mm below the card
    refined = refine_quad(picture, disturbed(QUAD, 1, 0.01))
    assert error(refined.quad, QUAD) < 0.4


def test_a_hidden_edge_keeps_its_predicted_place() -> None:
    picture = scene()
    picture[:, :175] = 235  # the left edge lies under a sheet of paper
    predicted = disturbed(QUAD, 2, 0.01)
    refined = refine_quad(picture, predicted)
    assert refined.edges_found[1]
    assert error(refined.quad, QUAD) < error(predicted, QUAD) + 1.0


def test_edges_outside_the_picture_are_not_invented_at_its_border() -> None:
    truth = QUAD + np.array([220, 0], np.float32)  # the right end lies outside
    refined = refine_quad(scene(truth), disturbed(truth, 4, 0.01))
    errors = np.linalg.norm(refined.quad - truth, axis=1) / quad_width(truth)
    assert not refined.edges_found[1]
    assert errors[[0, 3]].max() < 0.004
    assert errors[[1, 2]].max() < 0.03


def test_only_a_picture_of_a_cards_shape_may_be_a_cropped_card() -> None:
    truth = outline(800, 505)
    guess = disturbed(truth, 6, 0.03)
    for turn in (0, 2):
        found = cropped_card(np.roll(guess, turn, axis=0), (505, 800))
        assert found is not None
        np.testing.assert_allclose(found, np.roll(truth, turn, axis=0))
    assert cropped_card(guess, (600, 800)) is None  # a phone's picture
    assert cropped_card(guess * 0.8, (505, 800)) is None  # a card in a wide picture


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_changed_where_nothing_is_seen(seed: int) -> None:
    plain = np.full((*SIZE, 3), 200, np.uint8)
    refined = refine_quad(plain, QUAD)
    assert refined.edges_found == (False,) * 4
    np.testing.assert_allclose(refined.quad, QUAD, atol=0.05)
    noise = np.random.default_rng(seed).integers(0, 255, (*SIZE, 3), np.uint8)
    assert error(refine_quad(noise, QUAD).quad, QUAD) <= 25.1


@pytest.mark.parametrize(
    "quad",
    [
        QUAD - 5000,
        np.array([[0, 0], [9, 0], [9, 9], [0, 9]], np.float32),
        np.array([[-2000, -1500], [4000, -1600], [4200, 2600], [-1800, 2500]], np.float32),
    ],
)
def test_odd_predictions_do_no_harm(quad: NDArray[np.float32]) -> None:
    refined = refine_quad(scene(), quad)
    assert np.isfinite(refined.quad).all()


@pytest.mark.parametrize("moved", [(0, 0), (-140, 0), (150, 60), (0, -120), (-160, 160)])
def test_what_is_seen_of_an_edge_is_what_lies_in_the_picture(moved: tuple[int, int]) -> None:
    quad = (QUAD + np.array(moved, np.float32)).astype(np.float32)
    canvas = _canvas(scene(), quad, FINE)
    width, height, margin = canvas.width, canvas.height, canvas.margin
    to_picture = homography(outline(width, height, margin), quad)
    corners = ((margin, 0), (width, margin), (margin, height), (0, margin))
    for side, (left, top) in enumerate(corners):
        _, seen = _band(canvas, side)
        rows, columns = np.indices(np.rot90(seen, -side).shape)
        places = np.stack([columns.ravel() + left, rows.ravel() + top], axis=1).astype(np.float32)
        x, y = transform(places, to_picture).T
        rim = np.minimum.reduce([x, y, SIZE[1] - x, SIZE[0] - y]) - 2
        expected = np.rot90((rim >= 0).reshape(rows.shape), side)
        near = np.rot90((np.abs(rim) < 0.01).reshape(rows.shape), side)
        assert ((seen == expected) | near).all()


def test_a_band_is_a_part_of_what_all_would_be() -> None:
    canvas = _canvas(scene(), QUAD, FINE)
    margin = canvas.margin
    whole = canvas.view.part((0, 0), (canvas.width + 2 * margin, canvas.height + 2 * margin))
    for side in range(4):
        pixels, seen = _band(canvas, side)
        expected = np.rot90(whole, side)[: 2 * margin, margin:-margin]
        assert pixels.shape[:2] == seen.shape
        assert seen.all()
        # Places are rounded to 1/32 px, either way where they lie in between.
        assert (np.abs(pixels.astype(int) - expected) > 8).mean() < 0.001
