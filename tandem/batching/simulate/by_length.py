"""Service times for `simulate` where a batch's time depends on its items, drawn from a sample."""

from __future__ import annotations

import numpy as np

from tandem.batching.lengths import Floats, Ints, LengthModel
from tandem.batching.simulate.ideal_rows import BatchTimes, padded_width
from tandem.batching.simulate.rounds import DrawTimes


def times_by_length(lengths: LengthModel, max_batch: int) -> DrawTimes:
    """Every arriving item is one of the sample, at random; a batch takes what its items make it take."""

    def draw(generator: np.random.Generator, rows: int, items: int) -> BatchTimes:
        width = padded_width(items, max_batch)
        alone = generator.choice(np.array(lengths.alone_s), rows * width + max_batch)
        behind = np.arange(max_batch)

        def took(at: Ints, size: Ints) -> Floats:
            there = behind < size[:, None]
            return lengths.seconds(np.where(there, alone[at[:, None] + behind], 0.0), size)

        return took

    return draw
