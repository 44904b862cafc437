"""Rates against readers whose speed is known."""

import threading
import time

import pytest

from tandem.evaluation.throughput import Contender, compare, measure_rate


def waiting(seconds: float):
    return lambda _data: time.sleep(seconds)


def test_four_callers_of_a_reader_that_only_waits_are_four_times_as_fast():
    pictures = [b"x"]
    one = measure_rate(Contender(name="one", read=waiting(0.02), clients=1), pictures, 0.5)
    four = measure_rate(Contender(name="four", read=waiting(0.02), clients=4), pictures, 0.5)
    assert one <= 50
    assert 3 < four / one < 5


def test_every_picture_gets_its_turn():
    seen, lock = set(), threading.Lock()

    def read(data: bytes) -> None:
        with lock:
            seen.add(data)

    measure_rate(Contender(name="all", read=read, clients=3), [b"a", b"b", b"c"], 0.05)
    assert seen == {b"a", b"b", b"c"}


def test_the_ratio_is_taken_round_by_round():
    slow, fast = (Contender(name=str(t), read=waiting(t), clients=1) for t in (0.03, 0.01))
    result = compare(fast, slow, [b"x"], rounds=2, seconds=0.3)
    assert len(result.ratios) == 2
    assert all(2 < ratio < 4 for ratio in result.ratios)


def test_an_error_of_the_reader_is_not_counted_as_an_answer():
    def broken(_data: bytes) -> None:
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        measure_rate(Contender(name="broken", read=broken, clients=2), [b"x"], 0.1)


def test_no_pictures_is_an_error():
    with pytest.raises(ValueError, match="0 pictures"):
        measure_rate(Contender(name="none", read=waiting(0), clients=1), [], 1)
