"""What batches of two cost against the best size: the tables behind "is two right for me?".

Greedy, one instance, mean latency, exact. Loads are of single items, rate × s(1); at 1 a server without
batches is full.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tandem.batching.exact.regimes import few_gpus_s
from tandem.batching.exact.single import greedy_mean_s
from tandem.batching.exact.strict import solve_strict
from tandem.batching.outcome import MAX_LOAD, Station
from tandem.batching.plan.planner import TWO
from tandem.batching.rules import strict
from tandem.batching.service_time import ServiceTime

RATIOS = (0.1, 0.2, 0.3, 0.5, 1.0, 3.0, 10.0)  # alpha / beta
LOADS = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.2)
SIZES = (1, 2, 3, 4, 6, 8, 12, 16)
# A size is as good as the best within this regret; larger sizes tie at light load.
TIE = 1e-4
GOOD_ENOUGH = 0.01
SCAN = np.round(np.arange(0.02, 1.84, 0.01), 2)
# Mean arrivals in the interval that the rounds work off.
ROUND_ITEMS = np.round(np.arange(0.05, 40.0, 0.05), 2)
# Strict sizes take turns in being best, so the neighbours of two tell where it is.
STRICT_SIZES = (1, 2, 3, 4)

Means = Callable[[ServiceTime, float, int], float]


def service_of(ratio: float) -> ServiceTime:
    """s(b) with s(1) = 1 second and the given alpha / beta."""
    return ServiceTime.linear(ratio / (1 + ratio), 1 / (1 + ratio), max(SIZES))


def full_at(ratio: float) -> float:
    """Load at which batches of two can't keep up any more, 2 s(1) / s(2)."""
    return 2 / service_of(ratio).of(TWO)


def means_s(
    ratio: float, load: float, sizes: Sequence[int] = SIZES, mean_s: Means = greedy_mean_s
) -> dict[int, float]:
    """Mean latency of every size that keeps up, in units of s(1).

    Args:
        ratio: alpha / beta.
        load: rate × s(1).
        sizes: largest batches to try.
        mean_s: mean latency of a service, rate and size.
    """
    service = service_of(ratio)
    return {
        size: mean_s(service, load, size)
        for size in sizes
        if load < MAX_LOAD * service.capacity_per_s(size, instances=1)
    }


def best_and_regret(means: dict[int, float]) -> tuple[int, float]:
    """The smallest size within `TIE` of the best, and what two costs against the best, as a share.

    The size is 0 where none keeps up, the regret infinity where two does not.
    """
    least = min(means.values(), default=math.inf)
    best = min((size for size, mean in means.items() if mean <= least * (1 + TIE)), default=0)
    return best, means[TWO] / least - 1 if TWO in means else math.inf


def strict_mean_s(service: ServiceTime, rate_per_s: float, max_batch: int) -> float:
    """Exact mean latency where batches always have `max_batch` items, seconds."""
    return solve_strict(Station(service=service, rule=strict(max_batch)), rate_per_s).mean_s


def tables() -> str:
    """Two Markdown tables: two's regret over load, and the loads between which two is right."""
    lines = [
        "| α/β | " + " | ".join(f"load {load:g}" for load in LOADS) + " |",
        "| --- " * (len(LOADS) + 1) + "|",
    ]
    for ratio in RATIOS:
        cells = [_cell(*best_and_regret(means_s(ratio, load))) for load in LOADS]
        lines.append("| " + " | ".join([f"{ratio:g}", *cells]) + " |")
    lines += ["", "| α/β | " + " | ".join(_HEADINGS) + " |", "| --- " * (len(_HEADINGS) + 1) + "|"]
    bands = {ratio: list(_bands(ratio)) for ratio in RATIOS}
    lines += ["| " + " | ".join([f"{ratio:g}", *bands[ratio]]) + " |" for ratio in RATIOS]
    return "\n".join([*lines, "", *readings(bands)])


def readings(bands: dict[float, list[str]]) -> list[str]:
    """A Markdown table: for which numbers of arrivals each reading of the patent's regimes gives two.

    Regime (c) as rounds, (zeta + xi M) E⌈N/M⌉ on one GPU, against sizes of 1 to 16; N ~ Poisson(Λ). Regimes
    (a) and (b) fall in M without end.

    Args:
        bands: what `_bands` says of every ratio.
    """
    lines = ["| α/β | " + " | ".join(_READINGS) + " |", "| --- " * (len(_READINGS) + 1) + "|"]
    for ratio in RATIOS:
        service = service_of(ratio)
        xi = service.of(2) - service.of(1)
        zeta = service.of(1) - xi
        two = []
        for items in ROUND_ITEMS:
            rounds = [few_gpus_s(float(items), zeta, xi, size, gpus=1) for size in range(1, max(SIZES) + 1)]
            if rounds.index(min(rounds)) + 1 == TWO:
                two.append(float(items))
        greedy_band, *_, strict_band = bands[ratio]
        lines.append(f"| {ratio:g} | never | never | {_band(two)} | {greedy_band} | {strict_band} |")
    return lines


_HEADINGS = (
    "greedy two is best at loads",
    "within 1 % of the best up to",
    "worse than single items by at most",
    "full at",
    "strict two is the best strict size at",
)


_READINGS = (
    "(a) any batch size",
    "(b) at most M, enough GPUs",
    "(c) rounds: Λ",
    "(c) queue, greedy: load",
    "(c) queue, strict: load",
)


def _cell(best: int, regret: float) -> str:
    if best == 0:
        return "nothing keeps up"
    if math.isinf(regret):
        return f"{best}; two is full"
    return "**2**" if best == TWO else f"{best}; {regret:+.1%}"


def _bands(ratio: float) -> Iterator[str]:
    loads = [float(load) for load in SCAN if load < MAX_LOAD * full_at(ratio)]
    means = {load: means_s(ratio, load) for load in loads}
    found = {load: best_and_regret(each) for load, each in means.items()}
    yield _band([load for load, (best, _) in found.items() if best == TWO])
    good = [load for load, (_, regret) in found.items() if regret <= GOOD_ENOUGH]
    lost = [load for load, (best, regret) in found.items() if best == 1 and regret > GOOD_ENOUGH]
    yield f"{max(good):.2f}" + (f", but for {_band(lost)}" if lost else "")
    worse = max(each[TWO] / each[1] - 1 for each in means.values() if 1 in each)
    yield f"{worse:.1%}" if worse > TIE else "never"
    yield f"{full_at(ratio):.2f}"
    best_strict = {
        load: best_and_regret(means_s(ratio, load, STRICT_SIZES, strict_mean_s))[0] for load in loads
    }
    yield _band([load for load, best in best_strict.items() if best == TWO])


def _band(loads: list[float]) -> str:
    return f"{min(loads):.2f}–{max(loads):.2f}" if loads else "nowhere"
