"""Runs a whole ensemble with real pictures, as it is configured, and predicts every run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tandem.batching.measure.calibrate import batch_counts, completed_per_s, slowed
from tandem.batching.measure.perf_analyzer import Trace, item_data, run_poisson
from tandem.batching.measure.samples import make_samples
from tandem.batching.plan.measured import Measured
from tandem.batching.proof.proof import Figures, Row, measured_figures, replay
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies, simulate_ensemble
from tandem.batching.simulate.simulate import SimulationPlan, service_factors

EFFORT = SimulationPlan(items=40_000, replications=10)
# Requests in flight that keep every step and every processor busy.
SATURATING = 16
SETTLE_S = 2.0

Counts = dict[int, tuple[int, float]]


def measured_capacity(client: Any, found: Measured, pictures: Sequence[bytes], seconds: float) -> float:
    """Items a second that come back when there are always more than the server can take."""
    samples = make_samples(found.model, pictures, {})
    return completed_per_s(client, found.model, samples, in_flight=SATURATING, seconds=seconds)


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
) -> list[Row]:
    """A row for each load, a share of the measured capacity.

    Args:
        client: see `live_model.connect`.
        url: the server's gRPC address.
        found: the ensemble's calibration.
        pictures: what to send, in turn.
        capacity_per_s: see `measured_capacity`.
        loads: shares of it.
        requests: how many to send at each.
    """
    ensemble = found.configured()
    data = item_data(pictures, found.model.inputs[0].name)
    factors = service_factors(found.spread, np.random.default_rng(EFFORT.seed))

    def predicted(trace: Trace, stations: Ensemble) -> Figures:
        return replay(trace, lambda sent: ensemble_latencies(stations, sent, factors)[0], found.transport_s)

    rows = []
    for load in loads:
        rate = load * capacity_per_s
        before = [batch_counts(client, step.model) for step in found.steps]
        trace = run_poisson(url, found.model.name, rate, requests, data=data)
        measured, error = measured_figures(trace)
        effort = replace(EFFORT, spread=found.spread)
        long_run = simulate_ensemble(ensemble, rate, effort).shifted(found.transport_s)
        rows.append(
            Row(
                subject=found.model.name,
                setting=f"{load:.0%} of {capacity_per_s:.1f} /s",
                rate_per_s=rate,
                load=load,
                requests=requests,
                measured=measured,
                error_s=error,
                slowed=slowed_steps(
                    found, before, [batch_counts(client, step.model) for step in found.steps]
                ),
                plain=predicted(trace, unshared(ensemble)),
                full=predicted(trace, ensemble),
                long_run=Figures(mean_s=long_run.mean_s, p95_s=long_run.p95_s),
                trace=trace,
            )
        )
        time.sleep(SETTLE_S)  # the next run starts on an empty server
    return rows


def unshared(ensemble: Ensemble) -> Ensemble:
    """The same with processors for everybody."""
    return Ensemble(stations=ensemble.stations)
