from __future__ import annotations

import pytest

from tandem.runtime.errors import GaveUpError
from tandem.runtime.restarts import LONGEST_PAUSE_S, MOST_RESTARTS, WINDOW_S, Restarts


class Clock:
    """A clock that the test turns."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_is_at_once_and_the_pauses_double() -> None:
    restarts = Restarts(Clock())
    assert [restarts.pause_s("x") for _ in range(MOST_RESTARTS)] == [0, 1, 2, 4, 8, 16]
    assert max(0, 1, 2, 4, 8, 16) <= LONGEST_PAUSE_S


def test_too_many_in_a_short_time_are_given_up_with_the_reason() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    for _ in range(MOST_RESTARTS):
        restarts.pause_s("first fault")
    clock.now += 5
    with pytest.raises(GaveUpError, match=r"6 times in 5 s.*SIGSEGV"):
        restarts.pause_s("ended by SIGSEGV")


def test_what_is_long_ago_does_not_count() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    for _ in range(3 * MOST_RESTARTS):
        assert restarts.pause_s("now and then") == 0
        clock.now += WINDOW_S + 1
