"""Measures s(b) of a live model, one batch size after the other.

How a batch of exactly b is made on any server: c single items ("plugs") occupy the c instances, then b items
are sent, which wait together and are taken together when an instance becomes free. The server's own
statistics say what ran: batch sizes that came out otherwise are counted where they belong, and sizes that
never come about (a long queue delay, say) are measured with one request of b items.

Three figures come from outside those statistics: the *gap*, time that an instance is occupied beyond the
backend's own (waking threads, sending responses), from a closed loop that keeps all instances busy; the
*slowdown* by which instances hinder each other, from the same loop; and the *transport*, what a lone item's
latency holds beyond s(1).
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from tandem.batching.errors import CalibrationError
from tandem.batching.measure.batch_statistics import (
    STATISTICS_LAG_S,
    Counts,
    batch_counts,
    busy_s,
    foreign_items,
    items_run,
    since,
)
from tandem.batching.measure.caller import Caller
from tandem.batching.measure.closed_loop import gaps_and_slowdown
from tandem.batching.measure.live_model import LiveModel, translated
from tandem.batching.measure.processor_time import ProcessorClock
from tandem.batching.measure.samples import Sample
from tandem.batching.service_time import LinearFit, ServiceTime, fit_line

# A median of so many samples is good to about a tenth of their spread.
SAMPLES = 25
FEWEST_SAMPLES = 3
# Share of the time budget for the closed loop; the rest is for the table.
LOOP_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Measured times of a model.

    Attributes:
        model: which.
        service: median s(b) for b = 1 … largest measured, seconds, gap included.
        spread_s: half the distance between the quartiles of s(b), seconds.
        samples: how many batches of each size were measured.
        gaps_s: part of each s(b) that the backend does not see, seconds.
        slowdown: factor by which busy instances hinder each other, 1 or more; not part of `service`.
        transport_s: what a client's latency has beyond queueing and s(b), seconds.
        fit: alpha and beta; None with a single batch size.
        took_s: how long measuring took.
        demand: processors that a running batch of 1, 2, … uses; empty where nobody could tell.
        foreign: items of somebody else that ran meanwhile, and are in the figures.
    """

    model: LiveModel
    service: ServiceTime
    spread_s: tuple[float, ...]
    samples: tuple[int, ...]
    gaps_s: tuple[float, ...]
    slowdown: float
    transport_s: float
    fit: LinearFit | None
    took_s: float
    demand: tuple[float, ...] = ()
    foreign: int = 0

    @property
    def variation(self) -> float:
        """Coefficient of variation of service times, from the quartiles, averaged over sizes."""
        quartile_of_normal = 0.6745  # half the interquartile range of a normal law, in standard deviations
        shares = np.array(self.spread_s) / np.array(self.service.seconds) / quartile_of_normal
        return float(shares.mean())


def calibrate(
    client: Any,
    model: LiveModel,
    samples: list[Sample],
    *,
    max_batch: int | None = None,
    budget_s: float = 20.0,
    processor_clock: ProcessorClock | None = None,
) -> Calibration:
    """Measured s(b) for b = 1 … the model's largest batch.

    Args:
        client: see `live_model.connect`.
        model: not an ensemble.
        samples: inputs of one item each, used in turn.
        max_batch: largest batch to measure; at most the model's.
        budget_s: about how long to measure, seconds.
        processor_clock: processor time that the server has used, seconds, by model; tells the model's demand.

    Raises:
        CalibrationError: the model answers with errors, or is an ensemble.
        ModelNotFoundError, ServerDownError: it went away.
    """
    if model.steps:
        raise CalibrationError(f"{model.name} is an ensemble; its steps are measured one by one")
    largest = min(max_batch or model.max_batch, model.max_batch)
    begin = time.perf_counter()
    with translated(model.name):
        caller, ran = Caller(client, model, samples), items_run(client, model)
        lone = _lone_latency(caller)
        used, busy = _total(processor_clock), busy_s(client, model)
        table = _measure_sizes(client, caller, model, largest, begin + budget_s * (1 - LOOP_SHARE))
        used, busy = _total(processor_clock) - used, busy_s(client, model) - busy
        gaps, slowdown = gaps_and_slowdown(client, caller, model, largest, table, budget_s * LOOP_SHARE)
        foreign = foreign_items(client, model, before=ran, sent=caller.items_sent)
    medians = [float(np.median(table[size])) + gaps[size - 1] for size in range(1, largest + 1)]
    quartiles = [np.subtract(*np.percentile(table[size], (75, 25))) / 2 for size in range(1, largest + 1)]
    return Calibration(
        model=model,
        service=ServiceTime(tuple(medians)),
        spread_s=tuple(map(float, quartiles)),
        samples=tuple(len(table[size]) for size in range(1, largest + 1)),
        gaps_s=tuple(gaps),
        slowdown=slowdown,
        transport_s=max(lone - model.lone_delay_s - medians[0], 0.0),
        fit=fit_line(range(1, largest + 1), medians) if largest > 1 else None,
        took_s=time.perf_counter() - begin,
        demand=(used / busy,) * largest if processor_clock and busy > 0 else (),
        foreign=foreign,
    )


def slowed(found: Calibration, before: Counts, after: Counts) -> float:
    """By how much batches took longer than when they were measured, as a share; 0 where none ran.

    Args:
        found: the measured times.
        before: `batch_counts` before.
        after: `batch_counts` after.
    """
    expected = spent = 0.0
    for size, (count, busy) in since(before, after).items():
        if size <= found.service.max_batch:
            expected += count * (found.service.of(size) - found.gaps_s[size - 1])
            spent += busy
    return spent / expected - 1 if expected > 0 else 0.0


def _total(clock: ProcessorClock | None) -> float:
    """Processor time of the whole server, seconds; 0 without a clock."""
    return sum(clock().values()) if clock else 0.0


def _lone_latency(caller: Caller) -> float:
    """Median latency of an item that is alone, seconds; the first ones warm the model up."""
    latencies = []
    for _ in range(3 + SAMPLES // 2):
        begin = time.perf_counter()
        caller.send()
        latencies.append(caller.receive() - begin)
    return float(np.median(latencies[3:]))


def _measure_sizes(
    client: Any,
    caller: Caller,
    model: LiveModel,
    largest: int,
    until: float,
) -> dict[int, list[float]]:
    """Seconds that single batches took, by size; every size of 1 … largest has `FEWEST_SAMPLES` or more."""
    times: dict[int, list[float]] = defaultdict(list)
    before = batch_counts(client, model)
    for turn in range(SAMPLES):
        for size in range(1, largest + 1):
            enough = turn >= FEWEST_SAMPLES and time.perf_counter() > until
            if enough or len(times[size]) >= SAMPLES:
                continue
            alone = size == 1 or (turn >= FEWEST_SAMPLES and not times[size])  # bursts do not make this size
            plugs = 0 if alone else model.instances
            for items in [1] * plugs + ([size] if alone else [1] * size):
                caller.send(items)
            for _ in range(plugs + (1 if alone else size)):
                caller.receive()
            after = batch_counts(client, model)
            for ran, (count, spent) in since(before, after).items():
                if count == 1:  # several of one size are an average, which would hide their spread
                    times[ran].append(spent)
            before = after
    for size in range(1, largest + 1):
        _fill(client, caller, model, size, times)
    return times


def _fill(client: Any, caller: Caller, model: LiveModel, size: int, times: dict[int, list[float]]) -> None:
    """Measure a size that bursts did not make, with requests of that many items."""
    while len(times[size]) < FEWEST_SAMPLES:
        before = batch_counts(client, model).get(size, (0, 0.0))
        caller.send(size)
        caller.receive()
        after, until = before, time.perf_counter() + STATISTICS_LAG_S
        while after[0] == before[0] and time.perf_counter() < until:
            after = batch_counts(client, model).get(size, (0, 0.0))
        if after[0] == before[0]:
            raise CalibrationError(
                f"{model.name} never ran a batch of {size}; its config must allow it, and nobody else ask"
            )
        times[size].append((after[1] - before[1]) / (after[0] - before[0]))
