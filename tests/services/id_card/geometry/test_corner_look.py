"""Corners by the corner refiner: in pixels of the picture, the right way round, and never for the worse."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM, homography, outline, transform
from tandem.services.id_card.geometry import find_card as find_card_module
from tandem.services.id_card.geometry.corner_look import (
    MARGIN_MM,
    VIEW_HEIGHT,
    VIEW_PX_PER_MM,
    VIEW_WIDTH,
    WAYS,
    corner_view,
    refine_corners,
)
from tandem.services.id_card.geometry.find_card import LEAST_EVIDENCE, PLAIN_EVIDENCE, find_card
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


@pytest.mark.parametrize("refine", [_lost, _crossed, _silent])
def test_what_is_known_stands_where_it_has_more_evidence(refine: object) -> None:
    view = whole_view(_ruled(_scene()), SIZE)
    without = find_card(view, ASKEW, emblem=False)
    withal = find_card(view, ASKEW, emblem=False, refine=refine)  # type: ignore[arg-type]
    assert withal.evidence == without.evidence
    np.testing.assert_array_equal(withal.quad, without.quad)


def test_a_card_with_full_evidence_is_not_looked_at() -> None:
    refine = SeesGreen()
    find_card(whole_view(_scene(), SIZE), (QUAD + 3).astype(np.float32), emblem=False, refine=refine)
    assert refine.looks == 0


def _without_edges() -> NDArray[np.uint8]:
    """A copy on white paper: neither the card's edges nor its ground show."""
    scene = _scene(table=(235, 235, 235))
    grey = cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY)
    return np.repeat(np.where(grey > 150, 255, grey)[:, :, np.newaxis], 3, axis=2).astype(np.uint8)


class Knows:
    """A refiner that moves corners to where the card is, from wherever they are.

    Args:
        short_mm: by how much its last look still moves them.
    """

    def __init__(self, start: NDArray[np.float32], short_mm: float = 0.0) -> None:
        card = transform(QUAD, homography(start, CARD))  # the card's corners in mm of the quad that is known
        self._offsets = iter([(card - CARD)[np.newaxis].astype(np.float32)])
        # To and fro, so that it ends where the card is.
        self._rest = np.full((1, 4, 2), -short_mm / np.sqrt(2), np.float32)

    def __call__(self, views: NDArray[np.uint8]) -> Answer:
        self._rest = -self._rest
        return next(self._offsets, self._rest), np.array([[1, 0, 0, 0]], np.float32)


@pytest.mark.parametrize(("short_mm", "settled"), [(0.1, True), (0.7, True), (1.5, False)])
def test_a_quad_at_which_nothing_moves_is_settled(short_mm: float, settled: bool) -> None:
    view = whole_view(_without_edges(), SIZE)
    card = find_card(view, ASKEW, emblem=False, refine=Knows(ASKEW, short_mm))
    assert card.settled == settled
    if settled:
        assert card.evidence < PLAIN_EVIDENCE  # of no card without edges is there more
        assert _farthest(card.quad) < 0.05


def test_a_settled_card_is_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(find_card_module, "seek")
    find_card(whole_view(_without_edges(), SIZE), ASKEW, emblem=False, refine=Knows(ASKEW))
    with pytest.raises(NameError, match="seek"):
        find_card(whole_view(_without_edges(), SIZE), ASKEW, emblem=False, refine=_silent)


def test_what_has_no_hope_is_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grain has an evidence of 0.4 or so: the rule is tried on both sides of it."""
    monkeypatch.delattr(find_card_module, "seek")
    view = whole_view(np.random.default_rng(3).integers(0, 255, (*SIZE, 3)).astype(np.uint8), SIZE)
    with pytest.raises(NameError, match="seek"):
        find_card(view, QUAD, emblem=False, refine=_lost)
    monkeypatch.setattr(find_card_module, "_HOPELESS", 0.5)
    card = find_card(view, QUAD, emblem=False, refine=_lost)
    assert not card.settled
    assert card.evidence < LEAST_EVIDENCE
