"""What buckets by length, or an instance for long items, would gain over one queue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tandem.batching.lengths import LengthModel
from tandem.batching.plan.planner import Objective
from tandem.batching.plan.report import Addition, Json
from tandem.batching.simulate.buckets import LaidOut, Layout, is_stable, simulate_layout
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.traffic import Traffic

# So many cuts between short and long are tried.
MOST_CUTS = 9
SIZES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, kw_only=True)
class ByLength:
    """The common queue beside the best of each other layout; None where none is stable.

    Attributes:
        objective: what was made small.
        instances: that there are.
        one: one queue.
        buckets: short and long items in batches of their own, on the same instances.
        apart: an instance for long items, of those that there are; None also for a single instance.
        one_more: one queue and one instance more.
        apart_more: one instance more, for long items.
    """

    objective: Objective
    instances: int
    one: LaidOut | None
    buckets: LaidOut | None
    apart: LaidOut | None
    one_more: LaidOut | None
    apart_more: LaidOut | None


def compare_layouts(
    lengths: LengthModel,
    traffic: Traffic,
    *,
    instances: int,
    max_batch: int,
    objective: Objective,
    effort: Effort | None = None,
) -> ByLength:
    """Try every cut and batch size of every layout, all with the same arrivals and lengths, without delay.

    Args:
        lengths: what batches take; the traffic's items are drawn from its sample, which holds two lengths or
            more.
        traffic: the arrivals.
        instances: how many there are, 1 or more.
        max_batch: largest batch to try.
        objective: what to make small; p99 is judged by p95.
        effort: the seed.
    """
    cuts = np.unique(lengths.alone_s)[:-1]  # above the longest nothing is long
    if len(cuts) > MOST_CUTS:
        cuts = np.unique(np.quantile(cuts, np.linspace(0, 1, MOST_CUTS), method="nearest"))
    apart_s = float(cuts[len(cuts) // 2])

    sizes = sorted({size for size in SIZES if size < max_batch} | {max_batch})

    def best(layouts: Sequence[Layout]) -> LaidOut | None:
        found = [
            simulate_layout(lengths, layout, traffic, effort=effort or Effort(), told_apart_s=apart_s)
            for layout in (replace(each, max_batch=size) for each in layouts for size in sizes)
            if is_stable(lengths, layout, traffic.rate_per_s)
        ]
        return min(found, key=lambda each: value_s(each, objective), default=None)

    def split(total: int) -> list[Layout]:
        return [
            Layout(max_batch=1, cut_s=cut, short=total - long, long=long)
            for cut in cuts
            for long in range(1, total)
        ]

    return ByLength(
        objective=objective,
        instances=instances,
        one=best([Layout(max_batch=1, shared=instances)]),
        buckets=best([Layout(max_batch=1, cut_s=cut, shared=instances) for cut in cuts]),
        apart=best(split(instances)),
        one_more=best([Layout(max_batch=1, shared=instances + 1)]),
        apart_more=best(split(instances + 1)),
    )


def value_s(found: LaidOut, objective: Objective) -> float:
    """The objective, seconds; p95 stands for p99 as well."""
    return found.mean_s if objective == "mean" else found.p95_s


def by_length_addition(found: ByLength) -> Addition:
    """A line of answer for each layout, and the table."""
    return Addition(key="by_length", lines=tuple(_lines(found)), table=_table(found), json=_json(found))


def _lines(found: ByLength) -> list[str]:
    if found.one is None:
        return ["by length    one queue can't keep up with items of these lengths"]
    parts = [f"buckets {_gain(found, found.buckets, found.one)}"]
    if found.instances > 1:
        parts.append(
            f"an instance of the {found.instances} for long items {_gain(found, found.apart, found.one)}"
        )
    parts.append(f"one instance more for long items {_gain(found, found.apart_more, found.one)}")
    parts.append(f"one more in the same queue {_gain(found, found.one_more, found.one)}")
    # An instance more is taken to have processors of its own.
    return [f"by length    {parts[0]}"] + [f"             {part}" for part in parts[1:]]


def _gain(found: ByLength, other: LaidOut | None, one: LaidOut) -> str:
    """What the mean and p95 become against one queue."""
    if other is None:
        return "would not keep up, wherever they are cut"
    layout = other.layout
    cut = "" if math.isinf(layout.cut_s) else f"cut at {layout.cut_s * 1e3:.4g} ms alone, "
    cut = f" ({cut}batches up to {layout.max_batch})"
    words = [
        f"{name} {before * 1e3:.4g} → {after * 1e3:.4g} ms ({after / before - 1:+.0%})"
        for name, before, after in (("mean", one.mean_s, other.mean_s), ("p95", one.p95_s, other.p95_s))
    ]
    if found.objective != "mean":
        words.reverse()
    sure = abs(other.mean_s - one.mean_s) > max(other.ci95_mean_s, one.ci95_mean_s)
    return f"{', '.join(words)}{cut}" + ("" if sure else "; no more than chance")


def _rows(found: ByLength) -> list[tuple[str, int, LaidOut | None]]:
    more = found.instances + 1
    rows = [("one queue", found.instances, found.one), ("buckets", found.instances, found.buckets)]
    if found.instances > 1:
        rows.append(("long apart", found.instances, found.apart))
    return [*rows, ("one queue", more, found.one_more), ("long apart", more, found.apart_more)]


def _table(found: ByLength) -> str:
    lines = [
        f"{'layout':10} {'instances':>9} {'M':>3} {'cut':>9} {'mean':>16} {'p95':>16} {'short: mean':>11} "
        f"{'long: mean':>10}",
        f"{'':10} {'':>9} {'':>3} {'ms alone':>9} {'ms':>16} {'ms':>16} {'ms':>11} {'ms':>10}",
    ]
    for name, instances, each in _rows(found):
        start = f"{name:10} {instances:9d} "
        if each is None:
            lines.append(start + "unstable: more arrives than this can serve")
            continue
        layout = each.layout
        cut = "-" if math.isinf(layout.cut_s) else f"{layout.cut_s * 1e3:.4g}"
        mean, p95 = (
            f"{value * 1e3:.4g} ± {half * 1e3:.2g}"
            for value, half in ((each.mean_s, each.ci95_mean_s), (each.p95_s, each.ci95_p95_s))
        )
        lines.append(
            start + f"{layout.max_batch:3d} {cut:>9} {mean:>16} {p95:>16} {each.short_mean_s * 1e3:11.4g} "
            f"{each.long_mean_s * 1e3:10.4g}"
        )
    return "\n".join(lines)


def _json(found: ByLength) -> Json:
    return {
        "layouts": [
            {
                "layout": name.replace(" ", "_"),
                "instances": instances,
                "stable": each is not None,
                **(_laid_out_json(each) if each else {}),
            }
            for name, instances, each in _rows(found)
        ],
    }


def _laid_out_json(found: LaidOut) -> Json:
    cut = found.layout.cut_s
    return {
        "max_batch": found.layout.max_batch,
        "cut_ms": None if math.isinf(cut) else round(cut * 1e3, 4),
        "instances_for_long": found.layout.long,
        "mean_ms": round(found.mean_s * 1e3, 4),
        "p95_ms": round(found.p95_s * 1e3, 4),
        "short_mean_ms": round(found.short_mean_s * 1e3, 4),
        "long_mean_ms": round(found.long_mean_s * 1e3, 4),
        "ci95_mean_ms": round(found.ci95_mean_s * 1e3, 4),
        "ci95_p95_ms": round(found.ci95_p95_s * 1e3, 4),
    }
