"""Measures batches of items that differ: each item alone, then random ones together."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tandem.batching.errors import CalibrationError
from tandem.batching.lengths import FEWEST_MIXED, LengthModel, MixedBatch, fit_lengths
from tandem.batching.measure.batch_statistics import STATISTICS_LAG_S, batch_counts, since
from tandem.batching.measure.caller import Caller
from tandem.batching.measure.live_model import LiveModel, translated
from tandem.batching.measure.samples import Sample

# A sample in which the longest item takes so much more than the shortest is worth a model of its own.
UNEQUAL = 1.3
ALONE = 3  # times that each item is asked alone; the median counts
ALONE_SHARE = 0.4
MIXED = 40


def measure_lengths(
    client: Any, model: LiveModel, samples: list[Sample], *, largest: int, budget_s: float, seed: int = 1
) -> LengthModel | None:
    """How a batch's time depends on its items; None where they take about the same time.

    A batch is one request of several items: so it is certain which of them ran together.

    Args:
        client: see `live_model.connect`.
        model: not an ensemble.
        samples: inputs of one item each.
        largest: largest batch to measure.
        budget_s: about how long to measure, seconds.
        seed: of the random batches.

    Raises:
        CalibrationError: the model answers with errors, or splits requests.
        ModelNotFoundError, ServerDownError: it went away.
    """
    until = time.perf_counter() + budget_s * ALONE_SHARE
    with translated(model.name):
        caller = Caller(client, model, samples)
        alone: list[list[float]] = [[] for _ in samples]
        for turn in range(ALONE):
            for place, times in enumerate(alone):
                if turn == 0 or time.perf_counter() < until:
                    times.append(_took(client, caller, model, [place]))
        alone_s = [float(np.median(times)) for times in alone]
        if largest < 2 or max(alone_s) < UNEQUAL * min(alone_s):
            return None
        batches = []
        generator = np.random.default_rng(seed)
        until = time.perf_counter() + budget_s * (1 - ALONE_SHARE)
        for turn in range(MIXED):
            if turn >= FEWEST_MIXED and time.perf_counter() > until:
                break
            for size in range(2, largest + 1):
                chosen = generator.integers(0, len(samples), size).tolist()
                took = _took(client, caller, model, chosen)
                batches.append(MixedBatch(alone_s=tuple(alone_s[item] for item in chosen), took_s=took))
    return fit_lengths(alone_s, batches)


def _took(client: Any, caller: Caller, model: LiveModel, chosen: list[int]) -> float:
    """The backend's time for one request of these samples, seconds."""
    before = batch_counts(client, model)
    caller.send_samples(chosen)
    caller.receive()
    until = time.perf_counter() + STATISTICS_LAG_S
    ran = since(before, batch_counts(client, model))
    while not ran and time.perf_counter() < until:
        ran = since(before, batch_counts(client, model))
    count, spent = ran.get(len(chosen), (0, 0.0))
    if count == 0:
        raise CalibrationError(f"{model.name} never ran a batch of {len(chosen)}; its config must allow it")
    return spent / count
