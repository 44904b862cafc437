"""Event loop for an ensemble: stations one behind the other, which may share processors.

Every running batch of b items at station k asks for `demand[k, b - 1]` processors. While all running batches
together ask for more than there are, each runs at the same reduced speed, processors / sum of demands
(processor sharing). Beside others it takes longer by up to the factor `contention[k, b - 1]`: caches and
memory are shared, too, threads wait to be woken, and nothing guarantees fair shares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.batching.simulate.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Beyond so many others on the way a lone item is not held longer: tandem.triton.pair_gate.
HOLD_OTHERS = 6

# Remaining work below this many seconds counts as done: rounding of shared speeds must not make endless tiny
# steps.
DONE_S = 1e-12


@compiled()
def _advance(
    now: float,
    step: float,
    job_speed: Floats,
    arrivals: Floats,
    latency: Floats,
    entered: Floats,
    queue: Ints,
    tail: Ints,
    spent: Floats,
    running: Ints,
    job_station: Ints,
    job_left: Floats,
    job_length: Ints,
    job_items: Ints,
    hold: Floats,
    head: Ints,
    left: int,
    job_began: Floats,
    log: Floats,
    logged: Ints,
) -> int:  # pragma: no cover - compiled
    """Let running batches work for `step` seconds; those that are done go on. Gives the items that left.

    A lone item that a station holds enters the next queue late: its delay there begins when its hold ends.
    """
    finished = 0
    for job in range(len(job_station)):
        station = job_station[job]
        if station < 0:
            continue
        spent[station, job_length[job] - 1] += step
        job_left[job] -= step * job_speed[job]
        if job_left[job] > DONE_S:
            continue
        job_station[job] = -1
        running[station] -= 1
        if logged[station] < log.shape[1]:
            log[station, logged[station], 0] = now
            log[station, logged[station], 1] = now - job_began[job]
            log[station, logged[station], 2] = job_length[job]
            logged[station] += 1
        for place in range(job_length[job]):
            item = job_items[job, place]
            if station + 1 == len(tail):
                latency[item] = now - arrivals[item]
                finished += 1
            else:
                queue[station + 1, tail[station + 1]] = item
                tail[station + 1] += 1
                entered[station + 1, item] = now
        if station + 1 < len(tail) and hold[station] > 0.0:
            waiting = tail[station + 1] - head[station + 1]
            others = tail[station + 1] - left - finished - waiting
            if waiting % 2 == 1:
                last = queue[station + 1, tail[station + 1] - 1]
                entered[station + 1, last] = now + hold[station] * min(others, HOLD_OTHERS)
    return finished


@compiled()
def _start(
    now: float,
    batches: int,
    service: Floats,
    factors: Floats,
    preferred: Ints,
    max_batch: Ints,
    delay: Floats,
    instances: Ints,
    entered: Floats,
    queue: Ints,
    head: Ints,
    tail: Ints,
    sizes: Ints,
    running: Ints,
    job_station: Ints,
    job_left: Floats,
    job_length: Ints,
    job_items: Ints,
    job_began: Floats,
) -> int:  # pragma: no cover - compiled
    """Idle instances start the batches that are due; gives how many batches have started so far."""
    for station in range(len(instances)):
        while running[station] < instances[station] and tail[station] > head[station]:
            waiting = tail[station] - head[station]
            oldest = entered[station, queue[station, head[station]]]
            if waiting < preferred[station] and oldest + delay[station] > now:
                break
            count = min(waiting, max_batch[station])
            slot = 0
            while job_station[slot] >= 0:
                slot += 1
            job_station[slot], job_length[slot] = station, count
            job_began[slot] = now
            job_left[slot] = service[station, count - 1] * factors[batches % len(factors)]
            for place in range(count):
                job_items[slot, place] = queue[station, head[station] + place]
            head[station] += count
            running[station] += 1
            sizes[station, count - 1] += 1
            batches += 1
    return batches


@compiled()
def _next_step(
    now: float,
    job_speed: Floats,
    coming: float,
    delay: Floats,
    instances: Ints,
    entered: Floats,
    queue: Ints,
    head: Ints,
    tail: Ints,
    running: Ints,
    job_station: Ints,
    job_left: Floats,
) -> float:  # pragma: no cover - compiled
    """Seconds until a batch ends, an item comes, or an item's delay is over; infinity where nothing will."""
    step = coming - now
    for job in range(len(job_station)):
        if job_station[job] >= 0:
            step = min(step, job_left[job] / job_speed[job])
    for station in range(len(instances)):
        if running[station] < instances[station] and tail[station] > head[station]:
            oldest = entered[station, queue[station, head[station]]]
            step = min(step, oldest + delay[station] - now)
    return step


@compiled()
def _set_speeds(
    demand: Floats,
    contention: Floats,
    processors: float,
    job_station: Ints,
    job_length: Ints,
    job_speed: Floats,
) -> None:  # pragma: no cover - compiled
    """How fast every running batch works, 1 for one that is alone and has the processors that it asks for."""
    wanted = 0.0
    for job in range(len(job_station)):
        if job_station[job] >= 0:
            wanted += demand[job_station[job], job_length[job] - 1]
    share = 1.0 if wanted <= processors else processors / wanted
    for job in range(len(job_station)):
        station = job_station[job]
        if station >= 0:
            beside = min(wanted - demand[station, job_length[job] - 1], 1.0)
            more = contention[station, job_length[job] - 1] - 1.0
            job_speed[job] = share / (1.0 + more * beside)


@compiled(
    "Tuple((f8[::1], f8[:, ::1], i8[:, ::1], f8[:, ::1]))"
    "(f8[::1], f8[:, ::1], f8[::1], i8[::1], i8[::1], f8[::1], i8[::1], f8[:, ::1], f8[:, ::1], f8, i8,"
    " f8[::1], f8[:, :, ::1])",
)
def run_network(
    arrivals: Floats,
    service: Floats,
    factors: Floats,
    preferred: Ints,
    max_batch: Ints,
    delay: Floats,
    instances: Ints,
    demand: Floats,
    contention: Floats,
    processors: float,
    in_flight: int,
    hold: Floats,
    log: Floats,
) -> tuple[Floats, Floats, Ints, Floats]:  # pragma: no cover - compiled
    """Latencies of items that pass all stations in turn.

    Args:
        arrivals: `(n,)` times at the first station, seconds, rising.
        service: `(stations, largest)` s(1) … of each station, seconds, when it has its processors to itself.
        factors: `(m,)` what a batch's time is multiplied by, used in turn.
        preferred: `(stations,)` waiting items that start a batch.
        max_batch: `(stations,)` most items in a batch.
        delay: `(stations,)` longest wait of the oldest item while an instance is idle, seconds.
        instances: `(stations,)` number of instances.
        demand: `(stations, largest)` processors that a running batch of 1, 2, … uses, 0 or more.
        contention: `(stations, largest)` by which factor a batch takes longer, beside others that use a
            processor or more, than fair shares would have it; above 0, below 1 where it gets more than one.
        processors: processors there are; infinity where none are shared.
        in_flight: items that may be under way; the next one comes when one has left. 0: any number.
        hold: `(stations,)` seconds for which a lone item is held behind a station for each other beyond it.
        log: `(stations, most, 3)` filled with every batch's end, how long it took and how many items it had;
            `most` may be 0.

    Returns:
        `(n,)` latencies, seconds, nan where unfinished; `(stations, n)` times at which each station was
        entered; `(stations, largest)` how many batches of each size ran, and their time together, seconds.
    """
    total, stations, largest = len(arrivals), service.shape[0], service.shape[1]
    latency = np.full(total, np.nan)
    entered = np.full((stations, total), np.nan)
    queue = np.zeros((stations, total), np.int64)
    head, tail = np.zeros(stations, np.int64), np.zeros(stations, np.int64)
    sizes = np.zeros((stations, largest), np.int64)
    spent = np.zeros((stations, largest))
    running = np.zeros(stations, np.int64)
    jobs = instances.sum()
    job_station = np.full(jobs, -1, np.int64)
    job_left, job_length = np.zeros(jobs), np.zeros(jobs, np.int64)
    job_items = np.zeros((jobs, largest), np.int64)
    job_speed = np.ones(jobs)
    job_began, logged = np.zeros(jobs), np.zeros(stations, np.int64)
    now, came, batches, finished = 0.0, 0, 0, 0
    room = in_flight if in_flight > 0 else total
    while finished < total:
        _set_speeds(demand, contention, processors, job_station, job_length, job_speed)
        coming = arrivals[came] if came < total and came - finished < room else np.inf
        step = _next_step(
            now,
            job_speed,
            coming,
            delay,
            instances,
            entered,
            queue,
            head,
            tail,
            running,
            job_station,
            job_left,
        )
        if step == np.inf:
            break
        step = max(step, 0.0)
        now += step
        finished += _advance(
            now, step, job_speed, arrivals, latency, entered, queue, tail, spent, running,
            job_station, job_left, job_length, job_items, hold, head, finished, job_began, log, logged,
        )  # fmt: skip
        while came < total and arrivals[came] <= now and came - finished < room:
            queue[0, tail[0]] = came
            tail[0] += 1
            entered[0, came] = now if in_flight > 0 else arrivals[came]
            came += 1
        batches = _start(
            now, batches, service, factors, preferred, max_batch, delay, instances, entered, queue, head,
            tail, sizes, running, job_station, job_left, job_length, job_items, job_began,
        )  # fmt: skip
    return latency, entered, sizes, spent
