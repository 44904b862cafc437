"""Cards that the detector sees in parts of the picture only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.media.letterbox import letterbox, working_to_thumbnail
from tandem.services.id_card.geometry import located
from tandem.services.id_card.geometry.find_card import FoundCard, find_card
from tandem.services.id_card.geometry.rectify import rectify
from tandem.services.id_card.geometry.wide_look import look_at_parts, look_beside
from tests.services.id_card.geometry.test_evidence import QUAD, SIZE, _scene
from tests.services.id_card.geometry.test_second_look import Answer, _answer, _detections

SIDE = SIZE[0]
CORNERS = (0, SIZE[1] - SIDE)  # where the two squares of a picture of 4 by 3 begin


class InPart:
    """A detector that sees the card in one square of the scene, and hardly anything elsewhere."""

    def __init__(self, scene: NDArray[np.uint8], x: int, score: float = 0.8) -> None:
        self._part = letterbox(np.ascontiguousarray(scene[:, x : x + SIDE]))
        self._quad = working_to_thumbnail((QUAD - [x, 0]).astype(np.float32), (SIDE, SIDE))
        self._score = score
        self.asked: list[int] = []

    def __call__(self, thumbnails: NDArray[np.uint8]) -> Answer:
        self.asked.append(len(thumbnails))
        scores = [self._score if np.array_equal(seen, self._part) else 0.05 for seen in thumbnails]
        return _answer([self._quad] * len(thumbnails), scores)


@pytest.mark.parametrize("x", CORNERS)
def test_the_parts_cover_the_picture_and_their_cards_lie_in_it(x: int) -> None:
    scene = _scene()
    detect = InPart(scene, x)
    (card,) = look_at_parts(scene, detect)
    np.testing.assert_allclose(card.quad, QUAD, atol=0.1)
    assert detect.asked == [2]
    assert look_at_parts(scene, InPart(scene, x, score=0.3)) == []


def test_a_tall_picture_has_more_parts_and_a_square_one_has_one() -> None:
    for height, parts in ((320, [1]), (330, [2]), (640, [2, 1])):
        scene = np.zeros((height, 320, 3), np.uint8)
        detect = InPart(_scene(), 0)
        look_at_parts(scene, detect)
        assert detect.asked == parts


def test_a_card_that_the_first_look_does_not_see() -> None:
    scene = _scene()
    (card,) = rectify(scene, SIZE, *_detections(QUAD, 0.05), detect=InPart(scene, CORNERS[1])).cards
    np.testing.assert_allclose(card.quad, QUAD, atol=6)
    assert card.score == pytest.approx(0.8)


# Of the height 0.7, the middle one of the upper three; or 0.3, the fourth of the third row.
@pytest.mark.parametrize(
    ("card_px", "side", "corner", "least", "off_px"),
    [(765, 1260, (570, 0), 0.35, 6), (382, 540, (930, 630), 0.4, 10)],
)
@pytest.mark.parametrize("score", [0.05, 0.6])  # of what the first look takes for a card
def test_where_the_parts_show_nothing_smaller_ones_are_looked_at(
    score: float, card_px: int, side: int, corner: tuple[int, int], least: float, off_px: float
) -> None:
    """A card in a picture of 2400 x 1800 px that the detector sees in a smaller square only."""
    share, size = card_px / 765, (1800, 2400)
    near = cv2.resize(_scene(), None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    top, left = (size[0] - near.shape[0]) // 2, (size[1] - near.shape[1]) // 2
    below, right = size[0] - near.shape[0] - top, size[1] - near.shape[1] - left
    scene = np.pad(near, ((top, below), (left, right), (0, 0)), mode="edge")
    quad = (QUAD * share + [left, top]).astype(np.float32)
    x, y = corner
    part = letterbox(np.ascontiguousarray(scene[y : y + side, x : x + side]))
    seen_there = working_to_thumbnail((quad - [x, y]).astype(np.float32), (side, side))
    sheet = ((quad - quad.mean(axis=0)) * 1.7 + quad.mean(axis=0)).astype(np.float32)
    shown = working_to_thumbnail(sheet, size)[np.newaxis]

    def found(part_score: float) -> list[NDArray[np.float32]]:
        def detect(thumbnails: NDArray[np.uint8]) -> Answer:
            scores = [part_score if np.array_equal(seen, part) else 0.05 for seen in thumbnails]
            return _answer([seen_there] * len(thumbnails), scores)

        first = (shown, np.array([score], np.float32), np.zeros(1, np.float32))
        cards = rectify(scene, size, *first, detect=detect).cards
        return [card.quad for card in cards if np.abs(card.quad - quad).max() < off_px]

    assert len(found(least + 0.05)) == 1
    assert not found(least - 0.16)


def test_it_takes_the_place_of_one_that_was_seen_wrong() -> None:
    scene = _scene()
    wrong = ((QUAD - QUAD.mean(axis=0)) * 0.45 + QUAD.mean(axis=0) + [0, 60]).astype(np.float32)
    (before,) = rectify(scene, SIZE, *_detections(wrong, 0.5)).cards
    assert np.abs(before.quad - QUAD).max() > 60
    (after,) = rectify(scene, SIZE, *_detections(wrong, 0.5), detect=InPart(scene, CORNERS[1])).cards
    np.testing.assert_allclose(after.quad, QUAD, atol=6)


def test_what_is_seen_in_a_part_and_has_no_evidence_is_no_card() -> None:
    empty = np.random.default_rng(0).integers(90, 110, (*SIZE, 3)).astype(np.uint8)
    assert rectify(empty, SIZE, *_detections(QUAD, 0.05), detect=InPart(empty, CORNERS[1])).cards == ()


def test_a_plain_card_is_not_looked_for_again() -> None:
    scene = _scene()
    detect = InPart(scene, CORNERS[1])
    assert len(rectify(scene, SIZE, *_detections(QUAD, 0.9), detect=detect).cards) == 1
    assert detect.asked == []


@pytest.mark.parametrize(("score", "looks"), [(0.9, 0), (0.6, 1)])
def test_a_card_that_the_detector_is_not_sure_of_needs_full_evidence(
    monkeypatch: pytest.MonkeyPatch, score: float, looks: int
) -> None:
    def with_plain_evidence(*arguments: Any, **options: Any) -> FoundCard:
        return replace(find_card(*arguments, **options), evidence=1.05)

    monkeypatch.setattr(located, "find_card", with_plain_evidence)
    scene = _scene()
    detect = InPart(scene, CORNERS[1])
    assert len(rectify(scene, SIZE, *_detections(QUAD, score), detect=detect).cards) == 1
    assert detect.asked == [2] * looks


@pytest.mark.parametrize(("grey", "looks"), [(False, 1), (True, 0)])
def test_of_a_grey_copy_less_evidence_is_enough(
    monkeypatch: pytest.MonkeyPatch, grey: bool, looks: int
) -> None:
    def with_weak_evidence(*arguments: Any, **options: Any) -> FoundCard:
        return replace(find_card(*arguments, **options), evidence=0.92)

    monkeypatch.setattr(located, "find_card", with_weak_evidence)
    scene = _scene()
    if grey:
        scene = np.repeat(scene.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    detect = InPart(scene, CORNERS[1])
    assert len(rectify(scene, SIZE, *_detections(QUAD, 0.9), detect=detect).cards) == 1
    assert detect.asked == [2] * looks


@pytest.mark.parametrize("false_alarm", [False, True])
def test_a_second_card_beside_a_plain_one(false_alarm: bool) -> None:
    """Both sides on one sheet, of which the first look sees one: a lone card with room beside it.

    What that look takes for a card elsewhere, of which nothing is plain, is no company.
    """
    small = cv2.resize(_scene(), (SIZE[1] // 2, SIZE[0] // 2), interpolation=cv2.INTER_AREA)
    size = (1400, 1400)
    scene = np.full((*size, 3), (90, 110, 130), np.uint8)
    places = [np.array([380, 240]), np.array([380, 640])]
    for x, y in places:
        scene[y : y + small.shape[0], x : x + small.shape[1]] = small
    one, other = ((QUAD / 2 + place).astype(np.float32) for place in places)
    side = np.ptp(one, axis=0).max() * 3.2
    low = np.maximum((one.min(axis=0) + one.max(axis=0)) / 2 - side / 2, 0).astype(int)
    around = scene[low[1] : low[1] + round(side), low[0] : low[0] + round(side)]
    asked: list[bool] = []

    def detect(thumbnails: NDArray[np.uint8]) -> Answer:
        """Sees the other card where its own place is in the middle: in a look around the first one."""
        shown = [np.array_equal(seen, letterbox(np.ascontiguousarray(around))) for seen in thumbnails]
        asked.extend(shown)
        seen = [
            working_to_thumbnail((quad - low).astype(np.float32), (len(around), len(around[0])))
            for quad in (one, other)
        ]
        scores = np.array([[0.9, 0.9] if there else [0.05, 0.05] for there in shown], np.float32)
        return np.stack([np.stack(seen)] * len(shown)), scores, np.zeros((len(shown), 2), np.float32)

    nothing = np.array([[40, 1100], [340, 1100], [340, 1290], [40, 1290]], np.float32)
    quads = [one, nothing] if false_alarm else [one]
    first = (
        np.stack([working_to_thumbnail(quad, size) for quad in quads]),
        np.array([0.95, 0.5][: len(quads)], np.float32),
        np.zeros(len(quads), np.float32),
    )
    cards = [
        card for card in rectify(scene, size, *first, detect=detect).cards if card.quad[:, 1].max() < 1050
    ]
    assert any(asked)
    assert len(cards) == 2
    np.testing.assert_allclose(min((card.quad for card in cards), key=lambda quad: quad[0, 1]), one, atol=4)
    np.testing.assert_allclose(max((card.quad for card in cards), key=lambda quad: quad[0, 1]), other, atol=4)


def test_the_found_card_itself_is_not_beside_it() -> None:
    scene = np.zeros((1000, 1000, 3), np.uint8)
    known = np.array([[400, 400], [600, 400], [600, 520], [400, 520]], np.float32)

    def detect(thumbnails: NDArray[np.uint8]) -> Answer:
        """Sees it a little off, and another one above it, in a look 640 px wide from (180, 140) on."""
        seen = [quad - np.array([180, 140]) for quad in (known + 8, known - [0, 160])]
        quads = [working_to_thumbnail(quad.astype(np.float32), (640, 640)) for quad in seen]
        return np.stack(quads)[np.newaxis], np.full((1, 2), 0.9, np.float32), np.zeros((1, 2), np.float32)

    (other,) = look_beside(scene, known, detect)
    np.testing.assert_allclose(other.quad, known - [0, 160], atol=1)


def test_nothing_is_looked_for_beside_a_card_that_fills_the_picture() -> None:
    detect = InPart(_scene(), CORNERS[1])
    rectify(_scene(), SIZE, *_detections(QUAD, 0.95), detect=detect)
    assert detect.asked == []
