"""Predicts every run of a recorded ensemble, and says how near that comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tandem.batching.plan.measured import Measured
from tandem.batching.proof.comparison import Figures, Row, figures_of
from tandem.batching.proof.recording import Recording, Run, half_width_s
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.rounds import service_factors
from tandem.batching.solve import solve_ensemble

EFFORT = Effort(precision=0.02, most_items=1_000_000)

Floats = NDArray[np.float64]


def predicted_capacity(recording: Recording) -> float:
    """Items a second, the median of what the calibrations beside the measured capacity say."""
    beside = recording.calibrations[: recording.before]
    return float(np.median([found.configured().capacity_per_s for found in beside]))


def judge(recording: Recording) -> list[Row]:
    """A row for each load.

    The median of the turns counts: of the figures measured, and of those predicted by the calibrations
    before, between and after them. The long run is predicted by the first of all, as `tandem plan` would.
    """
    return [
        _row(load, recording.capacity_per_s, runs, recording.calibrations[0], recording.beside(runs))
        for load, runs in zip(recording.loads, recording.runs, strict=True)
    ]


def _row(
    load: float, capacity_per_s: float, runs: Sequence[Run], first: Measured, calibrations: Sequence[Measured]
) -> Row:
    rate = load * capacity_per_s
    traces = [run.trace for run in runs]
    means = np.array([run.mean_s for run in runs])

    def predicted(stations: Callable[[Measured], Ensemble]) -> list[Figures]:
        sent = traces[0].sent_s
        return [figures_of(_latencies(found, stations(found), sent)) for found in calibrations]

    full = predicted(Measured.configured)
    effort = replace(EFFORT, spread=first.spread)
    long_run = solve_ensemble(first.configured(), rate, effort).shifted(first.transport_s)
    return Row(
        subject=first.model.name,
        setting=f"{load:.0%} of {capacity_per_s:.1f} /s",
        rate_per_s=rate,
        load=load,
        requests=len(traces[0].sent_s),
        measured=typical([figures_of(trace.latency_s) for trace in traces]),
        error_s=half_width_s(means),
        slowed=float(np.mean([run.slowed for run in runs])),
        plain=typical(predicted(lambda found: unshared(found.configured()))),
        full=typical(full),
        long_run=Figures(mean_s=long_run.mean_s, p95_s=long_run.p95_s),
        trace=traces[int(np.argsort(means)[len(means) // 2])],
        bystanders=float(np.mean([run.bystanders for run in runs])),
        turns=tuple(means.tolist()),
        calibrations=tuple(figures.mean_s for figures in full),
    )


def course_text(recording: Recording, rows: Sequence[Row]) -> str:
    """What was measured besides the rows: capacity, other processes, and every turn."""
    capacity, predicted = recording.capacity_per_s, predicted_capacity(recording)
    turns = (f"{row.load:.0%} " + ", ".join(f"{mean * 1e3:.0f}" for mean in row.turns) for row in rows)
    alone = (
        f"{row.load:.0%} "
        + "–".join(f"{mean * 1e3:.0f}" for mean in np.quantile(row.calibrations, (0.25, 0.75)))
        for row in rows
    )
    return (
        f"Capacity of `{recording.calibrations[0].model.name}`: measured {capacity:.2f} a second, predicted "
        f"{predicted:.2f} ({predicted / capacity - 1:+.1%}). Other processes used "
        f"{recording.calibrations[0].bystanders:.2f} processors while its steps were measured, "
        f"{recording.capacity_bystanders:.2f} while its capacity was, and in the runs "
        f"{', '.join(f'{row.bystanders:.2f}' for row in rows)}. Means of the turns, ms: {'; '.join(turns)}. "
        "Half of the calibrations, each by itself, predict means of, ms: "
        f"{'; '.join(alone)}."
    )


def typical(turns: Sequence[Figures]) -> Figures:
    """The median of the means, and that of the 95th percentiles."""
    mean, p95 = np.median([(turn.mean_s, turn.p95_s) for turn in turns], axis=0)
    return Figures(mean_s=float(mean), p95_s=float(p95))


def _latencies(found: Measured, stations: Ensemble, sent_s: Floats) -> Floats:
    """What a calibration says of requests that are sent at these times, seconds."""
    factors = service_factors(found.spread, np.random.default_rng(EFFORT.seed))
    return ensemble_latencies(stations, sent_s, factors)[0] + found.transport_s


def unshared(ensemble: Ensemble) -> Ensemble:
    """The same with processors for everybody."""
    return Ensemble(stations=ensemble.stations)
