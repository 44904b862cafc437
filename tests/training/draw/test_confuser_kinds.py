"""Documents of every kind: drawn at every size, the same at the same seed, and no title by mistake."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.media.document_kinds import KINDS
from tandem.training.draw.confuser_kinds import draw_document
from tandem.training.draw.confuser_permits import numbered
from tandem.training.draw.confuser_titled import invented_title
from tandem.training.draw.people import check_digit
from tandem.training.errors import StyleError


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pool", ["train", "test"])
def test_every_kind_is_a_picture_with_a_mask(kind: str, pool: str) -> None:
    rng = np.random.default_rng(1)
    for width_px in (64, 300):
        image, alpha = draw_document(rng, kind, width_px=width_px, pool=pool)  # type: ignore[arg-type]
        assert image.dtype == alpha.dtype == np.uint8
        assert image.shape == (*alpha.shape, 3)
        assert image.shape[1] == width_px
        assert image.std() > 3


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_picture(kind: str) -> None:
    first, again, other = (
        draw_document(np.random.default_rng(seed), kind, width_px=200)[0] for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(StyleError, match="bank_card"):
        draw_document(np.random.default_rng(0), "dog", width_px=200)


def test_an_invented_title_belongs_to_no_kind_with_a_name() -> None:
    rng = np.random.default_rng(0)
    titles = {invented_title(rng) for _ in range(3000)}
    assert len(titles) > 500
    assert not [title for title in titles if title.endswith(("居民身份证", "居住证", "驾驶证", "身份证"))]


def test_a_permits_number_is_sound() -> None:
    number = numbered(np.random.default_rng(0), "830000")
    assert len(number) == 18
    assert number.startswith("830000")
    assert number[-1] == check_digit(number[:17])
