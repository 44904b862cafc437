"""Corners by the corner refiner: in pixels of the picture, the right way round, and never for the worse."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM, outline
from tandem.services.id_card.geometry.corner_look import (
    MARGIN_MM,
    VIEW_HEIGHT,
    VIEW_PX_PER_MM,
    VIEW_WIDTH,
    WAYS,
    Refine,
    corner_view,
    refine_corners,
)
from tandem.services.id_card.geometry.find_card import (
    find_card,
)
from tandem.services.id_card.geometry.views import whole_view
from tests.services.id_card.geometry.test_evidence import ASKEW, QUAD, SIZE, _farthest, _ruled, _scene

Answer = tuple[NDArray[np.float32], NDArray[np.float32]]
CARD = outline(CARD_WIDTH_MM, CARD_HEIGHT_MM)


def _green(quad: NDArray[np.float32]) -> NDArray[np.uint8]:
    scene = np.full((*SIZE, 3), 90, np.uint8)
    cv2.fillPoly(scene, [np.rint(quad * 16).astype(np.int32)], (0, 255, 0), shift=4)
    return scene


class SeesGreen:
    """A refiner that finds the corners of what is green in its view.

    Args:
        turned: it says that the card lies with its head below.
        emblem: it says that the emblem side is up.
    """

    def __init__(self, *, turned: bool = False, emblem: bool = False) -> None:
        self.turned, self.emblem, self.looks = turned, emblem, 0

    def __call__(self, views: NDArray[np.uint8]) -> Answer:
        self.looks += 1
        assert views.shape == (1, VIEW_HEIGHT, VIEW_WIDTH, 3)
        mask = ((views[0, :, :, 1] > 150) & (views[0, :, :, 0] < 60)).astype(np.uint8)
        (contour,), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        points = contour[:, 0].astype(np.float32) + 0.5
        towards = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
        corners = np.stack([points[(points @ way).argmax()] for way in towards]) / VIEW_PX_PER_MM
        ways = np.full((1, 4), 0.02, np.float32)
        # After a look that turned the quad the card lies upright in it.
        ways[0, WAYS.index((self.emblem, self.turned and self.looks == 1))] = 0.94
        return (corners - np.array(MARGIN_MM, np.float32) - CARD)[np.newaxis].astype(np.float32), ways


def _silent(views: NDArray[np.uint8]) -> Answer:
    return np.zeros((0, 4, 2), np.float32), np.zeros((0, 4), np.float32)


def _lost(views: NDArray[np.uint8]) -> Answer:
    """A refiner that says nonsense, and is sure of it."""
    return np.full((1, 4, 2), [9, -7], np.float32), np.array([[0, 0, 0, 1]], np.float32)


def _crossed(views: NDArray[np.uint8]) -> Answer:
    return (CARD[[0, 2, 1, 3]] - CARD)[np.newaxis], np.array([[1, 0, 0, 0]], np.float32)


def _nowhere(views: NDArray[np.uint8]) -> Answer:
    return np.full((1, 4, 2), np.nan, np.float32), np.array([[1, 0, 0, 0]], np.float32)


def _to_a_point(views: NDArray[np.uint8]) -> Answer:
    return -CARD[np.newaxis], np.array([[1, 0, 0, 0]], np.float32)


def _explodes(views: NDArray[np.uint8]) -> Answer:
    """Each look puts the corners a thousand times further out."""
    return (999 * (CARD - CARD.mean(axis=0)))[np.newaxis], np.array([[1, 0, 0, 0]], np.float32)


def _over_the_horizon(views: NDArray[np.uint8]) -> Answer:
    """One corner behind the camera."""
    return np.array([[[0, 0], [400, -300], [0, 0], [0, 0]]], np.float32), np.array([[1, 0, 0, 0]], np.float32)


def test_a_view_holds_the_quad_and_what_is_around_it() -> None:
    view = corner_view(_green(QUAD), QUAD)
    left, top = (round(margin * VIEW_PX_PER_MM) for margin in MARGIN_MM)
    green = view[:, :, 0] < 60
    assert green[top + 2 : -top - 2, left + 2 : -left - 2].all()
    assert not green[: top - 2].any()
    assert not green[:, : left - 2].any()


def test_each_look_starts_where_the_last_one_ended() -> None:
    refine = SeesGreen()
    one = refine_corners(_green(QUAD), ASKEW, refine, looks=1)
    three = refine_corners(_green(QUAD), ASKEW, refine, looks=3)
    assert one is not None
    assert three is not None
    assert refine.looks == 4
    assert _farthest(one.quad) < 0.03 < _farthest(ASKEW)
    assert _farthest(three.quad) < 0.01
    assert three.moved_mm < 1 < one.moved_mm
    assert three.emblem == pytest.approx(0.04)


def test_the_looks_end_when_nothing_moves_any_more() -> None:
    refine = SeesGreen()
    card = refine_corners(_green(QUAD), ASKEW, refine, looks=20)
    assert card is not None
    assert card.moved_mm < 0.4
    assert refine.looks < 20


def test_a_card_with_its_head_below_is_turned_and_its_side_told() -> None:
    refine = SeesGreen(turned=True, emblem=True)
    card = refine_corners(_green(QUAD), np.roll(ASKEW, 2, axis=0), refine, looks=2)
    assert card is not None
    assert _farthest(card.quad) < 0.02
    assert card.emblem == pytest.approx(0.96)


def test_one_that_does_not_answer_corrects_nothing() -> None:
    assert refine_corners(_green(QUAD), ASKEW, _silent, looks=3) is None


def test_corners_that_nothing_else_finds() -> None:
    """On a ruled form, from a quad that is a third of the card's width off."""
    far = ((QUAD - QUAD.mean(axis=0)) * 1.3 + QUAD.mean(axis=0) + [60, -90]).astype(np.float32)
    view = whole_view(_ruled(_scene()), SIZE)
    alone = find_card(view, far, emblem=True)

    def knows(views: NDArray[np.uint8]) -> Answer:
        return SeesGreen()(np.stack([corner_view(_green(QUAD), far)]))

    looks = iter([knows])

    def once(views: NDArray[np.uint8]) -> Answer:
        answer = next(looks, None)
        return (
            answer(views)
            if answer
            else (np.zeros((1, 4, 2), np.float32), np.array([[1, 0, 0, 0]], np.float32))
        )

    helped = find_card(view, far, emblem=True, refine=once)
    assert _farthest(helped.quad) < 0.01 < _farthest(alone.quad)
    assert not helped.emblem  # the refiner's side, not the detector's


@pytest.mark.parametrize("refine", [_crossed, _nowhere, _to_a_point, _over_the_horizon])
def test_what_is_no_quad_is_not_looked_at_again(refine: Refine) -> None:
    asked: list[int] = []

    def counted(views: NDArray[np.uint8]) -> Answer:
        asked.append(len(views))
        return refine(views)

    assert refine_corners(_scene(), QUAD, counted, looks=6) is None
    assert len(asked) < 6


@pytest.mark.parametrize(
    "refine", [_lost, _crossed, _silent, _nowhere, _to_a_point, _explodes, _over_the_horizon]
)
def test_what_is_known_stands_where_it_has_more_evidence(refine: Refine) -> None:
    view = whole_view(_ruled(_scene()), SIZE)
    without = find_card(view, ASKEW, emblem=False)
    withal = find_card(view, ASKEW, emblem=False, refine=refine)
    assert withal.evidence == without.evidence
    np.testing.assert_array_equal(withal.quad, without.quad)


def test_a_card_with_full_evidence_is_not_looked_at() -> None:
    refine = SeesGreen()
    find_card(whole_view(_scene(), SIZE), (QUAD + 3).astype(np.float32), emblem=False, refine=refine)
    assert refine.looks == 0
