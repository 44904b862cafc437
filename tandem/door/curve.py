"""The planner's picture of the running server: mean time by rate, for batches of one and of two.

The service times are the server's own, from its counters since its start: nothing is sent to measure them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tandem.batching.outcome import Station
from tandem.batching.rules import greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.solve import solve

_SHARES = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
_LEAST_EXECUTIONS = 3  # of a batch size, below which its time is no mean


def service_times_s(statistics: Any) -> tuple[float, float] | None:
    """s(1) and s(2) of a model in seconds; None where it hasn't run both often enough.

    Args:
        statistics: a `ModelStatistics` message.
    """
    times: dict[int, float] = {}
    for each in statistics.batch_stats:
        if each.compute_infer.count >= _LEAST_EXECUTIONS:
            spent_ns = each.compute_input.ns + each.compute_infer.ns + each.compute_output.ns
            times[int(each.batch_size)] = spent_ns / each.compute_infer.count / 1e9
    return (times[1], times[2]) if 1 in times and 2 in times else None


def curve(statistics: Mapping[str, Any], instances: int = 1) -> dict[str, Any]:
    """What the page draws: of the slowest step that has been measured, the curves for batches of one and two.

    Args:
        statistics: the steps' `ModelStatistics` by name.
        instances: of the step; more than one are not solved exactly.
    """
    measured = {
        name: times for name, each in statistics.items() if (times := service_times_s(each)) is not None
    }
    if not measured:
        return {"state": "unmeasured"}
    step = max(measured, key=lambda name: measured[name][0])
    times = measured[step]
    capacity_per_s = max(1 / times[0], 2 / times[1])
    curves = []
    for most in (1, 2):
        station = Station(service=ServiceTime(times), rule=greedy(most), instances=instances)
        points = []
        for share in _SHARES:
            outcome = solve(station, share * capacity_per_s)
            points.append([share * capacity_per_s, outcome.mean_s * 1e3 if outcome.stable else None])
        curves.append({"max_batch": most, "points": points})
    return {
        "state": "measured",
        "step": step,
        "service_ms": [seconds * 1e3 for seconds in times],
        "curves": curves,
    }
