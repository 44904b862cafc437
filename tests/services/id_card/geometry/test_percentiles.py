"""Percentiles by counting: what numpy says, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tandem.services.id_card.geometry.percentiles import percentiles_of_counts

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12))


@given(
    st.one_of(
        arrays(np.uint8, SHAPES),
        arrays(np.int16, SHAPES, elements=st.integers(0, 4080)),
    ),
    st.lists(st.floats(0, 100), min_size=1, max_size=4),
)
def test_they_are_numpys(values: np.ndarray, percentiles: list[float]) -> None:
    wanted = np.percentile(values.astype(np.float64), percentiles)
    assert percentiles_of_counts(values, percentiles) == pytest.approx(wanted, abs=1e-6)


def test_nothing_has_no_percentiles() -> None:
    with pytest.raises(ValueError, match="empty"):
        percentiles_of_counts(np.zeros(0, np.uint8), (50,))


def test_what_is_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        percentiles_of_counts(np.array([-1, 3], np.int16), (50,))
