"""s(b, lengths): the fit, the simulation, and a real server whose model pads its texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tandem.batching.errors import InvalidServiceTimeError
from tandem.batching.exact.single import solve_single
from tandem.batching.lengths import LengthModel, MixedBatch, fit_lengths
from tandem.batching.measure.live_model import connect
from tandem.batching.measure.perf_analyzer import Trace
from tandem.batching.outcome import Station
from tandem.batching.plan.measured import measure
from tandem.batching.plan.report import measured_text
from tandem.batching.proof.comparison import relative_errors
from tandem.batching.proof.length_runs import LENGTHS, PADDED, predicted, run_lengths
from tandem.batching.proof.reference import write_padded_model
from tandem.batching.rules import greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.by_length import times_by_length
from tandem.batching.simulate.estimate import Effort
from tandem.batching.solve import solve
from tests.conftest import StartTriton


def model(longest: float, others: float, constant_s: float = 0.0) -> LengthModel:
    return LengthModel(
        alone_s=(0.010, 0.010, 0.010, 0.050),
        constant_s=(0.0, constant_s),
        longest=(1.0, longest),
        others=(0.0, others),
        off=0.0,
    )


def mixed(found: LengthModel, generator: np.random.Generator, count: int, size: int = 2) -> list[MixedBatch]:
    alone = generator.choice(found.alone_s, (count, size))
    took = found.seconds(alone, np.full(count, size))
    return [MixedBatch(alone_s=tuple(row), took_s=float(time)) for row, time in zip(alone, took, strict=True)]


def test_the_fit_finds_what_the_batches_follow() -> None:
    truth = model(1.3, 0.4, 0.002)
    found = fit_lengths(truth.alone_s, mixed(truth, np.random.default_rng(1), 30))
    assert found.longest[1] == pytest.approx(1.3)
    assert found.others[1] == pytest.approx(0.4)
    assert found.constant_s[1] == pytest.approx(0.002)
    assert found.off < 1e-9


def test_a_short_item_pays_for_the_long_one_beside_it() -> None:
    alone, shared = model(1.5, 0.0).shared_short_s()
    assert alone == pytest.approx(0.010)
    assert shared == pytest.approx(1.5 * (3 * 0.010 + 0.050) / 4)


def test_the_mean_time_is_that_of_random_batches() -> None:
    service = model(1.0, 1.0).mean_service()
    assert service.of(1) == pytest.approx(0.020)
    assert service.of(2) == pytest.approx(0.040, rel=0.02)


def test_items_that_are_all_alike_have_the_exact_figures() -> None:
    same = LengthModel(
        alone_s=(0.012,) * 3, constant_s=(0.0, 0.008), longest=(1.0, 1.0), others=(0.0, 0.0), off=0.0
    )
    station = Station(service=ServiceTime((0.012, 0.020)), rule=greedy(2))
    found = solve(station, 70, Effort(), draw_times=times_by_length(same, 2))
    exact = solve_single(station, 70)
    assert found.mean_s == pytest.approx(exact.mean_s, rel=0.005)
    assert found.p99_s == pytest.approx(exact.p99_s, rel=0.01)


def test_single_items_of_different_lengths_wait_as_pollaczek_and_khinchine_say() -> None:
    lengths = model(1.0, 1.0)
    station = Station(service=ServiceTime((lengths.mean_service().of(1),)), rule=greedy(1))
    found = solve(station, 30, Effort(precision=0.02), draw_times=times_by_length(lengths, 1))
    times = np.array(lengths.alone_s)
    wait = 30 * (times**2).mean() / 2 / (1 - 30 * times.mean())
    assert found.mean_s == pytest.approx(times.mean() + wait, abs=2 * found.ci95_mean_s)


def test_a_replay_has_the_long_runs_mean_when_it_is_long() -> None:
    lengths = model(1.6, 0.0)
    station = Station(service=lengths.mean_service(), rule=greedy(2))
    generator = np.random.default_rng(6)
    sent, order = generator.exponential(1 / 40, 300_000).cumsum(), generator.integers(0, 4, 300_000)
    found = predicted(Trace(sent, np.zeros(300_000)), lengths, order, station, 0.001)
    long_run = solve(station, 40, Effort(precision=0.01), draw_times=times_by_length(lengths, 2))
    assert found.mean_s == pytest.approx(long_run.mean_s + 0.001, rel=0.03)
    assert found.p95_s == pytest.approx(long_run.p95_s + 0.001, rel=0.03)


def test_a_replay_knows_which_item_came_when() -> None:
    lengths = model(1.5, 0.0)
    station = Station(service=lengths.mean_service(), rule=greedy(2))
    sent = np.array([0.0, 1.0, 1.001, 1.002, 2.0])
    # The last of the sample takes 50 ms alone: it comes second, so the two behind it wait, and go together.
    found = predicted(Trace(sent, np.zeros(5)), lengths, np.array([0, 3, 1, 2, 0]), station, 0.001)
    assert found.mean_s == pytest.approx(np.mean([10, 50, 49 + 15, 48 + 15, 10]) / 1e3 + 0.001)


def test_too_few_batches_are_refused() -> None:
    truth = model(1.0, 1.0)
    with pytest.raises(InvalidServiceTimeError, match="8 are needed"):
        fit_lengths(truth.alone_s, mixed(truth, np.random.default_rng(1), 3))


@pytest.mark.triton
def test_a_model_that_pads_is_measured_and_predicted(tmp_path: Path, start_triton: StartTriton) -> None:
    """Its two numbers come out, and a run of perf_analyzer with these texts has the predicted mean."""
    write_padded_model(tmp_path, PADDED)
    server = start_triton(tmp_path)
    texts = [b"x" * length for length in LENGTHS]
    found = measure(connect(server.grpc_url), "padded", files=texts, budget_s=8)
    lengths = found.lengths
    assert lengths is not None
    # alone = 8 + 0.5 n ms, a pair = 8 + 0.8 n ms = 1.6 alone - 4.8 ms of its longest
    assert lengths.longest[1] == pytest.approx(1.6, rel=0.15)
    assert lengths.others[1] == pytest.approx(0.0, abs=0.15)
    assert "x its longest item" in measured_text(found)
    for length, alone in zip(LENGTHS, lengths.alone_s, strict=True):
        assert alone >= PADDED.seconds([length])


@pytest.mark.triton
@pytest.mark.slow
def test_a_model_that_pads_runs_as_predicted(tmp_path: Path, start_triton: StartTriton) -> None:
    """perf_analyzer sends these very texts: mean within 10 %, p95 within 15 %; wants the machine alone."""
    write_padded_model(tmp_path, PADDED)
    server = start_triton(tmp_path)
    texts = [b"x" * length for length in LENGTHS]
    client = connect(server.grpc_url)
    found = measure(client, "padded", files=texts, budget_s=15)
    for row in run_lengths(client, server.grpc_url, found, texts, (0.3, 0.6, 0.8), 3000):
        mean, p95 = relative_errors(row)
        assert abs(mean) < 0.10, (row.load, mean)
        assert abs(p95) < 0.15, (row.load, p95)
