"""What rows go through: a copier's levels, a messenger's size, a text across that hides no ink."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.training.scene.row_damage import draw_damage
from tandem.training.scene.row_passages import Photocopy, SentOn, draw_photocopy, sharpened, written_over

STEPS = np.repeat(np.arange(0, 256, 5, dtype=np.uint8)[None, :, None], 40, 0).repeat(3, 2)


def copier(dots: float) -> Photocopy:
    return Photocopy(black=60, white=200, dots=dots, toner=0, spread=0, ink=20, paper=240)


def test_a_copier_makes_black_and_white_of_what_lies_beyond_its_levels() -> None:
    printed = copier(0).printed(np.random.default_rng(1), STEPS)[20, :, 0]
    levels = STEPS[20, :, 0]
    assert (printed[levels <= 60] == 20).all()
    assert (printed[levels >= 200] == 240).all()
    assert (np.diff(printed.astype(int)) >= 0).all()


def test_a_bright_copier_shows_black_ink_and_no_pale_one() -> None:
    assert copier(0).shows((20, 20, 25))
    assert copier(0).shows((60, 120, 160))
    assert not copier(0).shows((150, 205, 215))


def test_a_screen_of_dots_keeps_the_mean_level() -> None:
    flat = np.full((64, 64, 3), 130, np.uint8)
    printed = copier(1).printed(np.random.default_rng(1), flat)
    assert set(np.unique(printed)) == {20, 240}
    assert printed.mean() == pytest.approx(130, abs=8)


def test_a_messenger_sends_a_smaller_picture() -> None:
    assert SentOn(scale=0.5, quality=40).received(STEPS).shape == (20, 26, 3)


def test_sharpening_leaves_plain_paper_and_steepens_an_edge() -> None:
    edge = np.full((20, 40, 3), 100, np.uint8)
    edge[:, 20:] = 160
    sharp = sharpened(edge, 1.0)
    assert (sharp[:, :10] == 100).all()
    assert sharp[10, 19, 0] < 100
    assert sharp[10, 20, 0] > 160


def test_a_text_across_leaves_what_is_below_visible() -> None:
    page = np.full((60, 400, 3), 230, np.uint8)
    page[20:40, 100:300:7] = 30
    marks = [
        written_over(np.random.default_rng(seed), page, np.ones((30, 200), np.float32)) for seed in range(20)
    ]
    assert all((mark != page).any() for mark in marks)
    assert all(int(mark[30, 202, 0]) - int(mark[30, 198, 0]) > 0.4 * 200 for mark in marks)


@pytest.mark.parametrize("poor", [False, True])
def test_what_is_drawn_can_be_done_to_a_row(poor: bool) -> None:
    page = np.full((120, 600, 3), 200, np.uint8)
    corners = np.array([[40, 30], [560, 30], [560, 80], [40, 80]], np.float32)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        damage = draw_damage(rng, poor=poor)
        strip = damage.strip(rng, page, corners, 0.7)
        assert strip.shape[0] == 48
        assert np.ptp([damage.share, 1.0]) <= 0.45
        smallest = np.prod([damage.scale, *(messenger.scale for messenger in damage.sent)])
        assert smallest > (0.2 if poor else 0.44)


def test_one_copier_of_four_knows_black_and_white_only() -> None:
    copiers = [draw_photocopy(np.random.default_rng(seed)) for seed in range(400)]
    steep = [copier for copier in copiers if copier.black >= 0.9 * copier.white]
    assert 0.18 < len(steep) / len(copiers) < 0.32
    levels = np.arange(256, dtype=np.float32)
    assert all(((copier.cover(levels) > 0.1) & (copier.cover(levels) < 0.9)).sum() <= 20 for copier in steep)
