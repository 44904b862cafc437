from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.text_keywords.choose import choose, mean_direction


def unit(*angles: float) -> NDArray[np.float32]:
    return np.array([[np.cos(angle), np.sin(angle)] for angle in np.radians(angles)], np.float32)


PASSAGE = unit(0)[0]


def test_without_diversity_the_nearest_come_first() -> None:
    chosen = choose(["c", "a", "b"], unit(40, 5, 20), PASSAGE, 3, diversity=0)
    assert [place for place, _ in chosen] == [1, 2, 0]
    assert [likeness for _, likeness in chosen] == pytest.approx(np.cos(np.radians([5, 20, 40])), abs=1e-6)


def test_with_diversity_a_likeness_of_the_first_comes_later() -> None:
    vectors = unit(5, 6, -30)
    assert [place for place, _ in choose("abc", vectors, PASSAGE, 2, diversity=0)] == [0, 1]
    assert [place for place, _ in choose("abc", vectors, PASSAGE, 2, diversity=0.6)] == [0, 2]


@pytest.mark.parametrize(
    ("phrases", "left_out"),
    [
        (["水电站", "电站", "大坝"], 1),
        (["solar panels", "Solar", "wind"], 1),
        (["car", "carpet", "wind"], None),  # whole words only
    ],
)
def test_a_phrase_in_a_chosen_one_is_left_out(phrases: list[str], left_out: int | None) -> None:
    chosen = {place for place, _ in choose(phrases, unit(1, 2, 30), PASSAGE, 3)}
    assert chosen == {0, 1, 2} - {left_out}


def test_one_phrase_and_none() -> None:
    assert choose(["a"], unit(10), PASSAGE, 5)[0][0] == 0
    assert choose([], np.zeros((0, 2), np.float32), PASSAGE, 5) == []


def test_the_direction_of_several_windows_weighs_their_lengths() -> None:
    assert mean_direction(unit(0, 90), [1, 1]) == pytest.approx(unit(45)[0], abs=1e-6)
    assert mean_direction(unit(0, 90), [100, 0]) == pytest.approx(unit(0)[0], abs=1e-6)
