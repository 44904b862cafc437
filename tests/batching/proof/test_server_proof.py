"""The model's promises on a real server: minutes long, and only on a machine that has nothing else to do."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tandem.batching.measure.live_model import connect
from tandem.batching.measure.processor_time import processor_seconds_by_model
from tandem.batching.plan.measured import measure
from tandem.batching.proof.comparison import WIDE_BANDS, relative_errors
from tandem.batching.proof.ensemble_proof import judge, predicted_capacity
from tandem.batching.proof.ensemble_runs import EnsembleSubject, record
from tandem.batching.proof.planner_choice import Case, judge_case
from tandem.batching.proof.reference_runs import (
    batcher_subjects,
    calibrate_subject,
    perf_analyzer_transport_s,
    run_subject,
    write_subjects,
)
from tandem.batching.proof.text_boxes import NAME as TEXT_BOXES
from tandem.batching.proof.text_boxes import write_text_boxes
from tandem.batching.simulate.estimate import Effort
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

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


def test_ensembles_on_shared_processors_run_as_predicted(tmp_path: Path) -> None:
    """Capacity within 10 %; mean within 10 % and p95 within 15 % in eight of nine runs at 30, 60 and 80 %."""
    pictures, hits = [(REPOSITORY.parent / "docs" / "images" / "sample.jpg").read_bytes()], []
    write_text_boxes(tmp_path)
    for name, repository in (("id_card", REPOSITORY), ("find_cards", REPOSITORY), (TEXT_BOXES, tmp_path)):
        options = ServerOptions(
            model_repository=repository, services=(name,), grpc_port=0, http_port=0, metrics_port=0
        )
        with TritonServer(options) as server:
            client, clock = connect(server.grpc_url), partial(processor_seconds_by_model, server.pid)
            processors = float(os.cpu_count() or 1)
            calibrate = partial(
                measure, client, name,
                files=pictures, processors=processors, budget_s=10, processor_clock=clock,
            )  # fmt: skip
            subject = EnsembleSubject(
                client=client, url=server.grpc_url, calibrate=calibrate, pictures=pictures, clock=clock
            )
            ran = record(subject, (0.3, 0.6, 0.8), requests=60, seconds=25, capacity_s=10)
        assert predicted_capacity(ran) == pytest.approx(ran.capacity_per_s, rel=0.10), name
        rows = judge(ran)
        hits += [np.all(np.abs(relative_errors(row)) <= WIDE_BANDS) for row in rows]
    assert sum(hits) >= 8, hits
