"""A photograph's quads must be where the card really is: checked on a card with four coloured corners."""

import cv2
import numpy as np
import pytest

from tandem.training.scene.conditions import EASY, ROTATED, TILTED, TRAINING, Conditions
from tandem.training.scene.photographs import StoredFlat, draw_pose, photograph

COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 255, 255]], np.float32)
CLEAN = Conditions(shadow=0, glare=0, blur=0, dark=0, noise=0, cast=0, strength=0, jpeg_quality=(95, 95))


def marked_card() -> StoredFlat:
    image = np.full((252, 400, 3), 255, np.uint8)
    for (x, y), colour in zip([(0, 0), (350, 0), (350, 202), (0, 202)], COLOURS, strict=True):
        image[y : y + 50, x : x + 50] = colour
    return StoredFlat(image=image, alpha=np.full((252, 400), 255, np.uint8), side="portrait")


@pytest.mark.parametrize("seed", range(8))
def test_quads_run_clockwise_from_the_cards_own_top_left(seed):
    rng = np.random.default_rng(seed)
    image, (quad,) = photograph(rng, [marked_card()], size=(600, 800), conditions=CLEAN)
    inwards = quad + 0.06 * (quad.mean(axis=0) - quad)
    for (x, y), colour in zip(inwards, COLOURS, strict=True):
        patch = image[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].reshape(-1, 3).mean(axis=0)
        assert np.argmin(np.abs(COLOURS - patch).sum(axis=1)) == np.argmin(
            np.abs(COLOURS - colour).sum(axis=1)
        )


def test_the_same_seed_gives_the_same_picture():
    first, second = (photograph(np.random.default_rng(5), [marked_card()], size=(240, 320)) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1][0], second[1][0])


@pytest.mark.parametrize("conditions", [EASY, TILTED, ROTATED])
def test_cards_stay_inside_the_frame_and_near_the_size_asked_for(conditions):
    rng = np.random.default_rng(0)
    for _ in range(50):
        quad, shrunk = draw_pose(rng, 0.63, conditions, (600, 800))
        assert (quad >= -1).all()
        assert (quad <= [801, 601]).all()
        area = cv2.contourArea(quad) / (600 * 800)
        low, high = conditions.area
        assert low * shrunk**2 * 0.99 <= area <= high * shrunk**2 * 1.01


def test_cards_do_not_cover_each_other():
    rng = np.random.default_rng(1)
    for _ in range(20):
        _, quads = photograph(rng, [marked_card(), marked_card()], size=(192, 256), conditions=TRAINING)
        if quads[0] is not None and quads[1] is not None:
            shared, _ = cv2.intersectConvexConvex(quads[0], quads[1])
            assert shared < 0.02 * min(cv2.contourArea(quad) for quad in quads)
