"""More than a server can do, offered for a while: how each item ended, and what memory did meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

from tandem_triton import OverloadedError

from tandem.evaluation.memory import anonymous_bytes
from tandem.evaluation.soak import Report

_SAMPLE_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Overload:
    """What a run saw.

    Attributes:
        served_s: how long each admitted item took.
        refused_s: how long each `OverloadedError` took.
        memory: of the processes meanwhile.
    """

    served_s: list[float]
    refused_s: list[float]
    memory: Report

    @property
    def served_p95_s(self) -> float:
        return quantiles(self.served_s, n=20)[-1]

    @property
    def refused_p95_s(self) -> float:
        return quantiles(self.refused_s, n=20)[-1]

    def grown_bytes(self) -> dict[str, int]:
        """Process → how much more memory it had at the end than at the start."""
        return {name: sizes[-1] - sizes[0] for name, sizes in self.memory.memory.items()}

    def lines(self) -> list[str]:
        """The run as text."""
        head = f"served {len(self.served_s)}: p50 {_ms(median(self.served_s))}, p95 {_ms(self.served_p95_s)}"
        if self.refused_s:
            head += (
                f"; refused {len(self.refused_s)}: p50 {_ms(median(self.refused_s))}, "
                f"p95 {_ms(self.refused_p95_s)}, max {_ms(max(self.refused_s))}"
            )
        return [head, *self.memory.table()]


def offer(
    ask: Callable[[], object],
    *,
    callers: int,
    per_s: float | None,
    run_s: float,
    processes: Mapping[str, int],
) -> Overload:
    """Call `ask` from many threads.

    Args:
        ask: reads a picture, or raises `OverloadedError`.
        callers: threads.
        per_s: calls a second, of all threads together; None: each calls again at once.
        run_s: for how long.
        processes: name → process id of those whose memory is looked at.
    """
    took: list[tuple[bool, float]] = []
    report = Report(memory={name: [] for name in processes})
    began_s = time.monotonic()
    end_s = began_s + run_s

    def call(number: int) -> None:
        time.sleep(number / per_s if per_s else 0)  # one after the other, not all at once
        while time.monotonic() < end_s:
            due_s = time.monotonic() + (callers / per_s if per_s else 0)
            took.append(_timed(ask))
            time.sleep(max(0.0, due_s - time.monotonic()))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end_s:
        report.times_s.append(time.monotonic() - began_s)
        for name, pid in processes.items():
            report.memory[name].append(anonymous_bytes(pid))
        time.sleep(_SAMPLE_EVERY_S)
    for thread in threads:
        thread.join()
    return Overload(
        served_s=[seconds for admitted, seconds in took if admitted],
        refused_s=[seconds for admitted, seconds in took if not admitted],
        memory=report,
    )


def _timed(ask: Callable[[], object]) -> tuple[bool, float]:
    """Whether it was admitted, and how long that took."""
    began_s = time.perf_counter()
    try:
        ask()
    except OverloadedError:
        return False, time.perf_counter() - began_s
    return True, time.perf_counter() - began_s


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"
