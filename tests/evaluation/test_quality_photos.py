"""Faults have the dose that they are named after."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tandem.evaluation.photo_sets import Photo
from tandem.evaluation.quality_flags import RAISED_FROM, flag_figures
from tandem.evaluation.quality_photos import DOSES, NOTHING, burnt_share, quality_photos
from tandem.evaluation.readings import CardReading, PhotoReading
from tandem.services.id_card.card import share_outside, warp
from tandem.services.id_card.geometry.quality import grey_score


@pytest.fixture(scope="module")
def photos() -> dict[str, Photo]:
    return {photo.subset: photo for photo in quality_photos(0, 7)}


def picture(photo: Photo) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(photo.data, np.uint8), cv2.IMREAD_COLOR)


def rectified(photo: Photo) -> np.ndarray:
    return warp(picture(photo), photo.cards[0].quad, (638, 1011))


def test_every_dose_is_drawn_once(photos: dict[str, Photo]) -> None:
    assert len(photos) == 1 + sum(len(doses) for doses in DOSES.values())
    assert next(iter(photos)) == NOTHING


def test_the_card_stays_where_the_truth_says_when_a_side_is_cut_off(photos: dict[str, Photo]) -> None:
    whole = rectified(photos[NOTHING]).astype(float)
    for dose in DOSES["incomplete"]:
        photo = photos[f"incomplete {dose:.0%}"]
        shape = picture(photo).shape[:2]
        assert share_outside(photo.cards[0].quad, shape) == pytest.approx(dose, abs=0.002)
        kept = np.abs(rectified(photo).astype(float) - whole).mean(axis=2) < 25
        assert kept.mean() > 0.95 - dose


def test_blur_takes_the_sharpness_dose_by_dose(photos: dict[str, Photo]) -> None:
    names = [NOTHING, *(f"blurred {dose:g} mm" for dose in DOSES["blurred"])]
    sharpness = [cv2.Laplacian(rectified(photos[name]), cv2.CV_32F).var() for name in names]
    assert sharpness == sorted(sharpness, reverse=True)


def test_glare_burns_out_the_share_that_it_is_named_after(photos: dict[str, Photo]) -> None:
    burnt = [(rectified(photos[f"glare {dose:.0%}"]).min(axis=2) >= 250).mean() for dose in DOSES["glare"]]
    assert burnt == sorted(burnt)
    assert burnt[-1] > 3 * burnt[0] > 0
    assert (rectified(photos[NOTHING]).min(axis=2) >= 250).mean() < burnt[0]


def test_the_burnt_share_counts_the_rows_only() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    image[:, 50:] = 255
    rows = np.array([[[0, 0], [99, 0], [99, 9], [0, 9]], [[0, 50], [40, 50], [40, 59], [0, 59]]], np.float32)
    assert burnt_share(image, rows) == pytest.approx(50 / (100 + 41), abs=0.01)


def test_the_copy_is_grey_and_the_rest_is_not(photos: dict[str, Photo]) -> None:
    assert grey_score(rectified(photos["grey_copy"])[40:-40, 40:-40]) > 0.5
    assert grey_score(rectified(photos[NOTHING])[40:-40, 40:-40]) < 0.5


def test_flags_count_among_found_cards() -> None:
    scores = dict.fromkeys(RAISED_FROM, 0.0)
    cards = [
        CardReading(
            side="portrait", found=True, read_side="portrait", fields={}, quality=scores | {"glare": g}
        )
        for g in (0.0, 0.5)
    ] + [CardReading(side="portrait", found=False, read_side="", fields={})]
    readings = [PhotoReading(name="a", subset="x", cards=tuple(cards), spare=0, seconds=0.1)]
    row = flag_figures(readings)
    assert (row["found"], row["glare"], row["blurred"]) == (pytest.approx(2 / 3), 0.5, 0)
    assert row["median glare"] == 0.25
