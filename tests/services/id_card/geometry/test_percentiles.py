"""Percentiles by counting, medians by sorting: what numpy says, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tandem.services.id_card.geometry.percentiles import median, percentiles_of_counts

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


@given(arrays(np.float32, SHAPES, elements=st.floats(-1e3, 1e3, width=32)))
def test_so_is_the_median(values: np.ndarray) -> None:
    assert median(values) == pytest.approx(np.median(values.astype(np.float64), axis=0), abs=1e-4)


def test_nothing_has_no_percentiles() -> None:
    with pytest.raises(ValueError, match="empty"):
        percentiles_of_counts(np.zeros(0, np.uint8), (50,))


def test_what_is_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        percentiles_of_counts(np.array([-1, 3], np.int16), (50,))
