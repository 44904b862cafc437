from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tandem.batching.errors import BatchingError
from tandem.batching.measure.perf_analyzer import Trace
from tandem.batching.proof.comparison import (
    Figures,
    Row,
    as_json,
    draw,
    figures_of,
    measured_figures,
    relative_errors,
    replay,
    save_traces,
    table,
)
from tandem.batching.proof.ensemble_proof import typical
from tandem.batching.proof.ensemble_runs import same_requests, undisturbed
from tandem.batching.proof.planner_choice import objective_s
from tandem.batching.proof.recording import half_width_s


def row(setting: str = "M=2, T=0 ms") -> Row:
    return Row(
        subject="reference",
        setting=setting,
        rate_per_s=50.0,
        load=0.6,
        requests=1000,
        measured=Figures(mean_s=0.020, p95_s=0.050),
        error_s=0.001,
        slowed=0.002,
        plain=Figures(mean_s=0.018, p95_s=0.044),
        full=Figures(mean_s=0.0208, p95_s=0.0444),
        long_run=Figures(mean_s=0.019, p95_s=0.048),
        trace=Trace(np.array([0.0, 0.01]), np.array([0.02, 0.05])),
    )


def test_errors_are_relative_to_the_measurement() -> None:
    assert relative_errors(row()) == pytest.approx((0.04, -0.112))


def test_the_table_has_a_cell_for_every_heading() -> None:
    *lines, _, verdict = table([row(), row("M=4, T=0 ms")], "ideal rule", "Triton").splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert "20.00 ± 1.00" in lines[2]
    assert "+4.0%" in lines[2]
    assert "-11.2%" in lines[2]
    assert "mean within 5% in 2 of 2 runs" in verdict
    assert "p95 within 10% in 0" in verdict


def test_a_file_has_the_figures_and_another_one_the_requests(tmp_path: Path) -> None:
    assert "trace" not in as_json([row()])[0]
    save_traces(tmp_path / "traces.npz", [row(), row()])
    with np.load(tmp_path / "traces.npz") as saved:
        assert len(saved.files) == 2
        assert saved[saved.files[0]].tolist() == [[0.0, 0.01], [0.02, 0.05]]


def test_a_run_is_judged_without_its_start() -> None:
    latency = np.concatenate([np.full(50, 9.0), np.full(950, 1.0)])
    figures, error = measured_figures(Trace(np.arange(1000.0), latency))
    assert figures == Figures(mean_s=1.0, p95_s=1.0)
    assert error == 0


def test_a_replay_sees_the_runs_own_arrivals() -> None:
    trace = Trace(np.arange(100.0), np.zeros(100))
    figures = replay(trace, lambda sent: sent * 0 + 0.01, 0.002)
    assert figures.mean_s == pytest.approx(0.012)
    assert figures_of(np.array([1.0, 3.0])).mean_s == 2.0


def test_a_plot_is_drawn(tmp_path: Path) -> None:
    draw(tmp_path / "deep" / "plot.png", [row(), row("M=4, T=0 ms")], "reference")
    assert (tmp_path / "deep" / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_the_objective_of_a_run_is_the_one_that_was_asked_for() -> None:
    latency = np.concatenate([np.full(50, 9.0), np.arange(950.0)])
    trace = Trace(np.arange(1000.0), latency)
    assert objective_s(trace, "mean") == pytest.approx(474.5)
    assert objective_s(trace, "p95") == pytest.approx(0.95 * 949)
    assert objective_s(trace, "p99") == pytest.approx(0.99 * 949)


def test_the_least_disturbed_of_repeated_runs_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.batching.proof.ensemble_runs.SETTLE_S", 0.0)
    disturbed = iter([0.5, 0.3, 0.4, 0.0])
    assert undisturbed(lambda: next(disturbed), lambda used: used, 3) == 0.3
    quiet = iter([0.5, 0.05, 0.0])
    assert undisturbed(lambda: next(quiet), lambda used: used, 3) == 0.05


def test_turns_are_of_the_same_requests_or_are_not_compared() -> None:
    once = Trace(np.array([0.0, 1.0, 5.0]), np.ones(3))
    late = Trace(np.array([0.0, 1.9, 5.0]), np.ones(3))
    assert same_requests([once, late]) == [once, late]
    other = Trace(np.array([0.0, 2.1, 5.0]), np.ones(3))
    fewer = Trace(np.array([0.0, 1.0]), np.ones(2))
    for strange in (other, fewer):
        with pytest.raises(BatchingError, match="at other times"):
            same_requests([once, strange])


def test_the_typical_turn_has_the_median_mean_and_the_median_p95() -> None:
    turns = [Figures(mean_s=mean, p95_s=p95) for mean, p95 in ((1.0, 9.0), (2.0, 3.0), (90.0, 4.0))]
    assert typical(turns) == Figures(mean_s=2.0, p95_s=4.0)


def test_turns_that_differ_make_the_interval_wide_and_an_odd_one_does_not() -> None:
    assert half_width_s(np.full(7, 0.1)) == 0
    assert half_width_s(np.array([0.1] * 6 + [9.0])) == 0
    assert 0.02 < half_width_s(np.linspace(0.1, 0.2, 7)) < 0.05
