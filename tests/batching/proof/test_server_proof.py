"""The model's promises on a real server: minutes long, and only on a machine that has nothing else to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tandem.batching.proof.comparison import relative_errors
from tandem.batching.proof.planner_choice import Case, judge_case
from tandem.batching.proof.reference_runs import (
    batcher_subjects,
    calibrate_subject,
    perf_analyzer_transport_s,
    run_subject,
    write_subjects,
)
from tandem.batching.simulate.estimate import Effort
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer

pytestmark = [pytest.mark.triton, pytest.mark.slow]

ALPHA_MS, BETA_MS = 8.0, 4.0


def serve(repository: Path) -> TritonServer:
    return TritonServer(ServerOptions(model_repository=repository, grpc_port=0, http_port=0, metrics_port=0))


@pytest.mark.parametrize("delay_ms", [0.0, ALPHA_MS + BETA_MS])
def test_tritons_batcher_does_what_is_predicted(tmp_path: Path, delay_ms: float) -> None:
    subjects = batcher_subjects(ALPHA_MS, BETA_MS, [1, 2, 4, 8], [delay_ms], 1)
    write_subjects(tmp_path, subjects)
    with serve(tmp_path) as server:
        found = calibrate_subject(server.grpc_url, subjects[-1], 15)
        transport = perf_analyzer_transport_s(server.grpc_url, subjects[-1], found)
        found = replace(found, transport_s=transport)
        for subject in subjects:
            for load in (0.30, 0.60, 0.85):
                plan = Effort(precision=0.02)
                row = run_subject(server.grpc_url, subject, found, load, 1500, plan)
                mean, p95 = relative_errors(row)
                assert abs(mean) < 0.05, (subject.setting, load, mean)
                assert abs(p95) < 0.10, (subject.setting, load, p95)


def test_the_planners_choice_runs_as_well_as_the_best_of_a_sweep(tmp_path: Path) -> None:
    case = Case(name="x", alpha_ms=12, beta_ms=3, instances=1, load=1.6, objective="mean")
    write_subjects(tmp_path, case.subjects([1, 2, 4, 8]))
    with serve(tmp_path) as server:
        choice = judge_case(
            server.grpc_url,
            case,
            [1, 2, 4, 8],
            requests=1500,
            budget_s=6,
            parallel=2,
            say=lambda _words: None,
        )
    assert choice.regret < 0.05
    assert choice.calibration_s < choice.sweep_s / 10
