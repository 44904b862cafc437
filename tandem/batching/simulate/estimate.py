"""Figures with confidence intervals, simulated until the intervals are narrow enough.

Replications are dealt out to `GROUPS` groups. A figure (mean, p50, p95, p99) comes from all latencies
together, its interval from how the groups scatter. Where a *control* is given, a queue that meets the same
arrivals and whose figures are known exactly, what its figures are off tells what ours are off (control
variates; Lavenberg and Welch, Management Science 27, 1981): near capacity, where intervals are widest, that
saves most of the work.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import Outcome

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUPS = 30
SHARES = (0.50, 0.95, 0.99)
# Two-sided 95 % points of Student's t for 1 … 30 degrees of freedom (tables; scipy would cost half a second
# to import).
STUDENT_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
# Latencies are counted in classes of this relative width, from a twentieth of s(1) to half a million s(1).
CLASS_WIDTH = 1e-3
CLASSES = 16_000
LEAST = 0.05


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much to simulate.

    Attributes:
        precision: half width of the 95 % intervals of p95 and p99 to reach, as a share; the mean's is half of
            it.
        most_items: items after which to stop all the same; the intervals then say what was reached.
        seed: of the random generator.
        spread: coefficient of variation of service times; 0 where they are deterministic. Lognormal.
    """

    precision: float = 0.01
    most_items: int = 30_000_000
    seed: int = 20_240_924
    spread: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.precision < 1:
            raise InvalidInputError(
                f"the precision is {self.precision:g}; it must be a share between 0 and 1"
            )
        if self.most_items < 1:
            raise InvalidInputError(f"{self.most_items} items can't be simulated; it must be 1 or more")
        if not (math.isfinite(self.spread) and self.spread >= 0):
            raise InvalidInputError(f"the spread of service times is {self.spread}; it must be 0 or more")


@dataclass(frozen=True)
class Round:
    """What one round of replications gave, warm-up removed.

    Attributes:
        latency_s: `(rows, items)`, nan where unfinished; the rows are a multiple of `GROUPS`.
        control_s: `(rows, items)` latencies of the control, or None.
        items: items in the counted batches.
        batches: how many batches were counted.
        busy_s: their time, together.
    """

    latency_s: Floats
    control_s: Floats | None
    items: int
    batches: int
    busy_s: float


# One round: with a generator of its own, and which round it is, from 0.
Turn = Callable[[np.random.Generator, int], Round]


class Tally:
    """Counts latencies of every group in classes, so that any number of them takes the same room.

    Args:
        one_s: s(1), seconds; sets the scale.
    """

    def __init__(self, one_s: float) -> None:
        self._least = LEAST * one_s
        self._counts = np.zeros((GROUPS, CLASSES), np.int64)
        self._sums = np.zeros(GROUPS)

    def add(self, latency_s: Floats) -> None:
        """Add the latencies of rows; row r belongs to group r modulo `GROUPS`."""
        rows = len(latency_s)
        group = np.repeat(np.arange(rows) % GROUPS, latency_s.shape[1])
        flat = latency_s.ravel()
        known = ~np.isnan(flat)
        if not known.all():
            group, flat = group[known], flat[known]
        place = (np.log(flat / self._least) / CLASS_WIDTH).astype(np.int64)
        np.clip(place, 0, CLASSES - 1, out=place)
        self._counts += np.bincount(group * CLASSES + place, minlength=GROUPS * CLASSES).reshape(
            GROUPS, CLASSES
        )
        self._sums += np.bincount(group, flat, minlength=GROUPS)

    @property
    def items(self) -> int:
        """Latencies counted."""
        return int(self._counts.sum())

    def groups(self) -> Floats:
        """`(GROUPS, 4)` mean, p50, p95 and p99 of every group, seconds."""
        return np.stack([self._figures(*each) for each in zip(self._counts, self._sums, strict=True)])

    def together(self) -> Floats:
        """`(4,)` the same of all latencies together."""
        return self._figures(self._counts.sum(axis=0), float(self._sums.sum()))

    def _figures(self, counts: Ints, total: float) -> Floats:
        below = np.cumsum(counts)
        wanted = np.array(SHARES) * below[-1]
        place = np.searchsorted(below, wanted)
        inside = (wanted - (below[place] - counts[place])) / np.maximum(counts[place], 1)
        quantiles = self._least * np.exp(CLASS_WIDTH * (place + inside))
        return np.concatenate([[total / below[-1]], quantiles])


def estimate(
    one_s: float,
    effort: Effort,
    simulate_round: Turn,
    known: Floats | None = None,
) -> Outcome:
    """Figures from as many rounds as it takes; without the capacity, busy seconds an item as utilisation.

    Args:
        one_s: s(1), seconds.
        effort: how much to simulate.
        simulate_round: one round, with a generator of its own.
        known: `(4,)` the control's mean, p50, p95 and p99, seconds; None without a control.
    """
    ours, control = Tally(one_s), Tally(one_s)
    items = batches = 0
    busy = 0.0
    seeds = np.random.SeedSequence(effort.seed)
    for number in count():
        found = simulate_round(np.random.default_rng(seeds.spawn(1)[0]), number)
        ours.add(found.latency_s)
        if found.control_s is not None:
            control.add(found.control_s)
        items, batches, busy = items + found.items, batches + found.batches, busy + found.busy_s
        figures, half = intervals(ours, control if known is not None else None, known)
        if precise(figures, half, effort.precision) or ours.items >= effort.most_items:
            break
    return Outcome(
        stable=True,
        capacity_per_s=math.nan,
        mean_s=float(figures[0]),
        p50_s=float(figures[1]),
        p95_s=float(figures[2]),
        p99_s=float(figures[3]),
        utilization=busy / items,
        mean_batch=items / batches,
        method="simulated",
        ci95_mean_s=float(half[0]),
        ci95_p95_s=float(half[2]),
        ci95_p99_s=float(half[3]),
    )


def precise(figures: Floats, half: Floats, precision: float) -> bool:
    """True where the mean's interval is within half the precision, and those of p95 and p99 are within it."""
    share = half / figures
    return bool(share[0] <= precision / 2 and share[2] <= precision and share[3] <= precision)


def intervals(ours: Tally, control: Tally | None, known: Floats | None) -> tuple[Floats, Floats]:
    """`(4,)` figures and `(4,)` half widths of their 95 % intervals, seconds."""
    figures, groups = ours.together(), ours.groups()
    half = np.array([half_width(column) for column in groups.T])
    if control is None or known is None:
        return figures, half
    off, others = control.together() - known, control.groups()
    for place in range(len(figures)):
        theirs, mine = others[:, place], groups[:, place]
        if np.ptp(theirs) == 0:
            continue
        slope = float(np.cov(theirs, mine)[0, 1] / theirs.var(ddof=1))
        rest = mine - slope * theirs
        narrower = half_width(rest, lost=1)
        if narrower < half[place]:
            figures[place] -= slope * off[place]
            half[place] = narrower
    return figures, half


def half_width(values: Floats, lost: int = 0) -> float:
    """Half width of the 95 % confidence interval of the mean of independent values.

    Args:
        values: two or more.
        lost: degrees of freedom that a fit took away besides the mean's.
    """
    freedom = len(values) - 1 - lost
    scale = values.std(ddof=1 + lost) / math.sqrt(len(values))
    return float(STUDENT_95[min(freedom, len(STUDENT_95)) - 1] * scale)
