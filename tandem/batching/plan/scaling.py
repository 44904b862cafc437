"""At which rate to start the next replica, where a new one takes a while: every threshold is simulated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import Station
from tandem.batching.plan.report import Addition, Json
from tandem.batching.simulate.climb import LOOK_S, Profile, Scaled, simulate_climb
from tandem.batching.simulate.estimate import Effort

# Thresholds to try, as shares of a replica's capacity; the last one is "when it is full".
LOADS = tuple(np.round(np.arange(0.30, 0.96, 0.05), 2).tolist())
# Of a longer profile only the steepest stretch is simulated.
MOST_ITEMS = 200_000
# Without a limit, an item is late that takes so many times the 95th percentile at the usual rate.
LATE = 2.0


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Thresholds and what comes of them.

    Attributes:
        capacity_per_s: of one replica, items a second.
        replica_s: seconds until a new replica serves.
        limit_s: what the 95th percentile of the worst stretch of time must not exceed, seconds.
        tried: every threshold, rising.
        chosen: the highest threshold that keeps the limit, as all below it do; None where there is none.
        at_once: the same if replicas came at once.
    """

    capacity_per_s: float
    replica_s: float
    limit_s: float
    tried: tuple[Scaled, ...]
    chosen: Scaled | None
    at_once: Scaled | None


def plan_scaling(
    station: Station,
    profile: Profile,
    *,
    replica_s: float,
    limit_s: float,
    effort: Effort | None = None,
    transport_s: float = 0.0,
) -> Scaling:
    """Try every threshold on a rate that changes; of a long one, on its steepest stretch.

    Args:
        station: one replica.
        profile: the rate.
        replica_s: seconds from asking for a replica to its first answer, 0 or more.
        limit_s: see `Scaling`.
        effort: the seed, and how much service times scatter.
        transport_s: added to each latency, seconds.

    Raises:
        InvalidInputError: the delay is negative.
    """
    if not (np.isfinite(replica_s) and replica_s >= 0):
        raise InvalidInputError(f"a new replica takes {replica_s:g} s; it must be 0 or more")
    capacity = station.capacity_per_s
    climb = profile if profile.items <= MOST_ITEMS else profile.steepest(replica_s + 2 * LOOK_S)

    def tried(delay_s: float) -> Iterator[Scaled]:
        return (
            simulate_climb(
                station, climb, threshold_per_s=load * capacity, replica_s=delay_s, limit_s=limit_s,
                effort=effort or Effort(), transport_s=transport_s,
            )
            for load in LOADS
        )  # fmt: skip

    late = tuple(tried(replica_s))
    return Scaling(
        capacity_per_s=capacity,
        replica_s=replica_s,
        limit_s=limit_s,
        tried=late,
        chosen=_highest(late, limit_s),
        at_once=_highest(tried(0.0), limit_s),
    )


def _highest(tried: Iterable[Scaled], limit_s: float) -> Scaled | None:
    """The last before the first that exceeds the limit."""
    found = None
    for each in tried:
        if each.worst_p95_s > limit_s:
            break
        found = each
    return found


def scaling_addition(scaling: Scaling) -> Addition:
    """The answer, what the delay costs, and a line for each threshold."""
    return Addition(key="scaling", lines=tuple(_lines(scaling)), table=_table(scaling), json=_json(scaling))


def _lines(scaling: Scaling) -> list[str]:
    least, full = scaling.tried[0], scaling.tried[-1]
    takes = f"a new one takes {scaling.replica_s:g} s"
    limit = f"{scaling.limit_s * 1e3:.4g} ms"
    if scaling.chosen is None:
        return [
            f"scale out    no threshold keeps p95 within {limit} while {takes}: at "
            f"{least.threshold_per_s:.4g} items/s per replica it is {least.worst_p95_s * 1e3:.4g} ms at "
            "worst; have more from the start"
        ]
    chosen = scaling.chosen
    lines = [
        f"scale out    at {chosen.threshold_per_s:.4g} items/s per replica "
        f"({chosen.threshold_per_s / scaling.capacity_per_s:.0%} of its capacity), because {takes}: p95 "
        f"{chosen.worst_p95_s * 1e3:.4g} ms at worst (limit {limit})"
    ]
    costs = ""
    if scaling.at_once is not None:
        more = scaling.at_once.threshold_per_s / chosen.threshold_per_s - 1
        costs = (
            f"{more:.0%} more replicas than if new ones came at once (then "
            f"{scaling.at_once.threshold_per_s:.4g} items/s); "
        )
    lines.append(
        f"the delay    costs {costs}started only at {full.threshold_per_s:.4g} items/s: p95 "
        f"{full.worst_p95_s * 1e3:.4g} ms at worst, {full.late_items:.0f} items late, "
        f"{full.most_at_once:.0f} waiting or served at once"
    )
    return lines


def _table(scaling: Scaling) -> str:
    lines = [
        f"{'next replica':>12} {'of capacity':>11} {'replicas':>10} {'worst p95':>10} {'late':>8} "
        f"{'at once':>8}",
        f"{'items/s each':>12} {'':>11} {'':>10} {'ms':>10} {'items':>8} {'items':>8}",
    ]
    for each in scaling.tried:
        lines.append(
            f"{each.threshold_per_s:12.4g} {each.threshold_per_s / scaling.capacity_per_s:11.0%} "
            f"{f'{each.first} → {each.last:.1f}':>10} {each.worst_p95_s * 1e3:10.4g} {each.late_items:8.0f} "
            f"{each.most_at_once:8.0f}" + ("  chosen" if each is scaling.chosen else "")
        )
    return "\n".join(lines)


def _json(scaling: Scaling) -> Json:
    return {
        "replica_s": scaling.replica_s,
        "limit_ms": round(scaling.limit_s * 1e3, 3),
        "capacity_per_s": round(scaling.capacity_per_s, 4),
        "chosen": _scaled_json(scaling.chosen),
        "at_once": _scaled_json(scaling.at_once),
        "tried": [_scaled_json(each) for each in scaling.tried],
    }


def _scaled_json(scaled: Scaled | None) -> Json | None:
    if scaled is None:
        return None
    return {
        "threshold_per_s": round(scaled.threshold_per_s, 4),
        "replicas_first": scaled.first,
        "replicas_last": round(scaled.last, 2),
        "worst_p95_ms": round(scaled.worst_p95_s * 1e3, 3),
        "late_items": round(scaled.late_items, 1),
        "most_at_once": round(scaled.most_at_once, 1),
    }
