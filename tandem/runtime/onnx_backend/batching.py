"""Items of several requests as one batch, and the batch's results as each request's again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]


def join(requests: Sequence[Tensors]) -> dict[str, NDArray[Any]]:
    """The requests' tensors, one behind the other along the first dimension.

    Args:
        requests: tensors by name, the same names in each; shapes differ in the first dimension only.

    Returns:
        Tensors by name; a single request's own arrays, not copied.
    """
    if len(requests) == 1:
        return dict(requests[0])
    return {name: np.concatenate([request[name] for request in requests]) for name in requests[0]}


def split(batch: Tensors, sizes: Sequence[int]) -> list[dict[str, NDArray[Any]]]:
    """Each request's part of a batch's results: views, not copies.

    Args:
        batch: results by name; first dimension: the sum of `sizes`.
        sizes: items of each request, in order.

    Raises:
        ValueError: a result has another number of items.
    """
    total = sum(sizes)
    for name, result in batch.items():
        if result.ndim == 0 or len(result) != total:
            raise ValueError(f"the model's output '{name}' has shape {list(result.shape)} for {total} items")
    ends = np.cumsum(sizes)
    return [
        {name: result[end - size : end] for name, result in batch.items()}
        for size, end in zip(sizes, ends, strict=True)
    ]


def groups_of_equal_shape(requests: Sequence[Tensors]) -> list[list[int]]:
    """Indices of requests that can share a batch, in order of arrival."""
    groups: dict[tuple[tuple[str, tuple[int, ...]], ...], list[int]] = {}
    for index, tensors in enumerate(requests):
        key = tuple(sorted((name, array.shape[1:]) for name, array in tensors.items()))
        groups.setdefault(key, []).append(index)
    return list(groups.values())
