"""Cards per second of two readers on the same pictures, in turns: a machine that drifts drifts for both."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

Reader = Callable[[bytes], object]


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A reader and how many callers it is measured with."""

    name: str
    read: Reader
    clients: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Pictures per second, round by round, and the ratio first to second of each round."""

    names: tuple[str, str]
    rates: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def medians(self) -> tuple[float, float]:
        """Median pictures per second of each."""
        return statistics.median(self.rates[0]), statistics.median(self.rates[1])

    @property
    def ratios(self) -> list[float]:
        """First / second, round by round."""
        return [first / second for first, second in zip(*self.rates, strict=True)]


def measure_rate(contender: Contender, pictures: Sequence[bytes], seconds: float) -> float:
    """Pictures answered per second by callers that each wait for their answer before they send the next.

    Args:
        contender: whom to measure; its reader is called from as many threads as it has clients.
        pictures: encoded pictures, sent round robin.
        seconds: how long; answers under way at the end are waited for, and their time counts.

    Raises:
        ValueError: No pictures, or not a positive time.
    """
    if not pictures or seconds <= 0:
        raise ValueError(f"needs pictures and a positive time, got {len(pictures)} pictures and {seconds} s")
    numbers = itertools.count()
    lock = threading.Lock()

    def call(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            with lock:
                number = next(numbers)
            contender.read(pictures[number % len(pictures)])
            done += 1
        return done

    started = time.perf_counter()
    with ThreadPoolExecutor(contender.clients) as pool:
        answered = sum(pool.map(call, [started + seconds] * contender.clients))
    return answered / (time.perf_counter() - started)


def compare(
    first: Contender, second: Contender, pictures: Sequence[bytes], *, rounds: int = 3, seconds: float = 10.0
) -> Comparison:
    """Measure both in turns, after one picture each to warm up."""
    rates: tuple[list[float], list[float]] = ([], [])
    for contender in (first, second):
        contender.read(pictures[0])
    for _ in range(rounds):
        for found, contender in zip(rates, (first, second), strict=True):
            found.append(measure_rate(contender, pictures, seconds))
    return Comparison(names=(first.name, second.name), rates=(tuple(rates[0]), tuple(rates[1])))
