"""Runs a whole ensemble with real pictures, as it is configured, in turns with its calibration."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from tandem.batching.errors import BatchingError, InvalidInputError
from tandem.batching.measure.batch_statistics import batch_counts
from tandem.batching.measure.calibrate import slowed
from tandem.batching.measure.closed_loop import completed_per_s
from tandem.batching.measure.live_model import LiveModel
from tandem.batching.measure.perf_analyzer import Trace, item_data, run_poisson
from tandem.batching.measure.processor_time import Bystanders, ProcessorClock
from tandem.batching.measure.samples import make_samples
from tandem.batching.plan.measured import Measured
from tandem.batching.proof.recording import Recording, Run, half_width_s

# Requests in flight that keep every step and every processor busy.
SATURATING = 16
SETTLE_S = 2.0
# Other processes that use more processors than this disturb a run; so often it is tried.
DISTURBED, ATTEMPTS = 0.1, 3
# Turns of all loads, with a calibration after each run; a median of seven stands three disturbed ones.
TURNS = 7
# A load whose median is not yet known to this share (half of the 95 % interval) gets further turns, but not
# more than so many.
PRECISION, MOST_TURNS = 0.10, 40
# The capacity of which loads are shares is a median of so many, with a calibration before each: a machine
# that is slow for a minute would decide it otherwise.
CAPACITIES = 3
# The same requests go out at the same times, but for what a busy machine delays them.
SAME_S = 1.0

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class EnsembleSubject:
    """What is to be run.

    Attributes:
        client: see `live_model.connect`.
        url: the server's gRPC address.
        calibrate: measures the ensemble anew.
        pictures: what to send, in turn.
        clock: processor time that the server has used, seconds, by model.
        attempts: how often a run is tried that other processes disturb.
    """

    client: Any
    url: str
    calibrate: Callable[[], Measured]
    pictures: Sequence[bytes]
    clock: ProcessorClock
    attempts: int = ATTEMPTS


def record(
    subject: EnsembleSubject,
    loads: Sequence[float],
    *,
    requests: int,
    seconds: float,
    capacity_s: float,
    turns: int = TURNS,
    most_turns: int = MOST_TURNS,
    tell: Callable[[Measured], None] = lambda found: None,
) -> Recording:
    """Measure the capacity, then send the same requests at each load in every turn.

    Whoever shares the processor of a virtual machine is not seen in it, and changes its speed for seconds or
    minutes. What is judged is the model, not whether the machine stays as it was. So every turn sends the
    same requests at the same times, and the ensemble is calibrated anew between any two runs. Loads whose
    measured mean is uncertain by more than a tenth get further turns; what is predicted has no say in it.

    Args:
        subject: what to run.
        loads: shares of the measured capacity.
        requests: how many to send at each in a turn, at least.
        seconds: how long to send at each in a turn, at least.
        capacity_s: how long to measure the capacity, each time.
        turns: how many at least, 1 or more.
        most_turns: how many at most.
        tell: is told the first calibration.

    Raises:
        InvalidInputError: there is to be no turn.
        BatchingError: a turn's requests were sent at other times than the first one's.
    """
    if turns < 1:
        raise InvalidInputError(f"{turns} turns of the loads; there must be 1 or more")
    calibrations, reached = list[Measured](), list[tuple[float, float]]()
    for _ in range(CAPACITIES):
        calibrations.append(subject.calibrate())
        if len(calibrations) == 1:
            tell(calibrations[0])
        reached.append(_undisturbed_capacity(subject, calibrations[0].model, capacity_s))
    capacity, bystanders = (float(value) for value in np.median(reached, axis=0))
    runs = [list[Run]() for _ in loads]
    for turn in range(max(turns, most_turns)):
        for load, done in zip(loads, runs, strict=True):
            if turn >= turns and known(done):
                continue
            rate = load * capacity
            count = max(requests, math.ceil(rate * max(seconds, 1.0)))
            once = partial(_run, subject, calibrations, rate, count)
            done.append(undisturbed(once, lambda ran: ran.bystanders, subject.attempts))
            calibrations.append(subject.calibrate())
    for done in runs:
        same_requests([run.trace for run in done])
    return Recording(
        capacity_per_s=capacity,
        capacity_bystanders=bystanders,
        calibrations=tuple(calibrations),
        before=CAPACITIES,
        loads=tuple(loads),
        runs=tuple(map(tuple, runs)),
    )


def _undisturbed_capacity(subject: EnsembleSubject, model: LiveModel, seconds: float) -> tuple[float, float]:
    """Items a second that come back where there are always more than it can take; and the bystanders."""
    samples = make_samples(model, subject.pictures, {})

    def once() -> tuple[float, float]:
        bystanders = Bystanders(subject.clock)
        reached = completed_per_s(subject.client, model, samples, in_flight=SATURATING, seconds=seconds)
        return reached, bystanders.processors()

    return undisturbed(once, lambda found: found[1], subject.attempts)


def _run(subject: EnsembleSubject, calibrations: Sequence[Measured], rate_per_s: float, count: int) -> Run:
    found = calibrations[-1]
    before = [batch_counts(subject.client, step.model) for step in found.steps]
    bystanders = Bystanders(subject.clock)
    data = item_data(subject.pictures, found.model.inputs[0].name)
    trace = run_poisson(subject.url, found.model.name, rate_per_s, count, data=data)
    used = bystanders.processors()
    after = [batch_counts(subject.client, step.model) for step in found.steps]
    steps = zip(found.steps, before, after, strict=True)
    return Run(
        sent_s=tuple(trace.sent_s.tolist()),
        latency_s=tuple(trace.latency_s.tolist()),
        slowed=float(np.mean([slowed(*step) for step in steps])),
        bystanders=used,
        after=len(calibrations) - 1,
    )


def known(runs: Sequence[Run]) -> bool:
    """True where the median of the turns' means is known well enough."""
    means = np.array([run.mean_s for run in runs])
    return half_width_s(means) <= PRECISION * float(np.median(means))


def undisturbed(run: Callable[[], Found], bystanders: Callable[[Found], float], attempts: int) -> Found:
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
