"""The learning rate's way: up in a line, down along half a cosine to its floor."""

import pytest

from tandem.training.fit.schedule import warmed_cosine


@pytest.mark.parametrize(
    ("step", "share"), [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (60, 0.51), (110, 0.02), (500, 0.02)]
)
def test_share_of_the_peak(step: int, share: float) -> None:
    assert warmed_cosine(step, steps=110, warm_up=10, floor=0.02) == pytest.approx(share)
