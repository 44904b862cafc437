"""Runs a whole ensemble with real pictures, as it is configured, and predicts every run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import BatchingError, InvalidInputError
from tandem.batching.measure.batch_statistics import batch_counts
from tandem.batching.measure.calibrate import slowed
from tandem.batching.measure.closed_loop import completed_per_s
from tandem.batching.measure.live_model import LiveModel
from tandem.batching.measure.perf_analyzer import Trace, item_data, run_poisson
from tandem.batching.measure.processor_time import Bystanders, ProcessorClock
from tandem.batching.measure.samples import make_samples
from tandem.batching.plan.measured import Measured
from tandem.batching.proof.comparison import Figures, Row, figures_of
from tandem.batching.simulate.ensemble import Ensemble, ensemble_latencies
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.rounds import service_factors
from tandem.batching.solve import solve_ensemble

EFFORT = Effort(precision=0.02, most_items=1_000_000)
# Requests in flight that keep every step and every processor busy.
SATURATING = 16
SETTLE_S = 2.0
# Other processes that use more processors than this disturb a run; so often it is tried.
DISTURBED, ATTEMPTS = 0.1, 3
# Turns of all loads, with a calibration before and after each; a median of seven stands three disturbed ones.
TURNS = 7
# The same requests go out at the same times, but for what a busy machine delays them.
SAME_S = 1.0
BOOTSTRAP = 2000

Floats = NDArray[np.float64]
Run = TypeVar("Run")


def measured_capacity(client: Any, model: LiveModel, pictures: Sequence[bytes], seconds: float) -> float:
    """Items a second that come back when there are always more than the server can take."""
    samples = make_samples(model, pictures, {})
    return completed_per_s(client, model, samples, in_flight=SATURATING, seconds=seconds)


def undisturbed_capacity(
    client: Any,
    model: LiveModel,
    pictures: Sequence[bytes],
    seconds: float,
    clock: ProcessorClock,
    attempts: int = ATTEMPTS,
) -> tuple[float, float]:
    """The same, repeated while other processes disturb it; and the processors that they used."""

    def run() -> tuple[float, float]:
        bystanders = Bystanders(clock)
        return measured_capacity(client, model, pictures, seconds), bystanders.processors()

    return undisturbed(run, lambda found: found[1], attempts)


def run_loads(
    client: Any,
    url: str,
    calibrate: Callable[[], Measured],
    pictures: Sequence[bytes],
    capacity_per_s: float,
    loads: Sequence[float],
    requests: int,
    seconds: float,
    clock: ProcessorClock,
    *,
    first: Measured,
    turns: int = TURNS,
    attempts: int = ATTEMPTS,
) -> list[Row]:
    """A row for each load, a share of the measured capacity; the loads and the calibration take turns.

    Whoever shares the processor of a virtual machine is not seen in it, and changes its speed for seconds or
    minutes. What is judged is the model, not whether the machine stays as it was. So every turn sends the
    same requests at the same times, and the median of the turns counts: of the figures measured, and of
    those predicted by the calibrations before, between and after them.

    Args:
        client: see `live_model.connect`.
        url: the server's gRPC address.
        calibrate: measures the ensemble anew.
        pictures: what to send, in turn.
        capacity_per_s: see `measured_capacity`.
        loads: shares of it.
        requests: how many to send at each in a turn, at least.
        seconds: how long to send at each in a turn, at least.
        clock: processor time that the server has used, seconds, by model.
        first: what `calibrate` found just now; the long run is predicted from this one alone.
        turns: how many, 1 or more.
        attempts: how often a run is tried that other processes disturb.

    Raises:
        InvalidInputError: there is to be no turn.
        BatchingError: a turn's requests were sent at other times than the first one's.
    """
    if turns < 1:
        raise InvalidInputError(f"{turns} turns of the loads; there must be 1 or more")
    data = item_data(pictures, first.model.inputs[0].name)

    def run(load: float, found: Measured) -> _Run:
        rate = load * capacity_per_s
        count = max(requests, math.ceil(rate * max(seconds, 1.0)))
        before = [batch_counts(client, step.model) for step in found.steps]
        bystanders = Bystanders(clock)
        trace = run_poisson(url, found.model.name, rate, count, data=data)
        used = bystanders.processors()
        after = [batch_counts(client, step.model) for step in found.steps]
        steps = zip(found.steps, before, after, strict=True)
        return _Run(trace=trace, slowed=float(np.mean([slowed(*step) for step in steps])), bystanders=used)

    calibrations, runs = [first], [list[_Run]() for _ in loads]
    for _ in range(turns):
        for load, done in zip(loads, runs, strict=True):
            once = partial(run, load, calibrations[-1])
            done.append(undisturbed(once, lambda ran: ran.bystanders, attempts))
        calibrations.append(calibrate())
    return [_row(load, capacity_per_s, done, calibrations) for load, done in zip(loads, runs, strict=True)]


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A load in one turn.

    Attributes:
        trace: its requests.
        slowed: by how much batches took longer than just before, as a share, averaged over the steps.
        bystanders: processors that others used.
    """

    trace: Trace
    slowed: float
    bystanders: float


def _row(load: float, capacity_per_s: float, runs: Sequence[_Run], calibrations: Sequence[Measured]) -> Row:
    first, rate = calibrations[0], load * capacity_per_s
    traces = same_requests([run.trace for run in runs])
    # With the start of each: the prediction begins on an empty server, too.
    turns = [figures_of(trace.latency_s) for trace in traces]
    means = np.array([turn.mean_s for turn in turns])

    def predicted(stations: Callable[[Measured], Ensemble]) -> Figures:
        sent = traces[0].sent_s
        return typical([figures_of(_latencies(found, stations(found), sent)) for found in calibrations])

    effort = replace(EFFORT, spread=first.spread)
    long_run = solve_ensemble(first.configured(), rate, effort).shifted(first.transport_s)
    return Row(
        subject=first.model.name,
        setting=f"{load:.0%} of {capacity_per_s:.1f} /s",
        rate_per_s=rate,
        load=load,
        requests=len(traces[0].sent_s),
        measured=typical(turns),
        error_s=half_width_s(means),
        slowed=float(np.mean([run.slowed for run in runs])),
        plain=predicted(lambda found: unshared(found.configured())),
        full=predicted(Measured.configured),
        long_run=Figures(mean_s=long_run.mean_s, p95_s=long_run.p95_s),
        trace=traces[int(np.argsort(means)[len(means) // 2])],
        bystanders=float(np.mean([run.bystanders for run in runs])),
        turns=tuple(means.tolist()),
    )


def same_requests(traces: Sequence[Trace]) -> Sequence[Trace]:
    """The traces, which are of the same requests.

    Raises:
        BatchingError: they are not.
    """
    sent = traces[0].sent_s
    for trace in traces:
        if len(trace.sent_s) != len(sent) or np.abs(trace.sent_s - sent).max() > SAME_S:
            raise BatchingError(
                "perf_analyzer sent the same requests at other times; is the machine that busy?"
            )
    return traces


def typical(turns: Sequence[Figures]) -> Figures:
    """The median of the means, and that of the 95th percentiles."""
    mean, p95 = np.median([(turn.mean_s, turn.p95_s) for turn in turns], axis=0)
    return Figures(mean_s=float(mean), p95_s=float(p95))


def half_width_s(means: Floats) -> float:
    """Half of the 95 % interval of the turns' median, were other turns drawn from those that ran."""
    draws = np.random.default_rng(0).integers(0, len(means), (BOOTSTRAP, len(means)))
    low, high = np.quantile(np.median(means[draws], axis=1), (0.025, 0.975))
    return float(high - low) / 2


def _latencies(found: Measured, stations: Ensemble, sent_s: Floats) -> Floats:
    """What a calibration says of requests that are sent at these times, seconds."""
    factors = service_factors(found.spread, np.random.default_rng(EFFORT.seed))
    return ensemble_latencies(stations, sent_s, factors)[0] + found.transport_s


def undisturbed(run: Callable[[], Run], bystanders: Callable[[Run], float], attempts: int) -> Run:
    """The run during which other processes used least of the machine; repeated while they use too much.

    Whether it is repeated depends on them alone, not on what was measured.

    Args:
        run: makes one.
        bystanders: processors that other processes used during a run.
        attempts: how many at most, 1 or more.
    """
    runs = []
    for _ in range(attempts):
        runs.append(run())
        time.sleep(SETTLE_S)  # the next run starts on an empty server
        if bystanders(runs[-1]) <= DISTURBED:
            break
    return min(runs, key=bystanders)


def unshared(ensemble: Ensemble) -> Ensemble:
    """The same with processors for everybody."""
    return Ensemble(stations=ensemble.stations)
