"""Settled cards: when what the corner refiner says is believed, and what is then not looked for any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import homography, transform
from tandem.services.id_card.geometry import find_card as find_card_module
from tandem.services.id_card.geometry import located
from tandem.services.id_card.geometry.find_card import (
    LEAST_EVIDENCE,
    PLAIN_EVIDENCE,
    FoundCard,
    find_card,
    straighten,
)
from tandem.services.id_card.geometry.rectify import rectify
from tandem.services.id_card.geometry.views import View, whole_view
from tests.services.id_card.geometry.test_corner_look import CARD, Answer, _lost, _silent
from tests.services.id_card.geometry.test_evidence import ASKEW, QUAD, SIZE, _farthest, _ruled, _scene
from tests.services.id_card.geometry.test_second_look import _detections
from tests.services.id_card.geometry.test_wide_look import CORNERS, InPart


def _still(views: NDArray[np.uint8]) -> Answer:
    return np.zeros((1, 4, 2), np.float32), np.array([[1, 0, 0, 0]], np.float32)


def _without_edges() -> NDArray[np.uint8]:
    """A copy on white paper: neither the card's edges nor its ground show."""
    scene = _scene(table=(235, 235, 235))
    grey = cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY)
    return np.repeat(np.where(grey > 150, 255, grey)[:, :, np.newaxis], 3, axis=2).astype(np.uint8)


class Knows:
    """A refiner that moves corners to where the card is, from wherever they are.

    Args:
        start: the corners that are known.
        short_mm: by how much its last look still moves them.
        to: where it thinks that the card is.
    """

    def __init__(
        self, start: NDArray[np.float32], short_mm: float = 0.0, to: NDArray[np.float32] = QUAD
    ) -> None:
        card = transform(to, homography(start, CARD))  # the card's corners in mm of the quad that is known
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


def test_rows_turn_a_card_over_only_where_that_costs_little_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upside down, faint rows may fit better by chance; the layout's ink says which way the card lies."""
    view = whole_view(_without_edges(), SIZE)

    def fits_best_upside_down(view: View, quad: NDArray[np.float32], *, emblem: bool) -> FoundCard:
        card = straighten(view, quad, emblem=emblem)
        return replace(card, fit=11.0 if quad[0, 1] > quad[2, 1] else 1.0)

    monkeypatch.setattr(find_card_module, "straighten", fits_best_upside_down)
    card = replace(fits_best_upside_down(view, QUAD, emblem=False), evidence=0.9)
    np.testing.assert_array_equal(find_card_module._turned_by_rows(card).quad, QUAD)
    doubtful = replace(card, evidence=0.3)  # what it has may be no more than the other way has
    np.testing.assert_array_equal(find_card_module._turned_by_rows(doubtful).quad, np.roll(QUAD, 2, axis=0))


def test_nothing_is_settled_without_evidence() -> None:
    """The network finds nothing to correct where there is nothing but grain."""
    grain = np.random.default_rng(3).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    card = find_card(whole_view(grain, SIZE), QUAD, emblem=False, refine=_still)
    assert card.evidence < LEAST_EVIDENCE
    assert not card.settled


def test_the_edges_beside_a_settled_quad_are_taken_where_they_have_more_evidence() -> None:
    off = (QUAD + [[6, 5], [-5, 6], [6, -5], [-6, -6]]).astype(np.float32)
    card = find_card(whole_view(_ruled(_scene()), SIZE), ASKEW, emblem=False, refine=Knows(ASKEW, to=off))
    assert card.settled
    assert _farthest(card.quad) < 0.005 < _farthest(off)


@pytest.mark.parametrize(("settled", "asked"), [(True, []), (False, [2, 2, 2, 2])])
def test_a_settled_card_is_not_looked_for_elsewhere(
    monkeypatch: pytest.MonkeyPatch, settled: bool, asked: list[int]
) -> None:
    """Not in the picture's halves, nor in smaller parts of it, though its evidence is that of a copy."""

    def found(*arguments: Any, **options: Any) -> FoundCard:
        return replace(find_card(*arguments, **options), evidence=0.75, settled=settled)

    monkeypatch.setattr(located, "find_card", found)
    detect = InPart(_scene(), CORNERS[1], score=0.05)
    assert len(rectify(_scene(), SIZE, *_detections(QUAD, 0.95), detect=detect).cards) == 1
    assert detect.asked == asked


@pytest.mark.parametrize(("settled", "evidence", "count"), [(True, 0.8, 1), (False, 0.8, 0), (True, 0.6, 0)])
def test_a_settled_card_of_a_further_look_needs_no_plain_evidence(
    monkeypatch: pytest.MonkeyPatch, settled: bool, evidence: float, count: int
) -> None:
    def found(*arguments: Any, **options: Any) -> FoundCard:
        return replace(find_card(*arguments, **options), evidence=evidence, settled=settled)

    monkeypatch.setattr(located, "find_card", found)
    detect = InPart(_scene(), CORNERS[1], score=0.7)
    assert len(rectify(_scene(), SIZE, *_detections(QUAD, 0.05), detect=detect).cards) == count


@pytest.mark.parametrize(("score", "smallest"), [(0.9, False), (0.6, True)])
def test_what_the_detector_is_sure_of_is_not_looked_for_in_the_smallest_parts(
    monkeypatch: pytest.MonkeyPatch, score: float, smallest: bool
) -> None:
    """A copy whose ink is gone has no evidence; a part of it, seen weakly there, took its place."""

    def found(*arguments: Any, **options: Any) -> FoundCard:
        return replace(find_card(*arguments, **options), evidence=-0.1, settled=False)

    monkeypatch.setattr(located, "find_card", found)
    large, size = cv2.resize(_scene(), None, fx=2, fy=2), (2 * SIZE[0], 2 * SIZE[1])
    detect = InPart(_scene(), CORNERS[1], score=0.05)
    assert (
        len(rectify(np.asarray(large, np.uint8), size, *_detections(QUAD, score), detect=detect).cards) == 1
    )
    # Two thumbnails of the shorter side's squares, six of those of 0.7: the rest are the smallest.
    assert (sum(detect.asked) > 8) == smallest
