from __future__ import annotations

import math

import pytest

from tandem.batching.errors import (
    InvalidInputError,
    InvalidRateError,
    UnreachableObjectiveError,
    UnstableError,
)
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan.planner import Plan, Question, default_delays_s, plan
from tandem.batching.rules import Rule
from tandem.batching.service_time import ServiceTime
from tandem.batching.solve import solve

SERVICE = ServiceTime.linear(0.004, 0.008, 16)


def figures(rule: Rule, rate: float) -> Outcome:
    return solve(Station(service=SERVICE, rule=rule), rate)


def planned(rate: float, **asked: object) -> Plan:
    question = Question(**({"rate_per_s": rate, "rate_max_per_s": rate, "max_batch": 8} | asked))  # type: ignore[arg-type]
    return plan(question, figures)


@pytest.mark.parametrize("objective", ["mean", "p95", "p99"])
@pytest.mark.parametrize("rate", [5.0, 60.0, 100.0])
def test_the_recommended_setting_is_the_best_of_the_table(rate: float, objective: str) -> None:
    answer = planned(rate, objective=objective, delays_s=(0.003, 0.012))
    values = [setting.value_s(objective) for setting in answer.settings]  # type: ignore[arg-type]
    assert answer.recommended.value_s(objective) <= min(values) * 1.001  # type: ignore[arg-type]
    assert answer.regret(answer.recommended) <= 0.001


def test_at_light_load_the_smallest_batch_is_as_good_as_any() -> None:
    assert planned(0.5).recommended.rule.max_batch <= 2


def test_two_is_shown_even_where_only_one_was_tried() -> None:
    answer = planned(40.0, max_batch=1)
    assert {setting.rule.max_batch for setting in answer.settings} == {1}
    assert answer.two.rule.max_batch == 2


def test_a_setting_must_survive_the_highest_rate() -> None:
    usual = planned(20.0)
    peak = planned(20.0, rate_max_per_s=112.0)
    assert usual.recommended.rule.max_batch < 5
    assert peak.recommended.outcome.capacity_per_s > 112.0
    assert not peak.settings[0].stable
    assert peak.settings[0].outcome.stable


def test_a_limit_changes_the_choice_where_the_best_mean_breaks_it() -> None:
    free = planned(20.0, rate_max_per_s=105.0, kinds=("greedy",))
    limited = planned(
        20.0, rate_max_per_s=105.0, kinds=("greedy",), slo_s=free.nearest.peak_s("mean") * 1.001
    )
    assert limited.recommended.peak_s("mean") <= free.recommended.peak_s("mean")


def test_a_limit_that_none_meets_says_the_nearest() -> None:
    answer = planned(75.0, objective="p95", slo_s=0.010)
    with pytest.raises(UnreachableObjectiveError, match="nearest is 62") as caught:
        _ = answer.recommended
    assert caught.value.nearest_ms == pytest.approx(
        min(s.value_s("p95") for s in answer.settings) * 1e3, rel=2e-3
    )


def test_a_rate_that_none_serves_says_how_many_instances() -> None:
    with pytest.raises(UnstableError, match=r"1\.70 times"):
        _ = planned(200.0, max_batch=8, kinds=("greedy",)).recommended


def test_only_what_is_near_the_best_is_solved_twice() -> None:
    seen: list[Rule] = []

    def coarse(rule: Rule, rate: float) -> Outcome:
        outcome = figures(rule, rate)
        return Outcome(**{**outcome.__dict__, "method": "simulated", "ci95_p99_s": outcome.p99_s})

    def fine(rule: Rule, rate: float) -> Outcome:
        seen.append(rule)
        return coarse(rule, rate)

    question = Question(rate_per_s=75, rate_max_per_s=75, max_batch=8, delays_s=(0.012,))
    plan(question, coarse, fine)
    assert {rule.max_batch for rule in seen if rule.kind == "greedy"} == {2, 3, 4, 5, 6, 7, 8}
    assert {rule.max_batch for rule in seen if rule.kind == "timeout"} == {2}


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_max_per_s": 5.0},
        {"objective": "median"},
        {"slo_s": 0.0},
        {"max_batch": 0},
        {"delays_s": (-1.0,)},
        {"delays_s": (math.inf,)},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        planned(10.0, **wrong)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InvalidRateError):
        planned(rate)


def test_default_delays_are_solved_exactly_on_one_instance() -> None:
    answer = planned(60.0, delays_s=default_delays_s(SERVICE.of(1)))
    assert {setting.outcome.method for setting in answer.settings} == {"exact"}
