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


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What callers that each wait for their answer before they send the next one got.

    Attributes:
        latencies_s: from question to answer of each, seconds; one at least.
        elapsed_s: from the first question to the last answer, seconds.
    """

    latencies_s: tuple[float, ...]
    elapsed_s: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies_s) / self.elapsed_s


def measure_answers(read: Reader, clients: int, pictures: Sequence[bytes], seconds: float) -> Answers:
    """Ask for so many seconds.

    Args:
        read: called from as many threads as there are clients.
        clients: how many callers.
        pictures: encoded pictures, sent round robin.
        seconds: how long; answers under way at the end are waited for, and their time counts.

    Raises:
        ValueError: No pictures, or not a positive time.
    """
    if not pictures or seconds <= 0:
        raise ValueError(f"needs pictures and a positive time, got {len(pictures)} pictures and {seconds} s")
    numbers = itertools.count()
    lock = threading.Lock()

    def call(until: float) -> list[float]:
        latencies: list[float] = []
        while (asked := time.perf_counter()) < until or not latencies:
            with lock:
                number = next(numbers)
            read(pictures[number % len(pictures)])
            latencies.append(time.perf_counter() - asked)
        return latencies

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = list(pool.map(call, [started + seconds] * clients))
    elapsed = time.perf_counter() - started
    return Answers(latencies_s=tuple(itertools.chain.from_iterable(found)), elapsed_s=elapsed)


def measure_rate(contender: Contender, pictures: Sequence[bytes], seconds: float) -> float:
    """Pictures that a contender answers per second; arguments and errors as of `measure_answers`."""
    return measure_answers(contender.read, contender.clients, pictures, seconds).rate


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
