"""An ensemble as a tandem of stations, simulated whole; the stations may share processors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import MAX_LOAD, Outcome, Station, check_rate
from tandem.batching.simulate.compiled import HAVE_NUMBA
from tandem.batching.simulate.estimate import GROUPS, Effort, estimate
from tandem.batching.simulate.rounds import Control, Run, lengths, loop_rounds
from tandem.batching.simulate.traffic import Poisson, Traffic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Without a compiler an ensemble runs at some 40,000 items a second: a setting gets five seconds, and its
# intervals say how far that came.
SLOW_ITEMS = 200_000
# A full ensemble is simulated for its capacity: so many times the items that all instances take at once are
# under way, and so many of them pass; the first tenth meets an emptier one.
FULL_ROOMS, FULL_ITEMS = 3, 120


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """Stations that every item passes in turn.

    Attributes:
        stations: one or more.
        demand: for each station the processors that a running batch of 1, 2, … uses; empty where nothing is
            shared.
        processors: processors that all share; infinity where nothing is shared.
        contention: for each station by which factor a batch of 1, 2, … takes longer beside others than fair
            shares of the processors would have it; empty where shares are fair.
    """

    stations: tuple[Station, ...]
    demand: tuple[tuple[float, ...], ...] = ()
    processors: float = math.inf
    contention: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.stations:
            raise InvalidInputError("an ensemble needs at least one station")
        for name, values in (("demands", self.demand), ("contentions", self.contention)):
            if values and len(values) != len(self.stations):
                raise InvalidInputError(
                    f"{len(values)} {name} for {len(self.stations)} stations; give one each"
                )
            for table, station in zip(values, self.stations, strict=False):
                if len(table) < station.rule.max_batch:
                    raise InvalidInputError(
                        f"{name} of batches up to {len(table)}; batches of {station.rule.max_batch} run"
                    )
        if not self.processors > 0:
            raise InvalidInputError(f"{self.processors} processors; there must be more than 0")

    @cached_property
    def capacity_per_s(self) -> float:
        """Items a second that a full ensemble answers."""
        limit = min(station.capacity_per_s for station in self.stations)
        work = 0.0
        for demand, station in zip(self.demand, self.stations, strict=False):
            most = station.rule.max_batch
            work += demand[most - 1] * station.service.of(most) / most
        if math.isinf(self.processors) or work == 0:
            return limit
        return min(limit, self.processors / work, self._full_per_s())

    def _full_per_s(self) -> float:
        """Items a second while there are always more than the stations can take, simulated.

        Neither limit is reached where steps leave processors idle in turn, or hinder each other.
        """
        taken = sum(station.instances * station.rule.max_batch for station in self.stations)
        room, items = FULL_ROOMS * taken, FULL_ITEMS * taken
        gone = np.sort(ensemble_latencies(self, np.zeros(items), np.ones(1), in_flight=room)[0])
        first, last = items // 10, items - room  # at the end the ensemble empties
        return float((last - first) / (gone[last] - gone[first]))

    @property
    def one_s(self) -> float:
        """Time of a lone item in all stations, seconds."""
        return sum(station.service.of(1) for station in self.stations)


def ensemble_run(ensemble: Ensemble) -> tuple[Run, Station]:
    """The loop as `rounds` wants it, sizes and busy time those of the station that limits; and that one."""
    busiest = min(ensemble.stations, key=lambda station: station.capacity_per_s)
    place = ensemble.stations.index(busiest)

    def run(arrivals: Floats, factors: Floats) -> tuple[Floats, Ints, float]:
        latency, _, sizes, spent = ensemble_latencies(ensemble, arrivals, factors)
        return latency, sizes[place], float(spent[place].sum())

    return run, busiest


def simulate_ensemble(
    ensemble: Ensemble,
    traffic: Traffic | float,
    effort: Effort | None = None,
    control: Control | None = None,
) -> Outcome:
    """Figures of the ensemble; utilisation and mean batch: the busiest station's.

    Args:
        ensemble: what to simulate.
        traffic: the arrivals; a number is a rate of Poisson arrivals, items a second.
        effort: how much to simulate.
        control: a queue with known figures that makes the intervals narrower; Poisson arrivals only.

    Raises:
        InvalidRateError: the rate is not positive and finite.
    """
    traffic = Poisson(traffic) if isinstance(traffic, float | int) else traffic
    rate, effort = check_rate(traffic.rate_per_s), effort or Effort()
    if rate >= MAX_LOAD * ensemble.capacity_per_s:
        return Outcome(stable=False, capacity_per_s=ensemble.capacity_per_s)
    run, busiest = ensemble_run(ensemble)
    room = sum(station.instances * station.rule.max_batch for station in ensemble.stations)
    warm_up, kept = lengths(rate / ensemble.capacity_per_s, traffic, room)
    if not HAVE_NUMBA:
        effort = replace(effort, most_items=min(effort.most_items, SLOW_ITEMS))
    # One round must not cost more than all of them may: near capacity replications would be that long.
    longest = max(effort.most_items // GROUPS, 4)
    if warm_up + kept > longest:
        warm_up, kept = longest // 4, longest - longest // 4
    turn = loop_rounds(run, warm_up, kept, traffic, effort.spread, control)
    found = estimate(ensemble.one_s, effort, turn, np.array(control.figures_s) if control else None)
    return found.of_station(ensemble.capacity_per_s, rate, busiest.instances)


def ensemble_latencies(
    ensemble: Ensemble,
    arrivals: NDArray[np.float64],
    factors: NDArray[np.float64],
    in_flight: int = 0,
    log: Floats | None = None,
) -> tuple[Floats, Floats, Ints, Floats]:
    """Latencies, entry times, batches by size and their times for given arrivals; see `run_network`.

    Args:
        ensemble: what to simulate.
        arrivals: `(n,)` times, seconds, rising.
        factors: what batches' times are multiplied by, in turn.
        in_flight: so many items are under way at most; 0: any number.
        log: filled with every batch, see `run_network`; none is kept without it.
    """
    from tandem.batching.simulate.ensemble_loop import run_network  # noqa: PLC0415 - numba is slow to import

    stations = ensemble.stations
    largest = max(station.rule.max_batch for station in stations)
    service, demand, contention = np.zeros((3, len(stations), largest))
    for place, station in enumerate(stations):
        sizes = station.rule.max_batch
        service[place, :sizes] = station.service.table(sizes)
        demand[place, :sizes] = ensemble.demand[place][:sizes] if ensemble.demand else 0.0
        contention[place, :sizes] = ensemble.contention[place][:sizes] if ensemble.contention else 1.0
    result: tuple[Floats, Floats, Ints, Floats] = run_network(
        arrivals,
        service,
        factors,
        np.array([station.rule.preferred for station in stations]),
        np.array([station.rule.max_batch for station in stations]),
        np.array([station.rule.delay_s for station in stations]),
        np.array([station.instances for station in stations]),
        demand,
        contention,
        ensemble.processors,
        in_flight,
        np.array([station.hold_s for station in stations]),
        np.zeros((len(stations), 0, 3)) if log is None else log,
    )
    return result
