"""Runs a model whose batches cost what their longest item costs, with real texts, and predicts every run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tandem.batching.errors import CalibrationError
from tandem.batching.lengths import Floats, Ints, LengthModel
from tandem.batching.measure.batch_statistics import batch_counts
from tandem.batching.measure.calibrate import slowed
from tandem.batching.measure.perf_analyzer import Trace, item_data, run_poisson
from tandem.batching.outcome import Station
from tandem.batching.plan.measured import Measured
from tandem.batching.proof.comparison import WARM_UP, Figures, Row, figures_of, measured_figures, replay
from tandem.batching.proof.reference import PaddedModel
from tandem.batching.rules import greedy
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.ideal_rows import padded_width, run_rows
from tandem.batching.simulate.station import one_sequence

#: A pair costs 1.6 times its longest text: 8 ms + 0.5 ms a character alone, 8 + 0.8 in a pair.
PADDED = PaddedModel(name="padded", alpha_ms=8, character_ms=0.5, extra=0.6, max_batch=2)
#: Characters: many short texts and a few long ones, as people write them.
LENGTHS = (10, 12, 14, 16, 18, 20, 24, 30, 60, 120)
EFFORT = Effort(precision=0.02)
SETTLE_S = 1.0


def run_lengths(
    client: Any, url: str, found: Measured, texts: Sequence[bytes], loads: Sequence[float], requests: int
) -> list[Row]:
    """A row for each load, a share of the capacity in full batches of random texts.

    Args:
        client: see `live_model.connect`.
        url: the server's gRPC address.
        found: the model, measured with these texts.
        texts: drawn at random for every request.
        loads: shares of the capacity.
        requests: how many to send at each.

    Raises:
        CalibrationError: the texts take about the same time, so there are no lengths to prove.
    """
    lengths = found.lengths
    if lengths is None:
        raise CalibrationError(f"{found.model.name} takes about as long for each of these texts")
    station = Station(service=lengths.mean_service(), rule=greedy(found.max_batch))
    generator, same = np.random.default_rng(3), one_sequence(station, triton=True)
    rows = []
    for load in loads:
        rate = load * station.capacity_per_s
        order = generator.integers(0, len(texts), requests)
        # perf_analyzer sends them in this order, also with two threads: its records say so.
        data = item_data([texts[place] for place in order], found.model.inputs[0].name)
        before = batch_counts(client, found.model)
        trace = run_poisson(url, found.model.name, rate, requests, data=data)
        after = batch_counts(client, found.model)
        measured, error = measured_figures(trace)
        long_run = found.figures(station.rule, rate, EFFORT, triton=True)
        rows.append(
            Row(
                subject=found.model.name,
                setting=f"M={found.max_batch}, T=0 ms",
                rate_per_s=rate,
                load=load,
                requests=requests,
                measured=measured,
                error_s=error,
                slowed=slowed(found.steps[0], before, after),
                plain=replay(trace, lambda sent: same(sent, np.ones(1))[0], found.transport_s),
                full=predicted(trace, lengths, order, station, found.transport_s),
                long_run=Figures(mean_s=long_run.mean_s, p95_s=long_run.p95_s),
                trace=trace,
            )
        )
        time.sleep(SETTLE_S)
    return rows


def predicted(
    trace: Trace, lengths: LengthModel, order: Ints, station: Station, transport_s: float
) -> Figures:
    """What the very items of a run do at the times at which they were sent.

    Args:
        trace: the run.
        lengths: what batches of the items take.
        order: `(n,)` which of the sample each request was.
        station: greedy, as it ran.
        transport_s: latency beyond the server's, seconds.
    """
    count, most = len(trace.sent_s), station.rule.max_batch
    alone, behind = np.zeros(padded_width(count, most) + most), np.arange(most)
    alone[:count] = np.array(lengths.alone_s)[order]

    def took(at: Ints, size: Ints) -> Floats:
        there = behind < size[:, None]
        return lengths.seconds(np.where(there, alone[at[:, None] + behind], 0.0), size)

    served = run_rows(trace.sent_s[None], station.rule, station.instances, took)
    return figures_of(served.latency_s[0, int(WARM_UP * count) :] + transport_s)
