"""The planner's choice beside a sweep: every setting of a grid is run on a real server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tandem.batching.measure.calibrate import Calibration
from tandem.batching.measure.perf_analyzer import Trace
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan.planner import Objective, Plan, Question, plan
from tandem.batching.proof.comparison import WARM_UP
from tandem.batching.proof.reference_runs import Subject, calibrate_subject, make_subject, undisturbed
from tandem.batching.rules import Rule, greedy, timeout
from tandem.batching.solve import solve

# The hundredth above p99 needs five times the requests to be as many as the twentieth above p95.
MORE_REQUESTS: dict[Objective, int] = {"mean": 1, "p95": 1, "p99": 5}


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


# Ten questions: three shapes of s(b), one and two instances, light to heavy load, three objectives.
CASES = (
    Case(name="a", alpha_ms=2, beta_ms=10, instances=1, load=0.5, objective="mean"),
    Case(name="b", alpha_ms=2, beta_ms=10, instances=1, load=0.9, objective="mean"),
    Case(name="c", alpha_ms=6, beta_ms=6, instances=1, load=0.3, objective="mean"),
    Case(name="d", alpha_ms=6, beta_ms=6, instances=1, load=0.8, objective="p95"),
    Case(name="e", alpha_ms=6, beta_ms=6, instances=1, load=1.2, objective="mean"),
    Case(name="f", alpha_ms=12, beta_ms=3, instances=1, load=0.7, objective="p95"),
    Case(name="g", alpha_ms=12, beta_ms=3, instances=1, load=1.6, objective="mean"),
    Case(name="h", alpha_ms=12, beta_ms=3, instances=1, load=2.4, objective="p99"),
    Case(name="i", alpha_ms=6, beta_ms=6, instances=2, load=0.8, objective="mean"),
    Case(name="j", alpha_ms=12, beta_ms=3, instances=2, load=1.4, objective="p95"),
)


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
    answer = _plan_case(case, found, subjects, sizes)
    stable = [by_rule[s.rule] for s in answer.settings if s.stable and s.rule in by_rule]

    requests *= MORE_REQUESTS[case.objective]

    def run(subject: Subject) -> float:
        trace, _ = undisturbed(url, subject, found, case.rate_per_s, requests)
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


def _plan_case(case: Case, found: Calibration, subjects: Sequence[Subject], sizes: Sequence[int]) -> Plan:
    """The planner's answer from a calibration, for the grid's sizes and delays."""

    def figures(rule: Rule, rate: float) -> Outcome:
        station = Station(service=found.service, rule=rule, instances=case.instances)
        return solve(station, rate, triton=True)

    question = Question(
        rate_per_s=case.rate_per_s,
        rate_max_per_s=case.rate_per_s,
        objective=case.objective,
        max_batch=max(sizes),
        delays_s=tuple(sorted({subject.rule.delay_s for subject in subjects if subject.rule.waits})),
        sizes=tuple(sizes),
    )
    return plan(question, figures)
