"""Runs reference models on a real server, and predicts every run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tandem.batching.measure.batch_statistics import batch_counts
from tandem.batching.measure.calibrate import Calibration, slowed
from tandem.batching.measure.live_model import connect
from tandem.batching.measure.perf_analyzer import Trace, run_poisson
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan.measured import measure
from tandem.batching.proof.comparison import Figures, Row, measured_figures, replay
from tandem.batching.proof.reference import ReferenceModel, write_reference_model
from tandem.batching.rules import Rule, greedy, timeout
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.station import one_sequence
from tandem.batching.solve import solve

# For the long run's figures.
EFFORT = Effort()
# The short run that tells how fast the client is.
LIGHT_LOAD = 0.15
LIGHT_REQUESTS = 100
# A run whose batches took so much longer than calibrated was disturbed: at 85 % load it moves the wait by a
# tenth.
DISTURBED = 0.01
ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A reference model and the rule that its config makes.

    Attributes:
        model: as it is written into the repository.
        rule: what its batcher should do.
    """

    model: ReferenceModel
    rule: Rule

    @property
    def setting(self) -> str:
        """The rule in a few letters."""
        return f"M={self.rule.max_batch}, T={self.rule.delay_s * 1e3:g} ms"


def make_subject(
    alpha_ms: float, beta_ms: float, rule: Rule, instances: int = 1, prefix: str = "reference"
) -> Subject:
    """A reference model with a batcher that follows the rule."""
    name = f"{prefix}_m{rule.max_batch}_t{round(rule.delay_s * 1e6)}_c{instances}"
    model = ReferenceModel(
        name=name,
        alpha_ms=alpha_ms,
        beta_ms=beta_ms,
        max_batch=rule.max_batch,
        delay_us=round(rule.delay_s * 1e6),
        instances=instances,
    )
    return Subject(model=model, rule=rule)


def batcher_subjects(
    alpha_ms: float, beta_ms: float, sizes: Sequence[int], delays_ms: Sequence[float], instances: int
) -> list[Subject]:
    """One for every size and delay."""
    rules = [timeout(size, delay / 1e3) if delay else greedy(size) for size in sizes for delay in delays_ms]
    return [make_subject(alpha_ms, beta_ms, rule, instances) for rule in rules]


def write_subjects(repository: Path, subjects: Iterable[Subject]) -> None:
    """Write every subject's model."""
    for subject in subjects:
        write_reference_model(repository, subject.model)


def calibrate_subject(url: str, subject: Subject, budget_s: float) -> Calibration:
    """Measured times of a subject; the largest one serves for all of its alpha and beta."""
    return measure(connect(url), subject.model.name, budget_s=budget_s).steps[0]


def perf_analyzer_transport_s(url: str, subject: Subject, found: Calibration) -> float:
    """What perf_analyzer's latency has beyond the server's, seconds: a prediction's error at light load.

    It is a faster client than Python's, which measured `found`.
    """
    station = Station(service=found.service, rule=subject.rule, instances=subject.model.instances)
    rate = LIGHT_LOAD / found.service.of(1)
    trace = run_poisson(url, subject.model.name, rate, max(LIGHT_REQUESTS, math.ceil(rate)))
    inside = one_sequence(station, triton=True)(trace.sent_s, np.ones(1))[0]
    return max(float(np.median(trace.latency_s - inside)), 0.0)


def run_subject(
    url: str,
    subject: Subject,
    found: Calibration,
    load: float,
    requests: int,
    effort: Effort = EFFORT,
) -> Row:
    """Send Poisson arrivals at `load` times the subject's capacity, and predict them.

    Args:
        url: the server's gRPC address.
        subject: a model that the server serves.
        found: calibration of a model with the same alpha and beta and at least this largest batch.
        load: share of the capacity in full batches.
        requests: how many to send.
        effort: how much to simulate.
    """
    station = Station(service=found.service, rule=subject.rule, instances=subject.model.instances)
    rate = load * station.capacity_per_s
    trace, drift = undisturbed(url, subject, found, rate, requests)
    measured, error = measured_figures(trace)

    def predicted(*, triton: bool) -> Figures:
        run = one_sequence(station, triton=triton)
        return replay(trace, lambda sent: run(sent, np.ones(1))[0], found.transport_s)

    return Row(
        subject=subject.model.name,
        setting=subject.setting,
        rate_per_s=rate,
        load=load,
        requests=requests,
        measured=measured,
        error_s=error,
        slowed=drift,
        plain=predicted(triton=False),
        full=predicted(triton=True),
        long_run=_figures(solve(station, rate, effort, triton=True), found.transport_s),
        trace=trace,
    )


def undisturbed(
    url: str, subject: Subject, found: Calibration, rate: float, requests: int
) -> tuple[Trace, float]:
    """A run in which the model's own waits were as they were measured, and by how much they were not.

    On a machine that does other things too, waits get longer at times. Such a run says nothing about the
    batcher; it is repeated, at most `ATTEMPTS` times, and the least disturbed one counts. Latencies have no
    part in the choice.
    """
    client = connect(url)
    named = replace(found.model, name=subject.model.name)
    runs = []
    for _ in range(ATTEMPTS):
        before = batch_counts(client, named)
        trace = run_poisson(url, subject.model.name, rate, requests)
        drift = slowed(found, before, batch_counts(client, named))
        runs.append((abs(drift), drift, trace))
        if abs(drift) <= DISTURBED:
            break
    _, drift, trace = min(runs, key=lambda run: run[0])
    return trace, drift


def _figures(outcome: Outcome, transport_s: float) -> Figures:
    return Figures(mean_s=outcome.mean_s + transport_s, p95_s=outcome.p95_s + transport_s)
