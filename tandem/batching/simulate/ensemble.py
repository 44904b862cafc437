"""An ensemble as a tandem of stations, simulated whole; the stations may share processors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import MAX_LOAD, Outcome, Station, check_rate
from tandem.batching.simulate.compiled import HAVE_NUMBA
from tandem.batching.simulate.estimate import Effort, estimate
from tandem.batching.simulate.rounds import Control, Run, lengths, loop_rounds
from tandem.batching.simulate.traffic import Poisson, Traffic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Without a compiler an ensemble runs at some 40,000 items a second: a setting gets five seconds, and its
# intervals say how far that came.
SLOW_ITEMS = 200_000


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """Stations that every item passes in turn.

    Attributes:
        stations: one or more.
        demand: processors that a running batch of each station uses; empty where nothing is shared.
        processors: processors that all share; infinity where nothing is shared.
    """

    stations: tuple[Station, ...]
    demand: tuple[float, ...] = ()
    processors: float = math.inf

    def __post_init__(self) -> None:
        if not self.stations:
            raise InvalidInputError("an ensemble needs at least one station")
        if self.demand and len(self.demand) != len(self.stations):
            raise InvalidInputError(
                f"{len(self.demand)} demands for {len(self.stations)} stations; give one each"
            )
        if not self.processors > 0:
            raise InvalidInputError(f"{self.processors} processors; there must be more than 0")

    @property
    def capacity_per_s(self) -> float:
        """Items a second that neither a station nor the processors limit further, all batches full."""
        limits = [station.capacity_per_s for station in self.stations]
        work = sum(
            demand * station.service.of(station.rule.max_batch) / station.rule.max_batch
            for demand, station in zip(self.demand, self.stations, strict=False)
        )
        return min(*limits, self.processors / work) if work > 0 else min(limits)

    @property
    def one_s(self) -> float:
        """Time of a lone item in all stations, seconds."""
        return sum(station.service.of(1) for station in self.stations)


def ensemble_run(ensemble: Ensemble) -> tuple[Run, Station]:
    """The loop as `rounds` wants it, sizes and busy time those of the station that limits; and that one."""
    busiest = min(ensemble.stations, key=lambda station: station.capacity_per_s)
    place = ensemble.stations.index(busiest)

    def run(arrivals: Floats, factors: Floats) -> tuple[Floats, Ints, float]:
        latency, _, sizes, busy = ensemble_latencies(ensemble, arrivals, factors)
        return latency, sizes[place], float(busy[place])

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
    turn = loop_rounds(run, warm_up, kept, traffic, effort.spread, control)
    found = estimate(ensemble.one_s, effort, turn, np.array(control.figures_s) if control else None)
    return found.of_station(ensemble.capacity_per_s, rate, busiest.instances)


def ensemble_latencies(
    ensemble: Ensemble, arrivals: NDArray[np.float64], factors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Latencies, entry times, batch sizes and busy times of given arrivals, as `run_network` gives them."""
    from tandem.batching.simulate.ensemble_loop import run_network  # noqa: PLC0415 - numba is slow to import

    stations = ensemble.stations
    largest = max(station.rule.max_batch for station in stations)
    service = np.zeros((len(stations), largest))
    for row, station in zip(service, stations, strict=True):
        row[: station.rule.max_batch] = station.service.table(station.rule.max_batch)
    result: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]] = (
        run_network(
            arrivals,
            service,
            factors,
            np.array([station.rule.preferred for station in stations]),
            np.array([station.rule.max_batch for station in stations]),
            np.array([station.rule.delay_s for station in stations]),
            np.array([station.instances for station in stations]),
            np.array(ensemble.demand or [0.0] * len(stations), np.float64),
            ensemble.processors,
        )
    )
    return result
