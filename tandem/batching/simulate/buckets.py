"""Items of different lengths in queues of their own: who may share a batch, and which instance takes it.

Every item belongs to a bucket, and a batch holds items of one bucket. An instance serves some buckets; when
it is idle it takes, of the buckets in which somebody waits, the one whose oldest item waits longest, and up
to `max_batch` of its items at once (greedy). One bucket that all instances serve is the common queue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.batching.lengths import LengthModel
from tandem.batching.outcome import MAX_LOAD
from tandem.batching.simulate.compiled import HAVE_NUMBA, compiled
from tandem.batching.simulate.estimate import Effort, half_width
from tandem.batching.simulate.traffic import Traffic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Sequences of arrivals, their items, and those of them that meet an emptier server.
ROWS, ITEMS, ITEMS_WITHOUT_COMPILER = 30, 10_000, 2_000
WARM_UP = 0.1


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Who serves what.

    Attributes:
        max_batch: most items in a batch.
        cut_s: items that take longer alone are long, seconds; infinity where all are in one queue.
        shared: instances that take short and long items, in batches of their own.
        short: instances for short items only.
        long: instances for long items only.
    """

    max_batch: int
    cut_s: float = math.inf
    shared: int = 0
    short: int = 0
    long: int = 0

    def serves(self) -> Bools:
        """`(instances, 2)` whether each instance takes short and long items."""
        rows = [(True, True)] * self.shared + [(True, False)] * self.short + [(False, True)] * self.long
        return np.array(rows)


@dataclass(frozen=True, kw_only=True)
class LaidOut:
    """What a layout does; latencies in seconds, each with the half width of its 95 % interval.

    Attributes:
        layout: which.
        mean_s: of all items.
        p95_s: of all items.
        short_mean_s: of the items up to the reference cut.
        long_mean_s: of those above it.
        ci95_mean_s: half width of the interval of `mean_s`.
        ci95_p95_s: the same of `p95_s`.
    """

    layout: Layout
    mean_s: float
    p95_s: float
    short_mean_s: float
    long_mean_s: float
    ci95_mean_s: float
    ci95_p95_s: float


def is_stable(lengths: LengthModel, layout: Layout, rate_per_s: float) -> bool:
    """True where every queue stays finite: the work that comes in full batches is less than the instances."""
    alone = np.array(lengths.alone_s)
    work = []  # instances that short and long items keep busy
    for mine in (alone <= layout.cut_s, alone > layout.cut_s):
        if not mine.any():
            work.append(0.0)
            continue
        service = lengths.only(tuple(alone[mine])).mean_service()
        work.append(rate_per_s * mine.mean() * service.of(layout.max_batch) / layout.max_batch)
    over = [work[0] / MAX_LOAD - layout.short, work[1] / MAX_LOAD - layout.long]
    return sum(max(each, 0.0) for each in over) <= layout.shared


def simulate_layout(
    lengths: LengthModel,
    layout: Layout,
    traffic: Traffic,
    *,
    effort: Effort,
    told_apart_s: float | None = None,
) -> LaidOut:
    """Every layout meets the same arrivals with the same lengths, drawn from the sample.

    Args:
        lengths: what batches take.
        layout: must be stable.
        traffic: the arrivals.
        effort: the seed.
        told_apart_s: above it an item counts as long in the figures; the layout's cut by default.
    """
    generator = np.random.default_rng(effort.seed)
    items = ITEMS if HAVE_NUMBA else ITEMS_WITHOUT_COMPILER
    arrivals = traffic.times_s(ROWS, items, generator)
    alone = generator.choice(np.array(lengths.alone_s), (ROWS, items))
    latency = np.empty_like(arrivals)
    for row in range(ROWS):
        latency[row] = run_buckets(
            arrivals[row],
            alone[row],
            (alone[row] > layout.cut_s).astype(np.int64),
            layout.serves(),
            np.array(lengths.constant_s),
            np.array(lengths.longest),
            np.array(lengths.others),
            layout.max_batch,
        )
    kept, alone = latency[:, int(WARM_UP * items) :], alone[:, int(WARM_UP * items) :]
    long = alone > (layout.cut_s if told_apart_s is None else told_apart_s)
    return LaidOut(
        layout=layout,
        mean_s=float(kept.mean()),
        p95_s=float(np.quantile(kept, 0.95)),
        short_mean_s=float(kept[~long].mean()),
        long_mean_s=float(kept[long].mean()) if long.any() else float("nan"),
        ci95_mean_s=half_width(kept.mean(axis=1)),
        ci95_p95_s=half_width(np.quantile(kept, 0.95, axis=1)),
    )


@compiled()
def run_buckets(
    arrivals: Floats,
    alone: Floats,
    bucket: Ints,
    serves: Bools,
    constant: Floats,
    longest: Floats,
    others: Floats,
    max_batch: int,
) -> Floats:  # pragma: no cover - compiled
    """Latency of every item, seconds.

    Args:
        arrivals: `(n,)` times, seconds, rising.
        alone: `(n,)` what each item takes alone, seconds.
        bucket: `(n,)` 0 … buckets - 1.
        serves: `(instances, buckets)` which buckets an instance takes from.
        constant: `(largest,)` see `LengthModel`, seconds.
        longest: `(largest,)` likewise.
        others: `(largest,)` likewise.
        max_batch: most items in a batch.
    """
    instances, buckets = serves.shape
    total = len(arrivals)
    latency = np.full(total, np.nan)
    # The items of each bucket in their order: the next one behind each, and the first that waits.
    behind = np.full(total, total)
    head = np.full(buckets, total)
    for item in range(total - 1, -1, -1):
        behind[item] = head[bucket[item]]
        head[bucket[item]] = item
    free = np.zeros(instances)
    while True:
        begin, who, what = np.inf, -1, -1
        for one in range(instances):
            for other in range(buckets):
                if not serves[one, other] or head[other] >= total:
                    continue
                start = max(free[one], arrivals[head[other]])
                older = who >= 0 and start == begin and head[other] < head[what]
                if start < begin or older:
                    begin, who, what = start, one, other
        if who < 0:
            return latency
        size, top, together = 0, 0.0, 0.0
        item = head[what]
        while item < total and size < max_batch and arrivals[item] <= begin:
            size += 1
            top = max(top, alone[item])
            together += alone[item]
            item = behind[item]
        took = constant[size - 1] + longest[size - 1] * top + others[size - 1] * (together - top)
        end = begin + max(took, top)
        item = head[what]
        for _ in range(size):
            latency[item] = end - arrivals[item]
            item = behind[item]
        head[what] = item
        free[who] = end
