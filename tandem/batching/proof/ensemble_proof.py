"""Runs a whole ensemble with real pictures, as it is configured, and predicts every run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from tandem.batching.measure.batch_statistics import Counts, batch_counts
from tandem.batching.measure.calibrate import slowed
from tandem.batching.measure.closed_loop import completed_per_s
from tandem.batching.measure.live_model import LiveModel
from tandem.batching.measure.perf_analyzer import Trace, item_data, run_poisson
from tandem.batching.measure.processor_time import Bystanders, ProcessorClock
from tandem.batching.measure.samples import make_samples
from tandem.batching.plan.measured import Measured
from tandem.batching.proof.comparison import Figures, Row, measured_figures, replay
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.rounds import service_factors
from tandem.batching.solve import solve_ensemble

EFFORT = Effort(precision=0.02, most_items=1_000_000)
# Requests in flight that keep every step and every processor busy.
SATURATING = 16
SETTLE_S = 2.0
# Other processes that use more processors than this disturb a run; so often it is tried.
DISTURBED, ATTEMPTS = 0.1, 3

Run = TypeVar("Run")


def measured_capacity(client: Any, model: LiveModel, pictures: Sequence[bytes], seconds: float) -> float:
    """Items a second that come back when there are always more than the server can take."""
    samples = make_samples(model, pictures, {})
    return completed_per_s(client, model, samples, in_flight=SATURATING, seconds=seconds)


def undisturbed_capacity(
    client: Any,
    model: LiveModel,
    pictures: Sequence[bytes],
    seconds: float,
    clock: ProcessorClock,
    attempts: int = ATTEMPTS,
) -> tuple[float, float]:
    """The same, repeated while other processes disturb it; and the processors that they used."""

    def run() -> tuple[float, float]:
        bystanders = Bystanders(clock)
        return measured_capacity(client, model, pictures, seconds), bystanders.processors()

    return undisturbed(run, lambda found: found[1], attempts)


def slowed_steps(found: Measured, before: Sequence[Counts], after: Sequence[Counts]) -> float:
    """By how much the steps took longer than when they were measured, averaged over the steps, as a share."""
    return float(np.mean([slowed(*step) for step in zip(found.steps, before, after, strict=True)]))


def run_loads(
    client: Any,
    url: str,
    found: Measured,
    pictures: Sequence[bytes],
    capacity_per_s: float,
    loads: Sequence[float],
    requests: int,
    seconds: float,
    clock: ProcessorClock,
    attempts: int = ATTEMPTS,
) -> list[Row]:
    """A row for each load, a share of the measured capacity; disturbed runs are repeated.

    Args:
        client: see `live_model.connect`.
        url: the server's gRPC address.
        found: the ensemble's calibration.
        pictures: what to send, in turn.
        capacity_per_s: see `measured_capacity`.
        loads: shares of it.
        requests: how many to send at each, at least.
        seconds: how long to send at each, at least.
        clock: processor time that the server has used, seconds, by model.
        attempts: how often a run is tried that other processes disturb.
    """
    ensemble = found.configured()
    data = item_data(pictures, found.model.inputs[0].name)
    factors = service_factors(found.spread, np.random.default_rng(EFFORT.seed))

    def predicted(trace: Trace, stations: Ensemble) -> Figures:
        return replay(trace, lambda sent: ensemble_latencies(stations, sent, factors)[0], found.transport_s)

    def run(load: float) -> Row:
        rate = load * capacity_per_s
        before = [batch_counts(client, step.model) for step in found.steps]
        bystanders = Bystanders(clock)
        trace = run_poisson(url, found.model.name, rate, max(requests, round(rate * seconds)), data=data)
        used = bystanders.processors()
        after = [batch_counts(client, step.model) for step in found.steps]
        measured, error = measured_figures(trace)
        effort = replace(EFFORT, spread=found.spread)
        long_run = solve_ensemble(ensemble, rate, effort).shifted(found.transport_s)
        return Row(
            subject=found.model.name,
            setting=f"{load:.0%} of {capacity_per_s:.1f} /s",
            rate_per_s=rate,
            load=load,
            requests=len(trace.sent_s),
            measured=measured,
            error_s=error,
            slowed=slowed_steps(found, before, after),
            plain=predicted(trace, unshared(ensemble)),
            full=predicted(trace, ensemble),
            long_run=Figures(mean_s=long_run.mean_s, p95_s=long_run.p95_s),
            trace=trace,
            bystanders=used,
        )

    return [undisturbed(partial(run, load), lambda row: row.bystanders, attempts) for load in loads]


def undisturbed(run: Callable[[], Run], bystanders: Callable[[Run], float], attempts: int) -> Run:
    """The run during which other processes used least of the machine; repeated while they use too much.

    Whether it is repeated depends on them alone, not on what was measured.

    Args:
        run: makes one.
        bystanders: processors that other processes used during a run.
        attempts: how many at most, 1 or more.
    """
    runs = []
    for _ in range(attempts):
        runs.append(run())
        time.sleep(SETTLE_S)  # the next run starts on an empty server
        if bystanders(runs[-1]) <= DISTURBED:
            break
    return min(runs, key=bystanders)


def unshared(ensemble: Ensemble) -> Ensemble:
    """The same with processors for everybody."""
    return Ensemble(stations=ensemble.stations)
