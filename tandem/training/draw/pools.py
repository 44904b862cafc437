"""Training and test pool: names, places and fonts of an evaluation that training never shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Pool = Literal["train", "test"]

# Every fifth character of a list belongs to the test pool.
TEST_EVERY = 5
# Of the characters of given names and of places. In text at large one in a hundred lies outside the 3,500
# commonest, names take more. The subset "rare" of an evaluation has ten times as many.
RARE_SHARE = 0.03


def characters(text: str, pool: Pool) -> str:
    """The characters of a list that belong to the pool, by code point; the two pools share none."""
    return "".join(character for character in text if (ord(character) % TEST_EVERY == 0) == (pool == "test"))


def words(entries: Sequence[str], pool: Pool) -> tuple[str, ...]:
    """The words of a list that belong to the pool, by their code points' sum; the two pools share none."""
    wanted = pool == "test"
    return tuple(word for word in entries if (sum(map(ord, word)) % TEST_EVERY == 0) == wanted)


def choose(rng: np.random.Generator, entries: Sequence[str]) -> str:
    """One entry (or character), evenly."""
    return entries[int(rng.integers(len(entries)))]
