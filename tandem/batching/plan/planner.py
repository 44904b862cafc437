"""Which setting serves an arrival rate best: every rule, batch size and delay is solved, one recommended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tandem.batching.errors import InvalidInputError, UnreachableObjectiveError, UnstableError
from tandem.batching.outcome import Outcome, check_rate
from tandem.batching.rules import Kind, Rule, greedy, strict, timeout

Objective = Literal["mean", "p95", "p99"]
Solver = Callable[[Rule, float], Outcome]

OBJECTIVES: tuple[Objective, ...] = ("mean", "p95", "p99")
# Settings whose objective differs by less are the same in practice; the smaller batch is taken then.
TIE = 1e-3
# Coarse simulations are good to about two per cent at moderate load; what is farther from the best stays out.
REFINE_WITHIN = 0.03
# Simulations that are known so well are not done again.
SHARP = 0.005
# The method's own answer, always shown beside ours.
TWO = 2


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A rule and what it does at the rate that was asked for.

    Attributes:
        rule: the dispatch rule.
        outcome: its figures at the rate.
        at_peak: its figures at the highest rate; the same as `outcome` where no other rate was given.
    """

    rule: Rule
    outcome: Outcome
    at_peak: Outcome

    @property
    def stable(self) -> bool:
        """True where the queue stays finite, also at the highest rate."""
        return self.outcome.stable and self.at_peak.stable

    def value_s(self, objective: Objective) -> float:
        """The objective, seconds; infinity where unstable."""
        return _value(self.outcome, objective) if self.stable else math.inf

    def peak_s(self, objective: Objective) -> float:
        """The objective at the highest rate, seconds; infinity where unstable."""
        return _value(self.at_peak, objective) if self.stable else math.inf


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of the planner.

    Attributes:
        rate_per_s: usual arrivals, items a second.
        rate_max_per_s: highest arrivals; every recommended setting must be stable, and meet the SLO, here as
            well.
        objective: what to make small at `rate_per_s`.
        slo_s: what the objective must not exceed, seconds; infinity for no limit.
        kinds: rules to try.
        max_batch: largest batch to try.
        delays_s: delays to try with rule timeout, seconds.
        sizes: batch sizes to try; empty for all up to `max_batch`.
    """

    rate_per_s: float
    rate_max_per_s: float
    objective: Objective = "mean"
    slo_s: float = math.inf
    kinds: tuple[Kind, ...] = ("greedy", "timeout")
    max_batch: int = 16
    delays_s: tuple[float, ...] = ()
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_rate(self.rate_per_s)
        if not (math.isfinite(self.rate_max_per_s) and self.rate_max_per_s >= self.rate_per_s):
            raise InvalidInputError(
                f"the highest rate, {self.rate_max_per_s:g}, is below the usual rate, {self.rate_per_s:g}"
            )
        if self.objective not in OBJECTIVES:
            raise InvalidInputError(f"no objective {self.objective!r}; there are: {', '.join(OBJECTIVES)}")
        if not self.slo_s > 0:
            raise InvalidInputError(f"the SLO is {self.slo_s * 1e3:g} ms; it must be above 0")
        if self.max_batch < 1:
            raise InvalidInputError(f"the largest batch is {self.max_batch}; it must be 1 or more")
        for delay in self.delays_s:
            if not (math.isfinite(delay) and delay >= 0):
                raise InvalidInputError(f"the delay is {delay * 1e3:g} ms; it must be 0 or more and finite")

    def rules(self) -> list[Rule]:
        """Every rule to try; batches of two always among them."""
        sizes = sorted({*(self.sizes or range(1, self.max_batch + 1)), TWO})
        made: dict[Kind, Callable[[int], list[Rule]]] = {
            "greedy": lambda size: [greedy(size)],
            "strict": lambda size: [strict(size)],
            # A single item waits for nobody, whatever the delay.
            "timeout": lambda size: [
                timeout(size, delay) for delay in self.delays_s[: 1 if size == 1 else None]
            ],
        }
        return [rule for kind in self.kinds for size in sizes for rule in made[kind](size)]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The planner's answer.

    Attributes:
        question: what was asked.
        settings: all that were tried, with batches up to the question's largest.
        two: the best setting with batches of two, whatever the largest batch.
    """

    question: Question
    settings: tuple[Setting, ...]
    two: Setting
    _stable: tuple[Setting, ...] = field(repr=False)

    @property
    def recommended(self) -> Setting:
        """The best setting.

        Raises:
            UnstableError: none keeps up with the highest rate.
            UnreachableObjectiveError: none meets the SLO.
        """
        question = self.question
        if not self._stable:
            widest = max(self.settings, key=lambda setting: setting.outcome.capacity_per_s)
            capacity = widest.outcome.capacity_per_s
            raise UnstableError(
                f"no setting keeps up with {question.rate_max_per_s:g} items a second; the most, with "
                f"batches of {widest.rule.max_batch}, is {capacity:.4g}; have at least "
                f"{question.rate_max_per_s / capacity:.2f} times the instances, or send less"
            )
        fitting = [
            setting
            for setting in self._stable
            if max(setting.value_s(question.objective), setting.peak_s(question.objective)) <= question.slo_s
        ]
        if not fitting:
            nearest = self.nearest
            reached = nearest.peak_s(question.objective)
            raise UnreachableObjectiveError(
                f"no setting has a {question.objective} of {question.slo_s * 1e3:g} ms or less at "
                f"{question.rate_max_per_s:g} items a second; the nearest is {reached * 1e3:.4g} ms "
                f"({describe(nearest.rule)}); raise the SLO to that, or add instances, or send less",
                nearest_ms=reached * 1e3,
            )
        return best(fitting, lambda setting: setting.value_s(question.objective))

    @property
    def nearest(self) -> Setting:
        """The stable setting with the least objective at the highest rate."""
        return best(self._stable, lambda setting: setting.peak_s(self.question.objective))

    def regret(self, setting: Setting) -> float:
        """How much worse than the best found, as a share: 0 for the best, infinity for unstable ones."""
        objective = self.question.objective
        least = min((other.value_s(objective) for other in self._stable), default=math.inf)
        return setting.value_s(objective) / least - 1 if setting.stable else math.inf


def plan(question: Question, solver: Solver, refine: Solver | None = None) -> Plan:
    """Solve every setting, then once more and better those that may be recommended.

    Args:
        question: what is asked.
        solver: figures of a rule at a rate.
        refine: the same, slower and sharper; used for simulated settings near the best, and for two.
    """
    settings = [_solved(rule, question, solver) for rule in question.rules()]
    if refine is not None:
        settings = _refined(settings, question, refine)
    two = best(
        [setting for setting in settings if setting.rule.max_batch == TWO],
        lambda setting: setting.value_s(question.objective),
    )
    shown = tuple(setting for setting in settings if setting.rule.max_batch <= question.max_batch)
    return Plan(
        question=question,
        settings=shown,
        two=two,
        _stable=tuple(setting for setting in shown if setting.stable),
    )


def best(settings: Sequence[Setting], value: Callable[[Setting], float]) -> Setting:
    """The setting with the least value; among practical ties the smallest batch, then the shortest delay."""
    least = min(map(value, settings))
    ties = [setting for setting in settings if value(setting) <= least * (1 + TIE)]
    return min(ties, key=lambda setting: (setting.rule.max_batch, setting.rule.delay_s, setting.rule.kind))


def default_delays_s(service_one_s: float) -> tuple[float, ...]:
    """A quarter, a half and the whole of s(1): longer delays cost more than a batch saves."""
    return tuple(service_one_s * share for share in (0.25, 0.5, 1.0))


def describe(rule: Rule) -> str:
    """The rule in words."""
    if rule.kind == "greedy":
        return f"greedy, batches up to {rule.max_batch}"
    if rule.kind == "strict":
        return f"strict, batches of {rule.max_batch}"
    return f"batches of {rule.preferred} or after {rule.delay_s * 1e3:.4g} ms"


def _value(outcome: Outcome, objective: Objective) -> float:
    return {"mean": outcome.mean_s, "p95": outcome.p95_s, "p99": outcome.p99_s}[objective]


def _solved(rule: Rule, question: Question, solver: Solver) -> Setting:
    outcome = solver(rule, question.rate_per_s)
    peak = outcome
    if question.rate_max_per_s > question.rate_per_s:
        peak = solver(rule, question.rate_max_per_s)
    return Setting(rule=rule, outcome=outcome, at_peak=peak)


def _refined(settings: Iterable[Setting], question: Question, refine: Solver) -> list[Setting]:
    """The settings; simulated ones near the best are solved again, and so is two."""
    settings = list(settings)
    least = min(setting.value_s(question.objective) for setting in settings)
    again = []
    for setting in settings:
        near = setting.value_s(question.objective) <= least * (1 + REFINE_WITHIN)
        rough = setting.outcome.method == "simulated" and setting.outcome.precision > SHARP
        if rough and (near or setting.rule.max_batch == TWO):
            again.append(_solved(setting.rule, question, refine))
        else:
            again.append(setting)
    return again
