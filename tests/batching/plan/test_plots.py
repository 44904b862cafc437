from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tandem.batching.exact.single import greedy_mean_s, solve_single
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan import plots
from tandem.batching.rules import Rule, greedy
from tandem.batching.service_time import ServiceTime

SIZES = (1, 2, 3, 4, 8)


def test_the_fast_mean_is_the_solvers() -> None:
    service = ServiceTime.linear(0.004, 0.008, 8)
    for size in (1, 2, 8):
        exact = solve_single(Station(service=service, rule=greedy(size)), 70).mean_s
        assert greedy_mean_s(service, 70, size) == pytest.approx(exact, rel=1e-9)


def test_where_two_is_best() -> None:
    """The band that the design names: alpha/beta = 0.5, loads 0.31 to 0.67."""
    loads = np.array([0.10, 0.29, 0.33, 0.64, 0.69, 0.90])
    best, regret = plots.best_size_map(np.array([0.5]), loads, SIZES)
    assert best[0].tolist() == [1, 1, 2, 2, 3, 4]
    assert (regret[0, 2:4] <= 1e-4).all()


def test_two_is_nearly_best_up_to_a_load_of_four_tenths() -> None:
    loads = np.linspace(0.05, 0.40, 5)
    _, regret = plots.best_size_map(np.array([0.5, 1.0, 10.0]), loads, SIZES)
    assert regret.max() < 0.01


def test_nothing_is_best_where_nothing_is_stable() -> None:
    best, regret = plots.best_size_map(np.array([0.1]), np.array([1.08, 2.0]), SIZES)
    assert best[0, 1] == 0
    assert np.isinf(regret[0]).all()


def test_a_plan_is_drawn(tmp_path: Path) -> None:
    service = ServiceTime.linear(0.004, 0.008, 4)

    def figures(rule: Rule, rate: float) -> Outcome:
        return solve_single(Station(service=service, rule=rule), rate)

    plots.draw_plan(
        tmp_path / "plan.png",
        figures,
        [greedy(1), greedy(4)],
        rate_per_s=60,
        title="a model",
        ratios=np.array([0.1, 1.0, 10.0]),
        loads=np.linspace(0.1, 1.2, 4),
    )
    assert (tmp_path / "plan.png").stat().st_size > 10_000
