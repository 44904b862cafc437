"""s(b, lengths): what a batch costs whose items differ. An item's length is the time that it takes alone.

So seconds of sound, words and pixels need no common measure. A batch of b ≥ 2 items takes

    constant + longest x (its longest item alone) + others x (all its other items alone, together).

A model that pads every item to the longest has `others` near 0 and `longest` up to b; one that works on each
item in turn has both at 1; a decoder, which takes as many steps as its longest item, lies between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tandem.batching.errors import InvalidServiceTimeError
from tandem.batching.service_time import ServiceTime

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Mixed batches of each size that a fit needs at least, for its three numbers.
FEWEST_MIXED = 8
# Batches drawn for the mean time of a size.
DRAWS = 20_000


@dataclass(frozen=True, kw_only=True)
class MixedBatch:
    """A measured batch.

    Attributes:
        alone_s: what each of its items takes alone, seconds.
        took_s: what it took, seconds.
    """

    alone_s: tuple[float, ...]
    took_s: float


@dataclass(frozen=True, kw_only=True)
class LengthModel:
    """Batch times by the lengths of the items.

    Attributes:
        alone_s: what each item of the sample takes alone, seconds; traffic is drawn from these.
        constant_s: for b = 1, 2, …: seconds whatever the items; 0 for b = 1.
        longest: for b = 1, 2, …: factor of the longest item; 1 for b = 1.
        others: for b = 1, 2, …: factor of all other items together; 0 for b = 1.
        off: largest mean |fit - measured| / measured of a size.
    """

    alone_s: tuple[float, ...]
    constant_s: tuple[float, ...]
    longest: tuple[float, ...]
    others: tuple[float, ...]
    off: float

    @property
    def max_batch(self) -> int:
        """Largest batch that was measured."""
        return len(self.longest)

    def only(self, alone_s: tuple[float, ...]) -> LengthModel:
        """The same model for a part of its sample."""
        return replace(self, alone_s=alone_s)

    def seconds(self, alone: Floats, size: Ints) -> Floats:
        """What batches take.

        Args:
            alone: `(n, largest)` the items' times alone, seconds; 0 behind a batch's last.
            size: `(n,)` items of each batch.
        """
        longest = alone.max(axis=1)
        place = size - 1
        rest = alone.sum(axis=1) - longest
        times: Floats = (
            np.array(self.constant_s)[place]
            + np.array(self.longest)[place] * longest
            + np.array(self.others)[place] * rest
        )
        return np.maximum(times, longest)  # no batch is done before its longest item would be

    def mean_service(self, seed: int = 1) -> ServiceTime:
        """Mean s(b) over random batches: what capacity and stability follow from."""
        generator = np.random.default_rng(seed)
        means = []
        for size in range(1, self.max_batch + 1):
            alone = generator.choice(self.alone_s, (DRAWS if size > 1 else 1, size))
            if size == 1:
                means.append(float(np.mean(self.alone_s)))
                continue
            means.append(float(self.seconds(alone, np.full(DRAWS, size)).mean()))
        return ServiceTime(tuple(means))

    def shared_short_s(self) -> tuple[float, float]:
        """Mean time of an item of the shortest quarter alone, and in a pair with a random one, seconds."""
        lengths = np.sort(self.alone_s)
        short = lengths[: max(len(lengths) // 4, 1)]
        pairs = np.array([(one, other) for one in short for other in lengths])
        return float(short.mean()), float(self.seconds(pairs, np.full(len(pairs), 2)).mean())


def fit_lengths(alone_s: Sequence[float], batches: Sequence[MixedBatch]) -> LengthModel:
    """The model of a sample, by least squares with weights 1 / time, a fit a size.

    Args:
        alone_s: what each item takes alone, seconds, positive.
        batches: mixed batches of two or more; `FEWEST_MIXED` or more of each size from 2 to the largest.

    Raises:
        InvalidServiceTimeError: too few batches of a size, or a time that is not positive.
    """
    if not alone_s or min(alone_s) <= 0 or any(batch.took_s <= 0 for batch in batches):
        raise InvalidServiceTimeError("a measured time is not positive; measure again")
    largest = max((len(batch.alone_s) for batch in batches), default=1)
    constant, longest, others, off = [0.0], [1.0], [0.0], 0.0
    for size in range(2, largest + 1):
        mine = [batch for batch in batches if len(batch.alone_s) == size]
        if len(mine) < FEWEST_MIXED:
            raise InvalidServiceTimeError(
                f"{len(mine)} mixed batches of {size} were measured; {FEWEST_MIXED} are needed"
            )
        took = np.array([batch.took_s for batch in mine])
        top = np.array([max(batch.alone_s) for batch in mine])
        rest = np.array([sum(batch.alone_s) for batch in mine]) - top
        design = np.stack([np.ones(len(mine)), top, rest], axis=1)
        found = np.linalg.lstsq(design / took[:, None], np.ones(len(mine)), rcond=None)[0]
        constant.append(float(found[0]))
        longest.append(float(found[1]))
        others.append(float(found[2]))
        off = max(off, float(np.abs(design @ found / took - 1).mean()))
    return LengthModel(
        alone_s=tuple(alone_s),
        constant_s=tuple(constant),
        longest=tuple(longest),
        others=tuple(others),
        off=off,
    )
