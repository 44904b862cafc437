"""An ensemble as a tandem of stations, simulated whole; the stations may share processors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import MAX_LOAD, Outcome, Station, check_rate
from tandem.batching.simulate.simulate import WARM_UP, SimulationPlan, service_factors, summarise


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


def simulate_ensemble(ensemble: Ensemble, rate_per_s: float, plan: SimulationPlan | None = None) -> Outcome:
    """Figures of the ensemble under Poisson arrivals; utilisation and mean batch: the busiest station's.

    Raises:
        InvalidRateError: the rate is not positive and finite.
    """
    rate, plan = check_rate(rate_per_s), plan or SimulationPlan()
    if rate >= MAX_LOAD * ensemble.capacity_per_s:
        return Outcome(stable=False, capacity_per_s=ensemble.capacity_per_s)
    runs = [
        _replication(ensemble, rate, plan, np.random.default_rng(seed))
        for seed in np.random.SeedSequence(plan.seed).spawn(plan.replications)
    ]
    return replace(summarise(np.array(runs)), capacity_per_s=ensemble.capacity_per_s)


def ensemble_latencies(
    ensemble: Ensemble, arrivals: NDArray[np.float64], factors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Latencies, entry times, batch sizes and busy times of given arrivals, as `run_network` gives them."""
    from tandem.batching.simulate.network_kernel import run_network  # noqa: PLC0415 - numba is slow to import

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


def _replication(
    ensemble: Ensemble, rate: float, plan: SimulationPlan, generator: np.random.Generator
) -> tuple[float, ...]:
    """Mean, p50, p95, p99, utilisation and mean batch of one replication."""
    arrivals = np.cumsum(generator.exponential(1 / rate, plan.items))
    latency, _, sizes, busy = ensemble_latencies(ensemble, arrivals, service_factors(plan.spread, generator))
    kept = latency[int(WARM_UP * plan.items) :]
    kept = kept[~np.isnan(kept)]
    p50, p95, p99 = np.quantile(kept, (0.50, 0.95, 0.99))
    instances = np.array([station.instances for station in ensemble.stations])
    load = busy / (arrivals[-1] * instances)
    busiest = int(load.argmax())
    items = sizes[busiest] @ np.arange(1, sizes.shape[1] + 1)
    return float(kept.mean()), p50, p95, p99, float(load[busiest]), items / sizes[busiest].sum()
