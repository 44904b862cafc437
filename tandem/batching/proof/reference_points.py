"""38 points whose figures are known otherwise; `python -m tandem.batching.proof points` prints them.

Three rules on 1, 2 and 4 instances, at half and at 90 % of capacity, and two points at which simulated
quantiles were once off without a word. The reference is `reference_queue.latencies`, whose figures lie in
reference_points.json, so that any environment can hold the planner to them in seconds; `--again` simulates
them anew (numba, minutes). Where an exact mean is known it stands beside.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tandem.batching.outcome import Station
from tandem.batching.proof.reference_queue import latencies, mean_by_chain
from tandem.batching.rules import Rule, greedy, strict, timeout
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.estimate import Effort, half_width
from tandem.batching.solve import solve

Floats = NDArray[np.float64]

STORED = Path(__file__).with_name("reference_points.json")
ALPHA_S, BETA_S = 0.004, 0.008
# What the planner may be off, as a share.
MEAN_WITHIN, QUANTILE_WITHIN = 0.01, 0.02
FINE = Effort(precision=0.005)
# Near capacity figures move slowly: sixty million items. The first of each run are thrown away.
RUNS, ITEMS_LIGHT, ITEMS_NEAR = 30, 200_000, 2_000_000
WARM_UP = 20_000
NEAR = 0.9


@dataclass(frozen=True, kw_only=True)
class Point:
    """A station at a load.

    Attributes:
        station: what serves.
        load: rate over capacity, 0-1.
    """

    station: Station
    load: float

    @property
    def name(self) -> str:
        """Rule, M, instances and load."""
        rule = self.station.rule
        wait = f"-{rule.delay_s * 1e3:g}ms" if rule.kind == "timeout" else ""
        return f"{rule.kind}{wait}-M{rule.max_batch}-c{self.station.instances}-{self.load:.0%}"

    @property
    def rate_per_s(self) -> float:
        """Arrivals, items a second."""
        return self.load * self.station.capacity_per_s


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the independent simulation found.

    Attributes:
        figures_s: mean, p95 and p99, seconds.
        half_s: half widths of their 95 % intervals, seconds.
    """

    figures_s: tuple[float, float, float]
    half_s: tuple[float, float, float]


def points() -> list[Point]:
    """All of them."""
    grid = [
        Point(station=_station(rule, instances), load=load)
        for most, instances, load in itertools.product((2, 4), (1, 2, 4), (0.5, NEAR))
        for rule in (greedy(most), strict(most), timeout(most, 0.010))
    ]
    return [
        *grid,
        Point(station=_station(greedy(8), 4), load=NEAR),
        Point(station=_station(timeout(8, 0.050), 4), load=0.6),
    ]


def _station(rule: Rule, instances: int) -> Station:
    service = ServiceTime.linear(ALPHA_S, BETA_S, rule.max_batch)
    return Station(service=service, rule=rule, instances=instances)


def simulate_reference(point: Point, seed: int = 5) -> Reference:
    """Mean, p95 and p99 by the independent simulation; the intervals from how its runs scatter."""
    generator = np.random.default_rng(seed)
    rule, station = point.station.rule, point.station
    items = ITEMS_NEAR if point.load >= NEAR else ITEMS_LIGHT
    found = []
    for _ in range(RUNS):
        gaps = generator.exponential(1 / point.rate_per_s, items)
        kept = latencies(
            gaps, station.service.table(rule.max_batch), rule.preferred, rule.delay_s, station.instances
        )[WARM_UP:]
        kept = kept[~np.isnan(kept)]
        found.append([kept.mean(), *np.quantile(kept, (0.95, 0.99))])
    runs = np.array(found)  # (RUNS, 3)
    mean, p95, p99 = runs.mean(axis=0)
    half = tuple(half_width(column) for column in runs.T)
    return Reference(figures_s=(float(mean), float(p95), float(p99)), half_s=(half[0], half[1], half[2]))


def exact_mean_s(point: Point) -> float | None:
    """The mean by the chain, seconds; None where there is no such chain."""
    rule = point.station.rule
    if point.station.instances != 1 or rule.kind == "timeout":
        return None
    return mean_by_chain(point.rate_per_s, point.station.service.table(rule.max_batch), rule.preferred)


def stored() -> dict[str, Reference]:
    """The references as they were simulated, by the points' names."""
    read = json.loads(STORED.read_text("utf-8"))
    return {
        name: Reference(figures_s=tuple(each["figures_s"]), half_s=tuple(each["half_s"]))
        for name, each in read.items()
    }


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The planner beside the reference.

    Attributes:
        point: where.
        reference: what the reference says.
        ours_s: the planner's mean, p95 and p99, seconds.
        method: the planner's.
        exact_s: the mean by the chain, seconds, where there is one.
    """

    point: Point
    reference: Reference
    ours_s: Floats
    method: str
    exact_s: float | None

    @property
    def off(self) -> Floats:
        """`(3,)` the planner's mean, p95 and p99 over the reference's, less 1."""
        off: Floats = self.ours_s / np.array(self.reference.figures_s) - 1
        return off

    @property
    def agrees(self) -> bool:
        """Mean within 1 %, of the exact one as well, p95 and p99 within 2 %."""
        exact = 0.0 if self.exact_s is None else abs(self.ours_s[0] / self.exact_s - 1)
        worst = np.abs(self.off)
        return bool(max(exact, worst[0]) < MEAN_WITHIN and worst[1:].max() < QUANTILE_WITHIN)


def compare(point: Point, reference: Reference) -> Compared:
    """Solve the point as the planner does, and put it beside the reference."""
    outcome = solve(point.station, point.rate_per_s, FINE)
    return Compared(
        point=point,
        reference=reference,
        ours_s=np.array([outcome.mean_s, outcome.p95_s, outcome.p99_s]),
        method=outcome.method,
        exact_s=exact_mean_s(point),
    )


def table(rows: Iterable[Compared]) -> str:
    """All points as a Markdown table, milliseconds, and a line that counts those that agree."""
    rows = list(rows)
    lines = [
        "| point | method | planner: mean | p95 | p99 | reference: mean | p95 | p99 | exact mean "
        "| off: mean | p95 | p99 |",
        "|" + "---|" * 12,
    ]
    for row in rows:
        ours = " | ".join(f"{value * 1e3:.2f}" for value in row.ours_s)
        pairs = zip(row.reference.figures_s, row.reference.half_s, strict=True)
        theirs = " | ".join(f"{value * 1e3:.2f} ± {half * 1e3:.2f}" for value, half in pairs)
        exact = "" if row.exact_s is None else f"{row.exact_s * 1e3:.2f}"
        off = " | ".join(f"{value:+.2%}" for value in row.off)
        mark = "" if row.agrees else " (off)"
        lines.append(f"| {row.point.name}{mark} | {row.method} | {ours} | {theirs} | {exact} | {off} |")
    worst = np.abs([row.off for row in rows]).max(axis=0)
    lines.append(
        f"\n{sum(row.agrees for row in rows)} of {len(rows)} agree: mean within {MEAN_WITHIN:.0%}, p95 and "
        f"p99 within {QUANTILE_WITHIN:.0%} (at worst {worst[0]:.2%}, {worst[1]:.2%} and {worst[2]:.2%})"
    )
    return "\n".join(lines)


def store(references: dict[str, Reference]) -> None:
    """Keep references, by the points' names."""
    content = {
        name: {"figures_s": reference.figures_s, "half_s": reference.half_s}
        for name, reference in references.items()
    }
    STORED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
