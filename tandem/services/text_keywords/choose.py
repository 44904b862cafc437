"""The best phrases that differ: maximal marginal relevance over unit vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.services.text_keywords.candidates import is_chinese

#: How much a phrase loses that says what a chosen one says.
DIVERSITY = 0.3


def choose(
    phrases: Sequence[str],
    vectors: NDArray[np.float32],
    passage: NDArray[np.float32],
    count: int,
    diversity: float = DIVERSITY,
) -> list[tuple[int, float]]:
    """The chosen phrases' places, the best first, each with its likeness to the passage.

    Carbonell and Goldstein (SIGIR 1998): each next one maximises (1 - d) * likeness to the passage - d * its
    largest likeness to one chosen before; both are spread over 0 to 1 first: this model's are all near 0.85.
    A phrase that holds a chosen one, or is held by one, is left out.

    Args:
        phrases: different from each other.
        vectors: (phrases, hidden) unit vectors.
        passage: (hidden,) unit vector.
        count: how many at most.
        diversity: d, 0 to 1.

    Returns:
        (place, cosine) each, at most `count`.
    """
    likeness = vectors @ passage
    worth, alike = _spread(likeness), _spread(vectors @ vectors.T)
    chosen: list[int] = []
    left = list(range(len(phrases)))
    while left and len(chosen) < count:
        nearest = [max((float(alike[i, j]) for j in chosen), default=0.0) for i in left]
        values = [
            (1 - diversity) * float(worth[i]) - diversity * near
            for i, near in zip(left, nearest, strict=True)
        ]
        best = left[int(np.argmax(values))]
        chosen.append(best)
        left = [i for i in left if i != best and not _overlap(phrases[i], phrases[best])]
    return [(i, float(likeness[i])) for i in chosen]


def mean_direction(rows: NDArray[np.float32], lengths: Sequence[int]) -> NDArray[np.float32]:
    """(hidden,) the unit vector of a text whose parts have these unit vectors and so many tokens."""
    summed = np.asarray(lengths, np.float32) @ rows
    return np.asarray(summed / max(float(np.linalg.norm(summed)), 1e-12), np.float32)


def _spread(values: NDArray[np.float32]) -> NDArray[np.float32]:
    span = float(np.ptp(values)) if values.size else 0.0
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)


def _overlap(one: str, other: str) -> bool:
    """Whether one phrase holds the other: characters in Chinese, whole words in English."""
    short, long = sorted((one.lower(), other.lower()), key=len)
    if is_chinese(short):
        return short in long
    words, whole = short.split(), long.split()
    return any(whole[i : i + len(words)] == words for i in range(len(whole) - len(words) + 1))
