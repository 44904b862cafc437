"""Keeps so many items under way: what a full server does, and what its instances lose between batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tandem.batching.measure.batch_statistics import batch_counts, since
from tandem.batching.measure.caller import Caller
from tandem.batching.measure.live_model import LiveModel, translated
from tandem.batching.measure.samples import Sample


def completed_per_s(
    client: Any, model: LiveModel, samples: list[Sample], *, in_flight: int, seconds: float
) -> float:
    """Items a second that come back while `in_flight` are always under way.

    Raises:
        CalibrationError: the model answers with errors.
        ModelNotFoundError, ServerDownError: it went away.
    """
    with translated(model.name):
        return keep_under_way(Caller(client, model, samples), in_flight, seconds)


def keep_under_way(
    caller: Caller,
    in_flight: int,
    seconds: float,
    *,
    at_start: Callable[[], None] = lambda: None,
    at_end: Callable[[], None] = lambda: None,
) -> float:
    """Items a second that come back while `in_flight` are always under way.

    Args:
        caller: sends them.
        in_flight: how many.
        seconds: how long to count, after the first ones, which met an empty server.
        at_start: called when counting starts.
        at_end: called when it ends, while the server is still full.
    """
    for _ in range(in_flight):
        caller.send()
    for _ in range(in_flight):
        caller.receive()
        caller.send()
    at_start()
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        caller.receive()
        caller.send()
        count += 1
    took = time.perf_counter() - begin
    at_end()
    for _ in range(in_flight):
        caller.receive()
    return count / took


def gaps_and_slowdown(
    client: Any,
    caller: Caller,
    model: LiveModel,
    largest: int,
    table: dict[int, list[float]],
    seconds: float,
) -> tuple[list[float], float]:
    """The gap for every batch size, seconds, and the slowdown of busy instances.

    Full batches come about with twice as many items in flight as the instances take; batches of one with a
    single item more than there are instances. Between the two the gap is taken as a line: it is sending
    answers, mostly.
    """
    loop = partial(closed_loop, client, caller, model, table)
    full, slowdown = loop(2 * largest * model.instances, seconds / 2)
    single = loop(model.instances + 1, seconds / 2)[0] if largest > 1 else full
    return [float(gap) for gap in np.linspace(min(single, full), full, largest)], slowdown


def closed_loop(
    client: Any,
    caller: Caller,
    model: LiveModel,
    table: dict[int, list[float]],
    in_flight: int,
    seconds: float,
) -> tuple[float, float]:
    """The mean gap, seconds, and the slowdown, while so many items are always under way."""
    before, begin = batch_counts(client, model), time.perf_counter()
    for _ in range(in_flight):
        caller.send()
    while time.perf_counter() - begin < seconds:
        caller.receive()
        caller.send()
    end, after = time.perf_counter(), batch_counts(client, model)
    for _ in range(in_flight):
        caller.receive()
    ran = since(before, after)
    busy = sum(spent for _, spent in ran.values())
    expected = sum(
        count * float(np.median(table[size])) for size, (count, _) in ran.items() if table.get(size)
    )
    batches = sum(count for count, _ in ran.values())
    if batches == 0 or expected == 0:
        return 0.0, 1.0
    gap = max((end - begin) * model.instances - busy, 0.0) / batches
    shortest = float(np.median(table[1]))
    slowdown = max(busy / expected, 1.0) if model.instances > 1 else 1.0
    return min(gap, shortest), slowdown
