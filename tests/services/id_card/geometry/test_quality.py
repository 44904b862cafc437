"""Quality scores on cards made worse step by step."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import outline, warp
from tandem.services.id_card.geometry.quality import blur_score, glare_score, grey_score
from tests.services.id_card.drawn import SCALE, draw_card, row_blocks

PX_PER_MM = 12


def card() -> NDArray[np.uint8]:
    drawn = draw_card(row_blocks())
    return warp(drawn, outline(drawn.shape[1], drawn.shape[0]), (54 * PX_PER_MM, round(85.6 * PX_PER_MM)))


def strips_of(picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The address row and the number row."""
    return [
        picture[round(y0 * PX_PER_MM) : round(y1 * PX_PER_MM), round(6 * PX_PER_MM) : round(x1 * PX_PER_MM)]
        for y0, y1, x1 in ((28.0, 31.8, 48), (44.2, 48.8, 76))
    ]


def blurred(sigma_mm: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(card(), (0, 0), sigma_mm * PX_PER_MM), np.uint8)


def test_blur_grows_with_the_blur() -> None:
    scores = [blur_score(strips_of(blurred(s)), [PX_PER_MM] * 2) for s in (0.03, 0.12, 0.18, 0.4)]
    assert scores == sorted(scores)
    assert scores[0] == 0
    assert scores[-1] == 1
    assert 0 < scores[2] < 1


def test_blur_does_not_depend_on_the_light() -> None:
    strips = strips_of(blurred(0.16))
    dim = [np.clip(strip * 0.4 + 20, 0, 255).astype(np.uint8) for strip in strips]
    assert blur_score(dim, [PX_PER_MM] * 2) == pytest.approx(blur_score(strips, [PX_PER_MM] * 2), abs=0.12)


def test_a_row_without_text_tells_nothing_of_blur() -> None:
    plain = np.full((48, 300, 3), 220, np.uint8)
    strips = strips_of(card())
    scores = [blur_score([*strips, plain], [PX_PER_MM] * 3), blur_score(strips, [PX_PER_MM] * 2)]
    assert scores[0] == scores[1]
    assert blur_score([plain], [PX_PER_MM]) == 1
    assert blur_score([], []) == 1


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_glare_is_the_burnt_share(share: float) -> None:
    strips = strips_of((card() * 0.9).astype(np.uint8))
    for strip in strips:
        strip[:, : round(share * strip.shape[1])] = 255
    assert glare_score(strips) == pytest.approx(share, abs=0.02)


def test_white_paper_is_no_glare() -> None:
    drawn = draw_card(row_blocks(), paper=(255, 255, 255))[:, :, :]
    strip = drawn[28 * SCALE : 32 * SCALE, 6 * SCALE : 48 * SCALE]
    assert glare_score([strip]) == 0
    assert glare_score([]) == 0


def test_a_grey_copy_is_told_from_a_coloured_card() -> None:
    coloured = draw_card(row_blocks())
    coloured[9 * SCALE : 39 * SCALE, 56 * SCALE : 76 * SCALE] = (90, 120, 200)  # a face
    grey = cv2.cvtColor(cv2.cvtColor(coloured, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    rng = np.random.default_rng(0)
    for light in ((1.0, 1.0, 1.0), (0.6, 0.8, 1.0), (0.25, 0.22, 0.2)):
        noise = rng.normal(0, 4, coloured.shape)
        for picture, expected in ((coloured, 0), (grey, 1)):
            shot = np.clip(picture * np.array(light) + noise, 0, 255).astype(np.uint8)
            assert grey_score(shot) == pytest.approx(expected, abs=0.1)


def test_a_small_copys_noise_is_no_colour() -> None:
    """A sensor's noise on a card that was enlarged: several pixels wide, so that averaging few leaves it."""
    drawn = cv2.cvtColor(draw_card(row_blocks()), cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(cv2.cvtColor(drawn, cv2.COLOR_GRAY2BGR), (506, 312), interpolation=cv2.INTER_AREA)
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 25, grey.shape), (0, 0), 1.5)
    assert grey_score(np.clip(grey * 0.8 + noise, 0, 255).astype(np.uint8)) == pytest.approx(1, abs=0.2)
