"""The learning rate's way through a training run."""

from __future__ import annotations

import math


def warmed_cosine(step: int, *, steps: int, warm_up: int, floor: float) -> float:
    """Share of the peak learning rate at a step: up in a line, then down along half a cosine.

    Args:
        step: from 0.
        steps: of the run.
        warm_up: steps of the way up, > 0.
        floor: share of the peak that is left at the end, 0-1.
    """
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(steps - warm_up, 1)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
