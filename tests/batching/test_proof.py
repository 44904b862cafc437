from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tandem.batching.perf_analyzer import Trace
from tandem.batching.proof import (
    Figures,
    Row,
    draw,
    figures_of,
    measured_figures,
    relative_errors,
    replay,
    table,
)


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
        long_run=Figures(mean_s=0.019, p95_s=0.048),
        triton=Figures(mean_s=0.019, p95_s=0.048),
        this_run=Figures(mean_s=0.021, p95_s=0.045),
    )


def test_errors_are_relative_to_the_measurement() -> None:
    assert relative_errors(row()) == pytest.approx((0.05, -0.10))


def test_the_table_has_a_cell_for_every_heading() -> None:
    lines = table([row(), row("M=4, T=0 ms")]).splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert "20.00 ± 1.00" in lines[2]
    assert "+5.0%" in lines[2]
    assert "-10.0%" in lines[2]


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
