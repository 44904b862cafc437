"""How items arrive: at random (Poisson), in bursts (on/off), or as they were recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidInputError
from tandem.batching.outcome import check_rate

Floats = NDArray[np.float64]

# A recording of fewer arrivals says nothing about the slowest per cent.
FEWEST_RECORDED = 1000


class Traffic(Protocol):
    """A law of arrivals."""

    @property
    def rate_per_s(self) -> float:
        """Items a second in the long run."""

    @property
    def memory_items(self) -> float:
        """Over about how many items arrivals depend on each other; 0 where they do not."""

    def times_s(self, rows: int, items: int, generator: np.random.Generator) -> Floats:
        """`(rows, items)` independent sequences of arrival times, seconds, rising along each row."""


@dataclass(frozen=True)
class Poisson:
    """Independent arrivals.

    Attributes:
        rate_per_s: items a second, above 0.
    """

    rate_per_s: float

    def __post_init__(self) -> None:
        check_rate(self.rate_per_s)

    @property
    def memory_items(self) -> float:
        """Arrivals that came tell nothing about those that will come."""
        return 0.0

    def times_s(self, rows: int, items: int, generator: np.random.Generator) -> Floats:
        """See `Traffic.times_s`."""
        times = generator.standard_exponential((rows, items))
        times *= 1 / self.rate_per_s
        arrivals: Floats = np.cumsum(times, axis=1, out=times)
        return arrivals


@dataclass(frozen=True, kw_only=True)
class BurstShape:
    """Bursts, whatever the rate: a Poisson process that switches between two rates (Markov-modulated).

    Attributes:
        factor: rate in a burst over the mean rate, 1 or more.
        seconds: mean length of a burst, above 0; lengths are exponential.
        share: share of the time that is burst, 0 to 1, at most 1 / `factor`: then nothing comes between
            bursts.
    """

    factor: float
    seconds: float
    share: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and self.factor >= 1):
            raise InvalidInputError(f"a burst has {self.factor:g} times the mean rate; it must be 1 or more")
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise InvalidInputError(f"a burst lasts {self.seconds:g} s; it must be above 0")
        if not 0 < self.share < 1:
            raise InvalidInputError(
                f"the share of the time that is burst is {self.share:g}; it must be in 0 to 1"
            )
        if self.factor * self.share > 1 + 1e-9:
            raise InvalidInputError(
                f"{self.factor:g} times the rate for {self.share:.0%} of the time is more than all items; "
                f"the share can be at most {1 / self.factor:.3g}"
            )


@dataclass(frozen=True, kw_only=True)
class OnOff:
    """Arrivals in bursts.

    Attributes:
        rate_per_s: items a second in the long run.
        shape: of the bursts.
    """

    rate_per_s: float
    shape: BurstShape

    def __post_init__(self) -> None:
        check_rate(self.rate_per_s)

    @property
    def memory_items(self) -> float:
        """Items of a burst and the calm after it."""
        return self.rate_per_s * self.shape.seconds / self.shape.share

    def times_s(self, rows: int, items: int, generator: np.random.Generator) -> Floats:
        """See `Traffic.times_s`: unit exponentials, read on a clock that runs as fast as the rate."""
        shape = self.shape
        burst = shape.factor * self.rate_per_s
        calm = max(self.rate_per_s * (1 - shape.factor * shape.share) / (1 - shape.share), 0.0)
        calm_s = shape.seconds * (1 - shape.share) / shape.share
        due = np.cumsum(generator.standard_exponential((rows, items)), axis=1)
        times: Floats = np.empty_like(due)
        expected = items / self.rate_per_s / (shape.seconds + calm_s)  # pairs of burst and calm
        for row in range(rows):
            pairs = int(1.2 * expected + 8 * math.sqrt(expected) + 16)
            begins_on = generator.random() < shape.share
            while True:  # more phases, in the rare case that these do not hold all items
                lengths = generator.standard_exponential((pairs, 2)) * (
                    (shape.seconds, calm_s) if begins_on else (calm_s, shape.seconds)
                )
                rates = np.tile((burst, calm) if begins_on else (calm, burst), pairs)
                clock = np.concatenate([[0.0], np.cumsum(lengths.ravel())])
                come = np.concatenate([[0.0], np.cumsum(lengths.ravel() * rates)])
                if come[-1] > due[row, -1]:
                    break
                pairs *= 2
            times[row] = _inverse(due[row], come, clock)
        return times


def _inverse(due: Floats, come: Floats, clock: Floats) -> Floats:
    """When as many items as `due` have come, where `come` (rising, with plateaus) have at `clock`."""
    # The phase in which each comes, come[place] < due: so never a calm in which nothing comes.
    place = np.searchsorted(come, due, side="left") - 1
    width = come[place + 1] - come[place]
    inside = (due - come[place]) / width
    times: Floats = clock[place] + inside * (clock[place + 1] - clock[place])
    return times


@dataclass(frozen=True, eq=False)
class Recorded:
    """Arrivals as they were recorded; another rate makes the same sequence faster or slower.

    Attributes:
        seconds: `(n,)` arrival times, rising, `FEWEST_RECORDED` or more.
    """

    seconds: Floats

    def __post_init__(self) -> None:
        if len(self.seconds) < FEWEST_RECORDED:
            raise InvalidInputError(
                f"{len(self.seconds)} arrivals are recorded; {FEWEST_RECORDED} or more are needed to tell a "
                "95th percentile"
            )
        if not np.isfinite(self.seconds).all() or (np.diff(self.seconds) < 0).any():
            raise InvalidInputError("the recorded times must be finite and in order")
        if not self.seconds[-1] > self.seconds[0]:
            raise InvalidInputError("all recorded arrivals have the same time")

    @property
    def rate_per_s(self) -> float:
        """Items a second, over the whole recording."""
        return (len(self.seconds) - 1) / float(self.seconds[-1] - self.seconds[0])

    @property
    def memory_items(self) -> float:
        """All of it: there is one sequence."""
        return float(len(self.seconds))

    def times_s(self, rows: int, items: int, generator: np.random.Generator) -> Floats:
        """The recording's beginning, the same in every row; `simulate_recorded` takes it whole."""
        del generator
        begin: Floats = self.seconds[:items]
        return np.tile(begin, (rows, 1))

    def at_rate(self, rate_per_s: float) -> Recorded:
        """The same sequence at another rate."""
        factor = self.rate_per_s / check_rate(rate_per_s)
        return Recorded((self.seconds - self.seconds[0]) * factor)
