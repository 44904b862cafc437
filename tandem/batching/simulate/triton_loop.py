"""Triton's dynamic batcher as it is.

Source: triton-inference-server/core, release 24.10: dynamic_batch_scheduler.cc, instance_queue.cc and
rate_limiter.cc.

It departs from the ideal rule in these ways:

- **Payloads look ahead.** While the instances are busy the batcher thread already forms payloads, up to two
  an instance. A payload that the delay closed early is frozen: items that come later do not join it, unless
  so many wait that a preferred size is reached (requests do not wake the batcher thread one by one where the
  shapes are fixed).
- **Aged payloads merge.** An instance that takes a payload also takes the following ones, if their oldest
  item has waited longer than the delay and the sum fits `max_batch_size`.
- **A preferred size is not a cap.** With `max_batch_size` above it, a scheduled payload grows past it.

With delay 0 none of this matters: payloads fill to `max_batch_size` before a new one begins, so the greedy
rule holds. Threads are taken as infinitely fast; items arrive one a request.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tandem.batching.simulate.compiled import compiled

# What `DynamicBatchScheduler::BatcherThread` sleeps when its queue is empty.
IDLE_WAIT_S = 0.5
# The thread waits whole microseconds; a remainder below one counts as over.
TICK_S = 1e-6

NEW, SCHEDULED, STALE = 0, 1, 2


@compiled()
def _form(  # noqa: PLR0911 - the order of the source's conditions
    waiting: int,
    payload: int,
    age: float,
    preferred: int,
    max_batch: int,
    delay: float,
    saturated: bool,
    next_preferred: int,
) -> tuple[int, float, bool, int]:  # pragma: no cover - compiled
    """`GetDynamicBatch`: how many waiting items join the payload, and how long to wait if none should yet."""
    pending = 0
    best = 0
    send_now = False
    while pending < waiting:
        size = payload + pending
        if size > 0:
            if size + 1 > preferred and best == 0:
                best = pending
                saturated = True
            if size + 1 > max_batch:
                send_now = True
                break
        pending += 1
        if payload + pending == preferred:
            best = pending
    over = delay > 0.0 and age >= delay
    if best != 0 and not over:
        return best, 0.0, saturated or delay == 0.0, next_preferred
    if pending == 0:
        return 0, 0.0, saturated, next_preferred
    if send_now or payload + pending >= preferred:
        return pending, 0.0, True, next_preferred
    if over or delay == 0.0:
        return pending, 0.0, saturated, next_preferred
    next_preferred = preferred - payload
    if not saturated and payload not in (0, preferred):
        return pending, 0.0, saturated, next_preferred
    wait = delay - age
    if wait < TICK_S:
        return pending, 0.0, saturated, next_preferred
    return 0, wait, saturated, next_preferred


@compiled()
def _take(
    now: float,
    queued: int,
    running: int,
    state: int,
    busy: float,
    batches: int,
    arrivals: NDArray[np.float64],
    service: NDArray[np.float64],
    factors: NDArray[np.float64],
    max_batch: int,
    delay: float,
    first: NDArray[np.int64],
    length: NDArray[np.int64],
    run_first: NDArray[np.int64],
    run_length: NDArray[np.int64],
    run_end: NDArray[np.float64],
    sizes: NDArray[np.int64],
) -> tuple[int, int, int, float, int]:  # pragma: no cover - compiled
    """Idle instances take payloads, aged ones merged; the new queued, running, state, busy and batches."""
    while queued > 0 and running < len(run_end):
        server = 0
        while run_end[server] != np.inf:
            server += 1
        taken, begin, count = 1, first[0], length[0]
        while taken < queued and delay > 0.0 and now - arrivals[first[taken]] > delay:
            if taken == queued - 1 and state == SCHEDULED:
                state = STALE  # marked as executing even where it does not fit
            if count + length[taken] > max_batch:
                break
            count += length[taken]
            taken += 1
        if taken == queued:
            state = STALE
        for place in range(taken, queued):
            first[place - taken], length[place - taken] = first[place], length[place]
        queued -= taken
        took = service[count - 1] * factors[batches % len(factors)]
        run_first[server], run_length[server], run_end[server] = begin, count, now + took
        running += 1
        busy += took
        sizes[count - 1] += 1
        batches += 1
    return queued, running, state, busy, batches


@compiled()
def _finish(
    done: int,
    now: float,
    arrivals: NDArray[np.float64],
    latency: NDArray[np.float64],
    run_first: NDArray[np.int64],
    run_length: NDArray[np.int64],
    run_end: NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """An instance has ended its batch."""
    for item in range(run_first[done], run_first[done] + run_length[done]):
        latency[item] = now - arrivals[item]
    run_end[done] = np.inf


@compiled("Tuple((f8[::1], i8[::1], f8))(f8[::1], f8[::1], f8[::1], i8, i8, f8, i8, b1)")
def run_triton(  # noqa: PLR0912, PLR0915 - one event loop; numba would not share its state across functions
    arrivals: NDArray[np.float64],
    service: NDArray[np.float64],
    factors: NDArray[np.float64],
    preferred: int,
    max_batch: int,
    delay: float,
    instances: int,
    fixed_shapes: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64], float]:  # pragma: no cover - compiled
    """Latencies under Triton's batcher.

    Args:
        arrivals: `(n,)` times, seconds, rising.
        service: `(max_batch,)` s(1) … in seconds.
        factors: `(m,)` what a batch's time is multiplied by, used in turn.
        preferred: the one preferred batch size, 1 to `max_batch`.
        max_batch: `max_batch_size`.
        delay: `max_queue_delay_microseconds`, in seconds.
        instances: number of instances of the model.
        fixed_shapes: True where all inputs have fixed shapes (then requests do not always wake the batcher).

    Returns:
        `(n,)` latencies, seconds; `(max_batch,)` how many batches of each size ran; the instances' busy time,
        seconds.
    """
    total = len(arrivals)
    latency = np.full(total, np.nan)
    sizes = np.zeros(max_batch, np.int64)
    slots = 2 * instances
    first = np.zeros(slots + 2, np.int64)  # payload queue: first item and length of each payload
    length = np.zeros(slots + 2, np.int64)
    queued = 0  # payloads in it
    run_first = np.zeros(instances, np.int64)
    run_length = np.zeros(instances, np.int64)
    run_end = np.full(instances, np.inf)
    state, saturated, next_preferred = STALE, False, 0
    head, tail = 0, 0  # items [head, tail) wait at the batcher
    deadline = IDLE_WAIT_S
    slot_wait = False
    busy = 0.0
    batches = 0
    running = 0
    while True:
        done = 0
        for other in range(1, instances):
            if run_end[other] < run_end[done]:
                done = other
        coming = arrivals[tail] if tail < total else np.inf
        timer = np.inf if slot_wait or (tail == total and head == tail) else deadline
        now = min(run_end[done], coming, timer)
        if now == np.inf:
            break
        if now == run_end[done]:
            _finish(done, now, arrivals, latency, run_first, run_length, run_end)
            running -= 1
            wake = True
        elif now == coming:
            tail += 1
            wake = queued < slots
            if fixed_shapes:
                wake = wake and (saturated or state == STALE or tail - head >= next_preferred)
        else:
            wake = True
        while True:
            # Idle instances take payloads first: they are awake before the batcher thread is.
            before = batches
            queued, running, state, busy, batches = _take(
                now, queued, running, state, busy, batches, arrivals, service, factors, max_batch, delay,
                first, length, run_first, run_length, run_end, sizes,
            )  # fmt: skip
            wake = wake or batches > before
            if not wake:
                break
            # One turn of `BatcherThread`.
            if not slot_wait and (saturated or state == STALE):
                state, saturated, next_preferred = NEW, False, 0
            if head == tail:
                slot_wait, deadline = False, now + IDLE_WAIT_S
                break
            if queued >= slots:
                slot_wait = True
                break
            if slot_wait:
                slot_wait = False
                if state == STALE:
                    continue
            payload = length[queued - 1] if state == SCHEDULED else 0
            moved, wait, saturated, next_preferred = _form(
                tail - head,
                payload,
                now - arrivals[head],
                preferred,
                max_batch,
                delay,
                saturated,
                next_preferred,
            )
            if wait > 0.0:
                deadline = now + wait
                break
            if moved > 0:
                if state == SCHEDULED:
                    length[queued - 1] += moved
                else:
                    first[queued], length[queued] = head, moved
                    queued += 1
                    state = SCHEDULED
                head += moved
    return latency, sizes, busy
