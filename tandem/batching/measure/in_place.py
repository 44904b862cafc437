"""Measures the steps of an ensemble in their place: items go through the whole, the steps' statistics tell.

A step that is asked by itself gets its tensors, megabytes of pixels, over the network, which slows it and
everything beside it; inside the ensemble they are handed over in memory. So lone items tell every step's
s(1), and bursts of b items its s(b) wherever they stay together.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tandem.batching.measure.batch_statistics import (
    Counts,
    batch_counts,
    foreign_items,
    items_run,
    since,
)
from tandem.batching.measure.calibrate import FEWEST_SAMPLES, SAMPLES
from tandem.batching.measure.caller import Caller
from tandem.batching.measure.live_model import LiveModel, translated
from tandem.batching.measure.samples import Sample

_WARM_UP = 3

Times = dict[str, dict[int, list[float]]]


@dataclass(frozen=True, kw_only=True)
class InPlace:
    """What items that went through the whole ensemble told.

    Attributes:
        times: seconds that single batches took, by step and size; only sizes with enough samples.
        lone_s: median latency of a lone item, seconds.
        demand: processors that the steps use while the largest burst is worked on; 1 where nobody could tell.
        took_s: how long measuring took.
        foreign: items of somebody else that went through the ensemble meanwhile.
    """

    times: Times
    lone_s: float
    demand: float
    took_s: float
    foreign: int = 0


def measure_in_place(
    client: Any,
    whole: LiveModel,
    parts: Sequence[LiveModel],
    samples: list[Sample],
    *,
    largest: int,
    budget_s: float,
    processor_clock: Callable[[], float] | None = None,
) -> InPlace:
    """Send lone items and bursts through an ensemble and read what its steps took.

    Args:
        client: see `live_model.connect`.
        whole: the ensemble.
        parts: its steps' models, in order.
        samples: inputs of one item each, used in turn.
        largest: largest burst.
        budget_s: about how long to measure, seconds.
        processor_clock: processor time that the server has used, seconds.

    Raises:
        CalibrationError: the ensemble answers with errors.
        ModelNotFoundError, ServerDownError: it went away.
    """
    begin = time.perf_counter()
    times: Times = {part.name: defaultdict(list) for part in parts}
    demand, lone = 1.0, 0.0
    with translated(whole.name):
        caller, ran = Caller(client, whole, samples), items_run(client, whole)
        for _ in range(_WARM_UP):
            _burst(caller, 1)
        for size in range(1, largest + 1):
            until = time.perf_counter() + budget_s / largest
            latencies: list[float] = []
            used = busy = 0.0
            while len(latencies) < SAMPLES and (
                len(latencies) < FEWEST_SAMPLES or time.perf_counter() < until
            ):
                before = [batch_counts(client, part) for part in parts]
                clock = processor_clock() if processor_clock else 0.0
                latencies.append(_burst(caller, size))
                used += processor_clock() - clock if processor_clock else 0.0
                for part, old in zip(parts, before, strict=True):
                    busy += _note(times[part.name], old, batch_counts(client, part))
            lone = float(np.median(latencies)) if size == 1 else lone
            demand = used / busy if processor_clock and busy > 0 else 1.0
        foreign = foreign_items(client, whole, before=ran, sent=caller.items_sent)
    enough = {
        name: {size: seconds for size, seconds in sizes.items() if len(seconds) >= FEWEST_SAMPLES}
        for name, sizes in times.items()
    }
    took_s = time.perf_counter() - begin
    return InPlace(times=enough, lone_s=lone, demand=demand, took_s=took_s, foreign=foreign)


def _burst(caller: Caller, items: int) -> float:
    """Latency of the last of `items` single items that are sent at once, seconds."""
    begin = time.perf_counter()
    for _ in range(items):
        caller.send()
    return max(caller.receive() for _ in range(items)) - begin


def _note(times: dict[int, list[float]], before: Counts, after: Counts) -> float:
    """Keep the time of the burst's batch, if it was one; gives the step's time for the burst, seconds."""
    ran = since(before, after)
    if sum(count for count, _ in ran.values()) == 1:
        ((size, (_, spent)),) = ran.items()
        times[size].append(spent)
    return sum(spent for _, spent in ran.values())
