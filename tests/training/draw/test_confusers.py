"""Documents that are no identity cards: every kind is drawn, at every size, the same at the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.training.draw.confusers import KINDS, draw_confuser
from tandem.training.errors import StyleError


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_picture_with_a_mask(kind: str) -> None:
    for width_px in (64, 300):
        image, alpha = draw_confuser(np.random.default_rng(1), width_px=width_px, kind=kind)
        assert image.dtype == alpha.dtype == np.uint8
        assert image.shape == (*alpha.shape, 3)
        assert image.shape[1] == width_px
        assert (alpha == 255).mean() > 0.9
        assert image.std() > 3


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_picture(kind: str) -> None:
    first, again, other = (
        draw_confuser(np.random.default_rng(seed), width_px=200, kind=kind)[0] for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_kinds_are_mixed() -> None:
    rng = np.random.default_rng(0)
    shapes = {draw_confuser(rng, width_px=80)[0].shape for _ in range(60)}
    assert len(shapes) > 5


def test_unknown_kinds_and_tiny_sizes_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(StyleError, match="bank_card"):
        draw_confuser(rng, width_px=200, kind="dog")
    with pytest.raises(StyleError, match="64 px"):
        draw_confuser(rng, width_px=10)
