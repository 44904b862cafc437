"""38 points whose figures are known otherwise: mean within 1 %, p95 and p99 within 2 %.

Three rules on 1, 2 and 4 instances, at half and at 90 % of capacity, and the points at which simulated
quantiles were once off without a word. The reference is an event simulation that shares no code with the
planner, and, where there is one, an exact chain.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tandem.batching.outcome import Station
from tandem.batching.proof import reference_points
from tandem.batching.proof.__main__ import main
from tandem.batching.proof.reference_points import (
    Compared,
    Point,
    Reference,
    compare,
    exact_mean_s,
    points,
    simulate_reference,
    stored,
    table,
)
from tandem.batching.rules import Rule, greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.station import simulate
from tandem.batching.solve import is_exact, known_queue, solve

POINTS = points()
NAMES = [point.name for point in POINTS]


def station(rule: Rule, instances: int) -> Station:
    service = ServiceTime.linear(0.004, 0.008, rule.max_batch)
    return Station(service=service, rule=rule, instances=instances)


def named(name: str) -> Point:
    return next(point for point in POINTS if point.name == name)


def test_there_are_as_many_points_as_said() -> None:
    assert len(set(NAMES)) == 38
    assert set(stored()) == set(NAMES)
    assert sum(is_exact(point.station) for point in POINTS) >= 18
    assert sum(not is_exact(point.station) for point in POINTS) >= 16


@pytest.mark.parametrize("name", NAMES)
def test_the_planner_agrees_with_the_reference(name: str) -> None:
    assert compare(named(name), stored()[name]).agrees


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_is_known_well_enough_to_judge(name: str) -> None:
    reference = stored()[name]
    share = np.array(reference.half_s) / reference.figures_s
    assert share[0] < 0.005
    assert share[1:].max() < 0.01


@pytest.mark.parametrize("name", [name for name in NAMES if exact_mean_s(named(name)) is not None])
def test_both_references_agree(name: str) -> None:
    """The chain's mean lies within twice the simulation's interval: once in 15,000 it would not by chance."""
    reference, exact = stored()[name], exact_mean_s(named(name))
    assert reference.figures_s[0] == pytest.approx(exact, abs=2 * reference.half_s[0])


@pytest.mark.parametrize("name", ["greedy-M2-c2-50%", "strict-M4-c1-50%", "timeout-10ms-M4-c4-50%"])
def test_what_is_stored_is_what_the_simulation_finds(name: str) -> None:
    """Other seeds: the means differ by less than both intervals together."""
    again, before = simulate_reference(named(name), seed=6), stored()[name]
    for ours, theirs, one, other in zip(
        again.figures_s, before.figures_s, again.half_s, before.half_s, strict=True
    ):
        assert ours == pytest.approx(theirs, abs=1.5 * (one + other))


def test_a_point_that_is_off_is_counted_as_such() -> None:
    right = compare(named("greedy-M2-c1-50%"), stored()["greedy-M2-c1-50%"])
    wrong = replace(right, ours_s=right.ours_s * (1, 1, 1.021))
    assert right.agrees
    assert not wrong.agrees
    assert not replace(right, exact_s=right.ours_s[0] / 1.011).agrees
    said = table([right, wrong])
    assert "1 of 2 agree" in said
    assert "greedy-M2-c1-50% (off)" in said


def test_the_command_fails_where_a_point_is_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def off(point: Point, reference: Reference) -> Compared:
        return Compared(
            point=point, reference=reference, ours_s=np.full(3, 1e-3), method="exact", exact_s=None
        )

    monkeypatch.setattr(reference_points, "compare", off)
    assert main(["points"]) == 1
    assert "0 of 38 agree" in capsys.readouterr().out


def test_a_simulated_quantile_says_how_sure_it_is() -> None:
    where = station(greedy(2), 4)
    outcome = solve(where, 0.9 * where.capacity_per_s, Effort(precision=0.02))
    assert 0 < outcome.ci95_p99_s < 0.02 * outcome.p99_s
    assert 0 < outcome.ci95_p95_s < 0.02 * outcome.p95_s
    assert 0 < outcome.ci95_mean_s < 0.01 * outcome.mean_s


def test_the_intervals_cover_the_exact_figures_as_often_as_they_say() -> None:
    """Seeds apart, near capacity, where the control queue does most of the work."""
    where = station(greedy(2), 1)
    rate = 0.9 * where.capacity_per_s
    exact = solve(where, rate)
    hits = []
    for seed in range(40):
        effort = Effort(precision=0.02, seed=seed)
        found = simulate(where, rate, effort, control=known_queue(where.capacity_per_s, rate))
        hits += [
            abs(found.mean_s - exact.mean_s) < found.ci95_mean_s,
            abs(found.p95_s - exact.p95_s) < found.ci95_p95_s,
            abs(found.p99_s - exact.p99_s) < found.ci95_p99_s,
        ]
    assert np.mean(hits) > 0.88
