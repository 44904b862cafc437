"""The slant of text: the slope along which rows are sharpest, compared with trying each slope by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.services.id_card.geometry.ink import darker_than, slant


def written(slope: float, height: int = 90, width: int = 300) -> np.ndarray:
    """Lines of text of one slope: blobs of ink with paper between."""
    rng = np.random.default_rng(4)
    ys, xs = np.mgrid[:height, :width]
    level = ys - slope * (xs - width / 2)
    ink = ((level % 20) < 8) & (rng.random((height, width)) < 0.5)
    return ink.astype(np.float32)


def sharpness(ink: np.ndarray, slope: float) -> float:
    ys, xs = np.nonzero(ink)
    rows = np.rint(ys - slope * (xs - ink.shape[1] / 2)).astype(int)
    profile = np.bincount(rows - rows.min() + 1, ink[ys, xs], minlength=rows.max() - rows.min() + 3)
    smooth = profile[:-2] + 2 * profile[1:-1] + profile[2:]
    return float((smooth**2).sum())


@pytest.mark.parametrize("slope", [-0.043, -0.02, 0.0, 0.011, 0.05])
def test_the_slope_of_the_lines_is_found(slope: float) -> None:
    assert slant(written(slope), 0.06, 0.005) == pytest.approx(slope, abs=0.004)


@pytest.mark.parametrize("slope", [-0.0171, 0.0033])
def test_it_is_the_sharpest_of_all_tried(slope: float) -> None:
    ink = np.asarray(written(slope) * np.random.default_rng(1).random((90, 300)), np.float32)
    tried = np.arange(-6, 7) * 0.0049  # no column is moved by half a px exactly
    best = tried[int(np.argmax([sharpness(ink, one) for one in tried]))]
    assert slant(ink, 0.0294, 0.0049) == pytest.approx(best, abs=0.00245)


def test_too_little_ink_has_no_slant() -> None:
    ink = np.zeros((40, 200), np.float32)
    ink[20, :19] = 1
    assert slant(ink, 0.05, 0.005) == 0


def test_darker_is_a_share_of_the_papers_brightness() -> None:
    paper = np.array([[200, 200, 10]], np.uint8)
    ink = np.array([[150, 220, 4]], np.uint8)
    assert darker_than(paper, ink, 24.0)[0].tolist() == pytest.approx([0.25, 0, 0.25])
