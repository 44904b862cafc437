"""Measures the steps of an ensemble in their place: items go through the whole, the steps' statistics tell.

A step that is asked by itself gets its tensors, megabytes of pixels, over the network, which slows it and
everything beside it; inside the ensemble they are handed over in memory. So lone items tell every step's
s(1), and b items its s(b): single ones sent at once where every step waits for company, else one request
of b.

On a server of this machine the same items tell how many processors a batch uses, a step and a size at a
time, and a full server and items that come at random tell what batches do beside each other.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from tandem.batching.errors import CalibrationError
from tandem.batching.measure.batch_statistics import (
    Counts,
    batch_counts,
    foreign_items,
    items_run,
    since,
)
from tandem.batching.measure.calibrate import FEWEST_SAMPLES, SAMPLES
from tandem.batching.measure.caller import Caller
from tandem.batching.measure.closed_loop import keep_under_way
from tandem.batching.measure.live_model import LiveModel, translated
from tandem.batching.measure.processor_time import SERVER, Bystanders, ProcessorClock, by_step, used_since
from tandem.batching.measure.samples import Sample

_WARM_UP = 3
# Of the time for measuring with the processors watched: for lone items and batches at most, and for the full
# server. What is left is for items that come at random, at a load that leaves pauses and at one at which
# batches of every size meet.
_ALONE_SHARE, _FULL_SHARE = 0.35, 0.13
_COMPANY_LOADS = (0.3, 0.75)
# Mean pause before an item that goes alone. A server that is hardly busy gets its items when its processors
# were idle: a network then took a fifth longer than right after another item (measured once).
_PAUSE_S = 0.05

# Of items that come at random the batches are counted in spans of about this length: long enough for a dozen
# batches, as short as the waits that their varying times make.
SPAN_S = 0.5

Times = dict[str, dict[int, list[float]]]


@dataclass(frozen=True, kw_only=True)
class Company:
    """A stretch of time in which items were under way beside each other.

    Attributes:
        sent_s: when each was sent, seconds from the beginning; only their number matters where `in_flight` is
            given.
        in_flight: so many were always under way; 0 where each was sent at its time.
        ran: for every step the batches of each size, and their time.
        spans: the same of short spans one after the other, each with when it ended, seconds from the
            beginning; empty where nobody looked.
    """

    sent_s: tuple[float, ...]
    in_flight: int = 0
    ran: tuple[Counts, ...]
    spans: tuple[tuple[float, tuple[Counts, ...]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class InPlace:
    """What items that went through the whole ensemble told.

    Attributes:
        times: seconds that single batches took, by step and size; every size up to the largest.
        lone_s: median latency of a lone item, seconds.
        demand: processors that a batch of 1, 2, … uses while it runs, by step; empty where nobody could tell.
        company: what the steps did beside each other; empty where the server's processors were not watched.
        took_s: how long measuring took.
        foreign: items of somebody else that went through the ensemble meanwhile.
        bystanders: processors that other processes of this machine used meanwhile; 0 where nobody could tell.
    """

    times: Times
    lone_s: float
    demand: dict[str, tuple[float, ...]] = field(default_factory=dict)
    company: tuple[Company, ...] = ()
    took_s: float
    foreign: int = 0
    bystanders: float = 0.0


def measure_in_place(
    client: Any,
    whole: LiveModel,
    parts: Sequence[LiveModel],
    samples: list[Sample],
    *,
    largest: int,
    budget_s: float,
    processor_clock: ProcessorClock | None = None,
) -> InPlace:
    """Send lone items and several at once through an ensemble and read what its steps took.

    Args:
        client: see `live_model.connect`.
        whole: the ensemble.
        parts: its steps' models, in order.
        samples: inputs of one item each, used in turn.
        largest: largest batch, at most the ensemble's.
        budget_s: about how long to measure, seconds.
        processor_clock: processor time that the server on this machine has used, seconds, by model.

    Raises:
        CalibrationError: the ensemble answers with errors, or a step splits requests.
        ModelNotFoundError, ServerDownError: it went away.
    """
    begin = time.perf_counter()
    bystanders = Bystanders(processor_clock) if processor_clock else None
    with translated(whole.name):
        course = _Course(client, whole, parts, samples, processor_clock)
        ran, lone = items_run(client, whole), 0.0
        for _ in range(_WARM_UP):
            course.send(1, together=True)
        alone_s = budget_s * (_ALONE_SHARE if processor_clock else 1.0)
        demand: dict[str, list[float]] = {part.name: [] for part in parts}
        for size in range(1, largest + 1):
            waits = size == 1 or all(part.lone_delay_s > 0 for part in parts)
            latencies, used = course.measure(size, alone_s / largest, together=waits)
            if waits and not course.complete(size):  # they did not stay together
                latencies, used = course.measure(size, alone_s / largest, together=False)
            if not course.complete(size):
                raise CalibrationError(f"{whole.name} never ran batches of {size} at every step")
            lone = float(np.median(latencies)) if size == 1 else lone
            for name, processors in used.items():
                demand[name].append(processors)
        company: tuple[Company, ...] = ()
        if processor_clock:
            in_flight = 2 * largest * sum(part.instances for part in parts)
            full, rate = course.full(in_flight, budget_s * _FULL_SHARE)
            left_s = max(begin + budget_s - time.perf_counter(), budget_s * _FULL_SHARE)
            each_s = left_s / len(_COMPANY_LOADS)
            company = (full, *(course.poisson(load * rate, each_s) for load in _COMPANY_LOADS))
        foreign = foreign_items(client, whole, before=ran, sent=course.caller.items_sent)
    return InPlace(
        times=course.times,
        lone_s=lone,
        demand={name: tuple(values) for name, values in demand.items()} if processor_clock else {},
        company=company,
        took_s=time.perf_counter() - begin,
        foreign=foreign,
        bystanders=bystanders.processors() if bystanders else 0.0,
    )


class _Course:
    """Items through an ensemble, and what they took of time and processors."""

    def __init__(
        self,
        client: Any,
        whole: LiveModel,
        parts: Sequence[LiveModel],
        samples: list[Sample],
        clock: ProcessorClock | None,
    ) -> None:
        self._client, self._parts, self._clock = client, parts, clock
        self.caller = Caller(client, whole, samples)
        self.times: Times = {part.name: defaultdict(list) for part in parts}

    def complete(self, size: int) -> bool:
        """True where every step has run enough batches of this size."""
        return all(len(times[size]) >= FEWEST_SAMPLES for times in self.times.values())

    def send(self, items: int, *, together: bool) -> float:
        """Latency of the last of so many single items sent at once, or of one request of them, seconds."""
        begin = time.perf_counter()
        for count in [1] * items if together else [items]:
            self.caller.send(count)
        return max(self.caller.receive() for _ in range(items if together else 1)) - begin

    def measure(self, size: int, seconds: float, *, together: bool) -> tuple[list[float], dict[str, float]]:
        """Note what the steps took for so many items; gives latencies, and the processors of every step."""
        for times in self.times.values():
            times[size].clear()
        until, latencies = time.perf_counter() + seconds, list[float]()
        busy = dict.fromkeys(self.times, 0.0)
        clock, counts = self._processors(), self._counts()
        pauses = np.random.default_rng(size).exponential(_PAUSE_S, SAMPLES)
        while len(latencies) < SAMPLES and (len(latencies) < FEWEST_SAMPLES or time.perf_counter() < until):
            time.sleep(pauses[len(latencies)])
            latencies.append(self.send(size, together=together))
            before, counts = counts, self._counts()
            for part, old, new in zip(self._parts, before, counts, strict=True):
                busy[part.name] += _note(self.times[part.name], old, new)
        used = by_step(used_since(clock, self._processors()), busy)
        if self._clock is None:
            return latencies, {}
        return latencies, {name: used[name] / busy[name] if busy[name] > 0 else 0.0 for name in busy}

    def full(self, in_flight: int, seconds: float) -> tuple[Company, float]:
        """What the steps do while so many items are always under way, and the items a second."""
        counts = list[list[Counts]]()
        rate = keep_under_way(
            self.caller,
            in_flight,
            seconds,
            at_start=lambda: counts.append(self._counts()),
            at_end=lambda: counts.append(self._counts()),
        )
        items = max(round(rate * seconds), 1) + 2 * in_flight  # as many as passed, the first and the last too
        return Company(sent_s=(0.0,) * items, in_flight=in_flight, ran=_between(*counts)), rate

    def poisson(self, rate_per_s: float, seconds: float) -> Company:
        """What the steps do while items come at random."""
        items = max(round(rate_per_s * seconds), 1)
        due = np.random.default_rng(1).exponential(1 / rate_per_s, items).cumsum()
        before, begin, sent = self._counts(), time.perf_counter(), list[float]()
        looks = [(0.0, before)]
        for when in due:
            time.sleep(max(begin + when - time.perf_counter(), 0.0))
            sent.append(time.perf_counter() - begin)
            self.caller.send()
            if sent[-1] - looks[-1][0] >= SPAN_S:
                looks.append((time.perf_counter() - begin, self._counts()))
        for _ in sent:
            self.caller.receive()
        spans = tuple((end, _between(old, new)) for (_, old), (end, new) in pairwise(looks))
        return Company(sent_s=tuple(sent), ran=_between(before, self._counts()), spans=spans)

    def _counts(self) -> list[Counts]:
        return [batch_counts(self._client, part) for part in self._parts]

    def _processors(self) -> dict[str, float]:
        """Processor time of the server and of this process, which asks it, by model, seconds."""
        if self._clock is None:
            return {}
        used = dict(self._clock())
        used[SERVER] = used.get(SERVER, 0.0) + time.process_time()
        return used


def _between(before: Sequence[Counts], after: Sequence[Counts]) -> tuple[Counts, ...]:
    """What ran between two counts, for every step."""
    return tuple(since(old, new) for old, new in zip(before, after, strict=True))


def _note(times: dict[int, list[float]], before: Counts, after: Counts) -> float:
    """Keep the time of the batch, if it was one; gives the step's time for all that ran, seconds."""
    ran = since(before, after)
    if sum(count for count, _ in ran.values()) == 1:
        ((size, (_, spent)),) = ran.items()
        times[size].append(spent)
    return sum(spent for _, spent in ran.values())
