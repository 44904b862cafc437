"""Runs reference models on a real server, predicts every run, and judges the planner's choice."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tandem.batching.measure.calibrate import Calibration, batch_counts, slowed
from tandem.batching.measure.live_model import connect
from tandem.batching.measure.perf_analyzer import Trace, run_poisson
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan.measured import measure
from tandem.batching.plan.planner import Objective, Question, plan
from tandem.batching.proof.proof import WARM_UP, Figures, Row, measured_figures, replay
from tandem.batching.proof.reference import ReferenceModel, write_reference_model
from tandem.batching.rules import Rule, greedy, timeout
from tandem.batching.simulate.simulate import SimulationPlan, simulate, station_run
from tandem.batching.solve import solve

# Enough for a predicted mean good to about a half per cent at 85 % load.
EFFORT = SimulationPlan(items=200_000, replications=10)
# The short run that tells how fast the client is.
LIGHT_LOAD = 0.15
LIGHT_REQUESTS = 100
# A run whose batches took so much longer than calibrated was disturbed: at 85 % load it moves the wait by a
# tenth.
DISTURBED = 0.01
ATTEMPTS = 3
# The hundredth above p99 needs five times the requests to be as many as the twentieth above p95.
MORE_REQUESTS: dict[Objective, int] = {"mean": 1, "p95": 1, "p99": 5}


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
    inside = station_run(station, triton=True)(trace.sent_s, np.ones(1))[0]
    return max(float(np.median(trace.latency_s - inside)), 0.0)


def run_subject(
    url: str,
    subject: Subject,
    found: Calibration,
    load: float,
    requests: int,
    effort: SimulationPlan = EFFORT,
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
    trace, drift = _undisturbed(url, subject, found, rate, requests)
    measured, error = measured_figures(trace)

    def predicted(*, triton: bool) -> Figures:
        run = station_run(station, triton=triton)
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
        long_run=_figures(_long_run(station, rate, effort), found.transport_s),
        trace=trace,
    )


def _long_run(station: Station, rate: float, effort: SimulationPlan) -> Outcome:
    """What Triton's batcher does with Poisson arrivals without end; without a delay it is the greedy rule."""
    if station.rule.waits:
        return simulate(station, rate, effort, triton=True)
    return solve(station, rate, effort)


def _undisturbed(
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


@dataclass(frozen=True, kw_only=True)
class Case:
    """A question for the planner, and the models that answer it by brute force.

    Attributes:
        name: in a few words.
        alpha_ms: of the models.
        beta_ms: of the models.
        instances: of the models.
        load: the rate, as a share of rate × s(1) on all instances.
        objective: what to make small.
    """

    name: str
    alpha_ms: float
    beta_ms: float
    instances: int
    load: float
    objective: Objective

    @property
    def rate_per_s(self) -> float:
        """Arrivals, items a second."""
        return self.load * self.instances / (self.alpha_ms + self.beta_ms) * 1e3

    def subjects(self, sizes: Sequence[int]) -> list[Subject]:
        """Every setting of the grid: the sizes, each without delay and with s(1)/2 and s(1)."""
        one_s = (self.alpha_ms + self.beta_ms) / 1e3
        rules = [greedy(size) for size in sizes]
        rules += [timeout(size, share * one_s) for size in sizes if size > 1 for share in (0.5, 1.0)]
        return [make_subject(self.alpha_ms, self.beta_ms, rule, self.instances, self.name) for rule in rules]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a case came out.

    Attributes:
        case: the question.
        chosen: the planner's setting.
        chosen_s: what it did when it was run, seconds.
        best: the best setting of the sweep.
        best_s: what that did, seconds.
        calibration_s: what the planner needed.
        sweep_s: what the sweep needed.
    """

    case: Case
    chosen: str
    chosen_s: float
    best: str
    best_s: float
    calibration_s: float
    sweep_s: float

    @property
    def regret(self) -> float:
        """How much worse the planner's choice ran than the best run of the sweep, as a share."""
        return self.chosen_s / self.best_s - 1


def objective_s(trace: Trace, objective: Objective) -> float:
    """What the objective was in a run without its start, seconds."""
    latencies = trace.without_start(WARM_UP)
    if objective == "mean":
        return float(latencies.mean())
    return float(np.quantile(latencies, {"p95": 0.95, "p99": 0.99}[objective]))


def judge_case(
    url: str,
    case: Case,
    sizes: Sequence[int],
    *,
    requests: int,
    budget_s: float,
    parallel: int,
    say: Callable[[str], None],
) -> Choice:
    """Plan a case from a calibration, sweep all its settings on the server, and compare.

    Settings that the planner calls unstable are not run: they would only fill the server's memory.

    Args:
        url: the server's gRPC address.
        case: the question.
        sizes: largest batches of the grid.
        requests: how many to send to each setting; see `MORE_REQUESTS`.
        budget_s: time for the calibration.
        parallel: settings that run at once; they wait rather than compute.
        say: told what happens.
    """
    subjects = case.subjects(sizes)
    widest = max(subjects, key=lambda subject: (subject.rule.max_batch, -subject.rule.delay_s))
    found = calibrate_subject(url, widest, budget_s)
    by_rule = {subject.rule: subject for subject in subjects}

    def figures(rule: Rule, rate: float) -> Outcome:
        station = Station(service=found.service, rule=rule, instances=case.instances)
        return _long_run(station, rate, SimulationPlan(items=60_000, replications=6))

    delays = tuple(sorted({subject.rule.delay_s for subject in subjects if subject.rule.waits}))
    question = Question(
        rate_per_s=case.rate_per_s,
        rate_max_per_s=case.rate_per_s,
        objective=case.objective,
        max_batch=max(sizes),
        delays_s=delays,
        sizes=tuple(sizes),
    )
    answer = plan(question, figures)
    stable = [by_rule[s.rule] for s in answer.settings if s.stable and s.rule in by_rule]

    requests *= MORE_REQUESTS[case.objective]

    def run(subject: Subject) -> float:
        trace, _ = _undisturbed(url, subject, found, case.rate_per_s, requests)
        value = objective_s(trace, case.objective)
        say(f"{case.name} {subject.setting}: {case.objective} {value * 1e3:.2f} ms")
        return value

    with ThreadPoolExecutor(parallel) as pool:
        values = dict(zip([s.rule for s in stable], pool.map(run, stable), strict=True))
    best = min(values, key=lambda rule: values[rule])
    chosen = answer.recommended.rule
    return Choice(
        case=case,
        chosen=by_rule[chosen].setting,
        chosen_s=values[chosen],
        best=by_rule[best].setting,
        best_s=values[best],
        calibration_s=found.took_s,
        sweep_s=len(stable) * requests / case.rate_per_s,
    )
