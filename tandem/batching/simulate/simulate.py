"""Discrete-event simulation with confidence intervals from independent replications."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import Outcome, Station, check_rate, unstable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Run = Callable[[Floats, Floats], tuple[Floats, Ints, float]]

# Share of every replication that is thrown away: it starts empty.
WARM_UP = 0.15
# Two-sided 95 % points of Student's t for 1 … 30 degrees of freedom (tables; scipy would cost half a second
# to import).
STUDENT_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
# Length of the list of random factors for service times; a prime, so that it never falls in step with the
# batches.
FACTORS = 100_003


@dataclass(frozen=True, kw_only=True)
class SimulationPlan:
    """How much to simulate.

    Attributes:
        items: items of one replication, 100 or more.
        replications: independent replications, 2 to 31.
        seed: seed of the random generator.
        spread: coefficient of variation of service times; 0 where they are deterministic. Lognormal.
    """

    items: int = 100_000
    replications: int = 10
    seed: int = 20_240_924
    spread: float = 0.0

    def __post_init__(self) -> None:
        if self.items < 100:
            raise InvalidInputError(f"{self.items} items a replication are too few; simulate 100 or more")
        if not 2 <= self.replications <= len(STUDENT_95) + 1:
            raise InvalidInputError(
                f"{self.replications} replications; there must be 2 to {len(STUDENT_95) + 1}"
            )
        if not (math.isfinite(self.spread) and self.spread >= 0):
            raise InvalidInputError(f"the spread of service times is {self.spread}; it must be 0 or more")


def service_factors(spread: float, generator: np.random.Generator) -> Floats:
    """`(m,)` random factors of mean 1 and standard deviation `spread`."""
    if spread == 0:
        return np.ones(1)
    sigma = math.sqrt(math.log1p(spread**2))
    return generator.lognormal(-(sigma**2) / 2, sigma, FACTORS)


def station_run(station: Station, *, triton: bool, fixed_shapes: bool = True) -> Run:
    """The compiled loop of one station, as a function of arrivals and factors.

    Args:
        station: what to simulate.
        triton: follow Triton's batcher instead of the ideal rule; strict has no counterpart there.
        fixed_shapes: all inputs of the model have fixed shapes (matters to Triton's batcher only).

    Raises:
        InvalidInputError: `triton` with a strict rule.
    """
    rule = station.rule
    service = station.service.table(rule.max_batch)
    if triton:
        if rule.kind == "strict":
            raise InvalidInputError("Triton has no strict rule; use a timeout with a long delay")
        from tandem.batching.simulate.triton_kernel import run_triton  # noqa: PLC0415 - numba is slow to import

        preferred = rule.max_batch if rule.kind == "greedy" else rule.preferred
        delay = rule.delay_s

        def run(arrivals: Floats, factors: Floats) -> tuple[Floats, Ints, float]:
            result: tuple[Floats, Ints, float] = run_triton(
                arrivals, service, factors, preferred, rule.max_batch, delay, station.instances, fixed_shapes
            )
            return result

        return run
    from tandem.batching.simulate.kernels import run_ideal  # noqa: PLC0415 - numba is slow to import

    def run_rule(arrivals: Floats, factors: Floats) -> tuple[Floats, Ints, float]:
        result: tuple[Floats, Ints, float] = run_ideal(
            arrivals, service, factors, rule.preferred, rule.max_batch, rule.delay_s, station.instances
        )
        return result

    return run_rule


def simulate(
    station: Station,
    rate_per_s: float,
    plan: SimulationPlan | None = None,
    *,
    triton: bool = False,
    fixed_shapes: bool = True,
) -> Outcome:
    """Figures of a station under Poisson arrivals, with the confidence interval of the mean.

    Args:
        station: what to simulate.
        rate_per_s: arrivals, items a second.
        plan: how much to simulate.
        triton: follow Triton's batcher instead of the ideal rule.
        fixed_shapes: all inputs of the model have fixed shapes (matters to Triton's batcher only).

    Raises:
        InvalidRateError: the rate is not positive and finite.
    """
    rate, plan = check_rate(rate_per_s), plan or SimulationPlan()
    if not station.is_stable(rate):
        return unstable(station)
    run = station_run(station, triton=triton, fixed_shapes=fixed_shapes)
    runs = [
        _replication(run, rate, plan, station.instances, np.random.default_rng(seed))
        for seed in np.random.SeedSequence(plan.seed).spawn(plan.replications)
    ]
    return replace(summarise(np.array(runs)), capacity_per_s=station.capacity_per_s)


def _replication(
    run: Run, rate: float, plan: SimulationPlan, instances: int, generator: np.random.Generator
) -> tuple[float, ...]:
    """Mean, p50, p95, p99, utilisation and mean batch of one replication."""
    arrivals = np.cumsum(generator.exponential(1 / rate, plan.items))
    latency, sizes, busy = run(arrivals, service_factors(plan.spread, generator))
    kept = latency[int(WARM_UP * plan.items) :]
    kept = kept[~np.isnan(kept)]
    p50, p95, p99 = np.quantile(kept, (0.50, 0.95, 0.99))
    items = sizes @ np.arange(1, len(sizes) + 1)
    return float(kept.mean()), p50, p95, p99, busy / (arrivals[-1] * instances), items / sizes.sum()


def summarise(runs: Floats) -> Outcome:
    """Outcome of `(replications, 6)` figures: mean, p50, p95, p99, utilisation, mean batch; no capacity."""
    mean = runs.mean(axis=0)
    return Outcome(
        stable=True,
        capacity_per_s=math.nan,
        mean_s=float(mean[0]),
        p50_s=float(mean[1]),
        p95_s=float(mean[2]),
        p99_s=float(mean[3]),
        utilization=float(min(mean[4], 1.0)),
        mean_batch=float(mean[5]),
        method="simulated",
        ci95_mean_s=half_width(runs[:, 0]),
    )


def half_width(values: Floats) -> float:
    """Half width of the 95 % confidence interval of the mean of independent values."""
    freedom = len(values) - 1
    return float(STUDENT_95[freedom - 1] * values.std(ddof=1) / math.sqrt(len(values)))
