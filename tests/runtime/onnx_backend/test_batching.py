from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.runtime.onnx_backend.batching import groups_of_equal_shape, join, split


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_split_undoes_join(sizes: list[int]) -> None:
    rng = np.random.default_rng(sum(sizes))
    requests = [{"A": rng.random((size, 2, 3)), "B": rng.integers(0, 9, size)} for size in sizes]
    parts = split(join(requests), sizes)
    for part, request in zip(parts, requests, strict=True):
        np.testing.assert_array_equal(part["A"], request["A"])
        np.testing.assert_array_equal(part["B"], request["B"])


def test_a_single_request_is_not_copied() -> None:
    array = np.zeros((2, 3))
    assert join([{"A": array}])["A"] is array


def test_a_result_for_another_number_of_items_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'A' has shape \[3, 1\] for 2 items"):
        split({"A": np.zeros((3, 1))}, [1, 1])
    with pytest.raises(ValueError, match="'A'"):
        split({"A": np.zeros(())}, [1])


def test_requests_of_equal_shape_share_a_batch_in_order_of_arrival() -> None:
    wide, narrow = np.zeros((1, 8)), np.zeros((2, 4))
    assert groups_of_equal_shape([{"A": wide}, {"A": narrow}, {"A": wide}]) == [[0, 2], [1]]
