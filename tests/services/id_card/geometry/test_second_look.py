"""The detector's second look, weak detections, mirrored pictures and cards read from the picture as sent."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.media.letterbox import letterbox, working_to_thumbnail
from tandem.services.id_card.geometry.rectify import rectify
from tandem.services.id_card.geometry.second_look import look_again, overlap
from tandem.services.id_card.geometry.views import (
    SMALL_CARD_PX,
    enlarged_view,
    is_worth_enlarging,
    mirrored_quad,
    mirrored_view,
    whole_view,
)
from tests.services.id_card.geometry.test_evidence import ASKEW, QUAD, SIZE, _scene

Answer = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def _answer(quads: list[NDArray[np.float32]], scores: list[float]) -> Answer:
    """A detector's answer for as many thumbnails: one card each."""
    count = len(quads)
    packed = np.stack(quads).astype(np.float32).reshape(count, 1, 4, 2)
    return packed, np.array(scores, np.float32).reshape(count, 1), np.zeros((count, 1), np.float32)


class Green:
    """A detector that sees green rectangles: the corners of what is green in each thumbnail."""

    def __init__(self, score: float = 0.9) -> None:
        self.score = score
        self.asked: list[int] = []

    def __call__(self, thumbnails: NDArray[np.uint8]) -> Answer:
        self.asked.append(len(thumbnails))
        quads = []
        for thumbnail in thumbnails:
            ys, xs = np.nonzero((thumbnail[..., 1] > 200) & (thumbnail[..., 0] < 60))
            x0, x1, y0, y1 = (xs.min(), xs.max() + 1, ys.min(), ys.max() + 1) if len(xs) else (0, 9, 0, 9)
            quads.append(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32))
        return _answer(quads, [self.score] * len(quads))


def test_two_looks_are_one_question_and_come_back_in_pixels_of_the_picture() -> None:
    pixels = np.full((800, 1000, 3), 128, np.uint8)
    pixels[300:490, 420:720] = (0, 255, 0)
    truth = np.array([[420, 300], [720, 300], [720, 490], [420, 490]], np.float32)
    detect = Green()
    seen = look_again(pixels, truth + 25, detect)
    assert detect.asked == [2]
    assert len(seen) == 2
    for card in seen:
        np.testing.assert_allclose(card.quad, truth, atol=3)


def test_another_card_nearby_is_not_the_same_card() -> None:
    pixels = np.full((800, 1000, 3), 128, np.uint8)
    pixels[500:560, 700:790] = (0, 255, 0)
    assert (
        look_again(pixels, np.array([[420, 300], [720, 300], [720, 490], [420, 490]], np.float32), Green())
        == []
    )


def test_overlap_is_intersection_over_union() -> None:
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], np.float32)
    assert overlap(square, square) == 1
    assert abs(overlap(square, square + [1, 0]) - 1 / 3) < 1e-6


def _detections(quad: NDArray[np.float32], score: float) -> Answer:
    packed = working_to_thumbnail(quad, SIZE)[np.newaxis]
    return packed, np.array([score], np.float32), np.zeros(1, np.float32)


def _sure(thumbnails: NDArray[np.uint8]) -> Answer:
    """A detector that is sure at a second look, and sees the whole thumbnail's middle as the card."""
    middle = np.array([[40, 90], [280, 80], [290, 235], [35, 240]], np.float32)
    return _answer([middle] * len(thumbnails), [0.9] * len(thumbnails))


def test_a_weak_detection_is_a_card_if_the_second_look_is_sure() -> None:
    scene = _scene()
    weak = _detections(QUAD, 0.2)
    assert rectify(scene, SIZE, *weak).cards == ()
    (card,) = rectify(scene, SIZE, *weak, detect=_sure).cards
    assert card.score > 0.8
    np.testing.assert_allclose(card.quad, QUAD, atol=12)


def test_a_mirrored_picture_is_read_and_says_so() -> None:
    scene = _scene()
    mirrored = np.ascontiguousarray(scene[:, ::-1])

    def detect(thumbnails: NDArray[np.uint8]) -> Answer:
        assert np.array_equal(thumbnails[0], letterbox(scene)) or len(thumbnails) == 2
        quads = [working_to_thumbnail(QUAD, SIZE)] * len(thumbnails)
        return _answer(quads, [0.95] * len(thumbnails))

    result = rectify(mirrored, SIZE, *_detections(QUAD, 0.0), detect=detect)
    (card,) = result.cards
    assert card.mirrored
    truth = QUAD.copy()
    truth[:, 0] = SIZE[1] - truth[:, 0]
    np.testing.assert_allclose(card.quad, truth, atol=6)
    straight = rectify(scene, SIZE, *_detections(QUAD, 0.9))
    assert not straight.cards[0].mirrored
    assert [s.kind for s in result.segments] == [s.kind for s in straight.segments]
    assert np.abs(result.lanes.astype(int) - straight.lanes).mean() < 3


def test_a_small_card_is_read_from_the_picture_as_sent() -> None:
    sent = _scene()
    working = cv2.resize(sent, (400, 300), interpolation=cv2.INTER_AREA)
    small = QUAD / 3
    asked = []

    def original() -> NDArray[np.uint8]:
        asked.append(1)
        return sent

    packed = working_to_thumbnail(small, (300, 400))[np.newaxis]
    found = (packed, np.array([0.9], np.float32), np.zeros(1, np.float32))
    sharp = rectify(working, SIZE, *found, original=original)
    dull = rectify(working, SIZE, *found)
    assert asked == [1]
    np.testing.assert_allclose(sharp.cards[0].quad, QUAD, atol=8)
    assert sharp.cards[0].blur < dull.cards[0].blur


def test_views_lead_to_the_picture_as_sent_and_back() -> None:
    view = whole_view(np.zeros((300, 400, 3), np.uint8), (900, 1200))
    np.testing.assert_allclose(view.to_sent(np.array([[100, 50]], np.float32)), [[300, 150]])
    turned = mirrored_view(view)
    np.testing.assert_allclose(turned.to_sent(np.array([[0, 50]], np.float32)), [[1200, 150]])
    quad = mirrored_quad(view, QUAD / 3)
    np.testing.assert_allclose(np.sort(turned.to_sent(quad), axis=0), np.sort(QUAD, axis=0), atol=1e-3)
    for seen in (view, turned):
        closer = enlarged_view(seen, QUAD / 3, np.zeros((900, 1200, 3), np.uint8))
        np.testing.assert_allclose(closer.to_sent(closer.from_sent(ASKEW)), ASKEW, atol=1e-3)
    assert is_worth_enlarging(view, QUAD / 3)
    assert not is_worth_enlarging(view, QUAD * (SMALL_CARD_PX / 700))
